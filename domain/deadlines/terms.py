"""When a term ends: its units, the start of the clock, the late-intake cut-off, the roll.

Sources: Civil Code 2015, Điều 147-148; NĐ 61/2018/NĐ-CP, Điều 18-19, as amended.
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Final, NamedTuple, assert_never

from domain.deadlines.law import CutoffPolicy, Term, TermUnit
from domain.deadlines.working_time import WorkingCalendar
from domain.errors import InvalidRequest

LONGEST_TERM: Final = 3_650
CUTOFF: Final = time(15)
WORKING: Final = frozenset({TermUnit.WORKING_DAY, TermUnit.WORKING_HOUR})
BY_INSTANT: Final = frozenset({TermUnit.WORKING_HOUR, TermUnit.ELAPSED_HOUR})


@dataclass(frozen=True, kw_only=True, slots=True)
class Counting:
    """How the time of a dossier is counted. Without a term nothing is computed.

    The one exception: by `next_day_result` a result without a term is due the same working day,
    or the next one after the cut-off (Luật Hộ tịch 60/2014, Điều 5.3; NĐ 23/2015, Điều 7).
    """

    term: Term | None
    cutoff: CutoffPolicy = CutoffPolicy.NONE
    cutoff_at: time = CUTOFF


class Ending(NamedTuple):
    """Where a term that began at `starts` ends; `nominal` is its end before any roll."""

    starts: datetime
    nominal: datetime
    due: datetime


def refuse_endless(term: Term) -> None:
    """Raise InvalidRequest for a term that no law has."""
    if not 1 <= term.amount <= LONGEST_TERM:
        raise InvalidRequest(f"term.amount must be a whole number from 1 to {LONGEST_TERM}.")


def refuse_endless_limits(**limits: float | None) -> None:
    """Refuse limits, in hours or days, that no calendar could ever hold."""
    for name, limit in limits.items():
        if limit is not None and limit > LONGEST_TERM:
            raise InvalidRequest(f"{name} must be at most {LONGEST_TERM}.")


def clock_start(calendar: WorkingCalendar, receipt: datetime, counting: Counting) -> datetime:
    """Return when the clock starts for a receipt: in office hours, and before the cut-off.

    Hours that elapse day and night start at once (Civil Code, Điều 147.1), unless a cut-off asks
    for office hours. The cut-off is strict: 15:00:00 is before it.
    """
    if counting.cutoff is CutoffPolicy.COUNT_FROM_NEXT_DAY:
        if receipt.time() > counting.cutoff_at and calendar.is_open(receipt):
            return calendar.opening_after(receipt)
    elif counting.term is not None and counting.term.unit is TermUnit.ELAPSED_HOUR:
        return receipt
    return calendar.opening(receipt)


@lru_cache(maxsize=4_096)  # An acceptance asks twice, and each later event of its dossier again.
def ending(calendar: WorkingCalendar, receipt: datetime, counting: Counting) -> Ending | None:
    """Return where a term ends that a receipt starts; None if there is no term.

    Raises InvalidRequest for an impossible term, CalendarLacksYear.
    """
    starts = clock_start(calendar, receipt, counting)
    if counting.term is None:
        same_day = counting.cutoff is CutoffPolicy.NEXT_DAY_RESULT
        return _same_day(calendar, receipt, starts, counting.cutoff_at) if same_day else None
    refuse_endless(counting.term)
    nominal = _nominal(calendar, starts, counting.term)
    return Ending(starts=starts, nominal=nominal, due=rolled(calendar, nominal, counting.term.unit))


def _nominal(calendar: WorkingCalendar, starts: datetime, term: Term) -> datetime:
    match term.unit:
        case TermUnit.WORKING_DAY:
            moment = datetime.combine(calendar.nth_after(starts, term.amount), starts.time())
            return moment if calendar.is_worked(moment) else calendar.closing(moment)
        case TermUnit.WORKING_HOUR:
            return calendar.add(starts, timedelta(hours=term.amount))
        case TermUnit.CALENDAR_DAY:
            return starts + timedelta(days=term.amount)
        case TermUnit.MONTH:
            return datetime.combine(_months_after(starts, term.amount), starts.time())
        case TermUnit.ELAPSED_HOUR:
            return starts + timedelta(hours=term.amount)
        case _:
            assert_never(term.unit)


def _months_after(day: date, months: int) -> date:
    """Return the same day number so many months later, or the last of that month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def rolled(calendar: WorkingCalendar, nominal: datetime, unit: TermUnit) -> datetime:
    """Return the due moment of a nominal end (Civil Code, Điều 148.5).

    Terms in calendar days and months end with the last session of a working day, their own or the
    next; elapsed hours end when they end, or so if that is on a day off.
    """
    if unit in WORKING:
        return nominal
    day = calendar.open_on_or_after(nominal)
    if unit is TermUnit.ELAPSED_HOUR and day == nominal.date():
        return nominal
    return calendar.closing(day)


def _same_day(
    calendar: WorkingCalendar, receipt: datetime, starts: datetime, cutoff_at: time
) -> Ending:
    late = calendar.is_open(receipt) and receipt.time() > cutoff_at
    day = calendar.nth_after(receipt, 1) if late else starts
    due = calendar.closing(day)
    return Ending(starts=starts, nominal=due, due=due)
