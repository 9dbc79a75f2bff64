"""What can be asked over HTTP and what is answered: the table behind the OpenAPI document."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from litestar.handlers import HTTPRouteHandler

from api.http import answers as say
from api.http.commands import accept_dossier, get_command, send_command
from api.http.documentation import FILES, START, documentation, documentation_file
from api.http.dossiers import get_dossier, get_history, get_next, list_dossiers, search_dossiers
from api.http.due_answers import PREVIEW_EXAMPLE, DueDate, DuePreviewed
from api.http.due_dates import get_due_date, preview_due_date
from api.http.events import BATCH, SINGLE, post_events
from api.http.health import health, metrics, ready
from api.http.public import look_up
from domain import errors as why
from domain.dossier.chapters import COMMANDS
from domain.dossier.explanation.preview import DuePreview
from domain.dossier.intake import AcceptDossier
from streams.wire.cloudevents import MAX_BATCH
from streams.wire.examples import BATCH as BATCH_EXAMPLE
from streams.wire.examples import DOSSIER_CODE, EVENT, command_example

Json = Mapping[str, Any]
JSON: Final = "application/json"
REF: Final = "#/components/schemas/{name}"

_TEXT: Final[Json] = {"type": "string", "minLength": 1, "maxLength": 200}
_POSITION: Final[Json] = {"type": "integer", "minimum": 0, "maximum": 2**62}
_BOOLEAN: Final[Json] = {"type": "string", "enum": ["true", "false"]}
TIME: Final[Json] = {"type": "string", "format": "date-time"}


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
    _parameter("query", "status", {"type": "integer", "minimum": 1, "maximum": 10}, "Its status."),
    _parameter("query", "procedure", _TEXT, "The code of a procedure."),
    _parameter("query", "q", _TEXT, "Part of a code, a procedure's or unit's name."),
    _parameter("query", "irregular", _BOOLEAN, "Only dossiers with findings."),
    _parameter("query", "limit", {"type": "integer", "minimum": 1, "maximum": 200}, "Default: 50."),
    _parameter("query", "cursor", {"type": "string"}, "`next` of the page before."),
)
_AS_OF: Final = _parameter("query", "as_of", TIME, "What had happened by then.")
_KNOWN_AT: Final = _parameter(
    "query",
    "known_at",
    {"anyOf": [TIME, {"type": "string", "pattern": "^[0-9]{1,18}$"}]},
    "What the ledger knew by then: a time or a position.",
)
_JUDGED_AT: Final = _parameter(
    "query", "at", TIME, "When the clock would resume and duties are judged. Default: now."
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
    why.CalendarContradicts,
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


def ref(name: str) -> dict[str, str]:
    return {"$ref": REF.format(name=name)}


def _answer(body: type[msgspec.Struct], **headers: Json) -> Mapping[int, tuple[Answer, ...]]:
    return {200: (Answer(body=body, headers=headers),)}


def served() -> Iterator[Operation]:
    """Yield everything that the application serves, but for its own description."""
    recorded = Answer(body=say.Recorded)
    batch = {"type": "array", "maxItems": MAX_BATCH, "items": ref("Event")}
    yield Operation(
        handler=post_events,
        path="/v1/events",
        method="post",
        bodies=(
            Body(media=SINGLE[0], schema=ref("Event"), example=EVENT),
            Body(media=SINGLE[1], schema=ref("Event"), example=EVENT),
            Body(media=BATCH, schema=batch, example=BATCH_EXAMPLE),
        ),
        answers={201: (recorded,), 200: (recorded, Answer(body=say.Batch))},
        problems=(*_WRITING, why.TimeInFuture),
    )
    yield from _command_operations()
    yield Operation(
        handler=get_command,
        path="/v1/commands/{key}",
        parameters=(
            _parameter("path", "key", _KEY["schema"], "The Idempotency-Key."),
            *_FRESH,
        ),
        answers=_answer(say.StoredOutcome),
        problems=(*_READING, why.Forbidden, why.NotFound),
    )
    yield Operation(
        handler=list_dossiers,
        path="/v1/dossiers",
        parameters=(*_LIST, *_FRESH),
        answers=_answer(say.DossierList, **_AT),
        problems=_READING,
    )
    search = Body(media=JSON, schema=ref("PersonSearch"), example={"id_number": "044190001234"})
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
    yield from _due_date_operations()
    yield from _open_operations()


def _due_date_operations() -> Iterator[Operation]:
    yield Operation(
        handler=get_due_date,
        path="/v1/dossiers/{dossier}/due-date",
        parameters=(_DOSSIER, _AS_OF, _KNOWN_AT, _JUDGED_AT, *_FRESH),
        answers=_answer(DueDate, **_ETAG, **_AT),
        problems=(*_READING, why.NotFound, why.TimeWithoutOffset),
    )
    preview = Body(media=JSON, schema=ref(DuePreview.__name__), example=PREVIEW_EXAMPLE)
    yield Operation(
        handler=preview_due_date,
        path="/v1/due-previews",
        method="post",
        parameters=_FRESH,
        bodies=(preview,),
        answers=_answer(DuePreviewed, **_AT),
        problems=(
            *_READING,
            why.UnknownProcedure,
            why.UnknownUnit,
            why.UnitEnded,
            why.CalendarLacksYear,
            why.CalendarContradicts,
            why.TimeWithoutOffset,
            why.TooLarge,
        ),
    )


def _command_operations() -> Iterator[Operation]:
    done = {201: (Answer(body=say.Done, headers=_ETAG),)}
    yield Operation(
        handler=accept_dossier,
        path="/v1/dossiers",
        method="post",
        parameters=(_KEY, _DRY_RUN),
        bodies=(_command_body(AcceptDossier.NAME),),
        answers=done,
        problems=(*_WRITING, why.KeyRequired, why.CalendarLacksYear),
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
                why.CalendarLacksYear,
                why.VersionRequired,
                why.IllegalTransition,
                why.NotFound,
            ),
        )


def _command_body(name: str) -> Body:
    return Body(media=JSON, schema=ref(COMMANDS[name].__name__), example=command_example(name))


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
