"""How long the server's loop is held at once, while desks work and views are moved beside them."""

import json
import os
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Final

from tests.benchmarks.bulk import fill, lately
from tests.benchmarks.client import callers, paced
from tests.benchmarks.lives import lives
from tests.benchmarks.measuring import Effort, Figure, alternate, benchmark, uncollected
from tests.benchmarks.processes import ledger, serving
from tests.benchmarks.sending import Desks
from tests.benchmarks.sides import CALLERS
from tests.benchmarks.watched_loop import WATCH

_RATE: Final = 400  # Commands a second: half of what this loop can do beside the views.
_OPEN: Final = 500
_BACKLOGS: Final = {"on a fresh ledger": 0, "while a backlog is caught up": 50_000}
_BY: Final = (sys.executable, "-m", "tests.benchmarks.watched_loop")


@benchmark("callbacks")
async def callbacks(effort: Effort) -> list[Figure]:
    """Find the longest callback once it serves, by its processor time, collection apart."""
    found = await alternate(
        effort.rounds,
        {
            name: partial(_longest, effort, effort.share(backlog) if backlog else 0)
            for name, backlog in _BACKLOGS.items()
        },
    )
    return [
        Figure(
            name=f"longest callback of the loop, {_RATE} commands/s {name}, views in `serve`",
            value=median(max(each.values()) for each in rounds),
            unit="ms",
            target=10,
            aim=5,
            at_most=True,
            beside=_worst(rounds),
        )
        for name, rounds in found.items()
    ]


def _worst(rounds: list[Mapping[str, float]]) -> Mapping[str, float]:
    """Return the four that held it for longest in any round."""
    names = {name for each in rounds for name in each}
    longest = {name: max(each.get(name, 0.0) for each in rounds) for name in names}
    return dict(sorted(longest.items(), key=lambda each: -each[1])[:4])


async def _longest(effort: Effort, backlog: int) -> Mapping[str, float]:
    with TemporaryDirectory(prefix="hoso-bench-") as folder:
        told = Path(folder) / "longest.json"
        os.environ[WATCH] = str(told)
        async with ledger() as made:
            desks = Desks(lives(4), made.tokens, _OPEN)
            if backlog:
                await fill(made.data, lately(backlog // 10))
            async with serving(made, by=_BY) as target:
                desks.prepare(round(2 * _RATE * effort.sustained))
                async with callers(target.address, CALLERS) as opened:
                    with uncollected():
                        ended = perf_counter() + effort.sustained
                        await paced(opened, desks, _RATE, lambda: perf_counter() < ended)
        return _longest_in(told)


def _longest_in(told: Path) -> Mapping[str, float]:
    longest: Mapping[str, float] = json.loads(told.read_text("utf-8"))
    return longest
