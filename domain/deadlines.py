"""Due dates of dossiers whose source states none: working days from Monday to Friday."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from domain.registers import Term, TermUnit
from domain.times import YEARS

_SATURDAY = 5
_WEEK = 5  # Working days of one.


def due_date(start: datetime, term: Term | None, zone: ZoneInfo) -> datetime | None:
    """Return the moment a term ends, in `zone`, the hour of day kept, the first day not counted.

    Civil Code 2015, Điều 147-148. None where the term is not stated in working days, or ends
    beyond the years that the ledger knows.
    """
    if term is None or term.unit is not TermUnit.WORKING_DAY:
        return None
    weeks = max(0, term.amount - 1) // _WEEK  # Whole ones at once; the last days one by one.
    try:
        day = _counted(start.astimezone(zone) + timedelta(weeks=weeks), term.amount - weeks * _WEEK)
    except OverflowError:
        return None
    return day if day.year in YEARS else None


def _counted(day: datetime, left: int) -> datetime:
    while left > 0 or day.weekday() >= _SATURDAY:
        day += timedelta(days=1)
        if day.weekday() < _SATURDAY:
            left -= 1
    return day
