"""Requests made up from our own description: every answer is one that the description knows."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any, Final, Self

import orjson
import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    allow_header_conformance,
    content_type_conformance,
    missing_required_header,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from api.http.openapi import document
from tests.api.service import BATCH, serving
from tests.looking import LONG, examples

CHECKS: Final = [
    allow_header_conformance,
    content_type_conformance,
    missing_required_header,
    negative_data_rejection,
    not_a_server_error,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
]
bounded = settings(
    max_examples=examples(5, long=300),
    derandomize=not LONG,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def described() -> dict[str, Any]:
    """Return the document; what is in a batch may be anything, since its answer says so by item."""
    said: dict[str, Any] = orjson.loads(orjson.dumps(document()))
    content = said["paths"]["/v1/events"]["post"]["requestBody"]["content"]
    content[BATCH]["schema"]["items"] = {}
    return said


config = schemathesis.Config.from_dict(
    {
        "checks": {
            "not_a_server_error": {"expected-statuses": ["2xx", "4xx", "503"]},
            "negative_data_rejection": {"expected-statuses": ["4xx"]},
            "missing_required_header": {"expected-statuses": ["4xx"]},
        }
    }
)
schema = schemathesis.openapi.from_dict(described(), config=config)


class Served:
    """The application on a socket, in a thread with an event loop of its own."""

    def __init__(self, database_url: str, folder: Path) -> None:
        self._database_url = database_url
        self._folder = folder
        self._server: uvicorn.Server | None = None
        self._thread = Thread(target=lambda: asyncio.run(self._serve()), name="served")
        self.url = ""
        self.tokens: dict[str, str] = {}

    async def _serve(self) -> None:
        async with serving(self._database_url, self._folder) as service:
            app: Any = service.app
            config = uvicorn.Config(app, port=0, lifespan="off", log_level="critical")
            server = uvicorn.Server(config)
            self.tokens = service.tokens
            task = asyncio.create_task(server.serve())
            while not server.started and not task.done():  # noqa: ASYNC110  # it tells in no other way
                await asyncio.sleep(0.01)
            port = server.servers[0].sockets[0].getsockname()[1]
            self.url = f"http://127.0.0.1:{port}"
            self._server = server
            await task

    def __enter__(self) -> Self:
        self._thread.start()
        while self._server is None and self._thread.is_alive():
            self._thread.join(0.05)
        assert self._server is not None
        return self

    def __exit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.should_exit = True
        self._thread.join(30)


@pytest.fixture(scope="module")
def served(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(module_database_url, tmp_path_factory.mktemp("hoso")) as application:
        yield application


FOUND: Final = [each.ok() for each in schema.get_all_operations() if isinstance(each, Ok)]
OPERATIONS: Final = {operation.label: operation for operation in FOUND}
SHARED: Final = ["POST /v1/events", "GET /v1/dossiers", "POST /v1/dossier-searches"]


def hurry(case: Any) -> None:  # noqa: ANN401  # a generic type of many parameters
    """Wait for no position that never comes: a made-up one is mostly far ahead."""
    query = case.query or {}
    if "min_position" in query and str(query.get("wait", 5)) in map(str, range(31)):
        query["wait"] = 0


def ask(served: Served, label: str, who: str) -> None:
    """Send good requests and bad ones, and hold every answer to the description."""
    headers = {"Authorization": f"Bearer {served.tokens[who]}"}
    said = OPERATIONS[label].definition.raw
    asks = said["parameters"] or "requestBody" in said
    modes = schemathesis.GenerationMode if asks else [schemathesis.GenerationMode.POSITIVE]
    for mode in modes:

        @bounded
        @given(case=OPERATIONS[label].as_strategy(generation_mode=mode))
        def sent(case: Any) -> None:  # noqa: ANN401  # a generic type of many parameters
            hurry(case)
            response = case.call(base_url=served.url, headers=headers)
            case.validate_response(response, checks=CHECKS)

        sent()


@pytest.mark.parametrize("label", OPERATIONS)
def test_a_desk_gets_only_documented_answers(served: Served, label: str) -> None:
    ask(served, label, "commune")


@pytest.mark.parametrize("who", ["keeper", "inspector"])
@pytest.mark.parametrize("label", SHARED)
def test_other_roles_get_only_documented_answers(served: Served, label: str, who: str) -> None:
    ask(served, label, who)


def test_examples_of_the_description_get_documented_answers(served: Served) -> None:
    headers = {"Authorization": f"Bearer {served.tokens['commune']}"}
    for operation in OPERATIONS.values():
        for strategy in operation.get_strategies_from_examples():

            @bounded
            @given(case=strategy)
            def sent(case: Any) -> None:  # noqa: ANN401  # a generic type of many parameters
                hurry(case)
                response = case.call(base_url=served.url, headers=headers)
                case.validate_response(response, checks=CHECKS)

            sent()
