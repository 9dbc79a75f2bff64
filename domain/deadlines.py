"""Due dates of dossiers whose source states none: working days from Monday to Friday."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from domain.registers import Term, TermUnit

_SATURDAY = 5


def due_date(start: datetime, term: Term | None, zone: ZoneInfo) -> datetime | None:
    """Return the moment a term ends, in `zone`, the hour of day kept, the first day not counted.

    Civil Code 2015, Điều 147-148. None where the term is not stated in working days.
    """
    if term is None or term.unit is not TermUnit.WORKING_DAY:
        return None
    day = start.astimezone(zone)
    left = term.amount
    while left > 0 or day.weekday() >= _SATURDAY:
        day += timedelta(days=1)
        if day.weekday() < _SATURDAY:
            left -= 1
    return day
