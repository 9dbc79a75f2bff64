"""Recorded event ⇄ stored bytes: UTF-8 JSON by orjson, restored by the declared types."""

from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any, get_type_hints
from uuid import UUID

import msgspec
import orjson

from domain.envelope import LedgerEvent
from domain.ledger.stored import EVENTS
from domain.personal import Personal, Withheld

UpCaster = Callable[[dict[str, Any]], tuple[str, dict[str, Any]]]
UP_CASTERS: Mapping[str, UpCaster] = {}
"""Older stored names: data → (newer name, newer data), until a name of EVENTS is reached."""

_IN_COLUMNS = frozenset({"originator_id", "originator_version", "timestamp"})
_PLAIN = frozenset({str, int, float, bool})
_names: dict[type, tuple[str, ...]] = {}


class UnknownEvent(Exception):
    """The ledger holds a stored name that this version of the program does not know."""

    def __init__(self, topic: str) -> None:
        super().__init__(f"The stored name {topic} is unknown to this version of hoso.")


def encode(event: LedgerEvent) -> bytes:
    """Return what is stored and hashed. Absent values are left out; personal ones are sealed."""
    return orjson.dumps(
        {
            name: _plain(value)
            for name in _fields(type(event))
            if (value := getattr(event, name)) is not None
        }
    )


def _fields(kind: type) -> tuple[str, ...]:
    known = _names.get(kind)
    if known is None:
        known = tuple(field.name for field in fields(kind) if field.name not in _IN_COLUMNS)
        _names[kind] = known
    return known


def _plain(value: Any) -> Any:  # noqa: ANN401  # any declared field type
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is tuple:
        return [_plain(each) for each in value]
    if kind is Personal:
        if value.sealed is None or value.subject is None:
            raise ValueError("A personal value was not sealed before it was stored.")
        return {"subject": value.subject, "sealed": b64encode(value.sealed).decode()}
    if hasattr(kind, "__dataclass_fields__"):
        return {n: _plain(each) for n in _fields(kind) if (each := getattr(value, n)) is not None}
    return value  # UUID, date, datetime, enum: orjson writes them.


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
