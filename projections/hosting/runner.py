"""Moves the views inside a process, as long as it leads: pulls the ledger once for all of them."""

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from typing import Final

from asyncpg import Connection

from projections.hosting import tables
from projections.hosting.building import Progress, silent
from projections.hosting.leading import Leadership
from projections.hosting.log import Log
from projections.hosting.pacing import Pace
from projections.hosting.projector import Projector
from projections.hosting.rebuild import Builder
from projections.hosting.standing import Standing
from projections.hosting.tables import Checkpoint, ProjectionHalted
from projections.tasks import end

_log = logging.getLogger(__name__)

_PATIENCE: Final = 5
_TROUBLE: Final = 0.5  # Seconds until what failed is tried again.
_WAY: Final = 0.5  # Seconds in which whoever is to lead instead is noticed.
_LED_ELSEWHERE: Final = 0.02
_CATCHING_UP: Final = 2_000
_BACKLOG: Final = 20_000  # Events: so far behind, a little later is no matter.


@dataclass(frozen=True, kw_only=True)
class Manner:
    """How a process moves the views: `rest` gathers what is appended meanwhile, in seconds.

    `poll` is when it looks by itself for what others appended. Beside desks it works in slices.
    """

    batch: int
    rest: float = 0.03
    poll: float = 0.03
    beside_desks: bool


SERVING: Final = Manner(batch=250, beside_desks=True)
ALONE: Final = Manner(batch=2_000, beside_desks=False)


class Runner:
    """Keeps the views up with the ledger. `wake` is called after each append of this process."""

    def __init__(
        self,
        leadership: Leadership,
        log: Log,
        builder: Builder,
        standing: Standing,
        manner: Manner = SERVING,
    ) -> None:
        self._leadership = leadership
        self._log = log
        self._builder = builder
        self._shelf = builder.shelf
        self._projector = Projector(log, self._shelf)
        self._standing = standing
        self._manner = manner
        self._woken = asyncio.Event()
        self._hurried = asyncio.Event()  # Somebody waits for what was appended just now.
        self._failures = 0
        self._task: asyncio.Task[None] | None = None
        self._closing = False
        self.trouble: str | None = None
        """Why nothing moves here, where no checkpoint says it."""
        self.leading = False

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="views")

    async def close(self) -> None:
        self._closing = True  # The error of a broken connection may take the cancellation's place.
        await end(self._task)

    def wake(self) -> None:
        """Say that something was appended."""
        self._woken.set()

    def hurry(self) -> None:
        """Say that somebody waits for what was appended just now."""
        self._hurried.set()
        self._woken.set()

    async def catch_up(self, progress: Progress = silent) -> None:
        """Bring the views to the head, or wait until whoever leads has. Raises ProjectionHalted."""
        target: int | None = None

        async def reached(connection: Connection) -> bool:
            nonlocal target
            target = target or (await self._log.head(connection))[0]
            self.hurry()
            halted = await self._standing.halted()
            if halted:
                raise ProjectionHalted(halted[0])
            return await self._standing.position() >= target

        async with self._leadership.won(reached, _LED_ELSEWHERE) as connection:
            if connection is not None:
                target = target or (await self._log.head(connection))[0]
                await self._bring(connection, target, progress)
                self._standing.moved()

    async def _bring(self, connection: Connection, target: int, progress: Progress) -> None:
        await self._builder.build_missing(progress)
        at = await tables.checkpoint(connection, self._shelf.tables, locked=False)
        start = at.seq
        while True:
            at = await self._step(connection, at, _CATCHING_UP, Pace(beside_desks=False))
            progress(at.seq - start, target - start)
            if at.seq >= target:
                return

    async def _run(self) -> None:
        while not self._closing:
            try:
                async with self._leadership.won() as connection:
                    if connection is not None:
                        self.leading = True
                        await self._lead(connection)
            except Exception as error:  # noqa: BLE001  # the edge: the database may be away.
                self._failed(error)
                await asyncio.sleep(_TROUBLE)
            finally:
                self.leading = False

    async def _lead(self, connection: Connection) -> None:
        """Follow the ledger until somebody else is to lead. What halts is tried again."""
        while not self._closing:
            try:
                await self._builder.build_missing()
                await self._follow(connection)
            except ProjectionHalted as why:
                if self.trouble != str(why):
                    _log.critical("the views halted: %s", why)
                self.trouble = str(why)
                await tables.halt(connection, self._shelf.tables, str(why))
                await asyncio.sleep(_TROUBLE)
            else:
                return

    async def _follow(self, connection: Connection) -> None:
        at = await tables.checkpoint(connection, self._shelf.tables, locked=False)
        pace = Pace(beside_desks=self._manner.beside_desks)
        look, behind = monotonic(), 0
        while not self._closing:
            self._woken.clear()
            before, at = at.seq, await self._step(connection, at, self._manner.batch, pace)
            await self._goes_on(connection)
            pace.rested()
            if monotonic() >= look:
                if await self._leadership.gives_way(connection):
                    return
                then, behind = behind, (await self._log.head(connection))[0] - at.seq
                # What falls further behind has to hurry, or it would never come to the head.
                pace.is_patient = _BACKLOG < behind <= (then or behind)
                look = monotonic() + _WAY
            if at.seq - before < self._manner.batch:
                await _wait(self._hurried, self._manner.rest)
                self._hurried.clear()
                await _wait(self._woken, self._manner.poll)
                pace.rested()

    async def _step(
        self, connection: Connection, at: Checkpoint, limit: int, pace: Pace
    ) -> Checkpoint:
        to = await self._projector.step(connection, at, limit, pace)
        if to != at:
            self._standing.moved()
        return to

    async def _goes_on(self, connection: Connection) -> None:
        self._failures = 0
        if self.trouble is not None:
            self.trouble = None
            await tables.halt(connection, self._shelf.tables, None)

    def _failed(self, error: Exception) -> None:
        """Say that nothing moves any more where the same trouble comes again and again."""
        self._failures += 1
        _log.error("the views wait: %s: %s", type(error).__name__, error, exc_info=error)
        if self._failures >= _PATIENCE:
            self.trouble = f"The views do not move: {type(error).__name__}."


async def _wait(event: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):  # wait_for of 3.11 may swallow a cancellation.
            await event.wait()
