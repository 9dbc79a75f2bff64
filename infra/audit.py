"""The audit: every leaf and chain recomputed from the rows, and the tables held against each other.

All of it is read in one snapshot, so that a running service raises no false alarm. It rests on the
database alone: without an anchor kept elsewhere it cannot find a ledger that was re-written as a
whole, nor a tail cut off together with its stream heads, claims and outcomes. A leaf does not hold
`seq`; outcomes do. Nothing recomputes what an outcome says of a due date or a refusal, nor the
digest beside it, and an outcome that recorded nothing may be missing or made up.
"""

import asyncio
import multiprocessing
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import asynccontextmanager
from dataclasses import dataclass
from threading import Thread
from typing import Final
from uuid import UUID

import asyncpg

from infra.audit_beside import (
    CLAIMS,
    OUTCOMES,
    check_claims,
    check_keys,
    check_lookups,
    check_outcomes,
)
from infra.audit_events import EVENTS, Difference, check_events
from infra.audit_subjects import KEYS, LOOKUPS
from infra.audit_whole import check_whole
from infra.database import BY_KEY, LOST, Database

_PAGES: Final = 512  # Of a part: some thousand events, a fraction of a second.
_AT_ONCE: Final = 500  # Rows in memory: one may hold megabytes.
_FAILURES: Final = (asyncpg.PostgresError, *LOST)

Check = Callable[[asyncpg.Connection, UUID, Sequence[asyncpg.Record]], Awaitable[list[Difference]]]
Progress = Callable[[int, int], None]
"""Told how many pages of the tables are done, of how many."""

_CHECKS: Final[Mapping[str, tuple[str, Check]]] = {
    "ledger.event": (EVENTS, check_events),
    "ledger.claim": (CLAIMS, check_claims),
    "ledger.append": (OUTCOMES, check_outcomes),
    "ledger.subject_key": (KEYS, check_keys),
    "ledger.lookup": (LOOKUPS, check_lookups),
}


class AuditStopped(Exception):
    """The audit did not come to its end, and says nothing about the ledger."""


@dataclass(frozen=True, slots=True)
class Audit:
    """What was looked at, and what differs, in the order of the ledger."""

    events: int
    streams: int
    differences: tuple[Difference, ...]

    @property
    def ok(self) -> bool:
        return not self.differences


@dataclass(frozen=True, slots=True)
class _Ledger:
    """What is audited: where it is, and which state of it."""

    url: str
    snapshot: str
    ledger_id: UUID


@dataclass(frozen=True, slots=True)
class _Part:
    """The pages of a table from `first` up to `last`, which is not one of them."""

    table: str
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class _Checked:
    rows: int
    differences: list[Difference]


async def audit(
    database: Database, progress: Progress | None = None, workers: int | None = None
) -> Audit:
    """Recompute everything from the rows, in as many processes. Raises AuditStopped."""
    try:
        holder = await database.connect(idle_in_transaction_session_timeout="0")
        async with _closing(holder):
            return await _audited(
                holder, database.url, progress or _silent, workers or os.cpu_count() or 1
            )
    except _FAILURES as error:
        raise _stopped(error) from error


@asynccontextmanager
async def _closing(connection: asyncpg.Connection) -> AsyncIterator[None]:
    """Take leave of the server if all went well, else just go."""
    try:
        yield
        await connection.close(timeout=10)
    finally:
        connection.terminate()


def _silent(_done: int, _total: int) -> None:
    pass


def _stopped(error: Exception) -> AuditStopped:
    return AuditStopped(f"The audit was cut short: {type(error).__name__}: {error}")


async def _audited(holder: asyncpg.Connection, url: str, progress: Progress, workers: int) -> Audit:
    await holder.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    streams = await holder.fetchval("SELECT count(*) FROM ledger.stream")
    ledger_ids = await holder.fetch("SELECT ledger_id FROM ledger.head")
    if len(ledger_ids) != 1:
        what = f"ledger.head has {len(ledger_ids)} rows: without its id no leaf can be computed"
        return Audit(0, streams, (Difference(None, None, what),))
    snapshot = await holder.fetchval("SELECT pg_export_snapshot()")
    ledger = _Ledger(url, snapshot, UUID(bytes=ledger_ids[0]["ledger_id"].bytes))
    parts = await _parts(holder)
    failures: tuple[BaseException, ...] = ()
    try:
        async with asyncio.TaskGroup() as group:
            whole = group.create_task(check_whole(holder))
            rows = group.create_task(_spread(ledger, parts, progress, workers))
    except* (AuditStopped, *_FAILURES) as several:
        failures = several.exceptions
    if failures:
        raise failures[0]
    found = set(whole.result()).union(*(checked.differences for _, checked in rows.result()))
    events = sum(each.rows for part, each in rows.result() if part.table == "ledger.event")
    return Audit(events, streams, tuple(sorted(found, key=_in_order)))


def _in_order(difference: Difference) -> tuple[bool, int, str, str]:
    seq = difference.seq
    return seq is None, seq or 0, str(difference.stream or ""), difference.what


async def _parts(holder: asyncpg.Connection) -> list[_Part]:
    parts = []
    for table in _CHECKS:
        pages = await holder.fetchval(
            "SELECT pg_relation_size($1::text::regclass) / current_setting('block_size')::int",
            table,
        )
        parts += [
            _Part(table, first, min(first + _PAGES, pages)) for first in range(0, pages, _PAGES)
        ]
    return parts


async def _spread(
    ledger: _Ledger, parts: Sequence[_Part], progress: Progress, workers: int
) -> list[tuple[_Part, _Checked]]:
    """Check all parts, over several processes if there are several of both."""
    done: list[tuple[_Part, _Checked]] = []
    total = sum(part.last - part.first for part in parts)

    def take(part: _Part, checked: _Checked) -> None:
        done.append((part, checked))
        progress(sum(each.last - each.first for each, _ in done), total)

    if min(workers, len(parts)) <= 1:
        for part in parts:
            take(part, await _check(ledger, part))
        return done
    loop = asyncio.get_running_loop()
    pool = ProcessPoolExecutor(
        min(workers, len(parts)), multiprocessing.get_context("spawn"), _under_its_parent
    )

    async def elsewhere(part: _Part) -> None:
        take(part, await loop.run_in_executor(pool, _check_here, ledger, part))

    try:
        await asyncio.gather(*map(elsewhere, parts))
    except BrokenProcessPool as error:
        raise AuditStopped("The audit was cut short: one of its processes died.") from error
    finally:
        pool.shutdown(cancel_futures=True)
    return done


def _under_its_parent() -> None:
    """Leave interrupts to the parent, and do not outlive it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with_the_parent, daemon=True).start()


def _end_with_the_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _check_here(ledger: _Ledger, part: _Part) -> _Checked:
    return asyncio.run(_check(ledger, part))


async def _check(ledger: _Ledger, part: _Part) -> _Checked:
    """Compare the rows of a part, a few hundred at a time, as the snapshot shows them."""
    query, check = _CHECKS[part.table]
    rows_read, found = 0, []
    try:
        connection = await Database(ledger.url, f"hoso audit {os.getpid()}").connect(**BY_KEY)
        async with _closing(connection):
            await connection.execute(
                "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;"
                f"SET TRANSACTION SNAPSHOT '{ledger.snapshot}'"
            )
            cursor = await connection.cursor(query, (part.first, 0), (part.last, 0))
            while rows := await cursor.fetch(_AT_ONCE):
                rows_read += len(rows)
                found += await check(connection, ledger.ledger_id, rows)
    except _FAILURES as error:
        raise _stopped(error) from None  # What a process raises must be picklable.
    return _Checked(rows_read, found)
