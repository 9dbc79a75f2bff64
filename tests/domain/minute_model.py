"""A slow model of due dates, meant to be plainly right: it walks day by day and minute by minute.

Moments are naive local times in whole minutes; Vietnam has no summer time. It was written from the
rules alone and shares nothing with the code that it judges but the names of units and policies.
"""

from calendar import monthrange
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import assert_never

from domain.deadlines.law import PausePolicy, Term, TermUnit

Sessions = tuple[tuple[int, int], ...]
"""Opening and closing in minutes of the day; the closing itself lies outside."""
Span = tuple[datetime, datetime]

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
CUT_OFF = time(15)
_FIRST_MINUTE = datetime(2000, 1, 1)  # noqa: DTZ001  # naive like every moment here


@dataclass(frozen=True, kw_only=True)
class Halt:
    start: datetime
    end: datetime | None
    policy: PausePolicy


@dataclass(frozen=True, kw_only=True)
class MinuteModel:
    open_days: Mapping[date, Sessions]
    term: Term
    counts_from_next_day: bool = False

    def due(self, start: datetime, halts: Iterable[Halt] = ()) -> datetime | None:
        """Return when the term ends; None while a pause that counts is open."""
        clocks = [self.clock_start(start)]
        due = self._end_of_term(clocks[0], [])
        extending: list[Span] = []
        for halt in sorted(halts, key=lambda each: each.start):
            if halt.policy is PausePolicy.NONE or self._is_after(halt.start, due):
                continue
            if halt.end is None:
                return None
            if halt.policy is PausePolicy.RESTART:
                clocks.append(max(clocks[-1], self.clock_start(halt.end)))
            else:
                extending.append((halt.start, halt.end))
            # No pause shortens a term: the latest of all that were counted stands.
            due = max([due, *(self._end_of_term(clock, extending) for clock in clocks)])
        return due

    def clock_start(self, received: datetime) -> datetime:
        day = received.date()
        if self.counts_from_next_day and day in self.open_days and received.time() > CUT_OFF:
            day = self._open_day_after(day)
            return _at(day, open_minutes(self.open_days[day])[0])
        if self.term.unit is TermUnit.ELAPSED_HOUR and not self.counts_from_next_day:
            return received
        for minute in open_minutes(self.open_days.get(day, ())):
            if _at(day, minute) >= received:
                return _at(day, minute)
        day = self._open_day_after(day)
        return _at(day, open_minutes(self.open_days[day])[0])

    def _is_after(self, moment: datetime, due: datetime) -> bool:
        if self.term.unit in {TermUnit.WORKING_HOUR, TermUnit.ELAPSED_HOUR}:
            return moment > due
        return moment.date() > due.date()

    def _end_of_term(self, clock: datetime, extending: Sequence[Span]) -> datetime:
        paused = [(max(start, clock), end) for start, end in extending if end > clock]
        amount = self.term.amount
        match self.term.unit:
            case TermUnit.WORKING_DAY:
                end = self._after_open_days(clock, amount)
                return self._after_open_minutes(end, self._count_open(paused))
            case TermUnit.WORKING_HOUR:
                end = self._after_open_minutes(clock, 60 * amount)
                return self._after_open_minutes(end, self._count_open(paused))
            case TermUnit.CALENDAR_DAY:
                nominal = clock.date() + amount * DAY
                return self._closing_from(nominal + len(_days_in(paused)) * DAY)
            case TermUnit.MONTH:
                nominal = _months_later(clock.date(), amount)
                return self._closing_from(nominal + len(_days_in(paused)) * DAY)
            case TermUnit.ELAPSED_HOUR:
                end = clock + amount * HOUR + len(_minutes_in(paused)) * MINUTE
                return end if end.date() in self.open_days else self._closing_from(end.date())
            case _:
                assert_never(self.term.unit)

    def _after_open_days(self, clock: datetime, amount: int) -> datetime:
        day = clock.date()
        for _ in range(amount):
            day = self._open_day_after(day)
        minute = 60 * clock.hour + clock.minute
        if minute in open_minutes(self.open_days[day]):
            return _at(day, minute)
        return self._closing_from(day)

    def _after_open_minutes(self, start: datetime, amount: int) -> datetime:
        """Return the end of the last of so many open minutes; `start` itself if there are none."""
        if amount == 0:
            return start
        left = amount
        day = start.date()
        earliest = 60 * start.hour + start.minute
        while True:
            for minute in open_minutes(self.open_days.get(day, ())):
                if minute < earliest:
                    continue
                left -= 1
                if left == 0:
                    return _at(day, minute + 1)
            day = self._open_day_after(day)
            earliest = 0

    def _count_open(self, spans: Sequence[Span]) -> int:
        paused = _minutes_in(spans)
        found = 0
        for day in {start.date() for start, _ in spans} | _days_in(spans):
            midnight = _number(_at(day, 0))
            for minute in open_minutes(self.open_days.get(day, ())):
                if midnight + minute in paused:
                    found += 1
        return found

    def _open_day_after(self, day: date) -> date:
        day += DAY
        while day not in self.open_days:
            day += DAY
        return day

    def _closing_from(self, day: date) -> datetime:
        """Return the last closing of the day; if it is closed, of the next open day."""
        if day not in self.open_days:
            day = self._open_day_after(day)
        return _at(day, open_minutes(self.open_days[day])[-1] + 1)


@cache
def open_minutes(sessions: Sessions) -> list[int]:
    return [minute for opening, closing in sessions for minute in range(opening, closing)]


def _at(day: date, minute: int) -> datetime:
    return datetime.combine(day, time()) + minute * MINUTE


def _number(moment: datetime) -> int:
    return (moment - _FIRST_MINUTE) // MINUTE


def _minutes_in(spans: Iterable[Span]) -> set[int]:
    """Return each minute once, in however many of the spans it lies."""
    minutes: set[int] = set()
    for start, end in spans:
        minutes.update(range(_number(start), _number(end)))
    return minutes


def _days_in(spans: Iterable[Span]) -> set[date]:
    """Return each date once; a span's own first date is not among its dates."""
    days: set[date] = set()
    for start, end in spans:
        day = start.date()
        while day < end.date():
            day += DAY
            days.add(day)
    return days


def _months_later(day: date, amount: int) -> date:
    year, month = day.year, day.month
    for _ in range(amount):
        month += 1
        if month > 12:
            year, month = year + 1, 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))
