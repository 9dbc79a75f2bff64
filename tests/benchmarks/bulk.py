"""Fills a ledger with lives quickly: chained and claimed as appends are, but written with COPY.

What was filled audits like any ledger. It has no idempotency keys: nobody can send it again.
"""

import multiprocessing
from asyncio import to_thread
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from typing import Final
from uuid import UUID

import asyncpg
import uvloop

from api.main import Settings, opened
from domain.envelope import category
from domain.evidence.leaves import NO_LEAF, entry, leaf_hash
from domain.ledger.appends import DOSSIER_CODE
from domain.rules.codes import parse
from domain.rules.rule_book import RuleBook
from tests.benchmarks.lives import Life, lives
from tests.benchmarks.stored_lives import Stored, Storing
from tests.system.service import environment

_CHUNK: Final = 2_500  # Dossiers whose events lie between each other's.
_WRITERS: Final = 2

Tell = Callable[[int], Iterator[Life]]
Row = tuple[object, ...]


@dataclass(frozen=True, kw_only=True)
class Filling:
    """So many lives that began in a time, one after the other; what is still to come is left out.

    `tell` yields lives for a seed; it is called in other processes, and so a function of a module.
    """

    dossiers: int
    first: datetime
    last: datetime
    tell: Tell = lives

    def start(self, number: int) -> datetime:
        start = self.first + (self.last - self.first) * (number / self.dossiers)
        return start.replace(microsecond=0)


def lately(dossiers: int, days: float = 40) -> Filling:
    """Return a filling of the last days, up to now."""
    now = datetime.now(UTC)
    return Filling(dossiers=dossiers, first=now - timedelta(days=days), last=now)


async def fill(data: Path, filling: Filling) -> int:
    """Record it all in the ledger of a data folder, by its own rules; return the position."""
    async with opened(Settings.read(environment(data)), "bench") as process:
        context = multiprocessing.get_context("spawn")  # This process has an event loop.
        position = context.Value("q", await process.log.head())
        share = _Share(
            process.database.url, process.ledger_id, process.services.store.rules, filling
        )
        writers = [
            context.Process(target=_write, args=(share, place, position))
            for place in range(min(_WRITERS, share.chunks))
        ]
        for each in writers:
            each.start()
        for each in writers:
            await to_thread(each.join)
            if each.exitcode:
                raise RuntimeError("The ledger could not be filled.")
        await process.pool.execute("ANALYZE ledger.event, ledger.stream, ledger.claim")
        return int(position.value)


@dataclass(frozen=True)
class _Share:
    """What a writing process has to know."""

    url: str
    ledger_id: UUID
    rules: RuleBook
    filling: Filling

    @property
    def chunks(self) -> int:
        return -(-self.filling.dossiers // _CHUNK)


def _write(share: _Share, place: int, position: "Synchronized[int]") -> None:
    uvloop.run(_written(share, place, position))


async def _written(share: _Share, place: int, position: "Synchronized[int]") -> None:
    connection = await asyncpg.connect(share.url)
    storing = Storing(share.rules)
    for chunk in range(place, share.chunks, _WRITERS):
        events = _events(share, storing, chunk)
        with position:
            first = position.value + 1
            position.value += len(events)
        await _copy(connection, share, events, first)
    await connection.close()


def _events(share: _Share, storing: Storing, chunk: int) -> list[Stored]:
    """Return the events of a chunk in the order in which they happened."""
    filling = share.filling
    numbers = range(chunk * _CHUNK, min((chunk + 1) * _CHUNK, filling.dossiers))
    now = datetime.now(UTC)
    told = zip(numbers, filling.tell(chunk), strict=False)
    found = [
        each
        for number, life in told
        for each in storing.stored(life, number, filling.start(number), now)
    ]
    return sorted(found, key=lambda each: each.occurred_at)


async def _copy(
    connection: asyncpg.Connection, share: _Share, events: Sequence[Stored], first: int
) -> None:
    now = datetime.now(UTC)
    heads: dict[UUID, tuple[int, bytes]] = {}
    rows: list[Row] = []
    claims: list[Row] = []
    for seq, each in enumerate(events, first):
        _, previous = heads.get(each.stream, (0, NO_LEAF))
        at = each.occurred_at
        leaf = leaf_hash(
            entry(
                share.ledger_id, each.stream, each.version, previous, each.topic, at, now, each.data
            )
        )
        heads[each.stream] = each.version, leaf
        rows.append((seq, each.stream, each.version, each.topic, at, now, each.data, leaf))
        if each.version == 1:
            serial = parse(each.code)
            given = (serial.scope, serial.number) if serial is not None else (None, None)
            claims.append((DOSSIER_CODE, each.code, each.stream, *given, False))
    kind = category(events[0].topic) if events else ""
    streams = [(stream, kind, *head) for stream, head in heads.items()]
    for table, records in (("event", rows), ("stream", streams), ("claim", claims)):
        await connection.copy_records_to_table(table, schema_name="ledger", records=records)
