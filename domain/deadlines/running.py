"""The clock of a term that may be paused and started again: where it ends."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from domain.deadlines.law import CutoffPolicy, PausePolicy, TermUnit
from domain.deadlines.terms import BY_INSTANT, WORKING, Counting, Ending, ending, rolled
from domain.deadlines.working_time import WorkingCalendar
from domain.errors import InvalidRequest

Span = tuple[datetime, datetime]
_NOTHING: Final = timedelta(0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Pause:
    """A time in which the clock may stand still; `end` None: it still does.

    `stated` is the new due moment that its end came with, if a source stated one.
    """

    start: datetime
    end: datetime | None
    policy: PausePolicy
    stated: datetime | None = None


class Run(NamedTuple):
    """Where the clock stands, in wall time of the calendar but for `due`.

    `legs` are the counts of the term, the last one counts; `again` the places of the pauses whose
    ends began the later ones; `spans` the pauses in the last one, merged; `stood` all pauses that
    counted, merged (see `measured`); `ignored` the places of pauses that came after the due date.
    `due` is None while a pause is open, and where there is no term.
    """

    clock_starts: datetime
    due: datetime | None
    legs: tuple[Ending, ...]
    again: tuple[int, ...]
    spans: tuple[Span, ...]
    stood: tuple[Span, ...]
    ignored: tuple[int, ...]
    open: bool


def run(
    calendar: WorkingCalendar,
    counting: Counting,
    start: datetime,
    pauses: Sequence[Pause],
    stated: datetime | None = None,
    floor: datetime | None = None,
) -> Run:
    """Return where the clock stands that a receipt started; all moments are aware.

    `stated` is a due moment that was not computed, `floor` one that was printed: nothing computed
    is earlier, and what was printed for a day that is off by now is due on the next one. A pause
    that begins after the due date does not move it; no pause makes it earlier.
    Raises InvalidRequest for a pause that ends before it begins or a term that cannot be,
    CalendarLacksYear.
    """
    receipt = calendar.local(start)
    leg = _leg(calendar, counting, receipt, stated)
    if leg is None:
        starts = calendar.opening(receipt)
        return Run(
            clock_starts=starts,
            due=None,
            legs=(),
            again=(),
            spans=(),
            stood=(),
            ignored=(),
            open=False,
        )
    clock = _Clock(calendar, counting, receipt, leg)
    if floor is not None:
        clock.keep(_still_open(calendar, calendar.local(floor)))
    for place, pause in sorted(enumerate(pauses), key=lambda each: each[1].start):
        clock.take(place, pause)
    return clock.stopped()


def _leg(
    calendar: WorkingCalendar, counting: Counting, receipt: datetime, stated: datetime | None
) -> Ending | None:
    if stated is None:
        return ending(calendar, receipt, counting)
    return _ending(receipt, calendar.local(stated))


def _still_open(calendar: WorkingCalendar, printed: datetime) -> datetime:
    """Return a printed moment, or where its day is off now, that hour of the next working day."""
    if calendar.is_open(printed):
        return printed
    moment = datetime.combine(calendar.open_on_or_after(printed), printed.time())
    return moment if calendar.is_worked(moment) else calendar.closing(moment)


def is_computed(counting: Counting) -> bool:
    """Say whether a clock computes a date: it has a term, or its result is due the same day."""
    return counting.term is not None or counting.cutoff is CutoffPolicy.NEXT_DAY_RESULT


def _ending(starts: datetime, due: datetime) -> Ending:
    return Ending(starts=starts, nominal=due, due=due)


class _Clock:
    """The clock while it is being told its pauses, in order of their beginning."""

    def __init__(
        self,
        calendar: WorkingCalendar,
        counting: Counting,
        receipt: datetime,
        first: Ending,
    ) -> None:
        self._calendar = calendar
        self._counting = counting
        self._unit = unit_of(counting)
        self._legs = [first]
        self._counts: list[tuple[Ending, list[Span]]] = [(first, [])]
        self._places: list[int] = []
        self._since = receipt
        self._due = first.due
        self._is_behind = False  # Pauses are known that `_due` does not reflect yet.
        self._open = False
        self._stood: list[Span] = []
        self._ignored: list[int] = []

    def keep(self, printed: datetime) -> None:
        """Let nothing be due before a printed date, which pauses move like any other."""
        first = self._legs[0]
        if printed > first.due:
            self._counts.append((_ending(first.starts, printed), []))
            self._due = printed

    def take(self, place: int, pause: Pause) -> None:
        if pause.end is not None and pause.end < pause.start:
            raise InvalidRequest("A pause ends before it begins.")
        if pause.policy is PausePolicy.NONE and pause.stated is None:
            return
        start = self._calendar.local(pause.start)
        if not self._open and self._is_after(start):
            self._ignored.append(place)
            return
        if pause.end is None:
            self._open = True
            return
        end = self._calendar.local(pause.end)
        if pause.policy is not PausePolicy.NONE:
            _join(self._stood, start, end, self._legs[0].starts)
        if self._restarts(pause):
            self._again(end, pause, place)
        else:
            for leg, spans in self._counts:
                _join(spans, start, end, leg.starts)
            self._is_behind = True
        if self._unit is TermUnit.ELAPSED_HOUR:
            self._moved()  # What rolled to the end of a day until now may not become earlier.

    def stopped(self) -> Run:
        return Run(
            clock_starts=self._legs[0].starts,
            due=None if self._open else self._calendar.aware(self._moved()),
            legs=tuple(self._legs),
            again=tuple(self._places),
            spans=tuple(self._spans()),
            stood=tuple(self._stood),
            ignored=tuple(self._ignored),
            open=self._open,
        )

    def _restarts(self, pause: Pause) -> bool:
        if pause.stated is not None:
            return True
        return pause.policy is PausePolicy.RESTART and is_computed(self._counting)

    def _again(self, end: datetime, pause: Pause, place: int) -> None:
        """Begin another count; of what pauses it, only what lies after its beginning.

        The clock is never set back: a pause that ends earlier lies within one that ended later.
        """
        if end < self._since:
            return
        leg = _leg(self._calendar, self._counting, end, pause.stated)
        if leg is not None:
            self._counts.append((leg, _after(self._spans(), leg.starts)))
            self._since = end
            self._legs.append(leg)
            self._places.append(place)
            self._is_behind = True

    def _spans(self) -> list[Span]:
        """Return the pauses in the last count of the term."""
        last = self._legs[-1]
        return next(spans for leg, spans in self._counts if leg is last)

    def _is_after(self, start: datetime) -> bool:
        if start <= self._due:
            return False  # The due date only moves on.
        due = self._moved()
        return start > due if self._unit in BY_INSTANT else start.date() > due.date()

    def _moved(self) -> datetime:
        """Return the latest of all counts: a later one that ends earlier takes nothing away."""
        if self._is_behind:
            for leg, spans in self._counts:
                end = moved(self._calendar, self._unit, leg, spans)
                self._due = max(self._due, end)
            self._is_behind = False
        return self._due


def moved(
    calendar: WorkingCalendar, unit: TermUnit, leg: Ending, spans: Sequence[Span]
) -> datetime:
    """Return where a count ends that was paused so."""
    if not spans:
        return leg.due
    if unit in WORKING:
        return calendar.add(leg.due, measured(calendar, unit, spans))
    if unit is TermUnit.ELAPSED_HOUR:
        shift = measured(calendar, unit, spans)
    else:
        shift = timedelta(days=days_in(spans))
    return rolled(calendar, leg.nominal + shift, unit) if shift else leg.due


def unit_of(counting: Counting) -> TermUnit:
    """Return in what a clock counts; without a term, in working days."""
    return counting.term.unit if counting.term is not None else TermUnit.WORKING_DAY


def measured(calendar: WorkingCalendar, unit: TermUnit, spans: Iterable[Span]) -> timedelta:
    """Return how long pauses are by the clock of a term: in working time, or as time elapses."""
    if unit is TermUnit.ELAPSED_HOUR:
        return sum((end - start for start, end in spans), _NOTHING)
    return calendar.worked_in(spans)


def _join(union: list[Span], start: datetime, end: datetime, since: datetime) -> None:
    """Add a time that begins no earlier than those before it, as far as it lies after a moment."""
    start = max(start, since)
    if end <= start:
        return
    if union and start <= union[-1][1]:
        union[-1] = (union[-1][0], max(end, union[-1][1]))
    else:
        union.append((start, end))


def merged(spans: Iterable[Span], since: datetime) -> list[Span]:
    """Return the same times without overlaps, as far as they lie after a moment."""
    union: list[Span] = []
    for start, end in sorted(spans):
        _join(union, start, end, since)
    return union


def _after(spans: Iterable[Span], since: datetime) -> list[Span]:
    return [(max(start, since), end) for start, end in spans if end > since]


def days_in(spans: Sequence[Span]) -> int:
    """Return how many days pauses take from a term in days: the day of the request still counts.

    The spans are merged, so two of them share a day at most where one ends and the next begins.
    """
    return sum((end.date() - start.date()).days for start, end in spans)
