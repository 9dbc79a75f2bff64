"""Moments as sources state them: precision, offset, and what a day without an hour counts as."""

from datetime import UTC, datetime, time, timedelta, tzinfo

from domain.dossier.chapters import DAY_ENDS
from domain.envelope import LedgerEvent, TimePrecision
from domain.errors import InvalidRequest, TimeInFuture, TimeWithoutOffset

TOLERANCE = timedelta(minutes=5)
YEARS = range(1900, 9999)
_OPENING = time(7)


def offset_minutes(moment: datetime, field: str = "time") -> int:
    offset = moment.utcoffset()
    if offset is None:
        raise TimeWithoutOffset(field)
    return int(offset.total_seconds() // 60)


def occurred_at(
    kind: type[LedgerEvent], stated: datetime, precision: TimePrecision, zone: tzinfo
) -> datetime:
    """Return the moment in UTC at which a stated time takes its legal place.

    A day without an hour is the end of that day for ends, the opening of the office for all else.
    It is the day of the instant in the zone of the unit, whatever offset it was written with.
    """
    if precision is TimePrecision.DAY:
        hour = time.max if kind in DAY_ENDS else _OPENING
        stated = datetime.combine(stated.astimezone(zone).date(), hour, zone)
    if stated.year not in YEARS:
        raise InvalidRequest("A time must lie between the years 1900 and 9998.")
    return stated.astimezone(UTC)


def refuse_future(stated: datetime, precision: TimePrecision, now: datetime, zone: tzinfo) -> None:
    """Raise TimeInFuture; a day lies in the future only if its date does, in the unit's zone."""
    if precision is TimePrecision.DAY:
        if stated.astimezone(zone).date() > (now + TOLERANCE).astimezone(zone).date():
            raise TimeInFuture
    elif stated > now + TOLERANCE:
        raise TimeInFuture
