"""The ledger for readers: streams, what the registers said, and where a time lies in it."""

import asyncio
from collections.abc import Iterable
from datetime import datetime
from typing import Final, cast
from uuid import UUID

import asyncpg

from domain.envelope import LedgerEvent, Recorded
from domain.rules.register import RegisterEvent
from domain.rules.rule_book import RuleBook
from infra.admission import EventRow
from infra.codec import decode

EVENTS: Final = (
    "SELECT seq, stream_id, version, type, occurred_at, recorded_at, data, leaf FROM ledger.event"
)
OF_STREAMS: Final = (
    f"{EVENTS} WHERE stream_id = ANY($1::uuid[]) AND seq <= $2 ORDER BY stream_id, version"
)
_OF_REGISTERS: Final = f"{EVENTS} WHERE seq > $1 AND type NOT LIKE 'dossier.%' ORDER BY seq"
_OF_REGISTERS_UNTIL: Final = f"{EVENTS} WHERE seq <= $1 AND type NOT LIKE 'dossier.%' ORDER BY seq"
_LAST_OF_REGISTERS: Final = "SELECT max(seq) FROM ledger.event WHERE type NOT LIKE 'dossier.%'"
_LAST_OF_REGISTERS_UNTIL: Final = f"{_LAST_OF_REGISTERS} AND seq <= $1"
_FORMER_BOOKS: Final = 4


class LedgerEntry(EventRow):
    """A row of the ledger that has not been read yet: it is decoded when it is its turn."""

    __slots__ = ()

    def restored(self) -> Recorded[LedgerEvent]:
        """Decode it. Whatever it raises, nobody can read this entry."""
        event = decode(self.topic, self.stream_id, self.version, self.occurred_at, self.data)
        return Recorded(self.seq, self.recorded_at, self.leaf, event)


def restored(row: asyncpg.Record) -> Recorded[LedgerEvent]:
    """Turn a row of ledger.event into what the domain reads."""
    return LedgerEntry(*row).restored()


class EventLog:
    """The ledger for readers, whole streams at a time."""

    def __init__(self, pool: asyncpg.Pool, ledger_id: UUID) -> None:
        self._pool = pool
        self.ledger_id = ledger_id
        self._rules = RuleBook()
        self._former: dict[int, RuleBook] = {}
        self._folding = asyncio.Lock()

    async def rules(self) -> RuleBook:
        """Return what the registers say up to the head, at least."""
        known = await self._pool.fetchval(_LAST_OF_REGISTERS)
        if (known or 0) > self._rules.position:
            rows = await self._pool.fetch(_OF_REGISTERS, self._rules.position)
            self._rules.learn(cast("list[Recorded[RegisterEvent]]", [restored(r) for r in rows]))
        return self._rules

    async def rules_at(self, position: int) -> RuleBook:
        """Return what the registers said at a position. Nobody may let this book learn more.

        Positions between the same two events of the registers share one; the last few are kept.
        """
        last = await self._pool.fetchval(_LAST_OF_REGISTERS_UNTIL, position) or 0
        async with self._folding:  # Who asks for the same at once waits for the one book.
            rules = self._former.pop(last, None) or await self._folded(last)
            self._former[last] = rules
            if len(self._former) > _FORMER_BOOKS:
                del self._former[next(iter(self._former))]
        return rules

    async def _folded(self, position: int) -> RuleBook:
        rows = await self._pool.fetch(_OF_REGISTERS_UNTIL, position)
        rules = RuleBook()
        rules.learn(cast("list[Recorded[RegisterEvent]]", [restored(row) for row in rows]))
        return rules

    async def streams(
        self, stream_ids: Iterable[UUID], until: int = 1 << 62
    ) -> list[Recorded[LedgerEvent]]:
        """Return whole streams, each in the order in which it was recorded."""
        rows = await self._pool.fetch(OF_STREAMS, list(stream_ids), until)
        return [restored(row) for row in rows]

    async def head(self) -> int:
        return int(await self._pool.fetchval("SELECT coalesce(max(seq), 0) FROM ledger.event"))

    async def recorded_at(self, seq: int) -> datetime | None:
        """Return when a position was recorded; None if it is not yet."""
        return await self._pool.fetchval(  # type: ignore[no-any-return]  # a timestamptz
            "SELECT recorded_at FROM ledger.event WHERE seq = $1", seq
        )

    async def position_at(self, moment: datetime) -> int:
        """Return the highest seq that was recorded at or before a moment; 0 if there is none.

        Positions are gap-free and recorded_at never decreases, so halving finds it.
        """
        low, high = 0, await self.head()
        while low < high:
            middle = (low + high + 1) // 2
            recorded = await self._pool.fetchval(
                "SELECT recorded_at FROM ledger.event WHERE seq = $1", middle
            )
            low, high = (middle, high) if recorded <= moment else (low, middle - 1)
        return low
