"""What senders may write in a payload: strict shapes, derived from the declared types.

Unknown fields are refused, personal values come in clear (sealing is the ledger's business), and
every moment needs its UTC offset. The same shapes give the JSON Schemas.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields
from datetime import UTC, date, datetime
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin, get_type_hints
from uuid import UUID

import msgspec

from domain.dossier.chapter import DossierCommand
from domain.dossier.chapters import COMMANDS
from domain.dossier.intake import Resolved
from domain.envelope import LedgerEvent, Meta, ProcedureCode, UnitCode
from domain.errors import DomainError, InvalidRequest, TimeWithoutOffset
from domain.ledger.stored import EVENTS
from domain.ledger.times import YEARS
from domain.personal import Personal

_FILLED_IN = {"originator_id", "originator_version", "timestamp", "meta"} | {
    field.name for field in fields(Resolved)
}
_ABOUT = {"actor": str | None, "acting_unit": UnitCode | None, "legal_basis": str | None}
_LONGEST = 10_000
_MOST = 1_000
_LARGEST = 2**53
_SMALLER = {"version": 2**31 - 1}  # What the read models keep in four bytes.
_CODES = (UnitCode, ProcedureCode)
_VALUE = re.compile(r"(Invalid (?:enum )?value) .*?( - at `[^`]*`)?", re.DOTALL)
_LOST_PLUS = re.compile(r".*\d \d\d:?\d\d", re.DOTALL)
_NULL: Final = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")  # No backslash that stands for itself.
_FINER: Final = re.compile(r"(\.[0-9]{6})[0-9]+")
_TIME = Annotated[str, msgspec.Meta(extra_json_schema={"format": "date-time"})]
_UNSAID = Meta(event_id=UUID(int=0), source="", source_id="", principal="")

CODE_OF_REGISTER: Final = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$(?!\n)"
"""Codes of units and procedures: safe in an address, a list, a file name and a dossier code."""

EMPTY: Final = "Send a JSON object, {} at least."

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What a decoder raises where a text is not the JSON that it should be."""

Convert = Callable[[Any], Any]


class Shape:
    """The strict input of one type: decodes JSON to the keyword arguments of its class."""

    def __init__(self, target: type, extra: Mapping[str, Any]) -> None:
        self.struct, self._values = _struct(target, extra)
        self._extra = tuple(extra)
        self._decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(self.struct)

    def decode(self, data: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the arguments of the class, and what was said about them.

        Raises InvalidRequest, which names the place but never a value, or TimeWithoutOffset.
        """
        if not data.strip():
            raise InvalidRequest(EMPTY)
        if b"\\u0000" in data and _NULL.search(data):
            raise InvalidRequest("A text may not hold the character U+0000.")
        try:
            read = self._decoder.decode(data)
        except UNREADABLE as error:
            raise InvalidRequest(reason_of(error)) from error
        about = {name: getattr(read, name) for name in self._extra}
        return self._values(read), about


def refuse_doubles(body: bytes) -> None:
    """Raise InvalidRequest where an object says a member twice: whoever reads it takes either one.

    The body was read before: it is JSON.
    """
    try:
        _once.decode(body.decode())
    except UNREADABLE as error:
        raise InvalidRequest(reason_of(error)) from error


def _each_once(members: list[tuple[str, object]]) -> None:
    if len({name for name, _ in members}) < len(members):
        raise InvalidRequest("An object says one of its members twice.")


_once: Final = json.JSONDecoder(object_pairs_hook=_each_once, parse_int=str, parse_float=str)


def reason_of(error: Exception) -> str:
    """Say what is wrong with an input, and where. Such messages never hold a value."""
    if isinstance(error, UnicodeDecodeError):
        return "It is not UTF-8 text."
    if isinstance(error, RecursionError):
        return "It is nested too deeply."
    said = str(error)
    valued = _VALUE.fullmatch(said)
    text = ("".join(part or "" for part in valued.groups()) if valued else said).replace("`", "")
    return text if isinstance(error, msgspec.ValidationError) else "It is not JSON: " + text


@cache
def fact_shape(topic: str) -> Shape:
    """Return the input of an event by its stored name. Raises InvalidRequest for an unknown one."""
    if topic not in EVENTS:
        raise InvalidRequest("type names no event that this ledger knows.")
    return Shape(EVENTS[topic], {})


@cache
def command_shape(name: str) -> Shape:
    """Return the body of a command: what it says, and who says it."""
    return Shape(COMMANDS[name], _ABOUT)


def event_from(topic: str, data: bytes) -> LedgerEvent:
    """Return an event that says this; the ledger fills in the rest."""
    said, _ = fact_shape(topic).decode(data)
    return EVENTS[topic](
        originator_id=_UNSAID.event_id,
        originator_version=0,
        timestamp=datetime.fromtimestamp(0, UTC),
        meta=_UNSAID,
        **said,
    )


def command_from(name: str, body: bytes) -> tuple[DossierCommand, dict[str, Any]]:
    """Return a command, and who says it (`actor`, `acting_unit`, `legal_basis`)."""
    said, about = command_shape(name).decode(body)
    refuse_doubles(body)
    return COMMANDS[name](**said), about


def schema(shape: Shape, ref_template: str = "#/$defs/{name}") -> dict[str, Any]:
    """Return the JSON Schema of an input."""
    (top,), parts = msgspec.json.schema_components([shape.struct], ref_template=ref_template)
    name = top["$ref"].rsplit("/", 1)[1]
    whole = parts.pop(name)
    return {**whole, "$defs": parts} if parts else whole


def _struct(target: type, extra: Mapping[str, Any]) -> tuple[type, Convert]:
    hints = get_type_hints(target)
    rows: list[tuple[str, Any] | tuple[str, Any, Any]] = []
    converts: list[tuple[str, Convert | None]] = []
    for field in fields(target):
        if field.name in _FILLED_IN:
            continue
        declared, convert = _declared(hints[field.name], field.name)
        rows.append(_row(field, declared))
        converts.append((field.name, convert))
    rows += [(name, _declared(declared, name)[0], None) for name, declared in extra.items()]
    rows.sort(key=len)  # Required ones first.
    struct = msgspec.defstruct(
        target.__name__,
        rows,
        forbid_unknown_fields=True,
        kw_only=True,
        namespace={"__doc__": _doc(target)},
    )

    def values(read: Any) -> dict[str, Any]:  # noqa: ANN401  # the struct made above
        return {
            name: value if convert is None or value is None else convert(value)
            for name, convert in converts
            for value in (getattr(read, name),)
        }

    return struct, values


@cache
def _part(target: type) -> tuple[type, Convert]:
    """Return the shape of something inside a payload: one struct each, or schemas would clash."""
    return _struct(target, {})


def _doc(target: type) -> str:
    return (target.__doc__ or "") if not (target.__doc__ or "").startswith(target.__name__) else ""


def _row(field: Field[Any], declared: Any) -> tuple[str, Any] | tuple[str, Any, Any]:  # noqa: ANN401
    if field.default is MISSING:
        return field.name, declared
    return field.name, declared, field.default


def _declared(declared: Any, name: str) -> tuple[Any, Convert | None]:  # noqa: ANN401, PLR0911
    origin = get_origin(declared)
    if origin in (Union, UnionType):
        inner = [option for option in get_args(declared) if option is not NoneType]
        shape, convert = _declared(inner[0], name)
        return shape | None, convert
    if origin is Personal:
        shape, _ = _declared(str, name)
        return shape, Personal
    if origin is tuple:
        shape, convert = _declared(get_args(declared)[0], name)
        many = Annotated[tuple[shape, ...], msgspec.Meta(max_length=_MOST)]  # type: ignore[valid-type]  # made here
        return many, None if convert is None else _each(convert)
    if declared is datetime:
        return _TIME, lambda text: moment(text, name)
    if declared is date or declared is bool:
        return declared, None
    if declared is int:
        return Annotated[int, msgspec.Meta(ge=0, le=_SMALLER.get(name, _LARGEST))], None
    if declared is float:
        return Annotated[float, msgspec.Meta(ge=0, le=_LARGEST)], None
    if hasattr(declared, "__dataclass_fields__"):
        struct, values = _part(declared)
        return struct, lambda value: declared(**values(value))
    if declared is str or hasattr(declared, "__supertype__"):
        return _text(declared), None
    return declared, None  # enums and UUIDs


def _text(declared: object) -> Any:  # noqa: ANN401  # an annotated type
    if declared in _CODES:
        return Annotated[str, msgspec.Meta(pattern=CODE_OF_REGISTER)]
    return Annotated[str, msgspec.Meta(min_length=1, max_length=_LONGEST)]


def _each(convert: Convert) -> Convert:
    return lambda values: tuple(convert(value) for value in values)


def moment(text: str, field: str) -> datetime:
    """Return the moment that a text states (RFC 3339), or raise why it states none.

    What is finer than microseconds is cut: the last tick of a day stays in that day.
    """
    try:
        value = msgspec.convert(_FINER.sub(r"\1", text), datetime)
    except msgspec.ValidationError as error:
        raise _no_moment(text, field) from error
    if value.tzinfo is None:
        raise TimeWithoutOffset(field)
    if value.year not in YEARS:
        raise InvalidRequest(f"{field} must lie between the years 1900 and 9998.")
    return value


def _no_moment(text: str, field: str) -> DomainError:
    try:
        msgspec.convert(text, date)
    except msgspec.ValidationError:
        hint = " In an address, write + as %2B." if _LOST_PLUS.fullmatch(text) else ""
        return InvalidRequest(f"{field} is no RFC 3339 time.{hint}")
    return TimeWithoutOffset(field)  # A day, but no moment of it.
