"""A server at full speed, one side of several, and what a round of it shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final, Protocol

from tests.benchmarks.client import Script, callers, rush
from tests.benchmarks.lag import Lag, watched
from tests.benchmarks.measuring import say, uncollected
from tests.benchmarks.processes import Target

CALLERS: Final = 64
_AT_FIRST: Final = 2_000  # So many a second are made in advance of the first round.


class Prepared(Script, Protocol):
    """A script that makes in advance what it will send."""

    def prepare(self, count: int) -> None: ...


@dataclass(frozen=True)
class Sample:
    """A round of one side: how many a second, and microseconds of processor for each."""

    rate: float
    took: Mapping[str, float]
    lag: Lag


@dataclass
class Side:
    """A server and what is sent to it; `size`: how much each request brings."""

    target: Target
    script: Prepared
    callers: int = CALLERS
    size: int = 1
    rate: float = _AT_FIRST

    async def run(self, seconds: float) -> Sample:
        """Send for so many seconds, then wait until the views have it all: it is a part of it."""
        self.script.prepare(round(1.2 * self.rate * seconds))
        async with callers(self.target.address, self.callers) as opened:
            before = self.target.took()
            with uncollected():
                async with watched(self.target.ledger) as lag:
                    requests, took = await rush(opened, self.script, seconds)
            if self.target.ledger is not None:
                await self.target.ledger.caught_up()
            count = requests * self.size
            spent = self.target.took().since(before, count)
        self.rate = count / took
        return Sample(self.rate, spent, lag)


def tell(found: Mapping[str, Sequence[Sample]]) -> None:
    """Say what every round of every side showed."""
    for name, samples in found.items():
        rates = ", ".join(f"{each.rate:,.0f}" for each in samples)
        lags = ", ".join(f"{each.lag.at_the_end:,}" for each in samples)
        say(f"{name}: {rates} a second; events behind at the end: {lags}")


def beside(samples: Sequence[Sample]) -> dict[str, float]:
    """Return the medians of the processor times, and the longest lag at the end of a round."""
    found = {
        f"{who}, us each": median(each.took[who] for each in samples) for who in samples[0].took
    }
    return {**found, "events behind at the end, most": max(each.lag.at_the_end for each in samples)}
