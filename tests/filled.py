"""An event of any type with every field filled, and one with only what it must have.

The values follow from the names of the fields, so that two fields that were swapped differ.
"""

from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from datetime import date, datetime, timedelta
from enum import Enum
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints
from uuid import UUID, uuid5

from domain.envelope import LedgerEvent
from domain.personal import Personal, Withheld
from tests.examples import DOSSIER, LAN, MORNING

E = TypeVar("E", bound=LedgerEvent)

PLAIN: dict[type, Callable[[str], object]] = {
    str: lambda name: f"{name} của hồ sơ",
    int: lambda name: 1_000 + len(name),
    float: lambda name: len(name) + 0.25,
    bool: lambda _: True,
    UUID: lambda name: uuid5(DOSSIER, name),
    date: lambda name: date(2026, 3, len(name)),
    datetime: lambda name: MORNING + timedelta(hours=len(name), microseconds=1),
}


def filled(kind: type[E]) -> E:
    """Return an event that says everything it can say."""
    return kind(**_place(7), **_values(kind, every=True))


def minimal(kind: type[E]) -> E:
    """Return an event that leaves out whatever it may leave out."""
    return kind(**_place(1), **_values(kind, every=False))


def _place(version: int) -> dict[str, Any]:
    return {
        "originator_id": DOSSIER,
        "originator_version": version,
        "timestamp": MORNING + timedelta(microseconds=version),
    }


def _values(kind: type, *, every: bool) -> dict[str, Any]:
    declared = get_type_hints(kind)
    return {
        field.name: _other(_value(field.name, declared[field.name], every=every), field.default)
        for field in fields(kind)
        if (every or field.default is MISSING) and field.name not in _place(1)
    }


def _other(value: object, default: object) -> object:
    """Return a value, or where it is an enum's default, another one."""
    if isinstance(value, Enum) and value == default:
        return next(each for each in type(value) if each != default)
    return value


def _value(name: str, declared: Any, *, every: bool) -> object:  # noqa: ANN401  # any declared type
    declared = getattr(declared, "__supertype__", declared)
    if get_origin(declared) in (Union, UnionType):
        (declared,) = set(get_args(declared)) - {NoneType}
        return _value(name, declared, every=every)
    if get_origin(declared) is tuple:
        return (_value(name, get_args(declared)[0], every=every),)
    if get_origin(declared) is Personal:
        return Personal(Withheld.SEALED, LAN, f"sealed {name}".encode())
    if isinstance(declared, type) and is_dataclass(declared):
        return declared(**_values(declared, every=every))
    if issubclass(declared, Enum):
        return list(declared)[1]
    return PLAIN[declared](name)
