"""The group-commit appender: the one writer of a process, in lock step with every other one."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from enum import Enum
from time import monotonic
from typing import Final
from uuid import uuid4

import asyncpg

from domain.errors import Busy, DomainError, InvalidRequest, TooLarge
from domain.ledger.appends import Answer, Key
from infra.admission import Prepared, Snapshot, judge
from infra.append_rows import LOCK_HEAD, READ, WRITE, questions, rows, snapshot_of, use_micros
from infra.database import BY_KEY, FULL, LOST, POISON, Connect

_log = logging.getLogger(__name__)

MAX_APPENDS: Final = 200
MAX_BYTES: Final = 1 << 20
LARGEST: Final = 8 << 20
PATIENCE: Final = 5.0  # Seconds that callers wait for a database that is away.

SETTINGS: Final = {**BY_KEY, "lock_timeout": "60s"}


class Lane(Enum):
    """A desk never waits behind an import: its appends go first."""

    DESK = "desk"
    IMPORT = "import"


class _Waiting:
    __slots__ = ("future", "prepared", "since")

    def __init__(self, prepared: Prepared, future: asyncio.Future[Answer]) -> None:
        self.prepared = prepared
        self.future = future
        self.since = monotonic()


class Appender:
    """Appends all or nothing, in batches of what queued while the last commit ran. No timer.

    `submit` refuses with StaleVersion, CodeTaken, RulesChanged, KeyReused, TooLarge or Busy. When
    the loop itself fails, `dead` is called: the process must end, for nobody else would answer.
    """

    def __init__(
        self,
        connect: Connect,
        now: Callable[[], datetime],
        *,
        dead: Callable[[BaseException], None],
        capacity: int = 10_000,
    ) -> None:
        self._connect = connect
        self._now = now
        self._dead = dead
        self._capacity = capacity
        self._lanes: dict[Lane, deque[_Waiting]] = {lane: deque() for lane in Lane}
        self._wake = asyncio.Event()
        self._closing = False
        self._connection: asyncpg.Connection | None = None
        self._task: asyncio.Task[None] | None = None
        self.batches = 0
        self.appended = 0

    @property
    def queued(self) -> int:
        return sum(map(len, self._lanes.values()))

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="appender")
        self._task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._dead(error)

    async def close(self) -> None:
        """Answer what was accepted, then stop."""
        self._closing = True
        self._wake.set()
        if self._task is not None:
            await asyncio.wait([self._task])
        if self._connection is not None:
            self._connection.terminate()

    def submit(self, prepared: Prepared, lane: Lane = Lane.DESK) -> asyncio.Future[Answer]:
        """Queue an append; what its future raises, or what is raised at once, is the refusal."""
        if prepared.size > LARGEST:
            raise TooLarge("8 MiB in one append")
        if self._closing:
            raise Busy("The service is stopping.")
        if len(self._lanes[lane]) >= self._capacity:
            raise Busy
        if prepared.append.key is None and prepared.append.writes:
            # By a key of its own it is found again after a COMMIT whose answer was lost.
            own = Key(scope="", key=uuid4().hex, digest=b"")
            prepared.append = replace(prepared.append, key=own)
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._lanes[lane].append(_Waiting(prepared, future))
        self._wake.set()
        return future

    async def _run(self) -> None:
        while True:
            batch = self._next_batch()
            if not batch:
                if self._closing:
                    return
                self._wake.clear()
                await self._wake.wait()
                continue
            await self._append(batch)

    def _next_batch(self) -> list[_Waiting]:
        batch: list[_Waiting] = []
        size = 0
        for lane in self._lanes.values():
            while lane and len(batch) < MAX_APPENDS and (not batch or size < MAX_BYTES):
                waiting = lane.popleft()
                if not waiting.future.done():
                    batch.append(waiting)
                    size += waiting.prepared.size
            if batch:
                break  # Imports only run when no desk waits.
        return batch

    async def _append(self, batch: Sequence[_Waiting]) -> None:
        try:
            answers = await self._persistently(batch)
        except POISON as error:
            await self._one_by_one(batch, error)
        except (*FULL, Busy) as error:
            refused = error if isinstance(error, Busy) else Busy("The database is full.")
            _log.error("append refused: %s", error)
            _answer(batch, [refused] * len(batch))
        else:
            _answer(batch, answers)

    async def _one_by_one(self, batch: Sequence[_Waiting], error: Exception) -> None:
        """One of them cannot be stored: find it, and spoil no other."""
        if len(batch) > 1:
            for waiting in batch:
                await self._append([waiting])
            return
        _log.error("append cannot be stored: %s", type(error).__name__)
        _answer(batch, [InvalidRequest("The database cannot store this.")])

    async def _persistently(self, batch: Sequence[_Waiting]) -> list[Answer | DomainError]:
        """Commit; after a lost connection lock again and look, for the commit may have happened."""
        until = monotonic() + PATIENCE
        delay = 0.01
        while True:
            try:
                return await self._commit([waiting.prepared for waiting in batch])
            except LOST as error:
                self._drop()
                if monotonic() >= until:
                    _log.error("the database is away: %s", type(error).__name__)
                    raise Busy(_away(batch)) from error
                await asyncio.sleep(delay)
                delay = min(delay * 2, 0.5)

    async def _commit(self, batch: Sequence[Prepared]) -> list[Answer | DomainError]:
        connection = await self._connected()
        try:
            await connection.execute(LOCK_HEAD)
            judgement = judge(batch, await self._snapshot(connection, batch))
            if judgement.empty:
                await connection.execute("ROLLBACK")
                return judgement.answers
            await connection.execute(WRITE, *rows(judgement))
            for prepared, answer in zip(batch, judgement.answers, strict=True):
                if isinstance(answer, Answer) and not answer.repeated:
                    prepared.uncertain = True
            await connection.execute("COMMIT")
        except LOST:
            raise
        except BaseException:
            with suppress(*LOST):
                await connection.execute("ROLLBACK")
            for prepared in batch:
                prepared.uncertain = False
            raise
        self.batches += 1
        self.appended += len(judgement.events)
        return judgement.answers

    async def _connected(self) -> asyncpg.Connection:
        if self._connection is None or self._connection.is_closed():
            self._connection = await self._connect()
            await use_micros(self._connection)
        return self._connection

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    async def _snapshot(
        self, connection: asyncpg.Connection, batch: Sequence[Prepared]
    ) -> Snapshot:
        (row,) = await connection.fetch(READ, *questions(batch))
        return snapshot_of(row, self._now())


def _away(batch: Sequence[_Waiting]) -> str:
    if any(waiting.prepared.uncertain for waiting in batch):
        return "The database went away while it committed; sending it again is safe."
    return "The database is away."


def _answer(batch: Sequence[_Waiting], answers: Sequence[Answer | DomainError]) -> None:
    for waiting, answer in zip(batch, answers, strict=True):
        refused = answer if isinstance(answer, DomainError) else None
        waiting.prepared.answered(refused)
        if waiting.future.done():
            continue
        if isinstance(answer, DomainError):
            waiting.future.set_exception(answer)
        else:
            waiting.future.set_result(answer)
