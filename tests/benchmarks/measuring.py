"""What every benchmark needs: a registry, figures, rounds, the machine, a throw-away database."""

import gc
import os
import platform
import sys
from asyncio import to_thread
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TypeVar
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg

from infra.embedded import EmbeddedPostgres
from infra.migrations import migrate

_SETTINGS = ("fsync", "synchronous_commit", "commit_delay", "commit_siblings", "shared_buffers")
_COMMITS = 100
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A measured figure.

    `target` is the least that is good enough, `aim` what it should be; with `at_most`, the most.
    `flaw` says why it counts as missed whatever its value is.
    """

    name: str
    value: float
    unit: str
    target: float | None = None
    aim: float | None = None
    at_most: bool = False
    flaw: str | None = None
    beside: Mapping[str, float] = field(default_factory=dict)
    server: Mapping[str, str] = field(default_factory=dict)

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None if there is none."""
        return self._reaches(self.target)

    @property
    def aim_met(self) -> bool | None:
        """Whether the aim is met; None if there is none."""
        return self._reaches(self.aim)

    def _reaches(self, bound: float | None) -> bool | None:
        if bound is None:
            return None
        if self.flaw is not None:
            return False
        return self.value <= bound if self.at_most else self.value >= bound


@dataclass(frozen=True, kw_only=True)
class Effort:
    """How long to measure: rounds, and about how many seconds each side gets in a round.

    `sustained` are the seconds in a round of what must go on: half a minute in all rounds.
    """

    rounds: int
    seconds: float
    sustained: float

    def share(self, for_a_second: int) -> int:
        """Return how much work to do, given how much takes about a second."""
        return max(1, round(for_a_second * self.seconds))

    def sustained_share(self, for_a_second: int) -> int:
        """Return how much work to do in a round of what must go on."""
        return max(1, round(for_a_second * self.sustained))


THOROUGH = Effort(rounds=5, seconds=1, sustained=6)
QUICK = Effort(rounds=1, seconds=0.05, sustained=0.5)

Benchmark = Callable[[Effort], Awaitable[list[Figure]]]
BENCHMARKS: dict[str, Benchmark] = {}


def benchmark(name: str) -> Callable[[Benchmark], Benchmark]:
    """Register a benchmark. Its module is found by lying in this package."""

    def register(function: Benchmark) -> Benchmark:
        BENCHMARKS[name] = function
        return function

    return register


def say(line: str) -> None:
    """Say something about a measurement that is no figure."""
    print(line, file=sys.stderr, flush=True)  # noqa: T201  # for people


async def alternate(
    rounds: int, sides: Mapping[str, Callable[[], Awaitable[T]]]
) -> dict[str, list[T]]:
    """Measure each side once in every round, so that all meet the same weather."""
    found: dict[str, list[T]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, measure in sides.items():
            found[name].append(await measure())
    return found


async def medians(
    rounds: int, sides: Mapping[str, Callable[[], Awaitable[float]]]
) -> dict[str, float]:
    """Return the median of each side over so many rounds."""
    found = await alternate(rounds, sides)
    return {name: median(values) for name, values in found.items()}


@contextmanager
def uncollected() -> Iterator[None]:
    """Keep the garbage collector of this process away from what is measured."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()


async def rate(count: int, work: Awaitable[object]) -> float:
    """Return how many a second. What was made before is kept from the garbage collector."""
    gc.collect()
    gc.freeze()
    begin = perf_counter()
    await work
    took = perf_counter() - begin
    gc.unfreeze()
    return count / took


def machine() -> dict[str, str]:
    """Say what the figures were measured on."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    models = [line.partition(": ")[2] for line in lines if line.startswith("model name")]
    return {
        "processor": models[0] if models else platform.processor(),
        "cores": str(os.cpu_count()),
        "kernel": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


@dataclass(frozen=True, kw_only=True)
class Server:
    """A PostgreSQL server of this benchmark's own, and what of its settings matters."""

    embedded: EmbeddedPostgres
    facts: Mapping[str, str]

    async def fresh(self) -> str:
        """Return the address of a new database with the ledger's tables, as its owner."""
        name = f"bench_{uuid4().hex}"
        connection = await asyncpg.connect(self.embedded.url)
        await connection.execute(f"CREATE DATABASE {name}")
        await connection.close()
        url = urlsplit(self.embedded.url)._replace(path=f"/{name}").geturl()
        await migrate(url)
        return url


@asynccontextmanager
async def server(**settings: str) -> AsyncIterator[Server]:
    """Start a server that is thrown away afterwards."""
    with TemporaryDirectory(prefix="hoso-bench-") as folder:
        data = Path(folder) / "data"
        embedded = await to_thread(EmbeddedPostgres.start, data, extra=settings)
        with closing(embedded):
            yield Server(embedded=embedded, facts=await _facts(embedded.url))


async def _facts(url: str) -> dict[str, str]:
    connection = await asyncpg.connect(url)
    shown = {name: str(await connection.fetchval(f"SHOW {name}")) for name in _SETTINGS}
    version = str(await connection.fetchval("SHOW server_version"))
    await connection.execute("CREATE TABLE public.probe (number int)")
    took = [await _commit(connection) for _ in range(_COMMITS)]
    await connection.close()
    return {"PostgreSQL": version, **shown, "one commit": f"{median(took) * 1000:.2f} ms"}


async def _commit(connection: asyncpg.Connection) -> float:
    begin = perf_counter()
    await connection.execute("INSERT INTO public.probe VALUES (1)")
    return perf_counter() - begin
