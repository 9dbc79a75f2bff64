"""From what was decided about days to the working calendar that it makes."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, time
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo

from domain.deadlines.law import BASE_POLICY, CalendarDecision
from domain.deadlines.working_time import Session, WorkingCalendar
from domain.envelope import VIETNAM, UnitCode
from domain.errors import CalendarContradicts, InvalidRequest

_SESSION = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")


def sessions_of(texts: Iterable[str]) -> tuple[Session, ...]:
    """Return office hours as they are written (`07:00-11:30`), in order. Raises InvalidRequest."""
    sessions: list[Session] = []
    for text in texts:
        found = _SESSION.fullmatch(text)
        if found is None:
            raise InvalidRequest("A session is written like 07:00-11:30.")
        hours = [int(part) for part in found.groups()]
        opens, closes = time(hours[0], hours[1]), time(hours[2], hours[3])
        if closes <= opens or (sessions and opens < sessions[-1][1]):
            raise InvalidRequest("Sessions end after they begin, and follow each other.")
        sessions.append((opens, closes))
    return tuple(sessions)


@cache
def hour_of(text: str) -> time:
    """Return an hour as it is written (`15:00`). Raises InvalidRequest."""
    found = _CLOCK.fullmatch(text)
    if found is None:
        raise InvalidRequest("An hour is written like 15:00.")
    return time(int(found[1]), int(found[2]))


SESSIONS: Final = sessions_of(BASE_POLICY.sessions)


def applied(
    decisions: Iterable[CalendarDecision], units: Collection[UnitCode] = ()
) -> list[CalendarDecision]:
    """Return the decisions that hold for an office below these units: proposals do not."""
    return [
        each
        for each in decisions
        if not each.proposal and (each.unit is None or each.unit in units)
    ]


def deciding(
    decisions: Iterable[CalendarDecision], nearest: Sequence[UnitCode] = ()
) -> dict[date, CalendarDecision]:
    """Return which applied decision settles each day that one names.

    What units decide for their offices comes before what holds for everyone, the `nearest` first.

    Raises CalendarContradicts where two for the same offices say off and worked of one day.
    """
    levels: dict[UnitCode | None, dict[date, CalendarDecision]] = {}
    for each in decisions:
        level = levels.setdefault(each.unit, {})
        for day in days_of(each):
            refuse_contradiction(level.get(day, each), each, day)
            level[day] = each
    settled = dict(levels.pop(None, {}))
    order = {unit: rank for rank, unit in enumerate(nearest)}
    for unit in sorted(levels, key=lambda code: -order.get(code, len(order)) if code else 0):
        settled.update(levels[unit])
    return settled


def refuse_contradiction(known: CalendarDecision, new: CalendarDecision, day: date) -> None:
    """Raise CalendarContradicts if the two say off and worked of a day."""
    for off, worked in ((known, new), (new, known)):
        if day in off.off and day in _worked(worked):
            raise CalendarContradicts(day, off.id, worked.id)


def days_of(decision: CalendarDecision) -> set[date]:
    """Return the days that a decision settles."""
    return {*decision.off, *_worked(decision)}


def _worked(decision: CalendarDecision) -> set[date]:
    return {*decision.working, *(each.day for each in decision.hours)}


def is_off(decision: CalendarDecision, day: date) -> bool:
    return day in decision.off


def working_calendar(
    decisions: Iterable[CalendarDecision],
    *,
    units: Sequence[UnitCode] = (),
    sessions: Sequence[Session] = SESSIONS,
    zone: ZoneInfo = VIETNAM,
    name: str = "VN",
) -> WorkingCalendar:
    """Compile decisions for an office below `units`, the nearest first.

    It knows the years in which decisions for everyone name a day.

    Raises CalendarContradicts, and InvalidRequest for hours that are none.
    """
    held = applied(decisions, units)
    exceptions: dict[date, Sequence[Session]] = {}
    for day, decision in deciding(held, units).items():
        exceptions[day] = () if is_off(decision, day) else _hours(decision, day, sessions)
    nationwide = (each for each in held if each.unit is None)
    years = {day.year for each in nationwide for day in days_of(each)}
    known = {day: hours for day, hours in exceptions.items() if day.year in years}
    return WorkingCalendar(name=name, years=years, sessions=sessions, exceptions=known, zone=zone)


def _hours(decision: CalendarDecision, day: date, ordinary: Sequence[Session]) -> Sequence[Session]:
    own: Mapping[date, Sequence[str]] = {each.day: each.sessions for each in decision.hours}
    return sessions_of(own[day]) if day in own else ordinary
