"""The composition root: settings in, processes out. Nothing but wiring."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Final, TypeVar
from uuid import UUID, uuid4

import asyncpg
import uvloop

from api.http.workers import WorkerFailed
from api.services import Gauges, Services
from domain.envelope import LedgerEvent
from domain.ledger.commands import Ledger
from domain.ledger.registering import Registers
from domain.rules.rule_book import RuleBook
from infra.appender import SETTINGS, Appender, Lane
from infra.audit import Audit, AuditStopped, audit
from infra.database import (
    BY_KEY,
    LOST,
    Database,
    NotMigrated,
    UnsafeDatabase,
    refuse_unsafe,
)
from infra.embedded import EmbeddedError, EmbeddedPostgres, is_shared
from infra.event_feed import EventFeed, InParts
from infra.event_log import EventLog
from infra.event_store import PostgresStore
from infra.keys import KeyRing
from infra.master_key import known_master_key
from infra.migrations import migrate, migrate_as_owner, refuse_unmigrated
from infra.sealing import MasterKey, SealBroken
from infra.settings import Settings, SettingsError
from projections.dossiers import AnyView
from projections.due import DUE
from projections.hosting.leading import Leadership
from projections.hosting.rebuild import Builder
from projections.hosting.runner import ALONE, SERVING, Manner, Runner
from projections.hosting.standing import Standing
from projections.hosting.tables import ProjectionHalted
from projections.lists import ListReader
from projections.overview import OVERVIEW, OverviewReader
from projections.sight import SIGHT
from streams.intake import Intake
from streams.registers.shipped_calendars import ship_calendars
from streams.time.acting import Machine
from streams.time.timekeeper import Timekeeper
from streams.wire.sameness import digesting

__all__ = ["FAILURES", "VIEWS", "Process", "Settings", "opened"]

T = TypeVar("T")

VIEWS: Final[tuple[AnyView, ...]] = (OVERVIEW, SIGHT, DUE)

FAILURES: Final = (
    SettingsError,
    EmbeddedError,
    NotMigrated,
    UnsafeDatabase,
    SealBroken,
    AuditStopped,
    ProjectionHalted,
    WorkerFailed,
    asyncpg.PostgresError,
    *LOST,
)
"""What a user can cause beside refusals: one line on the command line, never a traceback."""

_CATCH_UP: Final = 30.0  # Seconds in which a clock waits for what it must see.


def is_used(data: Path) -> bool:
    """Say whether a process uses the embedded database of a data folder."""
    return is_shared(data)


def now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class Process:
    """An opened ledger: everything that a command or the server works with."""

    services: Services
    keys: KeyRing
    log: EventLog
    builder: Builder
    pool: asyncpg.Pool
    database: Database
    ledger_id: UUID


@asynccontextmanager
async def opened_database(
    settings: Settings, application: str, *, migrated: bool = True
) -> AsyncIterator[Database]:
    """Open the database of the settings; with none set, start the embedded server and migrate."""
    if settings.database_url is not None:
        yield Database(settings.database_url, application)
        return
    server = await asyncio.to_thread(EmbeddedPostgres.start, settings.data)
    try:
        if migrated:
            await migrate(server.url)

        async def restart() -> None:
            await asyncio.to_thread(server.ensure_running)

        yield Database(server.url, application, restart)
    finally:
        await asyncio.to_thread(server.close)


@asynccontextmanager
async def opened(
    settings: Settings,
    role: str,
    *,
    lane: Lane = Lane.DESK,
    manner: Manner = SERVING,
    dead: Callable[[BaseException], None] | None = None,
) -> AsyncIterator[Process]:
    """Open the ledger for one process of a role; close it with everything accepted answered.

    `manner` is how its runner moves the views: one that is alone with them leads before all others.
    """
    key_file = settings.needed_master_key_file()
    async with AsyncExitStack() as stack:
        application = f"hoso {role} {os.getpid()}"
        database = await stack.enter_async_context(opened_database(settings, application))
        ledger_id = await _checked(database)
        pool = await database.pool(size=8)
        stack.push_async_callback(pool.close)
        master = await known_master_key(pool, key_file, make=settings.database_url is None)
        rules = RuleBook()
        writing = _connecting(database, SETTINGS)  # Reads look up by key, too.
        appender = Appender(writing, now, dead=dead or _die)
        store = PostgresStore(writing, appender, ledger_id, rules, lane)
        keys = KeyRing(pool, master, rules.erased.__contains__)
        store.seal_with(keys)
        log = EventLog(pool, ledger_id)
        views = await _views(database, pool, log, manner)
        store.tell(views.runner.wake)
        appender.start()
        stack.push_async_callback(views.standing.close)
        stack.push_async_callback(keys.close)
        stack.push_async_callback(store.close)
        stack.push_async_callback(appender.close)
        await store.read()
        await keys.destroy(rules.erased)  # An erasure that was cut short is finished now.
        services = _services(store, appender, keys, log, views, pool, master)
        await ship_calendars(store, now)
        yield Process(
            services=services,
            keys=keys,
            log=log,
            builder=views.builder,
            pool=pool,
            database=database,
            ledger_id=ledger_id,
        )


@dataclass(frozen=True, kw_only=True)
class _Views:
    """What builds and moves the views in this process, and what knows how far they are."""

    builder: Builder
    runner: Runner
    standing: Standing


async def _views(database: Database, pool: asyncpg.Pool, log: EventLog, manner: Manner) -> _Views:
    feed = EventFeed(log)
    builder = Builder(database.connect, feed, InParts(database.url, log.ledger_id), VIEWS)
    await builder.prepare()
    standing = Standing(pool, builder.shelf.tables)
    leadership = Leadership(_connecting(database, BY_KEY), first=manner is ALONE)
    runner = Runner(leadership, feed, builder, standing, manner)
    standing.tell(runner.hurry)
    return _Views(builder=builder, runner=runner, standing=standing)


def _connecting(
    database: Database, settings: Mapping[str, str]
) -> Callable[[], Awaitable[asyncpg.Connection]]:
    async def connect() -> asyncpg.Connection:
        return await database.connect(**settings)

    return connect


async def _checked(database: Database) -> UUID:
    connection = await database.connect()
    try:
        await refuse_unmigrated(connection)
        await refuse_unsafe(connection)
        ledger_id = await connection.fetchval("SELECT ledger_id FROM ledger.head")
    finally:
        await connection.close()
    return UUID(bytes=ledger_id.bytes)


def _services(
    store: PostgresStore,
    appender: Appender,
    keys: KeyRing,
    log: EventLog,
    views: _Views,
    pool: asyncpg.Pool,
    master: MasterKey,
) -> Services:
    refreshed = monotonic()

    async def refresh_rules(age: float) -> None:
        nonlocal refreshed
        if monotonic() - refreshed >= age:
            await store.read()
            refreshed = monotonic()

    async def open_events(events: Sequence[LedgerEvent], *, clear: bool) -> Sequence[LedgerEvent]:
        return await keys.open(store.ledger_id, events, clear=clear)

    ledger, registers = Ledger(store, now), Registers(store, now)
    return Services(
        store=store,
        ledger=ledger,
        registers=registers,
        intake=Intake(ledger=ledger, registers=registers),
        log=log,
        runner=views.runner,
        views=views.standing,
        lists=ListReader(pool),
        overview=OverviewReader(pool),
        now=now,
        new_id=uuid4,
        refresh_rules=refresh_rules,
        digest=digesting(master.content_digest),
        open_events=open_events,
        find_person=keys.find,
        outcome_of=store.outcome,
        lost=LOST,
        gauges=lambda: Gauges(appender.queued, appender.batches, appender.appended),
    )


def _die(error: BaseException) -> None:
    logging.getLogger(__name__).critical("the appender failed; the process ends", exc_info=error)
    os._exit(1)  # Nobody else would answer the callers; a supervisor starts it again.


def machine_of(services: Services) -> Machine:
    """Return the hand that acts in the name of the ledger itself."""
    return Machine(
        store=services.store, ledger=services.ledger, digest=services.digest, now=services.now
    )


def timekeeper_of(
    process: Process, caught_up: Callable[[int], Awaitable[bool]] | None = None
) -> Timekeeper:
    """Return the clock of a process whose runner is started, unless somebody else catches up."""
    services = process.services

    async def reached(position: int) -> bool:
        return await services.views.reached(position, _CATCH_UP)

    connect = process.database.connect
    return Timekeeper(machine_of(services), process.pool, connect, caught_up or reached)


def in_loop(work: Coroutine[object, object, T]) -> T:
    return uvloop.run(work)


def read_settings() -> Settings:
    return Settings.read(os.environ)


async def migrated(settings: Settings) -> list[str]:
    """Apply missing migrations as the owner of the database; return their names."""
    if settings.database_url is not None:
        return await migrate_as_owner(settings.database_url)
    async with opened_database(settings, "migrate", migrated=False) as database:
        return await migrate(database.url)


async def audited(
    settings: Settings, workers: int | None, progress: Callable[[int, int], None] | None
) -> Audit:
    """Recompute everything from the rows; see infra.audit."""
    async with opened_database(settings, f"hoso audit {os.getpid()}") as database:
        await _checked(database)
        return await audit(database, progress, workers or os.cpu_count() or 1)
