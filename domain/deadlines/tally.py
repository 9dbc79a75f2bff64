"""How much of each day counts towards a due date, and how much of it was paused."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from domain.deadlines.law import TermUnit
from domain.deadlines.running import Span
from domain.deadlines.terms import WORKING, Ending
from domain.deadlines.working_time import WorkingCalendar

_DAY: Final = timedelta(days=1)
_MINUTE: Final = timedelta(minutes=1)
_LAST: Final = _DAY - timedelta(microseconds=1)
_NOTHING: Final = timedelta(0)
_Dated = tuple[date, date, datetime, datetime]


@dataclass(frozen=True, slots=True)
class Share:
    """What a day gives to a term; `nth` is its number among days that are counted whole."""

    minutes: int
    paused: int
    nth: int | None


class Tally:
    """Takes the days of a term in their order, until it is used up."""

    def __init__(
        self,
        calendar: WorkingCalendar,
        unit: TermUnit,
        leg: Ending,
        stopped: Sequence[Span],
        paused: Sequence[Span],
    ) -> None:
        """Count the term of `leg` without what `stopped` it; `paused` is only measured."""
        self._calendar = calendar
        self._unit = unit
        self._leg = leg
        self._stopped = [(start.date(), end.date(), start, end) for start, end in stopped]
        self._paused = [(start.date(), end.date(), start, end) for start, end in paused]
        self._elapses = unit is TermUnit.ELAPSED_HOUR
        self._by_date = unit not in WORKING and not self._elapses
        self._first = leg.starts.date()
        self._last = leg.due.date()
        self._left = self._length()
        self._counted = self._stood = _NOTHING
        self._nth = 0

    def take(self, day: date, *, is_open: bool) -> Share:
        """Return what the next day gives: in whole minutes that add up."""
        got = stood = _NOTHING
        if self._paused and (is_open or self._elapses):
            stood = self._during(day, self._paused)
        if self._left and day >= self._first:
            got = min(self._countable(day, is_open=is_open), self._left)
        minutes, paused = -(self._counted // _MINUTE), -(self._stood // _MINUTE)
        self._left -= got
        self._counted += got
        self._stood += stood
        return Share(
            minutes + self._counted // _MINUTE,
            paused + self._stood // _MINUTE,
            self._number(day, got, is_open=is_open),
        )

    def _length(self) -> timedelta:
        if self._by_date:
            length = timedelta(days=(self._leg.nominal.date() - self._first).days)
        else:
            end = self._leg.nominal if self._elapses else self._leg.due
            length = self._measured(self._leg.starts, end)
        return max(length, _NOTHING)

    def _countable(self, day: date, *, is_open: bool) -> timedelta:
        if self._by_date:
            stood = any(first < day <= last for first, last, _, _ in self._stopped)
            return _NOTHING if stood or day == self._first else _DAY
        if not (is_open or self._elapses):
            return _NOTHING
        if day == self._first:
            whole = self._measured(self._leg.starts, self._bounds(day)[1])
        else:
            whole = _DAY if self._elapses else self._calendar.length(day)
        return whole - self._during(day, self._stopped)

    def _during(self, day: date, spans: Sequence[_Dated]) -> timedelta:
        taken = _NOTHING
        for first, last, since, until in spans:
            if first <= day <= last:
                begin, end = self._bounds(day)
                taken += self._measured(max(since, begin), min(until, end))
        return taken

    def _bounds(self, day: date) -> Span:
        """Return a day's begin and end; of a day in sessions, an end that lies in its own year."""
        begin = datetime(day.year, day.month, day.day)  # noqa: DTZ001  # wall time
        return begin, begin + (_DAY if self._elapses else _LAST)

    def _measured(self, start: datetime, end: datetime) -> timedelta:
        return end - start if self._elapses else self._calendar.worked(start, end)

    def _number(self, day: date, got: timedelta, *, is_open: bool) -> int | None:
        if self._unit is TermUnit.CALENDAR_DAY:
            counts = bool(got)
        elif self._unit is TermUnit.WORKING_DAY:
            counts = is_open and not self._stopped and self._first < day <= self._last
        else:
            counts = False
        if counts:
            self._nth += 1
        return self._nth if counts else None
