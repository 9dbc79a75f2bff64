"""The reading of a file that is imported: handfuls of rows, taken outside of the event loop."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from streams.errors import FileRefused
from streams.importing.files import InputFile, lines
from streams.importing.mapped import rows_of_trace
from streams.importing.mapping import FileMapping, LogMapping, MappingInvalid
from streams.importing.rows import Row, rows_of_lines
from streams.importing.xes import Trace, XesReader

_MOST_ROWS: Final = 256
_MOST_BYTES: Final = 1 << 20


@dataclass(slots=True)
class Taken:
    """Some rows; none: it is the end of the file. `failure` is why nothing comes after them."""

    rows: list[Row] = field(default_factory=list)
    failure: FileRefused | None = None


class Rows:
    """The rows of a file, whatever its form."""

    def __init__(self, file: InputFile, mapping: FileMapping | None) -> None:
        self._file = file
        self._rows = _rows(file, mapping)
        self.bytes_total = file.total

    @property
    def bytes_read(self) -> int:
        return self._file.done

    def take(self) -> Taken:
        """Read on; blocks. Rows that came before a failure are given with it."""
        taken = Taken()
        size = 0
        try:
            for row in self._rows:
                taken.rows.append(row)
                size += row.size
                if len(taken.rows) >= _MOST_ROWS or size >= _MOST_BYTES:
                    break
        except FileRefused as failure:
            taken.failure = failure
        return taken


def _rows(file: InputFile, mapping: FileMapping | None) -> Iterator[Row]:
    if not file.holds_xml():
        yield from rows_of_lines(lines(file.pieces()), mapping.zone if mapping else None)
        return
    if mapping is None:
        raise MappingInvalid("A log in XES needs a mapping (--mapping).")
    reader = XesReader()
    log = mapping.of_log
    number = 0
    for trace in reader.traces(file.pieces()):
        if trace.number == 1:
            _refuse_misfit(log, reader, trace)
        for row in rows_of_trace(trace, log, number):
            number += 1
            yield row


def _refuse_misfit(log: LogMapping, reader: XesReader, first: Trace) -> None:
    """Refuse attributes that neither the log declares nor its first trace has."""
    of_traces = reader.declared["trace"] | first.attributes.keys()
    of_events = reader.declared["event"].union(*first.events)
    log.refuse_misfit(of_traces, of_events or None)
