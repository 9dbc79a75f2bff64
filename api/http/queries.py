"""What stands after the ? of an address: read strictly, and described, from one declared type."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Annotated, Final, Generic, TypeVar

import msgspec
from msgspec import Meta, inspect

from api.naming import is_position
from domain.errors import InvalidRequest
from streams.wire.inputs import moment

Pairs = Sequence[tuple[str, str]]
Schema = Mapping[str, object]
_Reader = Callable[[str], object]
_LONGEST_NUMBER: Final = 19


class Query(msgspec.Struct, kw_only=True):
    """The parameters of an operation, each with its default: all may be left out."""


class Fresh(Query):
    """What every read takes."""

    min_position: Annotated[
        int, Meta(ge=0, le=2**62, description="Answer from this position or a later one.")
    ] = 0
    wait: Annotated[
        int,
        Meta(ge=0, le=30, description="Seconds to wait for it; then the answer is `not-yet`."),
    ] = 5


@dataclass(frozen=True, slots=True)
class QueryParameter:
    name: str
    schema: Schema
    description: str


Q = TypeVar("Q", bound=Query)


class QueryReader(Generic[Q]):
    """Reads one type of query. It is made once, when the operation is declared."""

    def __init__(self, target: type[Q]) -> None:
        told = inspect.type_info(target)
        if not isinstance(told, inspect.StructType):
            raise TypeError(target)
        self.target = target
        self._readers = {each.name: _reader(each.name, each.type) for each in told.fields}

    def refuse_unknown(self, pairs: Pairs) -> None:
        """Refuse parameters that the operation does not know: a slip must not widen an answer."""
        unknown = {name for name, _ in pairs} - self._readers.keys()
        if unknown:
            raise InvalidRequest(f"There is no parameter {min(unknown)[:40]!a} here.")

    def read(self, pairs: Pairs) -> Q:
        """Return what is asked, or raise InvalidRequest or TimeWithoutOffset, without a value."""
        values: dict[str, object] = {}
        for name, text in pairs:
            if name in values:
                raise InvalidRequest(f"{name} may be given once.")
            if not text or "\0" in text:
                raise InvalidRequest(f"{name} must have a value, without U+0000.")
            values[name] = self._readers[name](text)
        return self.target(**values)

    def parameters(self) -> Iterator[QueryParameter]:
        """Yield the parameters as the description shows them."""
        _, parts = msgspec.json.schema_components([self.target])
        for name, schema in parts[self.target.__name__]["properties"].items():
            shown = dict(schema)
            default = shown.pop("default", None)
            shown = next(iter(shown.pop("anyOf", ())), shown) if _optional(shown) else shown
            description = shown.pop("description", "")
            known = {} if default is None else {"default": default}
            yield QueryParameter(name, {**shown, **known}, description)


def _optional(schema: Schema) -> bool:
    options = schema.get("anyOf", ())
    return isinstance(options, list) and {"type": "null"} in options


def _reader(name: str, kind: inspect.Type) -> _Reader:
    """Return the reader of a parameter of a declared type."""
    match kind:
        case inspect.Metadata(type=inner) | inspect.UnionType(types=(inner, inspect.NoneType())):
            return _reader(name, inner)
        case inspect.UnionType(types=(inspect.IntType(), inspect.DateTimeType())):
            return partial(_position_or_moment, name)
        case inspect.IntType(ge=int(low), le=int(high)):
            return partial(_whole_number, name, low, high)
        case inspect.StrType(min_length=int(low), max_length=int(high)):
            return partial(_text, name, low, high)
        case inspect.DateTimeType():
            return lambda text: moment(text, name)
        case inspect.BoolType():
            return partial(_flag, name)
        case _:
            raise TypeError(f"{name}: no parameter can be {kind}")


def _whole_number(name: str, low: int, high: int, text: str) -> int:
    digits = text.isascii() and text.isdigit()
    if not digits or not low <= int(text[:_LONGEST_NUMBER]) <= high:
        raise InvalidRequest(f"{name} must be a whole number from {low} to {high}.")
    return int(text)


def _flag(name: str, text: str) -> bool:
    if text not in {"true", "false"}:
        raise InvalidRequest(f"{name} must be true or false.")
    return text == "true"


def _position_or_moment(name: str, text: str) -> int | datetime:
    return int(text) if is_position(text) else moment(text, name)


def _text(name: str, low: int, high: int, text: str) -> str:
    if not low <= len(text) <= high:
        raise InvalidRequest(f"{name} must have {low} to {high} characters.")
    return text
