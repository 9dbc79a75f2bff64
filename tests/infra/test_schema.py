"""What the database itself refuses, under the service's role and even to its owner."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import closing
from uuid import uuid4

import asyncpg
import pytest

from infra.database import Database, NotMigrated, UnsafeDatabase, refuse_unsafe
from infra.embedded import EmbeddedPostgres
from infra.migrations import migrate, migrations, refuse_unmigrated
from tests.conftest import OpenStore
from tests.stores import appending, claim, step

CHANGES = [
    "UPDATE ledger.event SET data = ''",
    "DELETE FROM ledger.event",
    "TRUNCATE ledger.event",
    "UPDATE ledger.append SET outcome = ''",
    "DELETE FROM ledger.append",
    "TRUNCATE ledger.append",
    "UPDATE ledger.claim SET stream_id = gen_random_uuid()",
    "DELETE FROM ledger.claim",
    "TRUNCATE ledger.claim",
    "UPDATE ledger.head SET ledger_id = gen_random_uuid()",
    "DELETE FROM ledger.head",
    "TRUNCATE ledger.head",
    "DELETE FROM ledger.stream",
    "TRUNCATE ledger.stream",
]
FORBIDDEN = [
    "UPDATE ledger.stream SET category = 'other'",
    "UPDATE ledger.subject_key SET wrapped = ''",
    "UPDATE ledger.lookup SET subject = gen_random_uuid()",
    "INSERT INTO ledger.head DEFAULT VALUES",
    "ALTER TABLE ledger.event DISABLE TRIGGER immutable",
    "DROP TABLE ledger.event",
    "CREATE TABLE ledger.other ()",
    "DELETE FROM public.hoso_migration",
]


@pytest.fixture
async def service(database_url: str, open_store: OpenStore) -> AsyncIterator[asyncpg.Connection]:
    """Give a connection as the service has them, on a ledger with an event and a claim."""
    async with open_store() as process:
        stream = uuid4()
        await process.store.append(appending(step(stream), claims=(claim("A-1", stream),)))
    connection = await Database(database_url, "test").connect()
    yield connection
    await connection.close()


@pytest.mark.parametrize("change", [*CHANGES, *FORBIDDEN])
async def test_the_service_may_not(service: asyncpg.Connection, change: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await service.execute(change)


@pytest.mark.parametrize("change", CHANGES)
async def test_even_the_owner_is_stopped_by_a_trigger(
    service: asyncpg.Connection, owner: asyncpg.Connection, change: str
) -> None:
    before = await service.fetch("SELECT * FROM ledger.event, ledger.append, ledger.claim")
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="never changed"):
        await owner.execute(change)
    await owner.execute("SET session_replication_role = replica")  # Which skips most triggers.
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="never changed"):
        await owner.execute(change)
    assert before == await service.fetch("SELECT * FROM ledger.event, ledger.append, ledger.claim")


async def test_the_service_may_lock_the_head_and_only_one_does(
    service: asyncpg.Connection, database_url: str
) -> None:
    other = await Database(database_url, "test").connect()
    async with service.transaction():
        await service.execute("SELECT FROM ledger.head FOR UPDATE")
        with pytest.raises(asyncpg.LockNotAvailableError):
            await other.execute("SELECT FROM ledger.head FOR UPDATE NOWAIT")
    await other.execute("SELECT FROM ledger.head FOR UPDATE NOWAIT")
    await other.close()


async def test_the_service_may_destroy_keys_and_make_views(service: asyncpg.Connection) -> None:
    await service.execute("DELETE FROM ledger.subject_key; DELETE FROM ledger.lookup")
    await service.execute("CREATE TABLE views.some_v1 (); DROP TABLE views.some_v1")


async def test_a_pooled_connection_keeps_its_role(database_url: str) -> None:
    pool = await Database(database_url, "test").pool(1)
    for _ in range(3):
        assert await pool.fetchval("SELECT current_user") == "hoso_service"
    await pool.close()


async def test_there_is_one_ledger_in_a_database(owner: asyncpg.Connection) -> None:
    with pytest.raises(asyncpg.UniqueViolationError):
        await owner.execute("INSERT INTO ledger.head DEFAULT VALUES")


async def test_migrating_again_changes_nothing(empty_database_url: str) -> None:
    assert await migrate(empty_database_url) == [each.name for each in migrations()]
    assert await migrate(empty_database_url) == []


async def test_two_that_migrate_at_once_share_the_work(empty_database_url: str) -> None:
    done = await asyncio.gather(*(migrate(empty_database_url) for _ in range(4)))
    assert sorted(map(len, done)) == [0, 0, 0, len(migrations())]


async def test_an_edited_migration_is_refused(database_url: str, owner: asyncpg.Connection) -> None:
    await refuse_unmigrated(owner)
    await owner.execute("UPDATE public.hoso_migration SET digest = 'of another text'")
    with pytest.raises(NotMigrated, match="edited"):
        await migrate(database_url)
    with pytest.raises(NotMigrated, match="edited"):
        await refuse_unmigrated(owner)


async def test_an_empty_database_is_refused_with_what_to_do(empty_database_url: str) -> None:
    connection = await asyncpg.connect(empty_database_url)
    with pytest.raises(NotMigrated, match="run hoso migrate"):
        await refuse_unmigrated(connection)
    await connection.close()


async def test_a_database_with_a_migration_missing_is_refused(owner: asyncpg.Connection) -> None:
    await owner.execute("DELETE FROM public.hoso_migration")
    with pytest.raises(NotMigrated, match="run hoso migrate"):
        await refuse_unmigrated(owner)


async def test_a_database_of_a_newer_program_is_refused(owner: asyncpg.Connection) -> None:
    await owner.execute("INSERT INTO public.hoso_migration VALUES (9999, '9999_later', '')")
    with pytest.raises(NotMigrated, match="newer"):
        await refuse_unmigrated(owner)


async def test_a_database_that_commits_asynchronously_is_refused(
    database_url: str, owner: asyncpg.Connection
) -> None:
    await refuse_unsafe(owner)
    name = await owner.fetchval("SELECT quote_ident(current_database())")
    await owner.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
    connection = await Database(database_url, "test").connect()
    with pytest.raises(UnsafeDatabase, match="synchronous_commit"):
        await refuse_unsafe(connection)
    await connection.close()


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.parametrize("setting", ["fsync", "full_page_writes"])
async def test_a_server_that_may_lose_what_it_commits_is_refused(
    tmp_path_factory: pytest.TempPathFactory, setting: str
) -> None:
    folder = tmp_path_factory.mktemp("own")
    with closing(EmbeddedPostgres.start(folder, extra={setting: "off"})) as server:
        connection = await asyncpg.connect(server.url)
        with pytest.raises(UnsafeDatabase, match=setting):
            await refuse_unsafe(connection)
        await connection.close()
