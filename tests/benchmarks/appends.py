"""Appends, beside the eventsourcing library's own recorder and beside a raw INSERT."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import asyncpg
from eventsourcing.persistence import StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore

from domain.dossier.work import StepCompleted
from domain.envelope import Meta, event_id
from domain.ledger.appends import Append, Key, Outcome, Write
from infra.admission import Encoded, Prepared
from infra.appender import SETTINGS, Appender
from infra.codec import encode
from infra.database import Database
from tests.benchmarks.measuring import (
    Effort,
    Figure,
    Server,
    benchmark,
    medians,
    rate,
    server,
)

TOPIC = StepCompleted.TOPIC
OF_A_DOSSIER = 10  # Events, when each append brings one.
LARGE = 100  # Events of an append that brings many.
LARGE_CALLERS = 32  # Their appends make one batch.
COMMITS = 10_000  # Before we measure under an old snapshot.
RECORDERS_CALLERS = (1, 2, 4, 8)  # More only wait for each other's table lock.
RECORDER = "eventsourcing recorder"
RAW = "raw INSERT from unnest"


@benchmark("appends")
async def appends(effort: Effort) -> list[Figure]:
    async with server() as postgres:
        return await _figures(effort, postgres, "", 0)


@benchmark("appends-old-snapshot")
async def appends_under_an_old_snapshot(effort: Effort) -> list[Figure]:
    """Measure while nothing that dies can be vacuumed, as during a backup or an export."""
    async with server() as postgres:
        return await _figures(effort, postgres, ", old snapshot", effort.share(COMMITS))


@benchmark("appends-2ms")
async def appends_with_slow_commits(effort: Effort) -> list[Figure]:
    """Measure what a network disk or a synchronous replica leaves of it."""
    async with server(commit_delay="2000", commit_siblings="0") as postgres:
        return await _figures(effort, postgres, ", 2 ms commits", 0, at_least=10_000)


async def _figures(
    effort: Effort, postgres: Server, suffix: str, commits: int, at_least: float | None = None
) -> list[Figure]:
    async with _ledger(await postgres.fresh()) as ours, _recorder(await postgres.fresh()) as theirs:
        snapshot = await _snapshot(ours.url) if commits else None
        await ours.append(1, 1, commits or 1)
        await theirs.append(1, 1, commits or 1)
        one = await _best(theirs, 1, effort.share(300))
        many = await _best(theirs, LARGE, effort.share(5_000))
        slow = 4 if at_least else 1  # The recorder's rounds would take long.
        ones = await medians(
            effort.rounds,
            {
                "64": partial(ours.append, 64, 1, effort.share(12_000)),
                "256": partial(ours.append, 256, 1, effort.share(12_000)),
                RECORDER: partial(theirs.append, one, 1, effort.share(1_200 // slow)),
            },
        )
        manies = await medians(
            effort.rounds,
            {
                "ours": partial(ours.append, LARGE_CALLERS, LARGE, effort.share(50_000)),
                RECORDER: partial(theirs.append, many, LARGE, effort.share(20_000)),
                RAW: partial(ours.insert, effort.share(80_000)),
            },
        )
        if snapshot is not None:
            await snapshot.close()
    single = {f"{RECORDER}, {one} callers": ones[RECORDER]}
    large = {f"{RECORDER}, {many} callers": manies[RECORDER], RAW: manies[RAW]}
    figure = partial(Figure, unit="events/s", server=postgres.facts)
    return [
        figure(
            name=f"one event per append, 64 callers{suffix}",
            value=ones["64"],
            target=at_least or 10 * ones[RECORDER],
            beside=single,
        ),
        figure(name=f"one event per append, 256 callers{suffix}", value=ones["256"], beside=single),
        figure(
            name=f"{LARGE} events per append, {LARGE_CALLERS} callers{suffix}",
            value=manies["ours"],
            target=max(3 * manies[RECORDER], 0.4 * manies[RAW]),
            beside=large,
        ),
    ]


async def _snapshot(url: str) -> asyncpg.Connection:
    """Hold a snapshot until the connection is closed."""
    connection = await asyncpg.connect(
        url, server_settings={"idle_in_transaction_session_timeout": "0"}
    )
    await connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT FROM ledger.head")
    return connection


async def _best(recorder: "_Recorder", size: int, count: int) -> int:
    """Return the number of callers with which the recorder is fastest."""
    rates = {callers: await recorder.append(callers, size, count) for callers in RECORDERS_CALLERS}
    return max(rates, key=lambda callers: rates[callers])


@dataclass(frozen=True, slots=True)
class _Stored:
    """An event as it is stored: the same for everyone who is measured."""

    stream: UUID
    version: int
    occurred_at: datetime
    data: bytes


def _made(callers: int, size: int, count: int) -> list[list[Sequence[_Stored]]]:
    """Return what each caller appends, one after the other: dossiers that grow by `size` events."""
    appends = max(1, count // (callers * size))
    return [
        [chunk for _, chunk in zip(range(appends), _grow(size), strict=False)]
        for _ in range(callers)
    ]


def _grow(size: int) -> Iterable[Sequence[_Stored]]:
    while True:
        stream, now = uuid4(), datetime.now(UTC)
        data = encode(_step(stream, now))
        for first in range(1, max(size, OF_A_DOSSIER) + 1, size):
            yield [_Stored(stream, version, now, data) for version in range(first, first + size)]


def _step(stream: UUID, now: datetime) -> StepCompleted:
    said = Meta(
        event_id=event_id("desk", str(stream)),
        source="desk",
        source_id=str(stream),
        principal="desk",
    )
    return StepCompleted(
        originator_id=stream, originator_version=0, timestamp=now, meta=said, step="thẩm định"
    )


@dataclass(frozen=True, slots=True)
class _Ours:
    url: str
    appender: Appender

    async def append(self, callers: int, size: int, count: int) -> float:
        made = [list(map(_prepared, chunks)) for chunks in _made(callers, size, count)]
        done = sum(map(len, made)) * size
        return await rate(done, asyncio.gather(*map(self._submit, made)))

    async def _submit(self, appends: Iterable[Prepared]) -> None:
        for each in appends:
            await self.appender.submit(each)

    async def insert(self, count: int) -> float:
        """Insert as many of the same rows as a batch of ours, in a table that checks nothing."""
        connection = await asyncpg.connect(self.url)
        await connection.execute("CREATE TABLE IF NOT EXISTS public.bare (LIKE ledger.event)")
        statement = await connection.prepare(
            "INSERT INTO bare SELECT * FROM unnest($1::bigint[], $2::uuid[], $3::int[], $4::text[],"
            " $5::timestamptz[], $6::timestamptz[], $7::bytea[], $8::bytea[])"
        )
        ((*chunks,),) = _made(1, LARGE_CALLERS * LARGE, count)
        columns = [list(zip(*map(_row, chunk), strict=True)) for chunk in chunks]

        async def work() -> None:
            for each in columns:
                await statement.fetch(*each)

        found = await rate(len(chunks) * LARGE_CALLERS * LARGE, work())
        await connection.execute("DROP TABLE bare")
        await connection.close()
        return found


def _prepared(events: Sequence[_Stored]) -> Prepared:
    first = events[0]
    name = f"{first.stream}-{first.version}"
    append = Append(
        writes=(Write(stream=first.stream, events=(), expected=first.version - 1),),
        key=Key(scope="desk", key=name, digest=sha256(name.encode()).digest()),
        outcome=Outcome(kind="recorded", stream=first.stream),
    )
    encoded = tuple(Encoded(TOPIC, event.occurred_at, event.data) for event in events)
    return Prepared(append, (encoded,), sum(len(event.data) for event in events))


def _row(event: _Stored) -> tuple[object, ...]:
    leaf = sha256(event.data).digest()
    at = event.occurred_at
    return event.version, event.stream, event.version, TOPIC, at, at, event.data, leaf


@asynccontextmanager
async def _ledger(url: str) -> AsyncIterator[_Ours]:
    database = Database(url, "bench")

    loop = asyncio.get_running_loop()
    appender = Appender(
        partial(database.connect, **SETTINGS),
        partial(datetime.now, UTC),
        dead=lambda _: loop.stop(),
    )
    appender.start()
    yield _Ours(url, appender)
    await appender.close()


@dataclass(frozen=True, slots=True)
class _Recorder:
    insert: Callable[[Sequence[StoredEvent]], object]

    async def append(self, callers: int, size: int, count: int) -> float:
        made = [list(map(_stored, chunks)) for chunks in _made(callers, size, count)]
        done = sum(map(len, made)) * size
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(callers) as threads:
            work = [loop.run_in_executor(threads, self._insert, each) for each in made]
            return await rate(done, asyncio.gather(*work))

    def _insert(self, appends: Iterable[list[StoredEvent]]) -> None:
        for each in appends:
            self.insert(each)


def _stored(events: Sequence[_Stored]) -> list[StoredEvent]:
    return [StoredEvent(event.stream, event.version, TOPIC, event.data) for event in events]


@asynccontextmanager
async def _recorder(url: str) -> AsyncIterator[_Recorder]:
    place = urlsplit(url)
    datastore = PostgresDatastore(
        dbname=place.path[1:],
        host=parse_qs(place.query)["host"][0],
        port=5432,
        user=place.username or "",
        password="",  # the throw-away server asks for none
        pool_size=max(RECORDERS_CALLERS),
    )
    with closing(datastore):
        recorder = PostgresApplicationRecorder(datastore)
        recorder.create_table()
        yield _Recorder(recorder.insert_events)
