"""The rule book: what the registers say at a legal time, composed of their small books."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from domain.deadlines.decided import applied, deciding, sessions_of, working_calendar
from domain.deadlines.law import CalendarDecision, CalendarUse, OfficePolicy
from domain.deadlines.working_time import WorkingCalendar
from domain.envelope import Pin, ProcedureCode, Recorded, UnitCode
from domain.rules.calendars import CALENDARS, CalendarBook, CalendarDecided
from domain.rules.memory import Memory
from domain.rules.policies import POLICIES, PolicyBook
from domain.rules.procedures import (
    PROCEDURES,
    ProcedureBook,
    ProcedurePublished,
    ProcedureVersion,
)
from domain.rules.register import B, Register, RegisterEvent, stream_of
from domain.rules.registers import REGISTERS, kind_of
from domain.rules.sources import SOURCES, SourceBook
from domain.rules.subjects import SUBJECTS, SubjectBook
from domain.rules.tokens import TOKENS, TokenBook
from domain.rules.units import UNITS, UnitBook, UnitEntry

CALENDAR: Final = "VN"
POLICY: Final = "VN"
_MOST_COMPILED: Final = 256  # Calendars kept at once; what is asked for again is compiled again.
_MOST_ANSWERS: Final = 4_096


def _books() -> dict[str, Any]:
    return {register.name: register.book() for register in REGISTERS}


@dataclass(slots=True)
class RuleBook:
    """Everything the registers say, known up to `position`. Only `learn` changes it.

    `memory` keeps what follows from it; it forgets when the book learns.
    """

    position: int = 0
    versions: dict[UUID, int] = field(default_factory=dict)
    _books: dict[str, Any] = field(default_factory=_books)
    memory: Memory = field(default_factory=lambda: Memory(_MOST_ANSWERS), compare=False)
    _compiled: Memory = field(default_factory=lambda: Memory(_MOST_COMPILED), compare=False)
    units: UnitBook = field(init=False, compare=False)
    procedures: ProcedureBook = field(init=False, compare=False)
    calendars: CalendarBook = field(init=False, compare=False)
    policies: PolicyBook = field(init=False, compare=False)
    sources: SourceBook = field(init=False, compare=False)
    tokens: TokenBook = field(init=False, compare=False)
    erased: SubjectBook = field(init=False, compare=False)

    def __post_init__(self) -> None:
        self.units = self.book(UNITS)
        self.procedures = self.book(PROCEDURES)
        self.calendars = self.book(CALENDARS)
        self.policies = self.book(POLICIES)
        self.sources = self.book(SOURCES)
        self.tokens = self.book(TOKENS)
        self.erased = self.book(SUBJECTS)

    def book(self, register: Register[B]) -> B:
        """Return the small book of a register."""
        book: B = self._books[register.name]
        return book

    def book_of(self, entry: RegisterEvent) -> Any:  # noqa: ANN401  # for the entry's own kind
        """Return the small book that an entry is about."""
        return self._books[kind_of(entry).register]

    def learn(self, events: Iterable[Recorded[RegisterEvent]]) -> None:
        """Take in the next events of the registers, in the order of the ledger; old ones again."""
        for recorded in events:
            if recorded.seq <= self.position:
                continue
            event = recorded.event
            book = self.book_of(event)
            kind_of(event).learn(book, event)
            if book is self.units:
                self.units.learned(recorded.seq)
            self.versions[event.originator_id] = event.originator_version
            self.position = recorded.seq
            self.memory.forget()

    def unit(self, code: UnitCode, at: datetime) -> UnitEntry:
        """Return a unit that exists at a moment, or raise UnknownUnit or UnitEnded."""
        return self.units.existing(code, at)

    def procedure(self, code: ProcedureCode, at: datetime) -> tuple[ProcedurePublished, Pin]:
        """Return the version in force at a moment (by the date at which it begins)."""
        return self.procedures.in_force(code, at)

    def procedure_version(self, code: ProcedureCode, version: int) -> ProcedureVersion | None:
        """Return a published version, or None where there is none."""
        return self.procedures.version(code, version)

    def policy_version(self, name: str = POLICY) -> int:
        """Return how often the office policy was decided; 0: the one that comes with the law."""
        return self.policies.version(name)

    def policy(self, version: int, name: str = POLICY) -> OfficePolicy:
        return self.policies.decided(name, version)

    def calendar_of(self, unit: UnitCode | None) -> str:
        """Return the name of the calendar by which a unit works."""
        entry = self.units.get(unit) if unit is not None else None
        return (entry.unit.calendar if entry is not None else None) or CALENDAR

    def calendar_use(self, unit: UnitCode) -> CalendarUse:
        """Return the calendar by which a unit works, as it is decided now."""
        return self.memory.answer(("calendar", unit), lambda: self._calendar_use(unit))

    def _calendar_use(self, unit: UnitCode) -> CalendarUse:
        name = self.calendar_of(unit)
        closed = self.calendars.closed(name)
        return CalendarUse(
            name=name,
            version=self.calendars.version(name),
            zone=self.zone(unit).key,
            units=tuple(code for code in self.line(unit) if code in closed),
        )

    def pins(
        self,
        units: tuple[UnitCode | None, ...],
        procedure: ProcedureCode | None = None,
        competent: UnitCode | None = None,
    ) -> tuple[Pin, ...]:
        """Return the versions of what a decision looks at, in the order of their streams.

        With a procedure also those of the calendar and the policy by which a clock starts now.
        """
        asked = "pins", units, procedure, competent
        return self.memory.answer(asked, lambda: self._pins(units, procedure, competent))

    def _pins(
        self,
        units: tuple[UnitCode | None, ...],
        procedure: ProcedureCode | None,
        competent: UnitCode | None,
    ) -> tuple[Pin, ...]:
        found = set(self.units.pins(unit for unit in units if unit is not None))
        if procedure is not None and procedure in self.procedures:
            found.add(self.procedures[procedure].pin)
            found.update(self._clock_pins(competent))
        return tuple(sorted(found, key=lambda pin: pin.stream))

    def _clock_pins(self, competent: UnitCode | None) -> Iterator[Pin]:
        for category, key in (("calendar", self.calendar_of(competent)), ("policy", POLICY)):
            stream = stream_of(category, key)
            if stream in self.versions:
                yield Pin(stream=stream, version=self.versions[stream])

    def decisions(self, name: str, version: int) -> list[CalendarDecided]:
        """Return what a version of a calendar holds: of each decision its last form by then."""
        return self.calendars.decisions(name, version)

    def working_calendar(self, use: CalendarUse, policy_version: int) -> WorkingCalendar:
        """Return a calendar as it was used, compiled once. Raises CalendarContradicts."""
        return self._compiled.answer(
            (use, policy_version),
            lambda: working_calendar(
                self.decisions(use.name, use.version),
                units=use.units,
                sessions=sessions_of(self.policy(policy_version).sessions),
                zone=ZoneInfo(use.zone),
                name=use.name,
            ),
        )

    def settled_days(self, use: CalendarUse) -> Mapping[date, CalendarDecision]:
        """Return which decision settles each day of a calendar as it was used, found once."""
        return self._compiled.answer(
            ("settled", use),
            lambda: deciding(applied(self.decisions(use.name, use.version), use.units), use.units),
        )

    def line(self, unit: UnitCode) -> list[UnitCode]:
        """Return a unit and what stands above it, the nearest first."""
        return self.units.line(unit)

    def authority(self, unit: UnitCode) -> UnitCode:
        """Return the agency that a unit belongs to: the one below its province or ministry."""
        return self.units.authority(unit)

    def is_another_area(self, one: UnitCode, other: UnitCode) -> bool:
        """Say whether two agencies have areas of their own: two provinces, or two communes."""
        return self.units.is_another_area(one, other)

    def zone(self, code: UnitCode) -> ZoneInfo:
        return self.memory.answer(("zone", code), lambda: self.units.zone(code))

    def subtree(self, root: UnitCode) -> frozenset[UnitCode]:
        """Return a unit, everything below it, and what these took over from ended units."""
        return self.units.subtree(root)
