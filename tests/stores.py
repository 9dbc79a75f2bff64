"""Stores as tests open them, and appends as tests make them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from time import monotonic
from uuid import UUID, uuid4

import asyncpg

from domain.dossier.intake import DossierAccepted
from domain.dossier.parts import Party
from domain.dossier.work import StepCompleted
from domain.envelope import LedgerEvent, Meta, Pin, ProcedureCode, UnitCode, event_id
from domain.evidence.leaves import NO_LEAF, entry, leaf_hash
from domain.ledger.appends import Answer, Append, Claim, Key, Outcome, Write
from domain.rules.codes import canonical
from domain.rules.procedures import Channel
from domain.rules.rule_book import RuleBook
from infra.admission import EventRow
from infra.appender import SETTINGS, Appender, Lane
from infra.database import Database
from infra.event_store import PostgresStore
from infra.keys import KeyRing
from infra.sealing import MasterKey

MASTER = MasterKey(sha256(b"the master key of the tests").digest())
PATIENCE = 120  # A safety net, wide enough for a busy machine: no test passes by waiting it out.
MORNING = datetime(2026, 3, 2, 2, 15, tzinfo=UTC)


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True, slots=True)
class Opened:
    """The pieces that a process of the service wires together, on one database."""

    store: PostgresStore
    appender: Appender
    keys: KeyRing
    rules: RuleBook
    database: Database
    pool: asyncpg.Pool
    ledger_id: UUID
    deaths: list[BaseException]
    """Why the appender's loop ended, if it did."""


@asynccontextmanager
async def opened(
    url: str,
    *,
    now: Callable[[], datetime] = utc_now,
    capacity: int = 10_000,
    lane: Lane = Lane.DESK,
    started: bool = True,
    **settings: str,
) -> AsyncIterator[Opened]:
    """Wire store, appender and key ring as the service does, and close them in its order.

    `settings` are of the appender's connection. Not `started`: what is submitted stays queued until
    the test calls `appender.start()`.
    """
    database = Database(url, "test")
    deaths: list[BaseException] = []
    rules = RuleBook()

    async def appending() -> asyncpg.Connection:
        return await database.connect(**{**SETTINGS, **settings})

    appender = Appender(appending, now, dead=deaths.append, capacity=capacity)
    pool = await database.pool(4)
    ledger_id = UUID(str(await pool.fetchval("SELECT ledger_id FROM ledger.head")))
    keys = KeyRing(pool, MASTER, lambda subject: subject in rules.erased)
    store = PostgresStore(database.connect, appender, ledger_id, rules, lane)
    store.seal_with(keys)
    if started:
        appender.start()
    try:
        async with asyncio.timeout(PATIENCE):  # A test fails where an answer never comes.
            yield Opened(
                store=store,
                appender=appender,
                keys=keys,
                rules=rules,
                database=database,
                pool=pool,
                ledger_id=ledger_id,
                deaths=deaths,
            )
    finally:
        await appender.close()
        await store.close()
        await keys.close()
        pool.terminate()


async def until(condition: Callable[[], Awaitable[object]], patience: float = PATIENCE) -> None:
    """Look until a condition holds."""
    deadline = monotonic() + patience
    while not await condition():
        assert monotonic() < deadline
        await asyncio.sleep(0.01)  # Between two looks.


async def rows(pool: asyncpg.Pool | asyncpg.Connection) -> list[EventRow]:
    """Return everything that the ledger holds, as it is stored."""
    found = await pool.fetch(
        "SELECT seq, stream_id, version, type, occurred_at, recorded_at, data, leaf"
        " FROM ledger.event ORDER BY seq"
    )
    return [EventRow(row[0], UUID(str(row[1])), *list(row)[2:]) for row in found]


async def in_one_batch(opened: Opened, appends: Sequence[Append]) -> list[Answer | BaseException]:
    """Queue all of them before the appender starts."""
    tasks = [asyncio.ensure_future(opened.store.append(append)) for append in appends]
    await until(lambda: queued(opened, len(appends)))
    opened.appender.start()
    return await asyncio.gather(*tasks, return_exceptions=True)


async def queued(opened: Opened, count: int) -> bool:
    return opened.appender.queued == count


def assert_whole(ledger_id: UUID, events: Sequence[EventRow]) -> None:
    """Check that positions and versions have no gap, time no step back, each leaf its place."""
    heads: dict[UUID, tuple[int, bytes]] = {}
    last = datetime.fromtimestamp(0, UTC)
    for position, event in enumerate(events, start=1):
        version, leaf = heads.get(event.stream_id, (0, NO_LEAF))
        assert (event.seq, event.version) == (position, version + 1)
        assert event.recorded_at >= last
        said = (event.topic, event.occurred_at, event.recorded_at, event.data)
        computed = leaf_hash(entry(ledger_id, event.stream_id, event.version, leaf, *said))
        assert event.leaf == computed
        heads[event.stream_id] = event.version, event.leaf
        last = event.recorded_at


async def whole(opened: Opened) -> list[UUID]:
    """Return the streams of the events, in order, after checking that nothing is torn."""
    stored = await rows(opened.pool)
    assert_whole(opened.ledger_id, stored)
    return [row.stream_id for row in stored]


def key(name: str = "", content: bytes = b"the same", scope: str = "test") -> Key:
    return Key(scope=scope, key=name or uuid4().hex, digest=sha256(content).digest())


def meta(name: str = "") -> Meta:
    name = name or uuid4().hex
    return Meta(event_id=event_id("test", name), source="test", source_id=name, principal="tester")


def step(stream: UUID, name: str = "thẩm định", at: datetime = MORNING) -> StepCompleted:
    """Return an event that needs no key to be sealed, with an event id of its own."""
    return StepCompleted(
        originator_id=stream, originator_version=0, timestamp=at, meta=meta(), step=name
    )


def accepted(stream: UUID, owner: Party | None = None, code: str | None = None) -> DossierAccepted:
    return DossierAccepted(
        originator_id=stream,
        originator_version=0,
        timestamp=MORNING,
        meta=meta(),
        procedure=ProcedureCode("1.000001"),
        channel=Channel.DIRECT,
        receiving_unit=UnitCode("H01"),
        competent_unit=UnitCode("H01"),
        owner=owner,
        code=code,
    )


def appending(
    *events: LedgerEvent,
    expected: int | None = None,
    claims: tuple[Claim, ...] = (),
    unchanged: tuple[Pin, ...] = (),
    under: Key | None = None,
    issue: str | None = None,
) -> Append:
    """Return the append of events of one or several streams, each expected at the same version."""
    streams: dict[UUID, list[LedgerEvent]] = {}
    for event in events:
        streams.setdefault(event.originator_id, []).append(event)
    return Append(
        writes=tuple(
            Write(stream=stream, events=tuple(found), expected=expected)
            for stream, found in streams.items()
        ),
        claims=claims,
        unchanged=unchanged,
        key=under or key(),
        issue=issue,
        outcome=Outcome(kind="recorded", stream=next(iter(streams))),
    )


def claim(value: str, stream: UUID) -> Claim:
    return Claim(kind="dossier-code", value=canonical(value), stream=stream)
