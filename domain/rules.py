"""The rule book: what the registers say at a legal time, folded from their streams."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import assert_never
from uuid import UUID
from zoneinfo import ZoneInfo

from domain import registers as reg
from domain.envelope import Pin, ProcedureCode, Recorded, UnitCode
from domain.errors import UnitEnded, UnknownProcedure, UnknownUnit


@dataclass(frozen=True, slots=True)
class UnitEntry:
    unit: reg.Unit
    pin: Pin
    ended_at: datetime | None = None
    successors: tuple[UnitCode, ...] = ()


@dataclass(frozen=True, slots=True)
class ProcedureEntry:
    versions: tuple[reg.ProcedurePublished, ...]
    pin: Pin


@dataclass(frozen=True, slots=True)
class TokenEntry:
    grant: reg.Grant
    granted_at: datetime
    revoked: bool = False


@dataclass(slots=True)
class RuleBook:
    """Everything the registers say, known up to `position`. Only `learn` changes it."""

    position: int = 0
    units: dict[UnitCode, UnitEntry] = field(default_factory=dict)
    procedures: dict[ProcedureCode, ProcedureEntry] = field(default_factory=dict)
    calendars: dict[str, tuple[reg.CalendarDecided, ...]] = field(default_factory=dict)
    sources: dict[str, reg.SourceSystem] = field(default_factory=dict)
    tokens: dict[str, TokenEntry] = field(default_factory=dict)
    erased: set[UUID] = field(default_factory=set)
    versions: dict[UUID, int] = field(default_factory=dict)
    _children: dict[UnitCode, set[UnitCode]] = field(default_factory=dict)
    _predecessors: dict[UnitCode, set[UnitCode]] = field(default_factory=dict)
    _subtrees: dict[UnitCode, frozenset[UnitCode]] = field(default_factory=dict)

    def learn(self, events: Iterable[Recorded[reg.RegisterEvent]]) -> None:
        """Take in the next events of the registers, in the order of the ledger."""
        for recorded in events:
            self._subtrees.clear()
            self._learn(recorded.event)
            self.versions[recorded.event.originator_id] = recorded.event.originator_version
            self.position = max(self.position, recorded.seq)

    def _learn(self, event: reg.RegisterEvent) -> None:  # noqa: C901, PLR0912  # a case each
        pin = Pin(stream=event.originator_id, version=event.originator_version)
        match event:
            case reg.UnitRegistered():
                known = self.units.get(event.code)
                if known is not None and known.unit.parent is not None:
                    self._children[known.unit.parent].discard(event.code)
                if event.parent is not None:
                    self._children.setdefault(event.parent, set()).add(event.code)
                ended = (known.ended_at, known.successors) if known is not None else (None, ())
                self.units[event.code] = UnitEntry(event, pin, *ended)
            case reg.UnitEndedByDecision():
                entry = self.units.get(event.code)
                if entry is not None:
                    self.units[event.code] = UnitEntry(
                        entry.unit, pin, event.ended_at, event.successors
                    )
                for successor in event.successors:
                    self._predecessors.setdefault(successor, set()).add(event.code)
            case reg.ProcedurePublished():
                former = self.procedures.get(event.code)
                versions = (*(former.versions if former else ()), event)
                self.procedures[event.code] = ProcedureEntry(versions, pin)
            case reg.CalendarDecided():
                decided = self.calendars.get(event.calendar, ())
                others = tuple(each for each in decided if each.id != event.id)
                self.calendars[event.calendar] = (*others, event)
            case reg.SourceRegistered():
                self.sources[event.name] = event
            case reg.TokenGranted():
                self.tokens[event.digest] = TokenEntry(event, event.timestamp)
            case reg.TokenRevoked():
                for digest, token in self.tokens.items():
                    if token.grant.token_id == event.token_id:
                        self.tokens[digest] = TokenEntry(
                            token.grant, token.granted_at, revoked=True
                        )
            case reg.SubjectErased():
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

    def procedure(self, code: ProcedureCode, at: datetime) -> tuple[reg.ProcedurePublished, Pin]:
        """Return the version in force at a moment (by the date at which it begins)."""
        entry = self.procedures.get(code)
        day = at.astimezone(ZoneInfo("Asia/Ho_Chi_Minh")).date()
        valid = [each for each in entry.versions if each.valid_from <= day] if entry else []
        if entry is None or not valid:
            raise UnknownProcedure(code)
        return max(valid, key=lambda each: (each.valid_from, each.originator_version)), entry.pin

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
