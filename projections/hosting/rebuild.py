"""Builds views from the first event on beside those in use, compares the two, and switches."""

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final
from uuid import uuid4

from asyncpg import Connection

from domain.ledger.locks import Lock
from projections.dossiers import AnyView
from projections.hosting import tables
from projections.hosting.building import Progress, fill, silent
from projections.hosting.leading import Connect
from projections.hosting.log import Head, Log, Parts
from projections.hosting.pacing import Pace
from projections.hosting.projector import Projector, Shelf
from projections.hosting.tables import LOCK_TABLES, ProjectionHalted

_BATCH: Final = 2_000
_ALONE_HERE: Final = Pace(beside_desks=False)
_SHADOW: Final = "_shadow_"
_ALONE: Final = f"SELECT pg_try_advisory_lock({Lock.BUILD_THE_VIEWS.value})"


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild found: rows that the table in use lacked, had too many, or otherwise."""

    view: str
    rows: int
    rows_different: int
    position: int


class Builder:
    """Makes the tables of views. One builds at a time, whoever leads."""

    def __init__(self, connect: Connect, log: Log, parts: Parts, views: Sequence[AnyView]) -> None:
        self._connect = connect
        self._log = log
        self._parts = parts
        self.views = views
        self.shelf = Shelf.of(views)

    @property
    def names(self) -> list[str]:
        """The public names: of the fold, and of each view."""
        return [table.name for _, table in self.shelf.kinds()]

    async def prepare(self) -> None:
        """Make the checkpoints if they are missing, and in an empty ledger all else.

        Two processes that start at once are no matter.
        """
        async with self._connected() as connection, connection.transaction():
            await connection.execute(LOCK_TABLES)
            await tables.prepare(connection)
            head = Head(*await self._log.head(connection))
            if head.seq == 0 and not await tables.all_of(connection, self.names):
                await self._make(connection, self.shelf, head)
                await self._index(connection, self.shelf)
                for table, kind in self.shelf.kinds():
                    await tables.show(connection, kind.name, table)

    async def build_missing(self, progress: Progress = silent) -> None:
        """Build the tables of this version that are not there, and let them take over.

        Without the fold nothing can be moved: then all are built.
        """
        async with self._connected() as connection:
            absent = await tables.missing(connection, self.shelf.tables)
            if not absent:
                return await self._show_hidden(connection)
        named = {table: kind.name for table, kind in self.shelf.kinds()}
        wanted = self.names if self.shelf.fold in absent else [named[each] for each in absent]
        await self.rebuild(wanted, switch=True, progress=progress)
        return None

    async def rebuild(
        self, wanted: Collection[str], *, switch: bool, progress: Progress = silent
    ) -> list[Rebuilt]:
        """Build views in the shadow, compare, and take the place of those in use at once.

        Readers see the old rows until then. Without `switch` the shadow is dropped again. Raises
        ProjectionHalted, also where somebody else builds.
        """
        shadow = Shelf.of(self.views, _SHADOW + uuid4().hex[:8])
        async with self._connected() as holder, self._connected() as connection:
            if not await holder.fetchval(_ALONE):
                raise ProjectionHalted("Views are being built already: wait for it.")
            await self._filled(holder, connection, shadow, progress)
            await self._follow(connection, Projector(self._log, shadow))
            async with connection.transaction():
                await connection.execute(LOCK_TABLES)
                return await self._compared(connection, shadow, set(wanted), switch=switch)

    async def _filled(
        self, holder: Connection, connection: Connection, shadow: Shelf, progress: Progress
    ) -> None:
        async with holder.transaction(isolation="repeatable_read"):
            # It only keeps the snapshot, for as long as the folding takes.
            await holder.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            head = Head(*await self._log.head(holder))
            async with connection.transaction():
                await connection.execute(LOCK_TABLES)
                for left in await tables.all_of(connection, self.names):
                    if _SHADOW in left:
                        await tables.drop(connection, left)
                await self._make(connection, shadow, head)
            await fill(holder, self._parts, shadow, head.seq, progress)
        await self._index(connection, shadow)
        for table in shadow.tables:  # An index alone answers only for pages that are known clean.
            await connection.execute(f"VACUUM (ANALYZE) views.{table}")

    async def _make(self, connection: Connection, shelf: Shelf, head: Head) -> None:
        for table, kind in shelf.kinds():
            await tables.make(connection, kind, table, self._log.ledger_id, head)

    async def _index(self, connection: Connection, shelf: Shelf) -> None:
        for table, kind in shelf.kinds():
            for statement in kind.index_ddl(table):
                await connection.execute(statement)

    async def _follow(
        self, connection: Connection, projector: Projector, until: int | None = None
    ) -> int:
        """Apply what was appended meanwhile; return the position where it ends."""
        at = await tables.checkpoint(connection, projector.shelf.tables)
        while until is None or at.seq < until:
            limit = _BATCH if until is None else min(_BATCH, until - at.seq)
            before, at = at.seq, await projector.step(connection, at, limit, _ALONE_HERE)
            if at.seq == before:
                break
        return at.seq

    async def _compared(
        self, connection: Connection, shadow: Shelf, wanted: set[str], *, switch: bool
    ) -> list[Rebuilt]:
        """Bring shadow and tables in use to one position, and compare. Then switch, or drop it."""
        await tables.hold(connection, self.names)  # Nobody else moves any of them from here on.
        position = await self._follow(connection, Projector(self._log, shadow))
        absent = await tables.missing(connection, self.shelf.tables)
        level = await self._level(connection, absent, position)
        done = []
        pairs = list(zip(self.shelf.kinds(), shadow.tables, strict=True))
        for (table, kind), built in pairs:
            if kind.name in wanted:
                rows = await connection.fetchval(f"SELECT count(*) FROM views.{built}")  # noqa: S608  # our own name
                differ = 0 if table in absent else await kind.different(connection, table, built)
                done.append(Rebuilt(kind.name, rows, differ, position))
            elif switch and not level and table not in absent:
                raise ProjectionHalted("The views have halted. Build all again: hoso rebuild")
        if switch:
            await tables.keep_readers_out(connection, wanted)
        for (table, kind), built in pairs:
            if switch and kind.name in wanted:
                await tables.switch(connection, kind.name, table, built)
            else:
                await tables.drop(connection, built)
        return done

    async def _level(self, connection: Connection, absent: Collection[str], to: int) -> bool:
        """Bring the tables in use to a position. What halted stays where it is.

        To replace it is what a rebuild may be for.
        """
        if self.shelf.fold in absent:
            return False
        views = {name: view for name, view in self.shelf.views.items() if name not in absent}
        current = Projector(self._log, Shelf(fold=self.shelf.fold, views=views))
        with suppress(ProjectionHalted):
            return await self._follow(connection, current, to) == to
        return False

    async def _show_hidden(self, connection: Connection) -> None:
        """Give the public names that are missing to the tables that are there."""
        for table, kind in self.shelf.kinds():
            if await tables.shown(connection, kind.name) is None:
                async with connection.transaction():
                    await connection.execute(LOCK_TABLES)
                    await tables.show(connection, kind.name, table)

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[Connection]:
        connection = await self._connect()
        try:
            yield connection
        finally:
            connection.terminate()
