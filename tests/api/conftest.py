"""One application for each module of tests, on a database of its own; tests make their dossiers."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio

from infra.embedded import EmbeddedPostgres
from tests.api.service import Service, serving


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the tests of a module in the event loop that its application lives in."""
    for item in items:
        if item.path.parent == Path(__file__).parent and "service" in getattr(
            item, "fixturenames", ()
        ):
            item.add_marker(pytest.mark.asyncio(loop_scope="module"), append=False)


def _execute(server: EmbeddedPostgres, statement: str) -> None:
    async def execute() -> None:
        connection = await asyncpg.connect(urlsplit(server.url)._replace(path="/postgres").geturl())
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    asyncio.run(execute())


@pytest.fixture(scope="module")
def module_database_url(postgres_server: EmbeddedPostgres, _migrated: str) -> Iterator[str]:
    name = f"api_{uuid4().hex}"
    _execute(postgres_server, f'CREATE DATABASE "{name}" TEMPLATE "{_migrated}"')
    yield urlsplit(postgres_server.url)._replace(path=f"/{name}").geturl()
    _execute(postgres_server, f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service(
    module_database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Service]:
    """Give the application with its catalogue, its tokens and a running read model."""
    async with serving(module_database_url, tmp_path_factory.mktemp("hoso")) as opened:
        yield opened
