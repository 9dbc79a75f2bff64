"""What the description shows as an example is accepted on the catalogue that ships with hoso."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import orjson
import pytest
import pytest_asyncio

from api.http.openapi import document
from api.operating.catalogue import load_entries
from streams.registers.catalogue_files import COMMUNE, load_catalogue
from streams.wire.cloudevents import REGISTERS
from streams.wire.examples import EXAMPLES, cloud_event
from tests.api.service import BATCH, Service, decide_later_years, serving

SENT = ("/v1/dossiers", "/v1/events", "/v1/due-previews", "/v1/dossier-searches")
PATHS = document()["paths"]


def examples() -> Iterator[Any]:
    for path in SENT:
        for media, said in PATHS[path]["post"]["requestBody"]["content"].items():
            yield pytest.param(path, media, said["example"], id=f"{path} {media}")


async def _furnish(service: Service) -> None:
    await load_entries(service.process, load_catalogue(COMMUNE))
    await decide_later_years(service)
    await service.grant("desk", "desk", "H44.100")
    await service.grant("keeper", "administrator", "H44")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service(
    module_database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Service]:
    """Give the application with the shipped catalogue and nothing else."""
    async with serving(module_database_url, tmp_path_factory.mktemp("hoso"), _furnish) as opened:
        yield opened


@pytest.mark.parametrize(("path", "media", "example"), list(examples()))
async def test_an_example_of_a_body_is_accepted(
    service: Service, path: str, media: str, example: object
) -> None:
    headers = {"Content-Type": media, "Idempotency-Key": "quay-1-20260302-0001"}
    response = await service.ask("POST", path, content=orjson.dumps(example), headers=headers)
    assert response.status_code in {200, 201}, response.text
    if media == BATCH:
        problems = [item["problem"] for item in response.json()["items"]]
        assert problems == [None] * len(problems)


@pytest.mark.parametrize("topic", [each for each in EXAMPLES if each.split(".")[0] in REGISTERS])
async def test_an_example_of_an_entry_is_accepted(service: Service, topic: str) -> None:
    response = await service.post("/v1/events", cloud_event(topic), who="keeper")
    assert response.status_code in {200, 201}, response.text


async def test_a_dossier_of_the_example_has_the_dates_that_are_shown(service: Service) -> None:
    (said,) = PATHS["/v1/due-previews"]["post"]["requestBody"]["content"].values()
    response = await service.ask("POST", "/v1/due-previews", json=said["example"])
    answers = PATHS["/v1/due-previews"]["post"]["responses"]["200"]["content"]
    (shown,) = answers["application/json"]["examples"].values()
    body = response.json()
    assert body["due"] == shown["value"]["due"]
    for part in ("clock_starts", "term", "policies"):
        assert body["explanation"][part] == shown["value"]["explanation"][part]
    assert (
        body["explanation"]["rules"]["procedure"]
        == shown["value"]["explanation"]["rules"]["procedure"]
    )
