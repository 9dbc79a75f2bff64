"""The description says what the application does: every route, every refusal, valid examples."""

import re
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import orjson
import pytest

from api.http.openapi import document
from api.http.problems import STATUS
from api.showing.refusals import TITLES
from domain.dossier.chapters import COMMANDS
from domain.ledger.stored import EVENTS
from streams.wire.cloudevents import PREFIX, read_batch, read_envelope
from streams.wire.examples import BATCH, EVENT, EXAMPLES, cloud_event, command_example
from streams.wire.inputs import command_from, command_shape, event_from, fact_shape, schema
from tests.api.service import Service
from tests.valid_openapi import refuse_invalid

DOCUMENT = document()
OPERATIONS = [
    (path, method, operation)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
]


def validator(part: dict[str, Any]) -> jsonschema_rs.Validator:
    """Return the validator of a part of the document, with its references and formats."""
    whole = {**part, "components": DOCUMENT["components"]}
    return jsonschema_rs.Draft202012Validator(whole, validate_formats=True)


def shown() -> Iterator[tuple[str, dict[str, Any], object]]:
    for path, method, operation in OPERATIONS:
        contents = [operation.get("requestBody", {}).get("content", {})]
        contents += [answer.get("content", {}) for answer in operation["responses"].values()]
        for content in contents:
            for media, said in content.items():
                examples = [each["value"] for each in said.get("examples", {}).values()]
                examples += [said["example"]] if "example" in said else []
                for example in examples:
                    yield f"{method} {path} {media}", said["schema"], example
        for parameter in operation["parameters"]:
            if "example" in parameter:
                yield f"{path} {parameter['name']}", parameter["schema"], parameter["example"]


def test_it_is_openapi_3_1() -> None:
    assert DOCUMENT["openapi"] == "3.1.0"
    for schema_of in DOCUMENT["components"]["schemas"].values():
        jsonschema_rs.meta.validate(schema_of)
    names = [operation["operationId"] for _, _, operation in OPERATIONS]
    assert len(names) == len(set(names))
    assert all(operation["summary"] for _, _, operation in OPERATIONS)
    assert all(operation["description"] for _, _, operation in OPERATIONS)


def test_it_is_valid_and_an_invalid_one_is_refused() -> None:
    refuse_invalid(DOCUMENT)
    paths = {**DOCUMENT["paths"], "/health": {"get": {"responses": []}}}
    with pytest.raises(jsonschema_rs.ValidationError):
        refuse_invalid({**DOCUMENT, "paths": paths})


def test_every_operation_has_one_tag_and_every_tag_is_described() -> None:
    tags = {tag["name"]: tag["description"] for tag in DOCUMENT["tags"]}
    assert all(tags.values())
    assert {tuple(operation["tags"]) for _, _, operation in OPERATIONS} == {(tag,) for tag in tags}


def references(part: object) -> Iterator[str]:
    if isinstance(part, dict):
        yield from ([part["$ref"]] if isinstance(part.get("$ref"), str) else [])
        yield from part.get("discriminator", {}).get("mapping", {}).values()
    for each in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from references(each)


def test_every_reference_leads_somewhere() -> None:
    known = {f"#/components/schemas/{name}" for name in DOCUMENT["components"]["schemas"]}
    assert set(references(orjson.loads(orjson.dumps(DOCUMENT)))) <= known


def test_an_event_s_type_says_which_schema_it_has() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    mapping = schemas["Event"]["discriminator"]["mapping"]
    assert mapping.keys() == {PREFIX + topic for topic in EVENTS}
    assert [each["$ref"] for each in schemas["Event"]["oneOf"]] == list(mapping.values())
    for kind, reference in mapping.items():
        own = schemas[reference.rsplit("/", 1)[1]]["allOf"][1]["properties"]
        assert own["type"] == {"const": kind}


def test_every_part_of_a_path_is_described() -> None:
    for path, _, operation in OPERATIONS:
        said = [each["name"] for each in operation["parameters"] if each["in"] == "path"]
        assert sorted(said) == sorted(re.findall(r"\{(\w+)\}", path)), path


async def test_it_describes_the_routes_of_the_application_and_no_others(service: Service) -> None:
    served = set()
    for route in service.app.router.routes:
        for method in getattr(route, "methods", set()) - {"OPTIONS"}:
            path = route.path_format
            names = COMMANDS if "{command}" in path else [""]
            served |= {(path.replace("{command}", name), method.lower()) for name in names}
    assert served == {(path, method) for path, method, _ in OPERATIONS}


def test_every_refusal_is_documented_where_it_may_be_met() -> None:
    met = set()
    for _, _, operation in OPERATIONS:
        for answer in operation["responses"].values():
            said = answer["content"].get("application/problem+json")
            if said:
                met |= set(said["schema"]["allOf"][1]["properties"]["code"]["enum"])
    anywhere = set(DOCUMENT["components"]["responses"])
    assert met | anywhere == set(STATUS) == set(TITLES)
    assert not met & anywhere
    assert all(f"`{code}`" in DOCUMENT["info"]["description"] for code in STATUS)


@pytest.mark.parametrize(("where", "part", "example"), [pytest.param(*s, id=s[0]) for s in shown()])
def test_examples_are_valid(where: str, part: dict[str, Any], example: object) -> None:
    assert not [error.message for error in validator(part).iter_errors(example)], where


def test_every_type_of_event_has_an_example() -> None:
    assert EXAMPLES.keys() == EVENTS.keys()


@pytest.mark.parametrize("topic", EVENTS)
def test_an_example_of_an_event_is_valid_and_is_read(topic: str) -> None:
    example = EXAMPLES[topic]
    jsonschema_rs.validate(schema(fact_shape(topic)), example)
    event_from(topic, orjson.dumps(example))
    jsonschema_rs.validate(
        {"$ref": "#/components/schemas/Event", "components": DOCUMENT["components"]},
        cloud_event(topic),
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_an_example_of_a_command_is_valid_and_is_read(name: str) -> None:
    example = command_example(name)
    jsonschema_rs.validate(schema(command_shape(name)), example)
    command_from(name, orjson.dumps(example))


def test_the_whole_event_and_the_batch_are_read() -> None:
    read_envelope(orjson.dumps(EVENT))
    for item in read_batch(orjson.dumps(BATCH)):
        read_envelope(item)


def test_no_two_types_share_a_name_in_the_document() -> None:
    structs = [fact_shape(topic).struct.__name__ for topic in EVENTS]
    structs += [command_shape(name).struct.__name__ for name in COMMANDS]
    assert len(structs) == len(set(structs))
    assert set(structs) <= set(DOCUMENT["components"]["schemas"])


def test_moments_are_said_to_be_moments() -> None:
    due = DOCUMENT["components"]["schemas"]["DossierAccepted"]["properties"]["due"]
    assert {"type": "string", "format": "date-time"} in due["anyOf"]


async def test_the_document_is_served_to_everybody(service: Service) -> None:
    response = await service.get("/openapi.json", who=None)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.json() == orjson.loads(orjson.dumps(DOCUMENT))
