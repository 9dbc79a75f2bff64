"""Recorded event ⇄ stored bytes: UTF-8 JSON by orjson, restored by the declared types."""

from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from functools import cache, lru_cache
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints
from uuid import UUID

import msgspec
import orjson

from domain.envelope import LedgerEvent, Pin
from domain.ledger.stored import EVENTS
from domain.personal import Personal, Withheld

UpCaster = Callable[[dict[str, Any]], tuple[str, dict[str, Any]]]
UP_CASTERS: Mapping[str, UpCaster] = {}
"""Older stored names: data → (newer name, newer data), until a name of EVENTS is reached."""

_IN_COLUMNS = frozenset({"originator_id", "originator_version", "timestamp"})
Convert = Callable[[Any], Any]


class UnknownEvent(Exception):
    """The ledger holds a stored name that this version of the program does not know."""

    def __init__(self, topic: str) -> None:
        super().__init__(f"The stored name {topic} is unknown to this version of hoso.")


def encode(event: LedgerEvent) -> bytes:
    """Return what is stored and hashed. Absent values are left out; personal ones are sealed."""
    return orjson.dumps(_plain_fields(event))


def _plain_fields(said: Any) -> dict[str, Any]:  # noqa: ANN401  # a dataclass
    found: dict[str, Any] = {}
    kind: type = type(said)
    for name, convert in _fields(kind):
        value = getattr(said, name)
        if value is not None:
            found[name] = value if convert is None else convert(value)
    return found


@cache
def _fields(kind: type) -> tuple[tuple[str, Convert | None], ...]:
    """Return the fields that are stored, each with what makes it plain; None: orjson writes it."""
    hints = get_type_hints(kind)
    names = (field.name for field in fields(kind) if field.name not in _IN_COLUMNS)
    return tuple((name, _convert(hints[name])) for name in names)


def _convert(declared: Any) -> Convert | None:  # noqa: ANN401  # any declared field type
    options = [each for each in get_args(declared) if each is not NoneType]
    if get_origin(declared) in (Union, UnionType):
        (declared,) = options
        return _convert(declared)
    if get_origin(declared) is Personal:
        return _sealed
    if declared == tuple[Pin, ...]:
        return _pins
    if get_origin(declared) is tuple:
        each = _convert(options[0])
        return None if each is None else lambda values: [each(value) for value in values]
    return _plain_fields if is_dataclass(declared) else None


def _sealed(value: Personal[Any]) -> dict[str, Any]:
    if value.sealed is None or value.subject is None:
        raise ValueError("A personal value was not sealed before it was stored.")
    return {"subject": value.subject, "sealed": b64encode(value.sealed).decode()}


@lru_cache(maxsize=4_096)
def _pins(pins: tuple[Pin, ...]) -> orjson.Fragment:
    """Return the versions of rules as they are written: the same ones again and again."""
    return orjson.Fragment(orjson.dumps([_plain_fields(pin) for pin in pins]))


def _restore(kind: type, value: Any) -> Any:  # noqa: ANN401  # the hook's own signature
    if getattr(kind, "__origin__", None) is Personal:
        return Personal(Withheld.SEALED, UUID(value["subject"]), b64decode(value["sealed"]))
    raise NotImplementedError(kind)


_decoders: dict[str, msgspec.json.Decoder[LedgerEvent]] = {
    topic: msgspec.json.Decoder(event, dec_hook=_restore) for topic, event in EVENTS.items()
}


def decode(
    topic: str, stream_id: UUID, version: int, occurred_at: datetime, data: bytes
) -> LedgerEvent:
    """Restore an event; its personal values are still sealed. Raises UnknownEvent."""
    if topic not in _decoders:
        topic, data = _up_cast(topic, data)
    head = (
        f'{{"originator_id":"{stream_id}","originator_version":{version},'
        f'"timestamp":"{occurred_at.astimezone(UTC).isoformat()}",'
    )
    return _decoders[topic].decode(head.encode() + data[1:])


def _up_cast(topic: str, data: bytes) -> tuple[str, bytes]:
    content = orjson.loads(data)
    while topic not in _decoders:
        if topic not in UP_CASTERS:
            raise UnknownEvent(topic)
        topic, content = UP_CASTERS[topic](content)
    return topic, orjson.dumps(content)


def personal_places(event: LedgerEvent) -> list[tuple[str, str | None]]:
    """Return where an event of this type may hold personal values: (field, field of a party)."""
    return _PLACES[type(event)]


def _places_of(kind: type[LedgerEvent]) -> list[tuple[str, str | None]]:
    found: list[tuple[str, str | None]] = []
    for name, declared in get_type_hints(kind).items():
        for option in getattr(declared, "__args__", (declared,)):
            if getattr(option, "__origin__", None) is Personal:
                found.append((name, None))
            elif hasattr(option, "__dataclass_fields__"):
                found += [(name, inner) for inner in _personal_fields(option)]
    return found


def _personal_fields(kind: type) -> list[str]:
    return [
        name
        for name, declared in get_type_hints(kind).items()
        for option in getattr(declared, "__args__", ())
        if getattr(option, "__origin__", None) is Personal
    ]


_PLACES = {event: _places_of(event) for event in EVENTS.values()}
