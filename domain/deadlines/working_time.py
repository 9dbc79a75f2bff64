"""A working calendar, compiled: which days are worked, in which sessions, and sums over them.

Moments go in and come out as wall time of the calendar's zone, without an offset: law counts days
and office hours, and both are local.
"""

from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from itertools import accumulate
from zoneinfo import ZoneInfo

from domain.errors import CalendarLacksYear

Session = tuple[time, time]
"""From an opening until a closing; the closing itself is outside: [07:00, 11:30)."""

_SATURDAY = 5
_SECOND = 1_000_000
_MICROSECOND = timedelta(microseconds=1)


class WorkingCalendar:
    """Working days and office hours of the years that were decided. Nothing in it changes.

    Whatever touches another year raises CalendarLacksYear.
    """

    def __init__(
        self,
        *,
        name: str,
        years: Collection[int],
        sessions: Sequence[Session],
        exceptions: Mapping[date, Sequence[Session]],
        zone: ZoneInfo,
    ) -> None:
        """Take every Monday to Friday of the years as worked, but for the exceptions.

        An exception says in which sessions its day is worked: in none, it is a day off.
        """
        self.name = name
        self.zone = zone
        self.years = frozenset(years)
        self._first = date(min(self.years, default=1), 1, 1).toordinal()
        last = date(max(self.years, default=1), 12, 31).toordinal()
        ordinary = tuple(_spans(sessions))
        special = {day.toordinal(): tuple(_spans(each)) for day, each in exceptions.items()}
        self._sessions = [
            special.get(day, () if (day + 6) % 7 >= _SATURDAY else ordinary)
            for day in range(self._first, last + 1)
        ]
        self._open_days = [index for index, day in enumerate(self._sessions) if day]
        self._opened = [0, *accumulate(bool(day) for day in self._sessions)]
        lengths = (sum(end - start for start, end in day) for day in self._sessions)
        self._worked = [0, *accumulate(lengths)]
        self._gaps = len(self.years) < max(self.years, default=0) - min(self.years, default=0) + 1

    def local(self, moment: datetime) -> datetime:
        """Return the wall time of an aware moment here."""
        here = moment.astimezone(self.zone)
        return datetime.combine(here, here.time())  # Far cheaper than to replace the zone.

    def aware(self, wall: datetime) -> datetime:
        """Return the moment at which clocks here show a wall time."""
        return datetime.combine(wall, wall.time(), self.zone)

    def is_open(self, day: date) -> bool:
        return bool(self._sessions[self._index(day)])

    def sessions(self, day: date) -> tuple[Session, ...]:
        """Return when a day is worked; nothing on a day off."""
        found = self._sessions[self._index(day)]
        return tuple((_at(day, start).time(), _at(day, end).time()) for start, end in found)

    def length(self, day: date) -> timedelta:
        """Return how long a day is worked."""
        index = self._index(day)
        return (self._worked[index + 1] - self._worked[index]) * _MICROSECOND

    def opening(self, moment: datetime) -> datetime:
        """Return a moment of receipt as the office sees it: itself in a session, else the next."""
        index = self._index(moment)
        within = _of_day(moment)
        for start, end in self._sessions[index]:
            if within < end:
                return _at(moment, start) if within < start else moment
        day = self._open_day(self._opened[index + 1], moment.year)
        return _at(day, self._sessions[self._index(day)][0][0])

    def opening_after(self, day: date) -> datetime:
        """Return when the next working day after this one opens."""
        return self.opening(datetime.combine(self.nth_after(day, 1), time.min))

    def closing(self, day: date) -> datetime:
        """Return when the last session of a working day ends."""
        return _at(day, self._sessions[self._index(day)][-1][1])

    def open_on_or_after(self, day: date) -> date:
        """Return the day itself if it is worked, else the next that is."""
        return self._open_day(self._opened[self._index(day)], day.year)

    def nth_after(self, day: date, count: int) -> date:
        """Return the working day that is `count` working days after a day; 1: the next one."""
        return self._open_day(self._opened[self._index(day) + 1] + count - 1, day.year)

    def is_worked(self, moment: datetime) -> bool:
        within = _of_day(moment)
        spans = self._sessions[self._index(moment)]
        return any(start <= within < end for start, end in spans)

    def worked(self, start: datetime, end: datetime) -> timedelta:
        """Return the working time between two moments."""
        return self.worked_in(((start, end),))

    def worked_in(self, spans: Iterable[tuple[datetime, datetime]]) -> timedelta:
        """Return the working time of several times that do not overlap."""
        until = self._until
        total = 0
        for start, end in spans:
            if self._gaps:
                self._refuse_gaps(start.year, end.year)
            total += until(end) - until(start)
        return total * _MICROSECOND

    def add(self, moment: datetime, span: timedelta) -> datetime:
        """Return the first moment by which so much working time has passed: it may be a closing.

        No working time moves nothing, in office hours or outside of them.
        """
        if not span:
            return moment
        total = self._until(moment) + span // _MICROSECOND
        index = bisect_left(self._worked, total) - 1
        if index >= len(self._sessions):
            raise CalendarLacksYear(self.name, max(self.years) + 1)
        left = total - self._worked[index]
        for start, end in self._sessions[index]:
            if left <= end - start:
                return _at(self._day(index, moment.year), start + left)
            left -= end - start
        raise AssertionError("a day is as long as its sessions")

    def _until(self, moment: datetime) -> int:
        """Return the working microseconds from the first day on. Most of the work is done here."""
        if moment.year not in self.years:
            raise CalendarLacksYear(self.name, moment.year)
        index = moment.toordinal() - self._first
        done = self._worked[index]
        spans = self._sessions[index]
        if spans:
            seconds = (moment.hour * 60 + moment.minute) * 60 + moment.second
            within = seconds * _SECOND + moment.microsecond
            for start, end in spans:
                if within <= start:
                    break
                done += min(within, end) - start
        return done

    def _index(self, day: date) -> int:
        if day.year not in self.years:
            raise CalendarLacksYear(self.name, day.year)
        return day.toordinal() - self._first

    def _open_day(self, rank: int, since: int) -> date:
        if rank >= len(self._open_days):
            raise CalendarLacksYear(self.name, max(self.years) + 1)
        return self._day(self._open_days[rank], since)

    def _day(self, index: int, since: int) -> date:
        day = date.fromordinal(self._first + index)
        if self._gaps:
            self._refuse_gaps(since, day.year)
        return day

    def _refuse_gaps(self, first: int, last: int) -> None:
        for year in range(first, last + 1):
            if year not in self.years:
                raise CalendarLacksYear(self.name, year)


def _spans(sessions: Sequence[Session]) -> Sequence[tuple[int, int]]:
    return [(_of_day(start), _of_day(end)) for start, end in sessions]


def _of_day(moment: datetime | time) -> int:
    seconds = (moment.hour * 60 + moment.minute) * 60 + moment.second
    return seconds * _SECOND + moment.microsecond


def _at(day: date, microseconds: int) -> datetime:
    return datetime(day.year, day.month, day.day) + microseconds * _MICROSECOND  # noqa: DTZ001  # wall time
