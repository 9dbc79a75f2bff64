"""Work in slices: whoever shares the loop is never kept waiting for long."""

import asyncio
from time import monotonic
from typing import Final

_SLICE: Final = 0.004  # Seconds; with the step that goes over it, below five milliseconds.
_BUSY: Final = 0.0005  # A turn of a loop in which nobody else has work takes far less.
_REST: Final = 1.5  # Of the time worked: who has desks beside it rests longer than it works.


class Pace:
    """Gives the loop back after each slice; where others had work meanwhile, it rests as well.

    Who is not `beside_desks` has the loop to himself, and goes on without a break.
    """

    def __init__(self, *, beside_desks: bool) -> None:
        self._beside_desks = beside_desks
        self._since = monotonic()

    async def breathe(self) -> None:
        """Let others work if it is time. To be called often."""
        worked = monotonic() - self._since
        if not self._beside_desks or worked < _SLICE:
            return
        await asyncio.sleep(0)
        if monotonic() - self._since - worked > _BUSY:
            await asyncio.sleep(worked * _REST)
        self._since = monotonic()

    def rested(self) -> None:
        """Begin a slice: the loop was somebody else's while the database was asked."""
        self._since = monotonic()
