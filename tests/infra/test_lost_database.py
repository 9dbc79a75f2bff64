"""A database that goes away, stalls or fills up, at the worst moment: a real one."""

import asyncio
import secrets
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import replace
from functools import partial
from tempfile import TemporaryDirectory
from uuid import uuid4

import asyncpg
import psutil
import pytest

from domain.errors import Busy
from domain.ledger.appends import Answer, Append, Question
from infra.embedded import EmbeddedPostgres
from infra.migrations import migrate
from tests.conftest import OpenStore
from tests.door import Door, Slam, door_before
from tests.stores import (
    Opened,
    appending,
    claim,
    in_one_batch,
    key,
    opened,
    step,
    until,
    whole,
)

SLOW_COMMITS = """
CREATE FUNCTION public.slowly() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN PERFORM pg_sleep(0.3); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER slowly AFTER INSERT ON ledger.append DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION public.slowly()
"""
DISK_FULL = """
CREATE FUNCTION public.full() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'No space left on device' USING ERRCODE = '53100'; END $$;
CREATE TRIGGER full_disk BEFORE INSERT ON ledger.append EXECUTE FUNCTION public.full()
"""
WAITS = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
APPENDERS = (
    "SELECT array_agg(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND query ~ 'ledger.head FOR UPDATE|COMMIT|ROLLBACK'"
    " AND pid <> pg_backend_pid()"
)


@pytest.fixture
async def door(database_url: str) -> AsyncIterator[Door]:
    async with door_before(database_url) as door:
        yield door


@asynccontextmanager
async def head_held(url: str) -> AsyncIterator[asyncpg.Connection]:
    """Stand for a process that stopped while it held the head of the ledger."""
    connection = await asyncpg.connect(
        url, server_settings={"idle_in_transaction_session_timeout": "0"}
    )
    await connection.execute("BEGIN; SELECT FROM ledger.head FOR UPDATE")
    yield connection
    connection.terminate()


def grow(folder: str) -> None:
    subprocess.run(["mount", "-o", "remount,size=32m", folder], check=True)  # noqa: S607 - a system's


def big() -> Append:
    return appending(step(uuid4(), secrets.token_hex(50_000)))


@contextmanager
def small_disk(server: EmbeddedPostgres) -> Iterator[tuple[str, Callable[[], None]]]:
    """Mount a disk of 2 MB for the server, where we may mount at all; and what makes it grow."""
    user = psutil.Process(server.pid).uids().real
    with TemporaryDirectory(prefix="disk-", dir="/tmp") as folder:
        size = f"size=2m,mode=700,uid={user}"
        mount = ["mount", "-t", "tmpfs", "-o", size, "tmpfs", folder]
        if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
            pytest.skip("mounting a small disk is not allowed here")
        try:
            yield folder, partial(grow, folder)
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)  # noqa: S607 - a system's


@pytest.mark.parametrize("slam", Slam)
async def test_a_connection_lost_at_the_commit_costs_nobody_an_answer_or_an_event(
    door: Door, owner: asyncpg.Connection, slam: Slam
) -> None:
    if slam is Slam.DURING:
        await owner.execute(SLOW_COMMITS)  # So that we look again before it has committed.
    async with opened(door.url) as process:
        request = appending(step(uuid4()), expected=0)
        door.slam = slam
        first = await process.store.append(request)
        assert (door.slammed, first.repeated) == (1, False)
        again = await process.store.append(request)
        assert (again.outcome, again.repeated) == (first.outcome, True)
        assert len(await whole(process)) == 1


@pytest.mark.parametrize("slam", Slam)
async def test_a_whole_batch_survives_it(door: Door, slam: Slam) -> None:
    streams = [uuid4() for _ in range(50)]
    async with opened(door.url, started=False) as process:
        door.slam = slam
        answers = await in_one_batch(process, [appending(step(s), expected=0) for s in streams])
        assert door.slammed == 1
        assert [a.outcome.seq for a in answers if isinstance(a, Answer)] == list(range(1, 51))
        assert await whole(process) == streams


@pytest.mark.parametrize("slam", Slam)
async def test_an_append_without_a_key_is_not_recorded_twice_by_it(door: Door, slam: Slam) -> None:
    stream = uuid4()
    async with opened(door.url) as process:
        door.slam = slam
        anonymous = replace(appending(step(stream)), key=None)
        answer = await process.store.append(anonymous)
        assert (answer.outcome.version, answer.repeated) == (1, False)
        assert await whole(process) == [stream]


async def test_what_was_known_before_it_is_still_called_repeated(door: Door) -> None:
    async with opened(door.url) as process:
        known = appending(step(uuid4()))
        first = await process.store.append(known)
    async with opened(door.url, started=False) as process:
        door.slam = Slam.AFTER
        again, fresh = await in_one_batch(process, [known, appending(step(uuid4()))])
        assert again == Answer(first.outcome, repeated=True)
        assert isinstance(fresh, Answer)
        assert not fresh.repeated


@pytest.mark.parametrize("slam", [Slam.DURING, Slam.AFTER])
async def test_of_a_request_sent_twice_one_is_called_repeated_even_then(
    door: Door, slam: Slam
) -> None:
    request = appending(step(uuid4()))
    async with opened(door.url, started=False) as process:
        door.slam = slam
        answers = await in_one_batch(process, [request, request])
        assert [a.repeated for a in answers if isinstance(a, Answer)] == [False, True]
        assert len(await whole(process)) == 1


async def test_a_backend_that_was_terminated_is_replaced(
    open_store: OpenStore, owner: asyncpg.Connection
) -> None:
    async with open_store() as process:
        for _ in range(3):
            await process.store.append(appending(step(uuid4())))
            for pid in await owner.fetchval(APPENDERS):
                await owner.execute("SELECT pg_terminate_backend($1)", pid)
        await process.store.append(appending(step(uuid4())))
        assert len(await whole(process)) == 4


@pytest.mark.slow
@pytest.mark.postgres
async def test_a_stopped_database_says_busy_and_a_new_one_is_found_again(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("own")
    with closing(EmbeddedPostgres.start(folder)) as server:
        await migrate(server.url)
        async with opened(server.url) as process:
            await process.store.append(appending(step(uuid4())))
            server.close()
            request = appending(step(uuid4()))
            with pytest.raises(Busy, match="away"):
                await process.store.append(request)
            with pytest.raises(Busy, match="away"):
                await process.store.read()
            with closing(EmbeddedPostgres.start(folder)):
                answer = await process.store.append(request)
                assert (answer.repeated, answer.outcome.seq) == (False, 2)
                assert (await process.store.read()).position == 2
                assert process.deaths == []


async def test_a_process_that_stops_while_it_holds_the_head_is_ended_by_the_server(
    open_store: OpenStore, database_url: str, owner: asyncpg.Connection
) -> None:
    async with open_store() as process, head_held(database_url) as stopped:
        caller = asyncio.ensure_future(process.store.append(appending(step(uuid4()))))
        await until(lambda: owner.fetchval(WAITS))
        assert not caller.done()
        await stopped.execute("SET idle_in_transaction_session_timeout = '1ms'")  # It is over now.
        await caller
        assert len(await whole(process)) == 1
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError)):
            await stopped.execute("COMMIT")


async def test_our_own_connections_do_not_hold_the_head_for_ever(open_store: OpenStore) -> None:
    async with open_store() as process:
        connection = await process.database.connect()
        setting = await connection.fetchval("SHOW idle_in_transaction_session_timeout")
        connection.terminate()
        assert setting == "15s"


async def test_a_head_that_nobody_gives_up_does_not_end_the_process(
    open_store: OpenStore, database_url: str, owner: asyncpg.Connection
) -> None:
    async with open_store(lock_timeout="150ms") as process:
        await process.store.append(appending(step(uuid4())))
        first = await owner.fetchval(APPENDERS)

        async def gave_up_once() -> bool:
            now = await owner.fetchval(APPENDERS)
            return now is not None and now != first

        async with head_held(database_url) as holder:
            caller = asyncio.ensure_future(process.store.append(appending(step(uuid4()))))
            await until(lambda: owner.fetchval(WAITS))
            await until(gave_up_once)
            await holder.execute("ROLLBACK")
            assert (await caller).outcome.seq == 2
        assert process.deaths == []


async def test_a_full_disk_says_busy_and_leaves_nothing_half_recorded(
    open_store: OpenStore, owner: asyncpg.Connection
) -> None:
    async with open_store() as process:
        await owner.execute(DISK_FULL)
        under = key()
        request = appending(step(uuid4()), claims=(claim("A-1", uuid4()),), under=under)
        with pytest.raises(Busy, match="full"):
            await process.store.append(request)
        assert await whole(process) == []
        reading = await process.store.read(Question(name="A-1", keys=(under.name,)))
        assert (reading.claimed, reading.stored) == (None, {})
        await owner.execute("DROP TRIGGER full_disk ON ledger.append")
        assert not (await process.store.append(request)).repeated
        assert len(await whole(process)) == 1


async def test_a_disk_that_really_fills_up_is_survived_too(
    open_store: OpenStore, owner: asyncpg.Connection, postgres_server: EmbeddedPostgres
) -> None:
    with small_disk(postgres_server) as (disk, make_room):
        await owner.execute(f"CREATE TABLESPACE small LOCATION '{disk}'")
        await owner.execute("ALTER TABLE ledger.event SET TABLESPACE small")
        async with open_store() as process:
            requests = [big() for _ in range(60)]
            results = [await outcome(process, request) for request in requests]
            full = [result for result in results if isinstance(result, Busy)]
            assert full
            assert len(await whole(process)) == len(results) - len(full) > 0
            make_room()
            again = [await process.store.append(request) for request in requests]
            assert [answer.repeated for answer in again] == [
                isinstance(result, Answer) for result in results
            ]
            assert len(await whole(process)) == len(requests)
            assert process.deaths == []
        await owner.execute("ALTER TABLE ledger.event SET TABLESPACE pg_default")
        await owner.execute("DROP TABLESPACE small")


async def outcome(process: Opened, request: Append) -> Answer | Busy:
    try:
        return await process.store.append(request)
    except Busy as refused:
        return refused
