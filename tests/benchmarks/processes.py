"""Processes under load: a served ledger, its views, its PostgreSQL; what processor each takes."""

import subprocess
import sys
from asyncio import sleep, to_thread
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Final

import asyncpg
import psutil

from infra.embedded import EmbeddedPostgres
from tests.benchmarks.province import Tokens, founded
from tests.system.hoso import COMMAND
from tests.system.service import environment, free_port

_LOOK: Final = 0.02
_PATIENCE: Final = 600.0  # Seconds in which views must come to the head.


@cache
def offers(*words: str) -> bool:
    """Say whether the help of a command of this release has a word, the last one."""
    *command, word = words
    asked = [*COMMAND, *command, "--help"]
    return word in subprocess.run(asked, capture_output=True, text=True, check=False).stdout


class Program:
    """A process of ours, and those that it starts."""

    def __init__(self, words: Sequence[str], env: Mapping[str, str] | None = None) -> None:
        self._words = " ".join(words)
        self._process = subprocess.Popen(words, env=env, stdout=subprocess.PIPE, text=True)
        self.pid = self._process.pid

    def address(self) -> str:
        """Wait until it is ready, and return where it listens."""
        line = self._process.stdout.readline() if self._process.stdout is not None else ""
        if not line.startswith("ready "):
            raise RuntimeError(f"{self._words} did not start; it said {line!r}.")
        return line.split()[1]

    def stop(self) -> None:
        self._process.terminate()
        self._process.communicate(timeout=120)

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()


@contextmanager
def program(words: Sequence[str], env: Mapping[str, str] | None = None) -> Iterator[Program]:
    """Run a process; end it as it is asked to end, and at once where something went wrong."""
    started = Program(words, env)
    try:
        yield started
    except BaseException:
        started.kill()
        raise
    started.stop()


def processor(pid: int) -> float:
    """Return the seconds of processor, user's and system's, of a process and all it started."""
    root = psutil.Process(pid)
    return sum(map(_own, [root, *root.children(recursive=True)]))


def _own(process: psutil.Process) -> float:
    try:
        took = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    # What ended meanwhile is counted by whoever started it.
    return took.user + took.system + took.children_user + took.children_system


@dataclass(frozen=True)
class Ledger:
    """A ledger on a server of its own, with the province in it."""

    data: Path
    tokens: Tokens
    url: str
    postgres: int
    connection: asyncpg.Connection

    async def lag(self) -> int:
        """Return how many events the views are behind."""
        head, views = await self.positions()
        return head - views

    async def positions(self) -> tuple[int, int]:
        """Return the last position, and the one that all views show."""
        head = await self.connection.fetchval("SELECT max(seq) FROM ledger.event")
        return head or 0, await self.views_position()

    async def views_position(self) -> int:
        found = await self.connection.fetchval("SELECT min(seq) FROM views.checkpoint")
        return found or 0

    async def caught_up(self) -> None:
        """Wait until the views show the last position."""
        until = perf_counter() + _PATIENCE
        while await self.lag():
            if perf_counter() > until:
                raise TimeoutError("The views do not come to the head.")
            await sleep(_LOOK)


@asynccontextmanager
async def ledger() -> AsyncIterator[Ledger]:
    """Make a new ledger that is thrown away."""
    with TemporaryDirectory(prefix="hoso-bench-") as folder:
        data = Path(folder) / "data"
        tokens = await founded(data)
        async with joined(data, tokens) as made:
            yield made


@asynccontextmanager
async def joined(data: Path, tokens: Tokens) -> AsyncIterator[Ledger]:
    """Open the ledger of a data folder beside whoever else uses it."""
    embedded = await to_thread(EmbeddedPostgres.start, data)
    with closing(embedded):
        connection = await asyncpg.connect(embedded.url)
        yield Ledger(data, tokens, embedded.url, embedded.pid, connection)
        await connection.close()


@dataclass(frozen=True)
class Took:
    """Seconds of processor by who took them; None for a process that there is not."""

    server: float
    postgres: float | None = None
    views: float | None = None
    client: float = 0.0

    def since(self, before: "Took", count: float) -> dict[str, float]:
        """Return the microseconds of each for one of so many, by name."""
        found = {}
        for name, now in vars(self).items():
            then = getattr(before, name)
            if now is not None and then is not None:
                found[name] = 1e6 * (now - then) / count
        return found


@dataclass(frozen=True)
class Target:
    """A server under load. `ledger` is what is behind it, if anything is."""

    address: str
    tokens: Tokens
    server: int
    views: int | None = None
    ledger: Ledger | None = None

    def took(self) -> Took:
        return Took(
            server=processor(self.server),
            postgres=processor(self.ledger.postgres) if self.ledger is not None else None,
            views=processor(self.views) if self.views is not None else None,
            client=_own(psutil.Process()),
        )


@asynccontextmanager
async def serving(
    of: Ledger, *, workers: int = 1, apart: bool = False, by: Sequence[str] = COMMAND
) -> AsyncIterator[Target]:
    """Serve a ledger, with so many workers, its views beside if `apart`, until they have all."""
    env = environment(of.data)
    words = [*by, "serve", "--port", str(free_port())]
    words += ["--workers", str(workers)] if workers > 1 else []
    async with AsyncExitStack() as stack:
        project = None
        if apart:
            project = stack.enter_context(program([*COMMAND, "project"], env)).pid
            await _connected(of, f"hoso project {project}")
        server = stack.enter_context(program(words, env))
        address = await to_thread(server.address)
        yield Target(address, of.tokens, server.pid, project, of)


async def _connected(of: Ledger, application: str) -> None:
    """Wait until a process works with the database."""
    until = perf_counter() + _PATIENCE
    query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1"
    while not await of.connection.fetchval(query, application):
        if perf_counter() > until:
            raise TimeoutError(f"{application} does not come.")
        await sleep(_LOOK)


@asynccontextmanager
async def bare(tokens: Tokens) -> AsyncIterator[Target]:
    """Run the server that has nothing behind."""
    words = [sys.executable, "-m", "tests.benchmarks.bare", str(free_port())]
    with program(words) as server:
        yield Target(await to_thread(server.address), tokens, server.pid)
