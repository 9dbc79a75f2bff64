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

RATE: Final = 1_000
_HALF: Final = RATE // 2  # What is slower than the rate tells of its queue alone.
_OPEN: Final = 500
_LOOK: Final = 0.01  # Seconds between looks at how far the views are.
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
        fresh, half, behind = zip(*rounds, strict=True)
        flaw = grown([each.lag for each in fresh])
        made += _figures(f"on a fresh ledger, {mode}", fresh, _BOUNDS[mode], flaw)
        made += _figures(f"while a backlog is caught up, {mode}", behind, (50, 25), None)
        made.append(_until_shown(RATE, mode, fresh, (200, 100)))
        made.append(
            _p99_of(f"p99 at {_HALF:,} commands/s on a fresh ledger, {mode}", half, None, None)
        )
        made.append(_until_shown(_HALF, mode, half, (None, None)))
    return made


async def _round(effort: Effort, *, apart: bool) -> tuple[Sample, Sample, Sample]:
    async with ledger() as made:
        desks = Desks(lives(4), made.tokens, _OPEN)
        async with serving(made, apart=apart) as target:
            fresh = await _for(effort, target, desks, RATE)
            half = await _for(effort, target, desks, _HALF)
        head = await fill(made.data, lately(effort.share(_BACKLOG // 10)))
        async with serving(made, apart=apart) as target:
            behind = await _while_behind(target, desks, head)
    return fresh, half, behind


async def _for(effort: Effort, target: Target, desks: Desks, rate: int) -> Sample:
    ended = perf_counter() + effort.sustained
    return await _sample(target, desks, rate, lambda _: perf_counter() < ended)


async def _while_behind(target: Target, desks: Desks, head: int) -> Sample:
    """Go on until the views have what was there at the start."""
    return await _sample(target, desks, RATE, lambda lag: not lag.has_reached(head))


async def _sample(
    target: Target, desks: Desks, rate: int, going_on: Callable[[Lag], bool]
) -> Sample:
    desks.prepare(10 * rate)
    async with callers(target.address, CALLERS) as opened:
        with uncollected():
            async with watched(target.ledger, _LOOK) as lag:
                waited = await paced(opened, desks, rate, lambda: going_on(lag))
                await lag.all_shown()
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
    return [
        _p99_of(f"p99 at {RATE:,} commands/s {what}", samples, bounds, flaw),
        Figure(
            name=f"p99 of the first {_FIRST:,} {what}",
            value=median(_p99(each.first) for each in samples),
            unit="ms",
            at_most=True,
            beside={
                "p50": median(median(each.first) for each in samples),
                "longest of all rounds": max(max(each.first) for each in samples),
            },
        ),
    ]


def _p99_of(
    name: str, samples: Sequence[Sample], bounds: tuple[float, float] | None, flaw: str | None
) -> Figure:
    target, aim = bounds or (None, None)
    return Figure(
        name=name,
        value=median(_p99(each.then) for each in samples),
        unit="ms",
        at_most=True,
        target=target,
        aim=aim,
        flaw=flaw,
        beside={
            "p50": median(median(each.then) for each in samples),
            "longest of all rounds": max(max(each.then) for each in samples),
            "events behind, most": max(each.lag.at_most for each in samples),
        },
    )


def _until_shown(
    rate: int, mode: str, samples: Sequence[Sample], bounds: tuple[float | None, float | None]
) -> Figure:
    target, aim = bounds
    return Figure(
        name=f"append until in every view, p99 at {rate:,} commands/s, {mode}",
        value=median(_p99(each.lag.waits()) for each in samples),
        unit="ms",
        at_most=True,
        target=target,
        aim=aim,
        beside={"p50": median(median(each.lag.waits()) for each in samples)},
    )


def _p99(times: Sequence[float]) -> float:
    return quantiles(times, n=100)[98]
