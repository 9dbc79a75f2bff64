"""The failure rules of the appender, on a real server: what is answered is there, once."""

import asyncio
import secrets
from datetime import datetime, timedelta
from uuid import uuid4

import asyncpg
import pytest

from domain.errors import Busy, InvalidRequest, TooLarge
from domain.ledger.appends import Answer, Append
from infra.admission import Prepared
from infra.appender import Appender, Lane
from infra.event_store import PostgresStore
from tests.conftest import OpenStore
from tests.stores import (
    MORNING,
    Opened,
    appending,
    claim,
    in_one_batch,
    key,
    queued,
    rows,
    step,
    until,
    utc_now,
    whole,
)


class Clock:
    """A clock that the test turns."""

    def __init__(self) -> None:
        self.time = MORNING

    def __call__(self) -> datetime:
        return self.time


@pytest.mark.parametrize(
    "poison",
    [
        appending(step(uuid4()), claims=(claim("a\0b", uuid4()),)),
        appending(step(uuid4()), under=key("a\0b")),
        appending(step(uuid4()), claims=(claim("\ud800", uuid4()),)),
        appending(step(uuid4()), under=key("\ud800")),
        appending(step(uuid4()), under=key(secrets.token_hex(20_000))),
        appending(step(uuid4()), claims=(claim("forbidden", uuid4()),)),
    ],
    ids=["zero", "zero-key", "surrogate", "surrogate-key", "too-long-for-an-index", "constraint"],
)
async def test_what_cannot_be_stored_spoils_nothing_else(
    open_store: OpenStore, owner: asyncpg.Connection, poison: Append
) -> None:
    await owner.execute("ALTER TABLE ledger.claim ADD CHECK (value <> 'FORBIDDEN')")
    streams = [uuid4() for _ in range(20)]
    good = [appending(step(stream), expected=0) for stream in streams]
    async with open_store(started=False) as process:
        answers = await in_one_batch(process, [*good[:10], poison, *good[10:]])
        assert isinstance(answers.pop(10), InvalidRequest)
        assert all(isinstance(answer, Answer) for answer in answers)
        assert await whole(process) == streams
        await process.store.append(appending(step(uuid4())))
        assert process.deaths == []


async def test_what_is_too_large_never_queues(open_store: OpenStore) -> None:
    async with open_store(started=False) as process:
        with pytest.raises(TooLarge):
            await process.store.append(appending(step(uuid4(), "x" * (8 << 20))))
        assert process.appender.queued == 0


async def test_a_full_queue_says_busy_and_what_it_holds_is_recorded(open_store: OpenStore) -> None:
    async with open_store(started=False, capacity=2) as process:
        waiting = [
            asyncio.ensure_future(process.store.append(appending(step(uuid4())))) for _ in range(2)
        ]
        await until(lambda: queued(process, 2))
        with pytest.raises(Busy):
            await process.store.append(appending(step(uuid4())))
        process.appender.start()
        await asyncio.gather(*waiting)
        assert len(await whole(process)) == 2


async def test_closing_answers_what_was_accepted_and_takes_no_more(open_store: OpenStore) -> None:
    async with open_store(started=False) as process:
        waiting = [
            asyncio.ensure_future(process.store.append(appending(step(uuid4()))))
            for _ in range(300)
        ]
        await until(lambda: queued(process, 300))
        process.appender.start()
        await process.appender.close()
        assert len(await asyncio.gather(*waiting)) == 300
        with pytest.raises(Busy, match="stopping"):
            await process.store.append(appending(step(uuid4())))


@pytest.mark.parametrize("isolation", ["read committed", "serializable"])
async def test_two_processes_share_one_gap_free_order(
    open_store: OpenStore, owner: asyncpg.Connection, isolation: str
) -> None:
    """Also where the database's administrator likes another isolation: we ask for our own."""
    setting = f"SET default_transaction_isolation = '{isolation}'"
    await owner.execute(
        f"DO $$ BEGIN EXECUTE format('ALTER DATABASE %I {setting.replace(chr(39), chr(39) * 2)}',"
        " current_database()); END $$"
    )
    shared = uuid4()
    async with open_store() as first, open_store() as second:

        async def work(process: Opened) -> None:
            for number in range(50):
                answers = await asyncio.gather(
                    process.store.append(appending(step(uuid4()), expected=0)),
                    process.store.append(appending(step(shared))),
                    process.store.append(appending(step(shared), under=key(str(number)))),
                )
                assert answers[0].outcome.version == 1

        await asyncio.gather(work(first), work(second))
        assert (await whole(first)).count(shared) == 150
        assert len(await whole(second)) == 250


async def test_a_desk_never_waits_behind_an_import(open_store: OpenStore) -> None:
    async with open_store(started=False) as process:
        connect, appender = process.database.connect, process.appender
        imports = PostgresStore(connect, appender, process.ledger_id, process.rules, Lane.IMPORT)
        imports.seal_with(process.keys)
        files = [
            asyncio.ensure_future(imports.append(appending(step(uuid4())))) for _ in range(450)
        ]
        await until(lambda: queued(process, 450))
        desk = asyncio.ensure_future(process.store.append(appending(step(uuid4()))))
        await until(lambda: queued(process, 451))
        appender.start()
        assert (await desk).outcome.seq == 1
        late = asyncio.ensure_future(process.store.append(appending(step(uuid4()))))
        assert ((await late).outcome.seq or 0) <= 402  # Behind the running batch, not the rest.
        await asyncio.gather(*files)
        await imports.close()
        assert len(await whole(process)) == 452


async def test_recorded_times_never_go_back_when_the_clock_does(open_store: OpenStore) -> None:
    clock = Clock()
    async with open_store(now=clock) as process:
        for seconds in (0, -4, -4.9, 1):
            clock.time = MORNING + timedelta(seconds=seconds)
            await process.store.append(appending(step(uuid4())))
        moments = [row.recorded_at - MORNING for row in await rows(process.pool)]
        assert [moment.total_seconds() for moment in moments] == [0, 0, 0, 1]


async def test_a_clock_far_behind_the_ledger_stops_appends_loudly(
    open_store: OpenStore, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    async with open_store(now=clock) as process:
        await process.store.append(appending(step(uuid4())))
        clock.time = MORNING - timedelta(seconds=5.1)
        with pytest.raises(Busy, match="ahead of this clock"):
            await process.store.append(appending(step(uuid4())))
        assert any(record.levelname == "ERROR" for record in caplog.records)
        assert len(await whole(process)) == 1
        clock.time = MORNING
        await process.store.append(appending(step(uuid4())))
        assert process.deaths == []


async def test_a_loop_that_fails_is_reported_for_nobody_else_would_answer() -> None:
    deaths: list[BaseException] = []

    async def broken() -> asyncpg.Connection:
        raise RuntimeError("a bug")

    async def died() -> bool:
        return bool(deaths)

    appender = Appender(broken, utc_now, dead=deaths.append)
    appender.start()
    prepared = Prepared(appending(step(uuid4())), ((),), 0)
    caller = asyncio.ensure_future(appender.submit(prepared))
    await until(died)
    assert isinstance(deaths[0], RuntimeError)
    caller.cancel()
    await appender.close()
