"""What reads cost: a dossier and its dates beside `/health`, and as known at a position."""

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial
from itertools import cycle, islice
from statistics import median
from typing import Final

from api.main import Settings, opened
from api.operating.catalogue import load_entries
from streams.registers.catalogue_files import parse_catalogue
from tests.benchmarks.client import callers, get, rush
from tests.benchmarks.lives import PROVINCE, lives
from tests.benchmarks.measuring import Effort, Figure, alternate, benchmark
from tests.benchmarks.processes import Ledger, Target, ledger, serving
from tests.benchmarks.sending import Begun, Desks, Questions
from tests.system.service import environment

_DOSSIERS: Final = 500
_CALLERS: Final = 16
_HEALTH: Final = "/health"
_DOSSIER: Final = "a dossier"
_DUE_DATE: Final = "its due date"
_KNOWN: Final = "its due date, as known at a position"


@benchmark("questions")
async def questions(effort: Effort) -> list[Figure]:
    """Processor time of the server, after the registers have said ten thousand things."""
    count = effort.share(1_000)
    async with AsyncExitStack() as stack:
        made = await stack.enter_async_context(ledger())
        await _registered(made, effort.share(10_000))
        target = await stack.enter_async_context(serving(made))
        desks = Desks(lives(5), target.tokens, _DOSSIERS)
        async with callers(target.address, _CALLERS) as connected:
            await rush(connected, Begun(desks))
        await made.caught_up()
        named = [f"/v1/dossiers/{each.dossier.decode()}" for each in desks.waiting if each.place]
        position, _ = await made.positions()
        paths = {
            _HEALTH: [_HEALTH],
            _DOSSIER: named,
            _DUE_DATE: [f"{each}/due-date" for each in named],
            _KNOWN: [f"{each}/due-date?known_at={position}" for each in named],
        }
        found = await alternate(
            effort.rounds,
            {name: partial(_asked, target, each, count) for name, each in paths.items()},
        )
    return [
        _ratio(found, _DOSSIER, _HEALTH, 4, 2),
        _ratio(found, _DUE_DATE, _HEALTH, 6, 4),
        _ratio(found, _KNOWN, _DUE_DATE, 1.5, 1.1),
    ]


async def _registered(made: Ledger, count: int) -> None:
    """Let the register of units say so many things."""
    named = (
        f'[[units]]\ncode = "{PROVINCE}.900.{number:05d}"\nname = "Đơn vị số {number}"\n'
        f'parent = "{PROVINCE}"\nlevel = "department"\n'
        for number in range(count)
    )
    async with opened(Settings.read(environment(made.data)), "bench") as process:
        await load_entries(process, parse_catalogue("".join(named)))


async def _asked(target: Target, paths: Sequence[str], count: int) -> float:
    """Return the microseconds of the server's processor for each of so many requests."""
    requests = [get(path, target.tokens.province) for path in islice(cycle(paths), count)]
    async with callers(target.address, _CALLERS) as connected:
        before = target.took()
        await rush(connected, Questions(requests))
        return target.took().since(before, count)["server"]


def _ratio(
    found: Mapping[str, Sequence[float]], ours: str, theirs: str, target: float, aim: float
) -> Figure:
    pairs = zip(found[ours], found[theirs], strict=True)
    return Figure(
        name=f"processor time: {ours}, against {theirs}",
        value=median(one / other for one, other in pairs),
        unit="x",
        target=target,
        aim=aim,
        at_most=True,
        beside={f"{name}, us each": median(found[name]) for name in (ours, theirs)},
    )
