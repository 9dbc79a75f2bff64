"""What the processes of one service count together, in a little memory that they share."""

import asyncio
import os
import tempfile
from collections.abc import Callable, Iterator, MutableSequence
from contextlib import contextmanager
from hashlib import blake2b
from mmap import mmap
from time import monotonic
from typing import BinaryIO, Final, Self, cast

from api.services import Gauges
from domain.errors import TooManyRequests

MOST_PROCESSES: Final = 64
_KEY: Final = 16
_FIGURES: Final = 3
_NUMBER: Final = 8  # Bytes of a double, which is written in one piece.
_ADDRESSES: Final = 1 << 16
_UNTIL: Final = _KEY + MOST_PROCESSES * _FIGURES * _NUMBER
_SIZE: Final = _UNTIL + _ADDRESSES * _NUMBER
_FRESH: Final = 1.0  # Seconds; so old are the figures of the others at most.


@contextmanager
def shared_memory() -> Iterator[BinaryIO]:
    """Give a file without a name, for processes to count in; it ends with the last of them."""
    with tempfile.TemporaryFile() as file:
        file.truncate(_SIZE)
        file.write(os.urandom(_KEY))
        file.flush()
        yield cast("BinaryIO", file)


class Counts:
    """One process's part in what all of them count."""

    def __init__(self, memory: BinaryIO, place: int) -> None:
        whole = memoryview(mmap(memory.fileno(), _SIZE))
        self._key = bytes(whole[:_KEY])
        self._figures = cast("MutableSequence[float]", whole[_KEY:_UNTIL].cast("d"))
        self._until = cast("MutableSequence[float]", whole[_UNTIL:].cast("d"))
        self._at = place * _FIGURES
        # Whoever had this place before us has died: what he counted was counted.
        _, self._batches, self._appended = self._figures[self._at : self._at + _FIGURES]

    @classmethod
    def alone(cls) -> Self:
        with shared_memory() as memory:
            return cls(memory, 0)

    def total(self, own: Gauges) -> Gauges:
        """Return the figures of all processes: our own as they are, the others' a second old."""
        self._put(own)
        return Gauges(*(int(sum(self._figures[each::_FIGURES])) for each in range(_FIGURES)))

    async def keep_fresh(self, own: Callable[[], Gauges]) -> None:
        """Show the others our figures, for ever."""
        while True:
            self._put(own())
            await asyncio.sleep(_FRESH)

    def _put(self, own: Gauges) -> None:
        self._figures[self._at] = own.queued
        self._figures[self._at + 1] = self._batches + own.batches
        self._figures[self._at + 2] = self._appended + own.appended

    def spend(self, address: str, burst: float, rate: float) -> None:
        """Take one of the requests of an address: so many at once, so many a second after that.

        Raises TooManyRequests when it has none left. What is kept is the moment at which all would
        be left again, on a place that follows from the address and a secret.
        """
        digest = blake2b(address.encode(), key=self._key, digest_size=8).digest()
        place = int.from_bytes(digest) % _ADDRESSES
        now = monotonic()  # The same clock in all processes of a machine.
        whole_again = max(self._until[place], now)
        if whole_again - now > (burst - 1) / rate:
            raise TooManyRequests
        self._until[place] = whole_again + 1 / rate
