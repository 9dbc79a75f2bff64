"""Day by day from receipt to the due date: what counted, what did not, and why."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import count, takewhile
from typing import Final

from domain.deadlines.decided import is_off
from domain.deadlines.law import CalendarDecision, CutoffPolicy, PausePolicy, TermUnit
from domain.deadlines.running import Pause, Run, merged, moved, unit_of
from domain.deadlines.tally import Share, Tally
from domain.deadlines.terms import BY_INSTANT, Counting, Ending, ending
from domain.deadlines.working_time import WorkingCalendar
from domain.errors import DomainError


class Why(StrEnum):
    """Why a day counts, or does not."""

    COUNTED = "counted"  # A whole day of a term in days or months.
    WORKED = "worked"  # Its working time.
    ELAPSED = "elapsed"  # Its hours, day and night.
    DAY_ZERO = "day-zero"
    BEGUN_AGAIN = "begun-again"  # The term begins again where a pause ends.
    RESTARTED = "restarted"  # Whatever had counted is counted again from the beginning.
    REPLACED = "replaced"  # A later due date was stated, and counts instead.
    WEEKLY_REST = "weekly-rest"
    DAY_OFF = "day-off"
    CLOSED = "closed"  # By a decision about these offices only.
    MADE_UP = "made-up"  # A day of weekly rest that is worked in exchange.
    SHORT_DAY = "short-day"  # Other hours than usual.
    OUTSIDE_HOURS = "outside-hours"
    AFTER_CUTOFF = "after-cutoff"
    PAUSED = "paused"
    NOT_PAUSED = "not-paused"  # By the policy, waiting does not stop the clock.
    PAUSED_TOO_LATE = "paused-too-late"  # It began after the due date.
    ROLLED = "rolled"
    KEPT = "kept"  # Computed, the date would be earlier than one that was promised.
    STATED = "stated"  # The date was stated, not computed.
    REAPPOINTED = "reappointed"
    SAME_DAY = "same-day"
    DUE = "due"


@dataclass(frozen=True, kw_only=True, slots=True)
class Reason:
    """One reason of a day. `pause` is the place in the pauses; moments are of the calendar's zone.

    `decision` and `title` name the decision that made the day off, worked, or short.
    """

    why: Why
    decision: str | None = None
    title: str | None = None
    pause: int | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Day:
    """A day of an account. `minutes` count towards the final date, `paused_minutes` were paused.

    `nth` says which day of a term in days it is, where whole days are counted.
    """

    date: date
    minutes: int
    paused_minutes: int
    reasons: tuple[Reason, ...]
    nth: int | None = None


_DAY: Final = timedelta(days=1)
_SATURDAY: Final = 5
_NEVER: Final = datetime(9999, 12, 31)  # noqa: DTZ001  # wall time
_WEEKLY_REST: Final = Reason(why=Why.WEEKLY_REST)
_UNNAMED: Final = Reason(why=Why.DAY_OFF)
_RESTARTED: Final = Reason(why=Why.RESTARTED)
_REPLACED: Final = Reason(why=Why.REPLACED)
_ROLLED: Final = Reason(why=Why.ROLLED)
_KEPT: Final = Reason(why=Why.KEPT)
_COUNTED: Final = {
    TermUnit.WORKING_DAY: Reason(why=Why.WORKED),
    TermUnit.WORKING_HOUR: Reason(why=Why.WORKED),
    TermUnit.CALENDAR_DAY: Reason(why=Why.COUNTED),
    TermUnit.MONTH: Reason(why=Why.COUNTED),
    TermUnit.ELAPSED_HOUR: Reason(why=Why.ELAPSED),
}


def account(
    calendar: WorkingCalendar,
    counting: Counting,
    start: datetime,
    pauses: Sequence[Pause],
    ran: Run,
    settled: Mapping[date, CalendarDecision],
    *,
    until: datetime | None = None,
    stated_as: Why = Why.STATED,
) -> tuple[Day, ...]:
    """Return every day from receipt to the due date; nothing where there is no term.

    While a pause is open: to its beginning, or `until`, as far as years are decided. `ran` is what
    run() gave for the same start and pauses; `settled` says which decision settles a day;
    `stated_as` is why a date was stated. Raises CalendarLacksYear.
    """
    if not ran.legs:
        return ()
    stops = _stops(calendar, pauses, ran, calendar.local(until) if until else None)
    counts = _counts(calendar, counting, calendar.local(start), stops, ran)
    story = _Story(calendar, counting, ran, stops, counts, settled, stated_as)
    return tuple(story.days())


@dataclass(frozen=True, slots=True)
class _Stop:
    """A pause in wall time. An open one ends, if at all, with what is known."""

    place: int
    why: Why
    pause: Pause
    start: datetime
    end: datetime | None


@dataclass(frozen=True, slots=True)
class _Count:
    """One count of the term: the moment that began it, and whose pause's end that was."""

    leg: Ending
    moment: datetime
    stated: bool
    stop: _Stop | None = None


def _stops(
    calendar: WorkingCalendar, pauses: Sequence[Pause], ran: Run, until: datetime | None
) -> list[_Stop]:
    found = []
    for place, pause in sorted(enumerate(pauses), key=lambda each: each[1].start):
        why = Why.PAUSED_TOO_LATE if place in ran.ignored else Why.PAUSED
        if pause.policy is PausePolicy.NONE:
            why = Why.NOT_PAUSED
        start = calendar.local(pause.start)
        end = calendar.local(pause.end) if pause.end else until and max(start, until)
        found.append(_Stop(place, why, pause, start, end))
    return found


def _counts(
    calendar: WorkingCalendar,
    counting: Counting,
    receipt: datetime,
    stops: Sequence[_Stop],
    ran: Run,
) -> list[_Count]:
    """Return the counts of the term with what began them: the receipt, then ends of pauses."""
    first, *later = ran.legs
    counts = [_Count(first, receipt, _is_stated(calendar, counting, receipt, first))]
    by_place = {each.place: each for each in stops}
    for leg, place in zip(later, ran.again, strict=True):
        stop = by_place[place]
        moment = stop.end or leg.starts
        counts.append(_Count(leg, moment, stop.pause.stated is not None, stop))
    return counts


def _is_stated(
    calendar: WorkingCalendar, counting: Counting, receipt: datetime, leg: Ending
) -> bool:
    try:
        return ending(calendar, receipt, counting) != leg
    except DomainError:
        return True


class _Story:
    """What the days are told from. Its moments are wall time; those of reasons are not."""

    def __init__(
        self,
        calendar: WorkingCalendar,
        counting: Counting,
        ran: Run,
        stops: Sequence[_Stop],
        counts: Sequence[_Count],
        settled: Mapping[date, CalendarDecision],
        stated_as: Why,
    ) -> None:
        self._calendar = calendar
        self._counting = counting
        self._unit = unit_of(counting)
        self._ran = ran
        self._stops = stops
        self._counts = counts
        self._settled = settled
        self._taken = [each for each in stops if each.why is Why.PAUSED]
        self._open = next((each for each in self._taken if each.pause.end is None), None)
        self._due = calendar.local(ran.due) if ran.due else None
        self._computed = moved(calendar, self._unit, counts[-1].leg, ran.spans).date()
        self._marks: dict[date, list[Reason]] = {}
        for each in counts:
            self._mark_beginning(each)
        self._mark_due(stated_as)

    def days(self) -> Iterator[Day]:
        tally = self._tally()
        day, last = self._counts[0].moment.date(), self._last_day()
        while day <= last:
            is_open = self._calendar.is_open(day)
            share = tally.take(day, is_open=is_open)
            yield Day(
                date=day,
                minutes=share.minutes,
                paused_minutes=share.paused,
                reasons=tuple(self._reasons(day, share, is_open=is_open)),
                nth=share.nth,
            )
            day += _DAY

    def _tally(self) -> Tally:
        starts = self._counts[-1].leg.starts
        still = [(self._open.start, _NEVER)] if self._open is not None else []
        stopped = merged([*self._ran.spans, *still], starts)
        spans = [(each.start, each.end) for each in self._taken if each.end]
        paused = merged(spans, self._counts[0].leg.starts)
        return Tally(self._calendar, self._unit, self._counts[-1].leg, stopped, paused)

    def _last_day(self) -> date:
        first = self._counts[0].moment.date()
        if self._due is not None:
            return max(first, self._due.date())
        ends = [each.end or each.start for each in self._taken]
        known = list(takewhile(self._calendar.years.__contains__, count(first.year)))
        return min(max(ends).date(), date(max(known, default=first.year), 12, 31))

    def _mark_beginning(self, begun: _Count) -> None:
        place = begun.stop.place if begun.stop else None
        starts = self._calendar.aware(begun.leg.starts)
        if begun.moment != begun.leg.starts:
            late = self._calendar.is_open(begun.moment) and (
                self._counting.cutoff is CutoffPolicy.COUNT_FROM_NEXT_DAY
                and begun.moment.time() > self._counting.cutoff_at
            )
            why = Why.AFTER_CUTOFF if late else Why.OUTSIDE_HOURS
            since = self._calendar.aware(begun.moment)
            self._mark(begun.moment, Reason(why=why, pause=place, since=since, until=starts))
        if begun.stop is not None and not begun.stated:
            self._mark(begun.leg.starts, Reason(why=Why.BEGUN_AGAIN, pause=place, since=starts))
        if self._unit not in BY_INSTANT:
            self._mark(begun.leg.starts, Reason(why=Why.DAY_ZERO, pause=place, since=starts))

    def _mark_due(self, stated_as: Why) -> None:
        if self._due is None:
            return
        if self._counts[-1].stated:
            self._mark(self._due, Reason(why=stated_as, until=self._ran.due))
        elif self._counting.term is None:
            self._mark(self._due, Reason(why=Why.SAME_DAY))

    def _mark(self, day: datetime, reason: Reason) -> None:
        self._marks.setdefault(day.date(), []).append(reason)

    def _reasons(self, day: date, share: Share, *, is_open: bool) -> Iterator[Reason]:
        """Yield what a day is, what began on it, what stopped the clock, and what came of it."""
        yield from self._nature(day, is_open=is_open)
        if len(self._counts) > 1:
            first, last = self._counts[0].leg.starts, self._counts[-1]
            if first.date() <= day < last.leg.starts.date():
                yield _REPLACED if last.stated else _RESTARTED
        yield from self._marks.get(day, ())
        if self._stops:
            yield from self._waiting(day)
        begins = day == self._counts[-1].leg.starts.date() and self._unit not in BY_INSTANT
        if share.nth or (share.minutes and not begins):
            yield _COUNTED[self._unit]
        if self._due is not None and self._computed <= day <= self._due.date():
            yield from self._end(day, self._due.date(), share)

    def _end(self, day: date, due: date, share: Share) -> Iterator[Reason]:
        if day == self._computed and not share.minutes and not share.nth:
            yield _ROLLED
        elif day > self._computed and self._calendar.is_open(day):
            yield _KEPT
        if day == due:
            yield Reason(why=Why.DUE, until=self._ran.due)

    def _nature(self, day: date, *, is_open: bool) -> Iterator[Reason]:
        by = self._settled.get(day)
        weekend = day.weekday() >= _SATURDAY
        if by is None:
            if not is_open:
                yield _WEEKLY_REST if weekend else _UNNAMED
            return
        if is_off(by, day):
            why = Why.DAY_OFF if by.unit is None else Why.CLOSED
        elif any(each.day == day for each in by.hours):
            why = Why.SHORT_DAY
        elif weekend:
            why = Why.MADE_UP
        else:
            return
        yield Reason(why=why, decision=by.id, title=by.title)

    def _waiting(self, day: date) -> Iterator[Reason]:
        for each in self._stops:
            first = each.start.date()
            last = each.end.date() if each.end else first
            if first <= day <= last:
                yield Reason(
                    why=each.why,
                    pause=each.place,
                    since=self._calendar.aware(each.start) if day == first else None,
                    until=self._calendar.aware(each.end)
                    if each.end and each.pause.end and day == last
                    else None,
                )
