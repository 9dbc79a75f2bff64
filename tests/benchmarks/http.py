"""Commands through HTTP, as desks send them, beside a bare validated POST on the same cores."""

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial
from statistics import median
from typing import Final

from tests.benchmarks.client import callers, rush
from tests.benchmarks.lag import grown
from tests.benchmarks.lives import lives
from tests.benchmarks.measuring import Effort, Figure, alternate, benchmark, say
from tests.benchmarks.processes import (
    Ledger,
    Target,
    bare,
    ledger,
    offers,
    serving,
)
from tests.benchmarks.sending import OPEN, Acceptances, Begun, Desks
from tests.benchmarks.sides import CALLERS, Sample, Side, beside, tell

BARE: Final = "bare POST"
APART: Final = "one server, views apart"
WORKERS: Final = "two workers, views apart"
TOGETHER: Final = "all in one process"
OWNERS: Final = "with owners"
ACCEPTED: Final = "acceptances"
ACCEPTED_OWNERS: Final = "acceptances with owners"


@benchmark("http")
async def http(effort: Effort) -> list[Figure]:
    """Next steps of many open dossiers, 64 callers, the load generator beside it."""
    opened = OPEN if effort.rounds > 1 else CALLERS
    async with AsyncExitStack() as stack:
        sides = await _sides(stack, opened)
        found = await alternate(
            effort.rounds,
            {name: partial(side.run, effort.sustained) for name, side in sides.items()},
        )
    tell(found)
    return _figures(found)


async def _sides(stack: AsyncExitStack, opened: int) -> dict[str, Side]:
    """Start every server; what this release cannot run is said and left out."""
    together = await stack.enter_async_context(serving(await _ledger(stack)))
    sides = {
        BARE: await _side(await stack.enter_async_context(bare(together.tokens)), opened),
        TOGETHER: await _side(together, opened),
    }
    one = together
    if not offers("project"):
        say("skipped: views apart, since there is no `hoso project`")
    else:
        one = await stack.enter_async_context(serving(await _ledger(stack), apart=True))
        sides[APART] = await _side(one, opened)
        if offers("serve", "--workers"):
            served = serving(await _ledger(stack), apart=True, workers=2)
            sides[WORKERS] = await _side(await stack.enter_async_context(served), opened)
    if not offers("serve", "--workers"):
        say("skipped: two workers, since there is no `hoso serve --workers`")
    sides[OWNERS] = await _side(one, opened, personal=True)
    sides[ACCEPTED] = Side(one, Acceptances(lives(3), one.tokens))
    sides[ACCEPTED_OWNERS] = Side(one, Acceptances(lives(3, personal=True), one.tokens))
    return sides


async def _ledger(stack: AsyncExitStack) -> Ledger:
    return await stack.enter_async_context(ledger())


async def _side(target: Target, opened: int, *, personal: bool = False) -> Side:
    """Return desks at work on a server, their dossiers somewhere in their lives."""
    desks = Desks(lives(1, personal=personal), target.tokens, opened)
    if target.ledger is None:
        desks.pretend()
    else:
        async with callers(target.address, CALLERS) as connected:
            await rush(connected, Begun(desks))
        await target.ledger.caught_up()
    return Side(target, desks)


def _figures(found: Mapping[str, Sequence[Sample]]) -> list[Figure]:
    plain = APART if APART in found else TOGETHER
    named = "`hoso project` beside" if APART in found else "all in one process"
    made = []
    if APART in found:
        what = "commands, one server, `hoso project` beside: share of the bare POST"
        made.append(_share(what, found[APART], found[BARE], 40, 55))
    if WORKERS in found:
        what = "commands, two workers, `hoso project` beside: share of the bare POST"
        made.append(_share(what, found[WORKERS], found[BARE], 45, 60))
    what = "commands, all in one process: share of the bare POST"
    made.append(_share(what, found[TOGETHER], found[BARE], 28, 40))
    what = f"commands with an owner's values, {named}: share of those without"
    made.append(_share(what, found[OWNERS], found[plain], 80, 90))
    what = f"acceptances with an owner's values, {named}: share of those without"
    made.append(_share(what, found[ACCEPTED_OWNERS], found[ACCEPTED], 80, 90))
    return made


def _share(
    name: str, ours: Sequence[Sample], theirs: Sequence[Sample], target: float, aim: float
) -> Figure:
    """Return the median of the rounds' shares, with rates, processor times and lag beside."""
    shares = [100 * one.rate / other.rate for one, other in zip(ours, theirs, strict=True)]
    return Figure(
        name=name,
        value=median(shares),
        unit="%",
        target=target,
        aim=aim,
        flaw=grown([each.lag for each in ours]),
        beside={
            "a second": median(each.rate for each in ours),
            "a second, beside": median(each.rate for each in theirs),
            **beside(ours),
            "server, beside, us each": median(each.took["server"] for each in theirs),
        },
    )
