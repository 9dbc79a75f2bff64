"""The OpenAPI 3.1 document, built from one table of what can be asked and what is answered."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, Final, get_args

import msgspec
import orjson
from litestar import Response, get
from litestar.handlers import HTTPRouteHandler

from api import answers as say
from api.commands import accept_dossier, get_command, send_command
from api.documentation import FILES, START, documentation, documentation_file
from api.dossiers import (
    PersonSearch,
    get_dossier,
    get_history,
    get_next,
    list_dossiers,
    search_dossiers,
)
from api.events import BATCH, SINGLE, post_events
from api.operations import health, metrics, ready
from api.problems import MEDIA_TYPE, STATUS, TITLES
from api.public import look_up
from domain import errors as why
from domain.dossier.commands import COMMANDS, AcceptDossier
from streams.cloudevents import MAX_BATCH, PREFIX, CloudEvent
from streams.examples import BATCH as BATCH_EXAMPLE
from streams.examples import DOSSIER_CODE, EVENT, command_example
from streams.inputs import EVENTS, command_shape, fact_shape

Json = Mapping[str, Any]
JSON: Final = "application/json"
_REF: Final = "#/components/schemas/{name}"
_ANYWHERE: Final = ("method-not-allowed", "internal-error")

_TEXT: Final[Json] = {"type": "string", "minLength": 1, "maxLength": 200}
_POSITION: Final[Json] = {"type": "integer", "minimum": 0, "maximum": 2**62}
_BOOLEAN: Final[Json] = {"type": "string", "enum": ["true", "false"]}
_TIME: Final[Json] = {"type": "string", "format": "date-time"}


def _parameter(where: str, name: str, schema: Json, text: str, example: object = None) -> Json:
    shown = {} if example is None else {"example": example}
    required = where == "path"
    return {
        "name": name,
        "in": where,
        "required": required,
        "description": text,
        "schema": schema,
        **shown,
    }


_DOSSIER: Final = _parameter(
    "path",
    "dossier",
    {"type": "string", "minLength": 1},
    "The dossier's UUID or code.",
    DOSSIER_CODE,
)
_KEY: Final = _parameter(
    "header",
    "Idempotency-Key",
    {"type": "string", "pattern": "^[\\x21-\\x7e]{1,200}$"},
    "Names this request for ever: the same again gets the same answer. Only a dry run needs none.",
    "quay-1-20260302-0001",
)
_IF_MATCH: Final[Json] = {
    **_parameter(
        "header",
        "If-Match",
        {"type": "string", "pattern": '^(W/)?"[0-9]{1,9}"$'},
        "The version that the sender has read, as its ETag gave it.",
        '"1"',
    ),
    "required": True,
}
_DRY_RUN: Final = _parameter("query", "dry_run", _BOOLEAN, "Answer the same, but write nothing.")
_FRESH: Final = (
    _parameter("query", "min_position", _POSITION, "Answer from this position or a later one."),
    _parameter(
        "query",
        "wait",
        {"type": "integer", "minimum": 0, "maximum": 30},
        "Seconds to wait for it; then the answer is `not-yet`.",
    ),
)
_LIST: Final = (
    _parameter("query", "unit", _TEXT, "Dossiers that this unit or one below it has or had."),
    _parameter("query", "status", {"type": "integer", "minimum": 0, "maximum": 10}, "0: any."),
    _parameter("query", "procedure", _TEXT, "The code of a procedure."),
    _parameter("query", "q", _TEXT, "Part of a code, a procedure's or unit's name."),
    _parameter("query", "irregular", _BOOLEAN, "Only dossiers with findings."),
    _parameter("query", "limit", {"type": "integer", "minimum": 1, "maximum": 200}, "Default: 50."),
    _parameter("query", "cursor", {"type": "string"}, "`next` of the page before."),
)
_AS_OF: Final = _parameter("query", "as_of", _TIME, "What had happened by then.")
_KNOWN_AT: Final = _parameter(
    "query",
    "known_at",
    {"anyOf": [_TIME, {"type": "string", "pattern": "^[0-9]{1,18}$"}]},
    "What the ledger knew by then: a time or a position.",
)

_ETAG: Final = {"ETag": {"type": "string", "pattern": '^"[0-9]+"$'}}
_AT: Final = {"Hoso-Position": {"type": "string", "pattern": "^[0-9]+$"}}

_READING = (why.InvalidRequest, why.Unauthorized, why.NotYet, why.Busy)
_WRITING = (
    why.InvalidRequest,
    why.Unauthorized,
    why.Forbidden,
    why.KeyReused,
    why.UnknownProcedure,
    why.UnknownUnit,
    why.UnitEnded,
    why.TimeWithoutOffset,
    why.CodeTaken,
    why.StaleVersion,
    why.TooLarge,
    why.RulesChanged,
    why.Busy,
)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What is answered: the type of the body, or the media type of one without a schema."""

    body: type[msgspec.Struct] | None = None
    media: str = JSON
    headers: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Body:
    media: str
    schema: Json
    example: object


@dataclass(frozen=True, kw_only=True)
class Operation:
    """A row of the table. Its summary is the handler's docstring, or the command's."""

    handler: HTTPRouteHandler
    path: str
    method: str = "get"
    name: str | None = None
    summary: str | None = None
    parameters: tuple[Json, ...] = ()
    bodies: tuple[Body, ...] = ()
    answers: Mapping[int, tuple[Answer, ...]]
    problems: tuple[type[why.DomainError], ...] = ()
    open: bool = False


def _ref(name: str) -> dict[str, str]:
    return {"$ref": _REF.format(name=name)}


def _answer(body: type[msgspec.Struct], **headers: Json) -> Mapping[int, tuple[Answer, ...]]:
    return {200: (Answer(body=body, headers=headers),)}


def operations() -> Iterator[Operation]:
    """Yield everything that the application serves."""
    recorded = Answer(body=say.Recorded)
    batch = {"type": "array", "maxItems": MAX_BATCH, "items": _ref("Event")}
    yield Operation(
        handler=post_events,
        path="/v1/events",
        method="post",
        bodies=(
            Body(media=SINGLE[0], schema=_ref("Event"), example=EVENT),
            Body(media=SINGLE[1], schema=_ref("Event"), example=EVENT),
            Body(media=BATCH, schema=batch, example=BATCH_EXAMPLE),
        ),
        answers={201: (recorded,), 200: (recorded, Answer(body=say.Batch))},
        problems=(*_WRITING, why.TimeInFuture),
    )
    yield from _command_operations()
    yield Operation(
        handler=get_command,
        path="/v1/commands/{key}",
        parameters=(_parameter("path", "key", _KEY["schema"], "The Idempotency-Key."),),
        answers=_answer(say.StoredOutcome),
        problems=(why.InvalidRequest, why.Unauthorized, why.Forbidden, why.NotFound, why.Busy),
    )
    yield Operation(
        handler=list_dossiers,
        path="/v1/dossiers",
        parameters=(*_LIST, *_FRESH),
        answers=_answer(say.DossierList, **_AT),
        problems=_READING,
    )
    search = Body(media=JSON, schema=_ref("PersonSearch"), example={"id_number": "044190001234"})
    yield Operation(
        handler=search_dossiers,
        path="/v1/dossier-searches",
        method="post",
        parameters=_FRESH,
        bodies=(search,),
        answers=_answer(say.DossierList, **_AT),
        problems=(*_READING, why.Forbidden, why.TooLarge),
    )
    yield Operation(
        handler=get_dossier,
        path="/v1/dossiers/{dossier}",
        parameters=(_DOSSIER, *_FRESH),
        answers=_answer(say.DossierState, **_ETAG, **_AT),
        problems=(*_READING, why.NotFound),
    )
    yield Operation(
        handler=get_history,
        path="/v1/dossiers/{dossier}/history",
        parameters=(_DOSSIER, _AS_OF, _KNOWN_AT, *_FRESH),
        answers=_answer(say.History, **_AT),
        problems=(*_READING, why.NotFound, why.TimeWithoutOffset),
    )
    yield Operation(
        handler=get_next,
        path="/v1/dossiers/{dossier}/next",
        parameters=(_DOSSIER, *_FRESH),
        answers=_answer(say.NextSteps, **_AT),
        problems=(*_READING, why.NotFound),
    )
    yield from _open_operations()


def _command_operations() -> Iterator[Operation]:
    done = {201: (Answer(body=say.Done, headers=_ETAG),)}
    yield Operation(
        handler=accept_dossier,
        path="/v1/dossiers",
        method="post",
        parameters=(_KEY, _DRY_RUN),
        bodies=(_command_body(AcceptDossier.NAME),),
        answers=done,
        problems=(*_WRITING, why.KeyRequired),
    )
    for name, command in COMMANDS.items():
        yield Operation(
            handler=send_command,
            path=f"/v1/dossiers/{{dossier}}/{name}",
            method="post",
            name=name,
            summary=command.__doc__,
            parameters=(_DOSSIER, _KEY, _IF_MATCH, _DRY_RUN),
            bodies=(_command_body(name),),
            answers=done,
            problems=(
                *_WRITING,
                why.KeyRequired,
                why.VersionRequired,
                why.IllegalTransition,
                why.NotFound,
            ),
        )


def _command_body(name: str) -> Body:
    return Body(media=JSON, schema=_ref(COMMANDS[name].__name__), example=command_example(name))


def _open_operations() -> Iterator[Operation]:
    yield Operation(
        handler=look_up,
        path="/v1/public/dossiers/{code}",
        parameters=(
            _parameter(
                "path", "code", {"type": "string", "minLength": 1}, "Its code.", DOSSIER_CODE
            ),
            *_FRESH,
        ),
        answers=_answer(say.Completion, **_AT),
        problems=(why.InvalidRequest, why.NotFound, why.TooManyRequests, why.NotYet, why.Busy),
        open=True,
    )
    yield Operation(handler=health, path="/health", answers=_answer(say.Health), open=True)
    yield Operation(
        handler=ready,
        path="/ready",
        answers=_answer(say.Readiness),
        problems=(why.Busy,),
        open=True,
    )
    yield Operation(
        handler=metrics,
        path="/metrics",
        answers={200: (Answer(media="text/plain"),)},
        problems=(why.Forbidden,),
        open=True,
    )
    yield Operation(
        handler=openapi_document,
        path="/openapi.json",
        answers={200: (Answer(),)},
        open=True,
    )
    yield Operation(
        handler=documentation,
        path="/schema",
        answers={200: (Answer(media="text/html"),)},
        open=True,
    )
    yield Operation(
        handler=documentation_file,
        path="/schema/{name}",
        parameters=(_parameter("path", "name", {"enum": list(FILES)}, "A file.", START),),
        answers={200: tuple(map(_media, ("text/javascript", "text/css", "image/png")))},
        problems=(why.NotFound,),
        open=True,
    )


def _media(media: str) -> Answer:
    return Answer(media=media)


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
        one = _ref(answer.body.__name__)
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
    return {"allOf": [_ref("Problem"), {"properties": {"code": {"enum": codes}}}]}


def _refusal_headers(status: int) -> dict[str, Any]:
    name = {401: "WWW-Authenticate", 429: "Retry-After", 503: "Retry-After"}.get(status)
    return {name: {"schema": {"type": "string"}, "required": True}} if name else {}


def _payloads() -> dict[str, Any]:
    """Return the schemas of all payloads: one call, so that shared parts have one name."""
    shapes = [fact_shape(topic).struct for topic in EVENTS]
    shapes += [command_shape(name).struct for name in COMMANDS]
    inputs = [*shapes, CloudEvent, PersonSearch]
    _, schemas = msgspec.json.schema_components(inputs, ref_template=_REF)
    for shape in shapes:
        for each in msgspec.structs.fields(shape):
            if datetime in (each.type, *get_args(each.type)):
                schema = schemas[shape.__name__]["properties"][each.encode_name]
                _moment(schema)
    schemas["PersonSearch"] |= {"minProperties": 1}
    schemas["CloudEvent"]["properties"]["time"] |= _TIME
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
            "properties": {"type": {"const": PREFIX + topic}, "data": _ref(event.__name__)},
        }
        for topic, event in EVENTS.items()
    ]
    return {"description": CloudEvent.__doc__, "allOf": [_ref("CloudEvent"), {"oneOf": types}]}


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
            "schemas": {**_payloads(), **say.schemas(_REF), "Event": _event_schema()},
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
