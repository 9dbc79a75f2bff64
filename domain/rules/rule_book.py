"""The rule book: what the registers say at a legal time, folded from their streams."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, assert_never
from uuid import UUID
from zoneinfo import ZoneInfo

from domain.deadlines.decided import sessions_of, working_calendar
from domain.deadlines.law import BASE_POLICY, CalendarUse, OfficePolicy
from domain.deadlines.working_time import WorkingCalendar
from domain.envelope import Pin, ProcedureCode, Recorded, UnitCode
from domain.errors import UnitEnded, UnknownProcedure, UnknownUnit
from domain.rules.calendars import CalendarDecided
from domain.rules.policies import PolicyDecided
from domain.rules.procedures import ProcedurePublished, ProcedureVersion
from domain.rules.register import stream_of
from domain.rules.registers import RegisterEvent
from domain.rules.sources import SourceRegistered, SourceSystem
from domain.rules.subjects import SubjectErased
from domain.rules.tokens import Grant, TokenGranted, TokenRevoked
from domain.rules.units import Unit, UnitEndedByDecision, UnitRegistered

CALENDAR: Final = "VN"
POLICY: Final = "VN"
_MOST_COMPILED: Final = 256  # Calendars kept at once; what is asked for again is compiled again.


@dataclass(frozen=True, slots=True)
class UnitEntry:
    unit: Unit
    pin: Pin
    ended_at: datetime | None = None
    successors: tuple[UnitCode, ...] = ()


@dataclass(frozen=True, slots=True)
class ProcedureEntry:
    versions: tuple[ProcedurePublished, ...]
    pin: Pin


@dataclass(frozen=True, slots=True)
class TokenEntry:
    grant: Grant
    granted_at: datetime
    revoked: bool = False


@dataclass(slots=True)
class RuleBook:
    """Everything the registers say, known up to `position`. Only `learn` changes it."""

    position: int = 0
    units: dict[UnitCode, UnitEntry] = field(default_factory=dict)
    procedures: dict[ProcedureCode, ProcedureEntry] = field(default_factory=dict)
    calendars: dict[str, tuple[CalendarDecided, ...]] = field(default_factory=dict)
    policies: dict[str, tuple[PolicyDecided, ...]] = field(default_factory=dict)
    sources: dict[str, SourceSystem] = field(default_factory=dict)
    tokens: dict[str, TokenEntry] = field(default_factory=dict)
    erased: set[UUID] = field(default_factory=set)
    versions: dict[UUID, int] = field(default_factory=dict)
    _children: dict[UnitCode, set[UnitCode]] = field(default_factory=dict)
    _predecessors: dict[UnitCode, set[UnitCode]] = field(default_factory=dict)
    _decided: dict[str, list[CalendarDecided]] = field(default_factory=dict)
    _compiled: dict[tuple[CalendarUse, int], WorkingCalendar] = field(default_factory=dict)
    _subtrees: dict[UnitCode, frozenset[UnitCode]] = field(default_factory=dict)

    def learn(self, events: Iterable[Recorded[RegisterEvent]]) -> None:
        """Take in the next events of the registers, in the order of the ledger; old ones again."""
        for recorded in events:
            if recorded.seq <= self.position:
                continue
            self._subtrees.clear()
            self._learn(recorded.event)
            self.versions[recorded.event.originator_id] = recorded.event.originator_version
            self.position = max(self.position, recorded.seq)

    def _learn(self, event: RegisterEvent) -> None:  # noqa: C901, PLR0912  # a case each
        pin = Pin(stream=event.originator_id, version=event.originator_version)
        match event:
            case UnitRegistered():
                known = self.units.get(event.code)
                if known is not None and known.unit.parent is not None:
                    self._children[known.unit.parent].discard(event.code)
                if event.parent is not None:
                    self._children.setdefault(event.parent, set()).add(event.code)
                ended = (known.ended_at, known.successors) if known is not None else (None, ())
                self.units[event.code] = UnitEntry(event, pin, *ended)
            case UnitEndedByDecision():
                entry = self.units.get(event.code)
                if entry is not None:
                    self.units[event.code] = UnitEntry(
                        entry.unit, pin, event.ended_at, event.successors
                    )
                for successor in event.successors:
                    self._predecessors.setdefault(successor, set()).add(event.code)
            case ProcedurePublished():
                former = self.procedures.get(event.code)
                versions = (*(former.versions if former else ()), event)
                self.procedures[event.code] = ProcedureEntry(versions, pin)
            case CalendarDecided():
                decided = self.calendars.get(event.calendar, ())
                others = tuple(each for each in decided if each.id != event.id)
                self.calendars[event.calendar] = (*others, event)
                self._decided.setdefault(event.calendar, []).append(event)
            case PolicyDecided():
                self.policies[event.policy] = (*self.policies.get(event.policy, ()), event)
            case SourceRegistered():
                self.sources[event.name] = event
            case TokenGranted():
                self.tokens[event.digest] = TokenEntry(event, event.timestamp)
            case TokenRevoked():
                for digest, token in self.tokens.items():
                    if token.grant.token_id == event.token_id:
                        self.tokens[digest] = TokenEntry(
                            token.grant, token.granted_at, revoked=True
                        )
            case SubjectErased():
                self.erased.add(event.subject)
            case _:
                assert_never(event)

    def unit(self, code: UnitCode, at: datetime) -> UnitEntry:
        """Return a unit that exists at a moment, or raise UnknownUnit or UnitEnded."""
        entry = self.units.get(code)
        if entry is None:
            raise UnknownUnit(code)
        if entry.ended_at is not None and entry.ended_at <= at:
            raise UnitEnded(code)
        return entry

    def procedure(self, code: ProcedureCode, at: datetime) -> tuple[ProcedurePublished, Pin]:
        """Return the version in force at a moment (by the date at which it begins)."""
        entry = self.procedures.get(code)
        day = at.astimezone(ZoneInfo("Asia/Ho_Chi_Minh")).date()
        valid = [each for each in entry.versions if each.valid_from <= day] if entry else []
        if entry is None or not valid:
            raise UnknownProcedure(code)
        return max(valid, key=lambda each: (each.valid_from, each.originator_version)), entry.pin

    def procedure_version(self, code: ProcedureCode, version: int) -> ProcedureVersion | None:
        """Return a published version, or None where there is none."""
        entry = self.procedures.get(code)
        published = entry.versions if entry is not None else ()
        return next((each for each in published if each.version == version), None)

    def policy_version(self, name: str = POLICY) -> int:
        """Return how often the office policy was decided; 0: the one that comes with the law."""
        return len(self.policies.get(name, ()))

    def policy(self, version: int, name: str = POLICY) -> OfficePolicy:
        return self.policies[name][version - 1] if version else BASE_POLICY

    def calendar_use(self, unit: UnitCode) -> CalendarUse:
        """Return the calendar by which a unit works, as it is decided now."""
        entry = self.units.get(unit)
        name = (entry.unit.calendar if entry is not None else None) or CALENDAR
        closed = {each.unit for each in self.calendars.get(name, ()) if each.unit is not None}
        return CalendarUse(
            name=name,
            version=len(self._decided.get(name, ())),
            zone=self.zone(unit).key,
            units=tuple(code for code in self.line(unit) if code in closed),
        )

    def clock_pins(self, competent: UnitCode | None) -> Iterator[Pin]:
        """Yield the versions of the calendar and of the policy by which a clock starts now."""
        entry = self.units.get(competent) if competent is not None else None
        name = (entry.unit.calendar if entry is not None else None) or CALENDAR
        for category, key in (("calendar", name), ("policy", POLICY)):
            stream = stream_of(category, key)
            if stream in self.versions:
                yield Pin(stream=stream, version=self.versions[stream])

    def decisions(self, name: str, version: int) -> list[CalendarDecided]:
        """Return what a version of a calendar holds: of each decision its last form by then."""
        last = {each.id: each for each in self._decided.get(name, [])[:version]}
        return list(last.values())

    def working_calendar(self, use: CalendarUse, policy_version: int) -> WorkingCalendar:
        """Return a calendar as it was used, compiled once. Raises CalendarContradicts."""
        found = self._compiled.get((use, policy_version))
        if found is None:
            found = working_calendar(
                self.decisions(use.name, use.version),
                units=use.units,
                sessions=sessions_of(self.policy(policy_version).sessions),
                zone=ZoneInfo(use.zone),
                name=use.name,
            )
            if len(self._compiled) >= _MOST_COMPILED:
                del self._compiled[next(iter(self._compiled))]
            self._compiled[use, policy_version] = found
        return found

    def line(self, unit: UnitCode) -> list[UnitCode]:
        """Return a unit and what stands above it, the nearest first."""
        found: list[UnitCode] = []
        above: UnitCode | None = unit
        while above is not None and above not in found:
            found.append(above)
            entry = self.units.get(above)
            above = entry.unit.parent if entry is not None else None
        return found

    def authority(self, unit: UnitCode) -> UnitCode:
        """Return the agency that a unit belongs to: the one below its province or ministry.

        Codes of the first level have no dot (QĐ 20/2020/QĐ-TTg, Điều 4).
        """
        line = self.line(unit)
        below = [code for code in line if "." in code]
        return below[-1] if below else line[-1]

    def is_another_area(self, one: UnitCode, other: UnitCode) -> bool:
        """Say whether two agencies have areas of their own: two provinces, or two communes."""
        if one.partition(".")[0] != other.partition(".")[0]:
            return True
        levels = [self.units[code].unit.level for code in (one, other) if code in self.units]
        return one != other and levels == ["commune", "commune"]

    def zone(self, code: UnitCode) -> ZoneInfo:
        entry = self.units.get(code)
        return ZoneInfo(entry.unit.zone if entry else "Asia/Ho_Chi_Minh")

    def subtree(self, root: UnitCode) -> frozenset[UnitCode]:
        """Return a unit, everything below it, and what these took over from ended units."""
        if root in self._subtrees:
            return self._subtrees[root]
        found = {root}
        waiting = [root]
        while waiting:
            code = waiting.pop()
            below = self._children.get(code, set()) | self._predecessors.get(code, set())
            waiting += below - found
            found |= below
        return self._subtrees.setdefault(root, frozenset(found))

    def pins(self, codes: Iterable[UnitCode]) -> Iterator[Pin]:
        """Yield the versions of the units that a decision looked at."""
        for code in codes:
            entry = self.units.get(code)
            if entry is not None:
                yield entry.pin
