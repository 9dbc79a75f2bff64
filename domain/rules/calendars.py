"""Working calendars: what is decided about days."""

from dataclasses import dataclass
from typing import Final

from domain.deadlines.decided import applied, days_of, deciding, refuse_contradiction, sessions_of
from domain.deadlines.law import CalendarDecision
from domain.envelope import UnitCode
from domain.errors import InvalidRequest
from domain.rules.register import EntryKind, Register, RegisterEvent, Units, same

DECIDABLE: Final = range(1990, 2100)
"""Years whose days may be decided: a calendar is compiled from the first to the last."""


@dataclass(frozen=True, kw_only=True)
class CalendarDecided(CalendarDecision, RegisterEvent):
    TOPIC = "calendar.decided.v1"


class CalendarBook(dict[str, tuple[CalendarDecided, ...]]):
    """The decisions of each calendar in their last form."""

    def __init__(self) -> None:
        super().__init__()
        self._decided: dict[str, list[CalendarDecided]] = {}

    def decide(self, event: CalendarDecided) -> None:
        others = (each for each in self.get(event.calendar, ()) if each.id != event.id)
        self[event.calendar] = (*others, event)
        self._decided.setdefault(event.calendar, []).append(event)

    def version(self, name: str) -> int:
        """Return how often a calendar was decided."""
        return len(self._decided.get(name, ()))

    def decisions(self, name: str, version: int) -> list[CalendarDecided]:
        """Return what a version of a calendar holds: of each decision its last form by then."""
        last = {each.id: each for each in self._decided.get(name, [])[:version]}
        return list(last.values())

    def closed(self, name: str) -> set[UnitCode]:
        """Return the units about whose own offices something is decided."""
        return {each.unit for each in self.get(name, ()) if each.unit is not None}


def _check(calendars: CalendarBook, entry: CalendarDecided) -> None:
    """Refuse what says off and worked of one day, alone or with what is decided already."""
    for each in entry.hours:
        if not sessions_of(each.sessions):
            raise InvalidRequest("hours: a day without sessions is a day off.")
    if len({each.day for each in entry.hours}) < len(entry.hours):
        raise InvalidRequest("hours: one entry for a day.")
    if any(day.year not in DECIDABLE for day in days_of(entry)):
        raise InvalidRequest("Days are decided between 1990 and 2099.")
    known = calendars.get(entry.calendar, ())
    others = [each for each in known if each.id != entry.id]
    same_offices = [each for each in (*others, entry) if each.unit == entry.unit]
    deciding(applied(same_offices, (entry.unit,) if entry.unit else ()))
    for day in days_of(entry):
        refuse_contradiction(entry, entry, day)


def _touched(calendars: CalendarBook, entry: CalendarDecided) -> Units:
    decided = calendars.get(entry.calendar, ())
    return (entry.unit, *(each.unit for each in decided if each.id == entry.id))


def _says(calendars: CalendarBook, entry: CalendarDecided) -> bool:
    decided = calendars.get(entry.calendar, ())
    return any(each.id == entry.id and same(each, entry) for each in decided)


CALENDARS: Final = Register(
    name="calendar",
    book=CalendarBook,
    sent=True,
    kinds=(
        EntryKind[CalendarDecided, CalendarBook](
            event=CalendarDecided,
            key=lambda entry: entry.calendar,
            label="id",
            tables=("calendars", "calendar", "decisions", "decision"),
            named=lambda entry: (entry.unit,),
            touched=_touched,
            check=_check,
            says=_says,
            learn=CalendarBook.decide,
        ),
    ),
)
