"""Applies the ledger to read models, in order, rows and checkpoint in one transaction."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from types import ModuleType
from typing import Any, Final, Protocol
from uuid import UUID

from asyncpg import Connection, Pool, UniqueViolationError
from asyncpg.pool import PoolConnectionProxy

from domain.envelope import LedgerEvent, Recorded
from domain.ledger.locks import Lock
from domain.rules.rule_book import RuleBook
from projections.tasks import end

_log = logging.getLogger(__name__)

Session = Connection | PoolConnectionProxy
Event = Recorded[LedgerEvent]
BATCH = 2_000
REST = 0.05  # Seconds between two steps: what is appended meanwhile is one batch, and far cheaper.
_LOOP = "projections"
_PATIENCE = 5
LOCK_READ_MODELS: Final = f"SELECT pg_advisory_xact_lock({Lock.CHANGE_A_READ_MODEL.value})"
"""Held by whoever makes, switches or drops the table of a read model."""


class ReadModel(Protocol):
    """What a projection module offers. Rows are keyed by one stream."""

    NAME: str
    VERSION: int

    def ddl(self, table: str) -> str: ...
    def streams(self, events: Iterable[Event]) -> set[UUID]: ...
    def late(self, known: Mapping[UUID, Any], events: Iterable[Event]) -> set[UUID]: ...
    def project(
        self, known: Mapping[UUID, Any], events: Iterable[Event], rules: RuleBook
    ) -> dict[UUID, Any]: ...
    async def load(
        self, connection: Session, table: str, dossier_ids: Iterable[UUID]
    ) -> Mapping[UUID, Any]: ...
    async def store(self, connection: Session, table: str, rows: Iterable[Any]) -> None: ...


class Log(Protocol):
    """The ledger, as far as projections read it."""

    ledger_id: UUID

    async def rules(self) -> RuleBook: ...
    async def page(self, after: int, limit: int) -> Sequence[Event]: ...
    async def streams(self, stream_ids: Iterable[UUID], until: int) -> Sequence[Event]: ...


class ProjectionHalted(Exception):
    """The ledger is not the one that the rows were made from; nobody may go on silently."""


@dataclass(frozen=True, slots=True)
class Progress:
    name: str
    table: str
    position: int
    updated_at: datetime


def table_of(model: ReadModel | ModuleType) -> str:
    return f"{model.NAME}_v{model.VERSION}"


async def prepare(connection: Session, model: ReadModel, ledger_id: UUID) -> None:
    """Make the table, the checkpoint and the public name of a read model, if they are missing.

    A public name that shows another version's table goes on showing it until this one takes over.
    """
    await connection.execute(
        "CREATE TABLE IF NOT EXISTS views.checkpoint ("
        "table_name text PRIMARY KEY, name text NOT NULL, ledger_id uuid NOT NULL,"
        " seq bigint NOT NULL, leaf bytea NOT NULL, updated_at timestamptz NOT NULL DEFAULT now())"
    )
    table = table_of(model)
    await make(connection, model, table, ledger_id)
    if await shown(connection, model.NAME) is None:
        await show(connection, model.NAME, table)


async def make(connection: Session, model: ReadModel, table: str, ledger_id: UUID) -> None:
    made = await connection.fetchval("SELECT to_regclass('views.' || $1)", table)
    if made is None:
        await connection.execute(model.ddl(table))
        await connection.execute(
            "INSERT INTO views.checkpoint (table_name, name, ledger_id, seq, leaf)"
            " VALUES ($1, $2, $3, 0, '') ON CONFLICT (table_name)"
            " DO UPDATE SET ledger_id = excluded.ledger_id, seq = 0, leaf = ''",
            table,
            model.NAME,
            ledger_id,
        )


async def shown(connection: Session, name: str) -> str | None:
    """Return the table that a public name shows; None if there is no such name yet."""
    table: str | None = await connection.fetchval(
        "SELECT table_name FROM information_schema.view_table_usage"
        " WHERE view_schema = 'views' AND view_name = $1",
        name,
    )
    return table


async def show(connection: Session, name: str, table: str) -> None:
    """Let a public name show a table, whose columns may be others than before. Readers wait."""
    await connection.execute(
        f"DROP VIEW IF EXISTS views.{name};"  # noqa: S608  # our own names
        f" CREATE VIEW views.{name} AS SELECT * FROM views.{table}"
    )


async def drop(connection: Session, table: str) -> None:
    # The checkpoint first: every worker locks it before it touches the table.
    await connection.execute("DELETE FROM views.checkpoint WHERE table_name = $1", table)
    await connection.execute(f"DROP TABLE IF EXISTS views.{table}")


class Projector:
    """Brings one table of one read model forward, a batch at a time."""

    def __init__(self, pool: Pool, log: Log, model: ReadModel, table: str | None = None) -> None:
        self._pool = pool
        self._log = log
        self.model = model
        self.table = table or table_of(model)
        self._is_shown = False

    async def step(self, limit: int = BATCH) -> int:
        """Apply the next batch and return how many events it had; 0 at the head.

        Raises ProjectionHalted if the ledger below the checkpoint is not what it was.
        """
        async with self._pool.acquire() as connection, connection.transaction():
            return await self.step_in(connection, limit)

    async def step_in(self, connection: Session, limit: int = BATCH) -> int:
        at = await connection.fetchrow(
            "SELECT ledger_id, seq, leaf FROM views.checkpoint WHERE table_name = $1 FOR UPDATE",
            self.table,
        )
        if at is None:
            raise ProjectionHalted(f"The checkpoint of {self.table} is gone.")
        # The event at the checkpoint is read again: its leaf says that the ledger is the same one.
        again = min(at["seq"], 1)
        events = await self._log.page(at["seq"] - again, limit + again)
        if again:
            self._same_ledger(at["ledger_id"], at["leaf"], at["seq"], events)
            events = events[1:]
        if not events:
            return 0
        await self._apply(connection, events)
        await connection.execute(
            "UPDATE views.checkpoint SET seq = $2, leaf = $3, updated_at = now()"
            " WHERE table_name = $1",
            self.table,
            events[-1].seq,
            events[-1].leaf,
        )
        return len(events)

    async def take_over(self) -> None:
        """Show this table under the public name once it has all that the one shown now has.

        The other version's table is dropped; whoever still wants to move it halts.
        """
        if self._is_shown:
            return
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(LOCK_READ_MODELS)
            other = await shown(connection, self.model.NAME)
            if other is not None and other != self.table:
                if not await self._has_what(connection, other):
                    return
                await show(connection, self.model.NAME, self.table)
                await drop(connection, other)
        self._is_shown = True

    async def _has_what(self, connection: Session, other: str) -> bool:
        rows = await connection.fetch(
            "SELECT table_name, seq FROM views.checkpoint WHERE table_name = ANY($1::text[])"
            " ORDER BY table_name FOR UPDATE",
            [self.table, other],
        )
        positions = {row["table_name"]: row["seq"] for row in rows}
        return bool(positions.get(self.table, 0) >= positions.get(other, 0))

    def _same_ledger(self, ledger_id: UUID, leaf: bytes, seq: int, events: Sequence[Event]) -> None:
        found = events[0] if events else None
        same = found is not None and found.seq == seq and found.leaf == leaf
        if not same or UUID(str(ledger_id)) != self._log.ledger_id:
            raise ProjectionHalted(
                f"{self.table} was built up to position {seq} of another ledger or of a restored"
                " one. Rebuild it: hoso rebuild " + self.model.NAME
            )

    async def _apply(self, connection: Session, events: Sequence[Event]) -> None:
        known = await self.model.load(connection, self.table, self.model.streams(events))
        again = self.model.late(known, events)
        if again:
            whole = await self._log.streams(again, until=events[-1].seq)
            others = [each for each in events if each.event.originator_id not in again]
            known = {stream: row for stream, row in known.items() if stream not in again}
            events = [*others, *whole]
        rows = self.model.project(known, events, await self._log.rules())
        if rows:
            await self.model.store(connection, self.table, rows.values())


class Runner:
    """Keeps read models up with the ledger inside a process. `wake` is called after each append."""

    def __init__(
        self, pool: Pool, log: Log, models: Sequence[ReadModel], *, poll: float = 0.1
    ) -> None:
        self._pool = pool
        self._projectors = [Projector(pool, log, model) for model in models]
        self._log = log
        self._poll = poll
        self._woken = asyncio.Event()
        self._hurry = asyncio.Event()  # Somebody waits for what was appended just now.
        self._failures = 0
        self._moved = asyncio.Condition()
        self._task: asyncio.Task[None] | None = None
        self._closing = False
        self.halted: dict[str, str] = {}
        self.position = 0

    async def prepare(self) -> None:
        """Make what is missing. Two processes that start at once are no matter."""
        for projector in self._projectors:
            for _ in range(3):
                try:
                    async with self._pool.acquire() as connection, connection.transaction():
                        await connection.execute(LOCK_READ_MODELS)
                        await prepare(connection, projector.model, self._log.ledger_id)
                except UniqueViolationError:
                    continue
                break

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="projections")

    async def close(self) -> None:
        self._closing = True  # The error of a broken connection may take the cancellation's place.
        await end(self._task)

    def wake(self) -> None:
        self._woken.set()

    async def catch_up(self, progress: Callable[[int], None] | None = None) -> None:
        """Bring every read model to the head. Raises ProjectionHalted."""
        for projector in self._projectors:
            done = 0
            while count := await projector.step():
                done += count
                if progress is not None:
                    progress(done)
            await projector.take_over()

    async def progress(self) -> list[Progress]:
        """Return how far each read model is, as the database says."""
        rows = await self._pool.fetch(
            "SELECT name, table_name, seq, updated_at FROM views.checkpoint ORDER BY table_name"
        )
        current = {projector.table for projector in self._projectors}
        return [
            Progress(row["name"], row["table_name"], row["seq"], row["updated_at"])
            for row in rows
            if row["table_name"] in current
        ]

    async def reached(self, position: int, seconds: float) -> bool:
        """Wait until every read model shows a position; False if it takes longer."""
        if self.position >= position:
            return True
        self.wake()
        self._hurry.set()
        try:
            async with asyncio.timeout(seconds), self._moved:
                await self._moved.wait_for(lambda: self.position >= position)
        except TimeoutError:
            return False
        return True

    async def _run(self) -> None:
        while not self._closing:
            self._woken.clear()
            try:
                while await self._step_all() >= BATCH and not self._closing:
                    pass
            except Exception as error:  # noqa: BLE001  # the edge: the database may be away.
                _log.exception("projections wait")
                self._failed(error)
                await asyncio.sleep(0.5)
                continue
            self.halted.pop(_LOOP, None)
            self._failures = 0
            await _wait(self._hurry, REST)
            self._hurry.clear()
            await _wait(self._woken, self._poll)

    def _failed(self, error: Exception) -> None:
        """Say that nothing moves any more where the same trouble comes again and again."""
        self._failures += 1
        if self._failures >= _PATIENCE:
            self.halted[_LOOP] = f"The read models do not move: {type(error).__name__}."

    async def _step_all(self) -> int:
        count = 0
        for projector in self._projectors:
            try:
                count += await projector.step()
                await projector.take_over()
            except ProjectionHalted as error:
                if projector.table not in self.halted:
                    _log.critical("projection halted: %s", error)
                self.halted[projector.table] = str(error)
            else:
                self.halted.pop(projector.table, None)  # It was rebuilt.
        positions = [each.position for each in await self.progress()]
        self.position = min(positions, default=0)
        async with self._moved:
            self._moved.notify_all()
        return count


async def _wait(event: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):  # wait_for of 3.11 may swallow a cancellation.
            await event.wait()
