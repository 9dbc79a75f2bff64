"""Entries of the registers as files state them: tables of TOML or JSON, read strictly."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import date, datetime, time, timedelta
from functools import cache
from types import NoneType, UnionType
from typing import Any, Final, Union, cast, get_args, get_origin, get_type_hints
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import orjson

from domain.envelope import VIETNAM
from domain.errors import DomainError, InvalidRequest
from domain.ledger.stored import EVENTS
from domain.rules.calendars import CalendarDecided
from domain.rules.procedures import ProcedurePublished
from domain.rules.register import RegisterEvent
from domain.rules.units import UnitRegistered
from streams.wire.inputs import event_from

UNITS: Final = UnitRegistered.TOPIC
PROCEDURES: Final = ProcedurePublished.TOPIC
CALENDARS: Final = CalendarDecided.TOPIC

_LONGEST_RUN: Final = timedelta(days=366)


def entry(topic: str, said: Mapping[str, Any], zone: ZoneInfo = VIETNAM) -> RegisterEvent:
    """Return the event that an entry of a register is. Raises InvalidRequest."""
    try:
        data = orjson.dumps(with_days(topic, with_zone(topic, said, zone)))
    except TypeError as error:
        raise InvalidRequest(f"It holds what no entry may hold: {error}.") from error
    return entry_from(topic, data)


def entry_from(topic: str, data: bytes) -> RegisterEvent:
    """Return the event that a payload is. Raises InvalidRequest."""
    event = cast("RegisterEvent", event_from(topic, data))
    if isinstance(event, UnitRegistered):
        zone_named(event.zone)
    return event


def entries(
    table: str, topic: str, rows: Sequence[object], zone: ZoneInfo = VIETNAM
) -> list[RegisterEvent]:
    """Return the events of a table, in its order. Raises InvalidRequest that names the entry."""
    found = []
    for place, row in enumerate(rows, 1):
        if not isinstance(row, dict):
            raise InvalidRequest(f"{table}, entry {place}: it is no table.")
        try:
            found.append(entry(topic, row, zone))
        except DomainError as refused:
            name = row.get("code") or row.get("id") or row.get("name") or "without a name"
            raise InvalidRequest(f"{table}, entry {place} ({name}): {refused}") from refused
    return found


def parents_first(units: Sequence[RegisterEvent]) -> list[RegisterEvent]:
    """Return units so that each comes after its parent; parents from elsewhere must exist there."""
    waiting = {cast("UnitRegistered", unit).code: unit for unit in units}
    if len(waiting) != len(units):
        raise InvalidRequest("units: a code is stated twice.")
    ordered: list[RegisterEvent] = []
    while waiting:
        ready = [
            code
            for code, unit in waiting.items()
            if cast("UnitRegistered", unit).parent not in waiting
        ]
        if not ready:
            raise InvalidRequest(f"units: {', '.join(waiting)} stand above one another in a ring.")
        ordered += [waiting.pop(code) for code in ready]
    return ordered


def with_zone(topic: str, said: Mapping[str, Any], zone: ZoneInfo) -> dict[str, Any]:
    """Return a payload in which each moment without an offset is one of that zone."""
    data = dict(said)
    for name in _moments(topic):
        if name in data:
            data[name] = in_zone(data[name], zone)
    return data


def in_zone(stated: object, zone: ZoneInfo) -> object:
    """Return a time, or its text, with an offset; a day alone begins at midnight."""
    value = stated
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return stated  # Whoever reads it strictly says what is wrong with it.
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, time())
    if isinstance(value, datetime) and value.tzinfo is None:
        return value.replace(tzinfo=zone).isoformat()
    return stated


def with_days(topic: str, said: Mapping[str, Any]) -> dict[str, Any]:
    """Return a payload in which each run of days (`2026-09-07..2026-09-09`) is its days."""
    data = dict(said)
    for name in _days(topic):
        if isinstance(data.get(name), list):
            data[name] = [day for stated in data[name] for day in run_of_days(stated)]
    return data


def run_of_days(stated: object) -> list[object]:
    """Return the days that a run names; all else as it is, for whoever reads it strictly."""
    if not isinstance(stated, str) or ".." not in stated:
        return [stated]
    first, _, last = (part.strip() for part in stated.partition(".."))
    begins, ends = day_of(first), day_of(last)
    if not timedelta() <= ends - begins < _LONGEST_RUN:
        raise InvalidRequest(f"{stated}: a run of days begins before it ends, within a year.")
    return [begins + timedelta(days=n) for n in range((ends - begins).days + 1)]


def day_of(text: str) -> date:
    """Return a day by its text, or raise InvalidRequest."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InvalidRequest(f"{text!r} is no day like 2026-09-07.") from error


def zone_named(name: str) -> ZoneInfo:
    """Return a time zone by its name (tz database), or raise InvalidRequest."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidRequest(f"There is no time zone {name}.") from error


@cache
def _moments(topic: str) -> tuple[str, ...]:
    kind = EVENTS.get(topic)
    hints = get_type_hints(kind) if kind else {}
    names = (field.name for field in fields(kind)) if kind else ()
    return tuple(
        name for name in names if datetime in _options(hints[name]) and name != "timestamp"
    )


@cache
def _days(topic: str) -> tuple[str, ...]:
    kind = EVENTS.get(topic)
    hints = get_type_hints(kind) if kind else {}
    return tuple(name for name, declared in hints.items() if declared == tuple[date, ...])


def _options(declared: object) -> tuple[object, ...]:
    if get_origin(declared) in (Union, UnionType):
        return tuple(each for each in get_args(declared) if each is not NoneType)
    return (declared,)
