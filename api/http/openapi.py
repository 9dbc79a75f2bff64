"""The OpenAPI 3.1 document, built from the table of operations."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import cache
from typing import Any, Final, get_args

import msgspec
import orjson
from litestar import Response, get

from api.http import answers as say
from api.http.dossiers import PersonSearch
from api.http.due_dates import PREVIEW
from api.http.operations import JSON, REF, TIME, Answer, Operation, ref, served
from api.http.problems import MEDIA_TYPE, STATUS
from api.showing.refusals import TITLES
from domain import errors as why
from domain.dossier.chapters import COMMANDS
from domain.ledger.stored import EVENTS
from streams.wire.cloudevents import PREFIX, CloudEvent
from streams.wire.inputs import command_shape, fact_shape

_ANYWHERE: Final = ("method-not-allowed", "internal-error")


def operations() -> Iterator[Operation]:
    """Yield everything that the application serves."""
    yield from served()
    yield Operation(
        handler=openapi_document,
        path="/openapi.json",
        answers={200: (Answer(),)},
        open=True,
    )


def _described(operation: Operation) -> dict[str, Any]:
    summary = operation.summary or operation.handler.fn.__doc__ or ""
    described: dict[str, Any] = {
        "operationId": operation.name or operation.handler.fn.__name__.replace("_", "-"),
        "summary": " ".join(summary.split()),
        "parameters": list(operation.parameters),
        "responses": {
            **{str(status): _answered(found) for status, found in operation.answers.items()},
            **_refusals(operation.problems),
        },
        "security": [] if operation.open else [{"bearer": []}],
    }
    if operation.bodies:
        content = {
            body.media: {"schema": body.schema, "example": body.example}
            for body in operation.bodies
        }
        described["requestBody"] = {"required": True, "content": content}
    return described


def _answered(answers: Iterable[Answer]) -> dict[str, Any]:
    content: dict[str, Any] = {}
    headers: dict[str, Any] = {}
    for answer in answers:
        headers |= {
            name: {"schema": schema, "required": True} for name, schema in answer.headers.items()
        }
        if answer.body is None:
            content[answer.media] = {}
            continue
        one = ref(answer.body.__name__)
        shown = content.setdefault(answer.media, {"schema": {"anyOf": []}, "examples": {}})
        shown["schema"]["anyOf"].append(one)
        shown["examples"][answer.body.__name__] = {"value": say.ANSWERS[answer.body]}
    text = "; ".join((answer.body.__doc__ or "") for answer in answers if answer.body)
    return {"description": text or "The file.", "headers": headers, "content": content}


def _refusals(problems: Iterable[type[why.DomainError]]) -> dict[str, Any]:
    by_status: dict[int, list[type[why.DomainError]]] = {}
    for problem in problems:
        by_status.setdefault(int(STATUS[problem.code]), []).append(problem)
    return {
        str(status): {
            "description": " ".join(f"`{p.code}`: {p.__doc__}" for p in found),
            "headers": _refusal_headers(status),
            "content": {MEDIA_TYPE: {"schema": _refusal([p.code for p in found])}},
        }
        for status, found in sorted(by_status.items())
    }


def _refusal(codes: list[str]) -> dict[str, Any]:
    return {"allOf": [ref("Problem"), {"properties": {"code": {"enum": codes}}}]}


def _refusal_headers(status: int) -> dict[str, Any]:
    name = {401: "WWW-Authenticate", 429: "Retry-After", 503: "Retry-After"}.get(status)
    return {name: {"schema": {"type": "string"}, "required": True}} if name else {}


def _payloads() -> dict[str, Any]:
    """Return the schemas of all payloads: one call, so that shared parts have one name."""
    shapes = [fact_shape(topic).struct for topic in EVENTS]
    shapes += [command_shape(name).struct for name in COMMANDS]
    shapes.append(PREVIEW.struct)
    inputs = [*shapes, CloudEvent, PersonSearch]
    _, schemas = msgspec.json.schema_components(inputs, ref_template=REF)
    for shape in shapes:
        for each in msgspec.structs.fields(shape):
            if datetime in (each.type, *get_args(each.type)):
                schema = schemas[shape.__name__]["properties"][each.encode_name]
                _moment(schema)
    schemas["PersonSearch"] |= {"minProperties": 1}
    schemas["CloudEvent"]["properties"]["time"] |= TIME
    return schemas


def _moment(schema: dict[str, Any]) -> None:
    for option in schema.get("anyOf", [schema]):
        if option["type"] == "string":
            option["format"] = "date-time"


def _event_schema() -> dict[str, Any]:
    """Say for each type of event which payload it has."""
    types = [
        {
            "title": topic,
            "properties": {"type": {"const": PREFIX + topic}, "data": ref(event.__name__)},
        }
        for topic, event in EVENTS.items()
    ]
    return {"description": CloudEvent.__doc__, "allOf": [ref("CloudEvent"), {"oneOf": types}]}


def document() -> dict[str, Any]:
    """Return the whole description."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations():
        paths.setdefault(operation.path, {})[operation.method] = _described(operation)
    codes = "\n".join(f"| `{code}` | {int(STATUS[code])} | {TITLES[code]} |" for code in STATUS)
    anywhere = {
        code: {"description": TITLES[code], "content": {MEDIA_TYPE: {"schema": _refusal([code])}}}
        for code in _ANYWHERE
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Hồ Sơ Ledger",
            "version": "1",
            "description": "Sổ cái hồ sơ thủ tục hành chính.\n\n"
            f"Problems (RFC 9457), by `code`:\n\n| code | status | title |\n|---|---|---|\n{codes}",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "paths": paths,
        "components": {
            "schemas": {**_payloads(), **say.schemas(REF), "Event": _event_schema()},
            "responses": anywhere,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


@cache
def _bytes() -> bytes:
    return orjson.dumps(document())


@get("/openapi.json", sync_to_thread=False)
def openapi_document() -> Response[bytes]:
    """Return this description."""
    return Response(_bytes(), media_type=JSON)
