"""Work in slices: whoever shares the loop is never kept waiting for long."""

import asyncio
from collections.abc import Iterator, Sequence
from time import monotonic
from typing import Final, TypeVar

_SLICE: Final = 0.004  # Seconds; with the step that goes over it, below five milliseconds.
_BUSY: Final = 0.0005  # A turn of a loop in which nobody else has work takes far less.
_REST: Final = 1.5  # Of the time worked: who has desks beside it rests longer than it works.
_LONG_REST: Final = 6.0
_LONGEST_REST: Final = 0.25  # Seconds: a checkpoint may be held meanwhile.
_PORTION: Final = 50  # Dossiers that are written at once.

T = TypeVar("T")


class Pace:
    """Gives the loop back after each slice; where others had work meanwhile, it rests as well.

    Who is not `beside_desks` has the loop to himself, and goes on without a break. `is_patient`:
    what he does can wait, and the others cannot.
    """

    def __init__(self, *, beside_desks: bool) -> None:
        self._beside_desks = beside_desks
        self._since = monotonic()
        self.is_patient = False

    async def breathe(self) -> None:
        """Let others work if it is time. To be called often."""
        worked = monotonic() - self._since
        if not self._beside_desks or worked < _SLICE:
            return
        await asyncio.sleep(0)
        if monotonic() - self._since - worked > _BUSY:
            rest = worked * (_LONG_REST if self.is_patient else _REST)
            await asyncio.sleep(min(rest, _LONGEST_REST))
        self._since = monotonic()

    def portions(self, work: Sequence[T]) -> Iterator[Sequence[T]]:
        """Divide work that cannot be interrupted: beside desks a portion is far below a slice."""
        size = _PORTION if self._beside_desks else max(1, len(work))
        return (work[start : start + size] for start in range(0, len(work), size))

    def rested(self) -> None:
        """Begin a slice: the loop was somebody else's while the database was asked."""
        self._since = monotonic()
