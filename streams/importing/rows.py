"""The rows of a file: each a CloudEvent, or the reason why it is none."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
import orjson

from domain.errors import DomainError, InvalidRequest, TooLarge
from streams.importing.files import Line
from streams.registers.entries import in_zone, with_zone
from streams.wire.cloudevents import CloudEvent, claimed_id, read_envelope, stored_name

_SHOWN: Final = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One thing that a file says. `raw` is what stands there, to be shown if it is refused."""

    number: int
    said: CloudEvent | DomainError
    raw: bytes | Mapping[str, object]
    id: str | None

    @property
    def size(self) -> int:
        """Return about how many bytes it holds, if it is large."""
        return len(self.raw)

    @property
    def event(self) -> CloudEvent:
        """Return what the row says, or raise why it says nothing."""
        if isinstance(self.said, DomainError):
            raise self.said
        return self.said

    def shown(self) -> str:
        """Return what stands there as text, at most 2,000 characters of it."""
        if isinstance(self.raw, bytes):
            return self.raw[: 4 * _SHOWN].decode("utf-8", "replace")[:_SHOWN]
        return json.dumps(self.raw, ensure_ascii=False, default=str)[:_SHOWN]


def rows_of_lines(lines: Iterable[Line], zone: ZoneInfo | None) -> Iterator[Row]:
    """Yield a row for each line; `zone` is that of times without offset, else they are refused."""
    for line in lines:
        said = _read(line, zone)
        name = said.id if isinstance(said, CloudEvent) else claimed_id(line.text)
        yield Row(number=line.number, said=said, raw=line.text, id=name)


def _read(line: Line, zone: ZoneInfo | None) -> CloudEvent | DomainError:
    if not line.whole:
        return TooLarge("8 MiB a row")
    try:
        line.text.decode()  # What a payload holds is not looked at before it is recorded.
        event = read_envelope(line.text)
        return event if zone is None else _zoned(event, zone)
    except DomainError as refused:
        return refused
    except UnicodeDecodeError:
        return InvalidRequest("It is not UTF-8 text.")
    except RecursionError:
        return InvalidRequest("It is nested too deeply.")


def _zoned(event: CloudEvent, zone: ZoneInfo) -> CloudEvent:
    """Give the zone's offset to each time that has none."""
    event.time = str(in_zone(event.time, zone))
    try:
        data = orjson.loads(bytes(event.data))
    except orjson.JSONDecodeError:
        return event  # Whoever reads it strictly says what is wrong with it.
    if isinstance(data, dict):
        zoned = with_zone(stored_name(event), data, zone)
        if zoned != data:
            event.data = msgspec.Raw(orjson.dumps(zoned))
    return event
