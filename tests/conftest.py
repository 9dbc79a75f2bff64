"""What tests share: a PostgreSQL server, a fresh database for each test, and stores on it."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager, closing, contextmanager
from functools import partial
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import pytest
from hypothesis import settings

from infra.embedded import EmbeddedPostgres
from infra.migrations import migrate
from tests.looking import WHOLE
from tests.stores import Opened, opened

OpenStore = Callable[..., AbstractAsyncContextManager[Opened]]
NewDatabase = Callable[[], AbstractContextManager[str]]

# No example has a deadline: that would test the machine. Who changes the code tries few examples,
# the same ones until the change is right (`dev`); the whole suite tries others each time, and
# prints what repeats a failure (`ci`).
settings.register_profile("dev", max_examples=WHOLE // 10, deadline=None, derandomize=True)
settings.register_profile("ci", max_examples=WHOLE, deadline=None, print_blob=True)
settings.load_profile("dev")  # Unless --hypothesis-profile names the other one.


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test that needs the server, so that no test needs to say it again.

    What starts processes comes first: a long file that came last would keep a single core busy.
    """
    for item in items:
        if "postgres_server" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.postgres)
    items.sort(key=lambda item: item.get_closest_marker("system") is None)


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """Give the one server of the test run, which all of its processes share. Never stop it."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    with closing(EmbeddedPostgres.start(folder / "pg")) as server:
        yield server


@pytest.fixture(scope="session")
def _migrated(postgres_server: EmbeddedPostgres, worker_id: str) -> str:
    """Name a migrated database to copy; one for each process: it must have no other users."""
    name = f"migrated_{worker_id}"
    _execute(postgres_server, f'CREATE DATABASE "{name}"')
    asyncio.run(migrate(_url(postgres_server, name)))
    return name


@pytest.fixture(scope="session")
def new_database(postgres_server: EmbeddedPostgres, _migrated: str) -> NewDatabase:
    """Give the maker of migrated databases, for `with`; they are dropped afterwards."""
    return partial(_database, postgres_server, _migrated)


@pytest.fixture
def database_url(new_database: NewDatabase) -> Iterator[str]:
    """Give the address of a fresh migrated database of this test's own, as its owner."""
    with new_database() as url:
        yield url


@pytest.fixture
def empty_database_url(postgres_server: EmbeddedPostgres) -> Iterator[str]:
    """Give the address of a new database that nobody has migrated, as its owner."""
    with _database(postgres_server, "template1") as url:
        yield url


@pytest.fixture
async def owner(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """Give a connection of the owner of this test's database, who may change how it behaves."""
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


@pytest.fixture
def open_store(database_url: str) -> OpenStore:
    """Give the opener of stores on this test's database, for `async with`.

    Each call is like one more process of the service: it has its own appender, rule book and keys.
    Options as of `tests.stores.opened`: `now`, `capacity`, `lane`, `started`, settings.
    """
    return partial(opened, database_url)


@contextmanager
def _database(server: EmbeddedPostgres, template: str) -> Iterator[str]:
    name = f"test_{uuid4().hex}"
    _execute(server, f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    try:
        yield _url(server, name)
    finally:
        _execute(server, f'DROP DATABASE "{name}" WITH (FORCE)')


def _url(server: EmbeddedPostgres, name: str) -> str:
    return urlsplit(server.url)._replace(path=f"/{name}").geturl()


def _execute(server: EmbeddedPostgres, statement: str) -> None:
    async def execute() -> None:
        connection = await asyncpg.connect(_url(server, "postgres"))
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    asyncio.run(execute())
