"""Files as they come in: plain or gzip, read in small pieces, cut into lines, with clear errors."""

import gzip
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Final, Self

from streams.errors import FileRefused

PIECE: Final = 1 << 16
LONGEST_LINE: Final = 8 << 20
_SHOWN: Final = 8_000  # Of a line that is too long, this much is kept to show it.
_GZIP: Final = b"\x1f\x8b"
_BOM: Final = b"\xef\xbb\xbf"
_XML_STARTS: Final = (b"<", b"\xfe\xff", b"\xff\xfe")
_XML_NAMES: Final = (".xes", ".xml", ".xes.gz", ".xml.gz")


class TruncatedFile(FileRefused):
    """It ends before its end: a copy or a download was cut off."""

    code = "truncated-file"

    def __init__(self) -> None:
        super().__init__("The gzip file ends before its end; copy it again.")


class DamagedFile(FileRefused):
    """It is marked as gzip, and is none, or its checksum is wrong."""

    code = "damaged-file"

    def __init__(self) -> None:
        super().__init__("The gzip file is damaged; copy it again.")


class InputFile:
    """A file that is read from its beginning to its end, once; `done` of its `total` bytes."""

    def __init__(self, path: Path) -> None:
        self._name = path.name.lower()
        try:
            self._raw = path.open("rb")
        except OSError as error:
            raise FileRefused(f"The file cannot be read: {error.strerror}.") from error
        self.total = path.stat().st_size
        self._read = self._raw.read1
        if self._raw.peek(2)[:2] == _GZIP:
            # Of a cut file, read1 gives everything before the cut; read would lose some of it.
            self._read = gzip.GzipFile(fileobj=self._raw).read1
        self._pieces = self._read_pieces()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._raw.close()

    @property
    def done(self) -> int:
        return self._raw.tell()

    def pieces(self) -> Iterator[bytes]:
        """Yield the content. Raises TruncatedFile or DamagedFile after all that could be read."""
        return self._pieces

    def holds_xml(self) -> bool:
        """Say, from its name or its first bytes, whether this is XML (and not lines of JSON)."""
        if self._name.endswith(_XML_NAMES):
            return True
        first = next(self._pieces, b"")
        self._pieces = chain([first], self._pieces)
        return first.removeprefix(_BOM).lstrip().startswith(_XML_STARTS)

    def _read_pieces(self) -> Iterator[bytes]:
        while True:
            try:
                piece = self._read(PIECE)
            except EOFError as error:
                raise TruncatedFile from error
            except (gzip.BadGzipFile, zlib.error) as error:
                raise DamagedFile from error
            if not piece:
                return
            yield piece


@dataclass(frozen=True, slots=True)
class Line:
    """A line that is not blank. Of one that is not `whole` (too long), only the beginning."""

    number: int
    text: bytes
    whole: bool = True


def lines(pieces: Iterable[bytes]) -> Iterator[Line]:
    """Cut the content into lines; a byte order mark and blank lines are passed over."""
    held = _Held()
    number = 0
    for piece in pieces:
        *ended, rest = piece.split(b"\n")
        for part in ended:
            number += 1
            held.add(part)
            yield from held.line(number)
        held.add(rest)
    yield from held.line(number + 1)


class _Held:
    """The parts of the line that is being read; never much more than the longest line."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0

    def add(self, part: bytes) -> None:
        self._size += len(part)
        if self._size <= LONGEST_LINE:
            self._parts.append(part)
        else:
            self._parts = [b"".join(self._parts)[:_SHOWN] or part[:_SHOWN]]

    def line(self, number: int) -> Iterator[Line]:
        text = b"".join(self._parts)
        whole = self._size <= LONGEST_LINE
        self._parts, self._size = [], 0
        if number == 1:
            text = text.removeprefix(_BOM)
        if text := text.strip():
            yield Line(number, text, whole)
