"""The ledger for those who follow it: rows that are decoded when it is their turn."""

import os
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from domain.rules.rule_book import RuleBook
from infra.database import Database
from infra.event_log import EVENTS, OF_STREAMS, EventLog, LedgerEntry

Session = asyncpg.Connection | PoolConnectionProxy

_PAGE: Final = f"{EVENTS} WHERE seq > $1 ORDER BY seq LIMIT $2"
_HEAD: Final = "SELECT seq, leaf FROM ledger.event ORDER BY seq DESC LIMIT 1"
_BY_STREAMS: Final = (
    f"{EVENTS} WHERE stream_id BETWEEN $1 AND $2 AND type LIKE 'dossier.%'"
    " ORDER BY stream_id, version"
)
_BOUNDS: Final = """
SELECT percentile_disc($1::float8[]) WITHIN GROUP (ORDER BY stream_id)
FROM ledger.stream WHERE category = 'dossier'
"""
_IN_ORDER: Final = {"enable_seqscan": "off", "enable_sort": "off", "enable_bitmapscan": "off"}
_AT_ONCE: Final = 2_000


class EventFeed:
    """A ledger whose pages are read on the reader's own connection."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self.ledger_id = log.ledger_id

    async def rules(self) -> RuleBook:
        return await self._log.rules()

    async def head(self, connection: Session) -> tuple[int, bytes]:
        """Return the last position and its leaf; 0 and nothing before the first event."""
        last = await connection.fetchrow(_HEAD)
        return (0, b"") if last is None else (last["seq"], last["leaf"])

    async def page(self, connection: Session, after: int, limit: int) -> list[LedgerEntry]:
        """Return the entries behind a position, in order."""
        return [LedgerEntry(*row) for row in await connection.fetch(_PAGE, after, limit)]

    async def streams(
        self, connection: Session, stream_ids: Iterable[UUID], until: int
    ) -> list[LedgerEntry]:
        """Return whole streams up to a position, each in the order in which it was recorded."""
        rows = await connection.fetch(OF_STREAMS, list(stream_ids), until)
        return [LedgerEntry(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class StreamsOfDossiers:
    """The dossiers with ids from `first` to `last` in a snapshot of a ledger, for any process."""

    url: str
    ledger_id: UUID
    snapshot: str
    first: UUID
    last: UUID

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[tuple[EventFeed, asyncpg.Connection]]:
        """Open the ledger, and a connection to read it and to write what follows from it."""
        database = Database(self.url, f"hoso rebuild {os.getpid()}")
        pool = await database.pool(1)
        try:
            connection = await database.connect(**_IN_ORDER)
            try:
                yield EventFeed(EventLog(pool, self.ledger_id)), connection
            finally:
                connection.terminate()
        finally:
            pool.terminate()

    async def entries(self, connection: asyncpg.Connection) -> AsyncIterator[list[LedgerEntry]]:
        """Yield the entries, stream by stream; they are one transaction."""
        async with connection.transaction(isolation="repeatable_read"):
            await connection.execute(f"SET TRANSACTION SNAPSHOT '{self.snapshot}'")
            cursor = await connection.cursor(_BY_STREAMS, self.first, self.last)
            while rows := await cursor.fetch(_AT_ONCE):
                yield [LedgerEntry(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class InParts:
    """Divides the dossiers of a ledger, so that several processes may read them."""

    url: str
    ledger_id: UUID

    async def __call__(self, holder: asyncpg.Connection, count: int) -> Sequence[StreamsOfDossiers]:
        """Return about so many parts of one size, as the holder's transaction sees them."""
        snapshot = await holder.fetchval("SELECT pg_export_snapshot()")
        inner = [number / count for number in range(1, count)]
        found = await holder.fetchval(_BOUNDS, inner) or [] if inner else []
        bounds = sorted({UUID(bytes=each.bytes).int for each in found})
        firsts = [0, *(each + 1 for each in bounds)]
        lasts = [*bounds, (1 << 128) - 1]
        return [
            StreamsOfDossiers(self.url, self.ledger_id, snapshot, UUID(int=first), UUID(int=last))
            for first, last in zip(firsts, lasts, strict=True)
        ]
