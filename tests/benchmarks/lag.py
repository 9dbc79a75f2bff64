"""Whether views keep up: how far they are behind while a load goes on, and whether that grows."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from statistics import mean
from typing import Final

from tests.benchmarks.processes import Ledger

_EVERY: Final = 0.1  # Seconds.
_TOLERANCE: Final = 0.05  # Of what was recorded: so much is the swing of batches.


@dataclass
class Lag:
    """Positions of the ledger and of its views while a load went on."""

    positions: list[tuple[int, int]] = field(default_factory=list)

    def has_reached(self, position: int) -> bool:
        """Say whether the views were seen to show a position."""
        return bool(self.positions) and self.positions[-1][1] >= position

    @property
    def at_the_end(self) -> int:
        head, views = self.positions[-1]
        return head - views

    @property
    def growth(self) -> float:
        """By how many events the lag of the last quarter is more than that of the one before."""
        quarter = max(1, len(self.positions) // 4)
        last, before = self.positions[-quarter:], self.positions[-2 * quarter : -quarter]
        return _behind(last) - _behind(before) if before else 0.0

    @property
    def recorded(self) -> int:
        """How many events were recorded in the last quarter."""
        quarter = max(1, len(self.positions) // 4)
        return self.positions[-1][0] - self.positions[-quarter][0]


def _behind(positions: Sequence[tuple[int, int]]) -> float:
    return mean(head - views for head, views in positions)


def grown(lags: Sequence[Lag]) -> str | None:
    """Say it if the views did not keep up: a flaw of the figure."""
    growth, recorded = sum(lag.growth for lag in lags), sum(lag.recorded for lag in lags)
    return "the views' lag grew" if growth > _TOLERANCE * recorded + len(lags) else None


@asynccontextmanager
async def watched(ledger: Ledger | None) -> AsyncIterator[Lag]:
    """Look at the lag again and again, and at the end; what has no ledger has none."""
    lag = Lag()
    ended = asyncio.Event()
    watching = asyncio.create_task(_watch(ledger, lag, ended))
    try:
        yield lag
    finally:
        ended.set()
        await watching


async def _watch(ledger: Ledger | None, lag: Lag, ended: asyncio.Event) -> None:
    while True:
        last = ended.is_set()
        lag.positions.append(await ledger.positions() if ledger is not None else (0, 0))
        if last:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(_EVERY):
                await ended.wait()
