"""Whether views keep up: how far they are behind while a load goes on, and whether that grows."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from statistics import mean
from time import perf_counter
from typing import Final

from tests.benchmarks.processes import Ledger

_EVERY: Final = 0.1  # Seconds.
_TOLERANCE: Final = 0.05  # Of what was recorded: so much is the swing of batches.


@dataclass
class Lag:
    """Positions of the ledger and of its views while a load went on."""

    positions: list[tuple[int, int]] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    _under_load: int | None = None

    def has_reached(self, position: int) -> bool:
        """Say whether the views were seen to show a position."""
        return bool(self.positions) and self.positions[-1][1] >= position

    async def all_shown(self) -> None:
        """Wait until the views show what the load recorded that ends here."""
        self._under_load = looks = len(self.positions)
        while len(self.positions) == looks or self.at_the_end:  # noqa: ASYNC110  # others move them
            await asyncio.sleep(_EVERY)

    def waits(self) -> list[float]:
        """Return the milliseconds until all views showed each position at which the ledger was.

        They are as fine as the looks are close.
        """
        found, place = [], 0
        for since, (head, _) in zip(self.times, self.positions, strict=True):
            while place < len(self.positions) and self.positions[place][1] < head:
                place += 1
            if place == len(self.positions):
                break
            found.append(1_000 * max(0.0, self.times[place] - since))
        return found

    @property
    def at_the_end(self) -> int:
        head, views = self.positions[-1]
        return head - views

    @property
    def at_most(self) -> int:
        return max(head - views for head, views in self.positions)

    @property
    def growth(self) -> float:
        """By how many events the lag of the last quarter is more than that of the one before."""
        positions = self.positions[: self._under_load]
        quarter = max(1, len(positions) // 4)
        last, before = positions[-quarter:], positions[-2 * quarter : -quarter]
        return _behind(last) - _behind(before) if before else 0.0

    @property
    def recorded(self) -> int:
        """How many events were recorded in the last quarter."""
        positions = self.positions[: self._under_load]
        quarter = max(1, len(positions) // 4)
        return positions[-1][0] - positions[-quarter][0]


def _behind(positions: Sequence[tuple[int, int]]) -> float:
    return mean(head - views for head, views in positions)


def grown(lags: Sequence[Lag]) -> str | None:
    """Say it if the views did not keep up: a flaw of the figure."""
    growth, recorded = sum(lag.growth for lag in lags), sum(lag.recorded for lag in lags)
    return "the views' lag grew" if growth > _TOLERANCE * recorded + len(lags) else None


@asynccontextmanager
async def watched(ledger: Ledger | None, every: float = _EVERY) -> AsyncIterator[Lag]:
    """Look at the lag again and again, and at the end; what has no ledger has none."""
    lag = Lag()
    ended = asyncio.Event()
    watching = asyncio.create_task(_watch(ledger, lag, ended, every))
    try:
        yield lag
    finally:
        ended.set()
        await watching


async def _watch(ledger: Ledger | None, lag: Lag, ended: asyncio.Event, every: float) -> None:
    while True:
        last = ended.is_set()
        lag.positions.append(await ledger.positions() if ledger is not None else (0, 0))
        lag.times.append(perf_counter())
        if last:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(every):
                await ended.wait()
