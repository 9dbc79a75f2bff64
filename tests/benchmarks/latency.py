"""How long desks wait at a thousand commands a second: on a new ledger, and beside a backlog."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median, quantiles
from time import perf_counter
from typing import Final

from tests.benchmarks.bulk import fill, lately
from tests.benchmarks.client import Waited, callers, paced
from tests.benchmarks.lag import Lag, grown, watched
from tests.benchmarks.lives import lives
from tests.benchmarks.measuring import Effort, Figure, alternate, benchmark, say, uncollected
from tests.benchmarks.processes import Target, ledger, offers, serving
from tests.benchmarks.sending import Desks
from tests.benchmarks.sides import CALLERS

RATE: Final = 1_000.0
_OPEN: Final = 500
_FIRST: Final = 1_000  # Requests: those of the first second.
_BACKLOG: Final = 100_000
_IN_SERVE: Final = "views in `serve`"
_APART: Final = "views apart"
_BOUNDS: Final = {_IN_SERVE: (25, 15), _APART: (20, 8)}


@dataclass(frozen=True)
class Sample:
    """Milliseconds that the requests of the first second waited, and those after them."""

    first: Sequence[float]
    then: Sequence[float]
    lag: Lag


@benchmark("latency")
async def latency(effort: Effort) -> list[Figure]:
    """In each round a new ledger, and then the same with a backlog that no view has seen."""
    modes = [_IN_SERVE]
    if offers("project"):
        modes.append(_APART)
    else:
        say("skipped: views apart, since there is no `hoso project`")
    found = await alternate(
        effort.rounds, {mode: partial(_round, effort, apart=mode == _APART) for mode in modes}
    )
    made = []
    for mode, rounds in found.items():
        fresh, behind = zip(*rounds, strict=True)
        flaw = grown([each.lag for each in fresh])
        made += _figures(f"on a fresh ledger, {mode}", fresh, _BOUNDS[mode], flaw)
        made += _figures(f"while a backlog is caught up, {mode}", behind, (50, 25), None)
    return made


async def _round(effort: Effort, *, apart: bool) -> tuple[Sample, Sample]:
    async with ledger() as made:
        desks = Desks(lives(4), made.tokens, _OPEN)
        async with serving(made, apart=apart) as target:
            ended = perf_counter() + effort.sustained
            fresh = await _sample(target, desks, lambda _: perf_counter() < ended)
            await made.caught_up()
        head = await fill(made.data, lately(effort.share(_BACKLOG // 10)))
        async with serving(made, apart=apart) as target:
            behind = await _while_behind(target, desks, head)
    return fresh, behind


async def _while_behind(target: Target, desks: Desks, head: int) -> Sample:
    """Go on until the views have what was there at the start."""
    return await _sample(target, desks, lambda lag: not lag.has_reached(head))


async def _sample(target: Target, desks: Desks, going_on: Callable[[Lag], bool]) -> Sample:
    desks.prepare(round(10 * RATE))
    async with callers(target.address, CALLERS) as opened:
        with uncollected():
            async with watched(target.ledger) as lag:
                waited = await paced(opened, desks, RATE, lambda: going_on(lag))
    times = _in_order(waited)
    return Sample(times[:_FIRST], times[_FIRST:] or times, lag)


def _in_order(waited: Waited) -> list[float]:
    """Return the milliseconds of each request, in the order in which they were due."""
    pairs = sorted(zip(waited.due, waited.took, strict=True))
    return [1_000 * took for _, took in pairs]


def _figures(
    what: str, samples: Sequence[Sample], bounds: tuple[float, float], flaw: str | None
) -> list[Figure]:
    """Return the medians of the rounds' p99, of the first requests and of those after them."""
    target, aim = bounds
    p99 = partial(Figure, unit="ms", at_most=True)
    return [
        p99(
            name=f"p99 at 1,000 commands/s {what}",
            value=median(_p99(each.then) for each in samples),
            target=target,
            aim=aim,
            flaw=flaw,
            beside={
                "p50": median(median(each.then) for each in samples),
                "longest of all rounds": max(max(each.then) for each in samples),
                "events behind at the end, most": max(each.lag.at_the_end for each in samples),
            },
        ),
        p99(
            name=f"p99 of the first {_FIRST:,} {what}",
            value=median(_p99(each.first) for each in samples),
            beside={
                "p50": median(median(each.first) for each in samples),
                "longest of all rounds": max(max(each.first) for each in samples),
            },
        ),
    ]


def _p99(times: Sequence[float]) -> float:
    return quantiles(times, n=100)[98]
