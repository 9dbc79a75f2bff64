"""XES logs (IEEE 1849), one trace after the other, whatever the size of the log."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final
from xml.parsers import expat

from streams.errors import FileRefused

Value = str | int | float | bool | datetime | date
Attributes = dict[str, Value]

MOST_EVENTS: Final = 100_000
_DEEPEST: Final = 100
_WIDEST: Final = 8 << 20
_PART, _INSIDE, _IN_EVENT = 2, 3, 4  # Depths: a trace or <global>, what is in it, in an event.
_DATE_ONLY: Final = 10


class MalformedXml(FileRefused):
    """It is not XML, no XES log, or larger in one place than any log has reason to be."""

    code = "malformed-xml"


class UnsafeXml(FileRefused):
    """It declares a document type: entities could read other files or fill the memory."""

    code = "unsafe-xml"

    def __init__(self) -> None:
        super().__init__("The log declares a document type (DOCTYPE); XES needs none.")


@dataclass(slots=True)
class Trace:
    """A case of the log: its own attributes, and those of its events in the order of the file.

    A value that does not read as its declared type is given as the text that it is.
    """

    number: int
    attributes: Attributes = field(default_factory=dict)
    events: list[Attributes] = field(default_factory=list)


def _moment(text: str) -> datetime | date:
    if len(text) == _DATE_ONLY:
        return date.fromisoformat(text)
    return datetime.fromisoformat(text)


def _truth(text: str) -> bool:
    return {"true": True, "1": True, "false": False, "0": False}[text.lower()]


_READ: Final[Mapping[str, Callable[[str], Value]]] = {
    "date": _moment,
    "int": int,
    "float": float,
    "boolean": _truth,
}
_TEXTS: Final = frozenset({"string", "id"})


class XesReader:
    """Reads the pieces of one log. `declared` holds the attributes of its <global> elements."""

    def __init__(self) -> None:
        self.declared: dict[str, set[str]] = {"trace": set(), "event": set()}
        self._traces = 0
        self._depth = 0
        self._trace: Trace | None = None
        self._into: Attributes | None = None
        self._at = 0  # The depth of the elements that say something; 0: none do.
        self._scope: set[str] | None = None
        self._done: list[Trace] = []
        self._fed = self._seen = 0
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartDoctypeDeclHandler = _refuse_doctype
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end

    def traces(self, pieces: Iterable[bytes]) -> Iterator[Trace]:
        """Yield each trace when it is whole; it holds those that end in one piece, and one more.

        Raises MalformedXml or UnsafeXml after the traces before the fault; so do the pieces.
        """
        for piece in pieces:
            yield from self._parsed(piece, last=False)
        yield from self._parsed(b"", last=True)

    def _parsed(self, piece: bytes, *, last: bool) -> Iterator[Trace]:
        failure: FileRefused | None = None
        try:
            self._parser.Parse(piece, last)
            self._fed += len(piece)
            if self._fed - self._seen > _WIDEST:
                failure = self._fault("one element is larger than 8 MiB")
        except FileRefused as refused:
            failure = refused
        except (expat.ExpatError, LookupError, ValueError) as error:
            failure = self._fault(str(error).split(":")[0])
        done, self._done = self._done, []
        yield from done
        if failure is not None:
            raise failure

    def _fault(self, what: str) -> MalformedXml:
        line, column = self._parser.CurrentLineNumber, self._parser.CurrentColumnNumber
        where = f"line {line}, column {column}, after {self._traces} whole traces"
        return MalformedXml(f"The log is not well-formed at {where}: {what}.")

    def _start(self, name: str, attributes: Mapping[str, str]) -> None:
        self._depth += 1
        self._seen = self._fed
        if self._depth == self._at:
            self._child(name.rpartition(":")[2], attributes)
        elif self._depth <= _PART:
            self._outer(name.rpartition(":")[2], attributes)
        elif self._depth > _DEEPEST:
            raise self._fault("elements are nested too deeply")

    def _outer(self, name: str, attributes: Mapping[str, str]) -> None:
        if self._depth < _PART:
            if name != "log":
                raise self._fault("it is no XES log")
        elif name == "trace":
            self._trace = Trace(self._traces + 1)
            self._into, self._at = self._trace.attributes, _INSIDE
        elif name == "global":
            self._scope = self.declared.get(attributes.get("scope", "event"))
            self._at = _INSIDE
        elif name == "event":
            raise self._fault("an event stands outside of every trace")

    def _child(self, name: str, attributes: Mapping[str, str]) -> None:
        key, text = attributes.get("key"), attributes.get("value")
        if name == "event" and self._at == _INSIDE and self._trace is not None:
            self._into, self._at = {}, _IN_EVENT
        elif key is None or text is None:
            return  # A list or a container has no value of its own.
        elif self._into is not None:
            self._into[key] = text if name in _TEXTS else _value(name, text)
        elif self._scope is not None:
            self._scope.add(key)

    def _end(self, _name: str) -> None:
        self._depth -= 1
        if self._depth == _PART and self._at == _IN_EVENT:
            self._end_event()
        elif self._depth < _PART:
            self._end_part()

    def _end_event(self) -> None:
        if self._trace is None or self._into is None:
            return
        self._trace.events.append(self._into)
        if len(self._trace.events) > MOST_EVENTS:
            raise self._fault(f"a trace has more than {MOST_EVENTS:,} events")
        self._into, self._at = self._trace.attributes, _INSIDE

    def _end_part(self) -> None:
        if self._trace is not None:
            self._traces += 1
            self._done.append(self._trace)
        self._trace = self._into = self._scope = None
        self._at = 0


def _refuse_doctype(*_: object) -> None:
    raise UnsafeXml


def _value(name: str, text: str) -> Value:
    try:
        return _READ[name](text)
    except (KeyError, ValueError):
        return text
