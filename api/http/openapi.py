"""The OpenAPI 3.1 document: every operation that the application serves, described."""

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Annotated, Any, Final

import orjson

from api.http import schemas
from api.http.declared import Answered, Operation, Parameter, Resource, ref
from api.http.documentation import documents
from api.http.operations import SERVED
from api.http.problems import MEDIA_TYPE, STATUS, Problem
from api.http.queries import QueryParameter
from api.http.replies import File, Media
from api.http.responses import JSON
from api.showing.refusals import TITLES
from domain import errors as why

Json = dict[str, Any]
RESOURCES: Final[tuple[Resource, ...]] = (*SERVED, documents)

_ANYWHERE: Final = ("method-not-allowed", "internal-error")
_ABOUT: Final = "Sổ cái hồ sơ thủ tục hành chính: every action on a dossier, recorded for ever."


def operations() -> Iterator[Operation]:
    """Yield everything that the application serves."""
    for resource in RESOURCES:
        yield from resource


@documents.is_open("/openapi.json")
async def openapi_document() -> Annotated[File, Media((JSON,))]:
    """Return this description.

    It is made from what the service itself runs: OpenAPI 3.1.
    """
    return File(_bytes(), JSON)


@cache
def _bytes() -> bytes:
    return orjson.dumps(document())


def _described(operation: Operation, tag: str) -> Json:
    summary, _, more = operation.text.partition("\n\n")
    described: Json = {
        "operationId": operation.name,
        "tags": [tag],
        "summary": " ".join(summary.split()),
        "description": " ".join(more.split()),
        "parameters": list(_parameters(operation)),
        "responses": {**_answers(operation.answers), **_refusals(operation.problems)},
        "security": [{"bearer": []}] if operation.actions else [],
    }
    if operation.bodies:
        content = {
            body.media: {"schema": body.schema, "example": body.example}
            for body in operation.bodies
        }
        described["requestBody"] = {"required": True, "content": content}
    return described


def _parameters(operation: Operation) -> Iterator[Json]:
    for each in operation.parameters:
        yield _parameter(each)
    if operation.query is not None:
        yield from map(_in_query, operation.query.parameters())


def _parameter(each: Parameter) -> Json:
    return {
        "name": each.name,
        "in": each.where,
        "required": each.required,
        "description": each.description,
        "schema": each.schema,
        "example": each.example,
    }


def _in_query(each: QueryParameter) -> Json:
    return {
        "name": each.name,
        "in": "query",
        "required": False,
        "description": each.description,
        "schema": each.schema,
    }


def _answers(answers: Iterable[Answered]) -> Json:
    by_status: dict[int, list[Answered]] = {}
    for answer in answers:
        by_status.setdefault(answer.status, []).append(answer)
    return {str(status): _answered(found) for status, found in by_status.items()}


def _answered(answers: Iterable[Answered]) -> Json:
    content: Json = {}
    headers: Json = {}
    texts: list[str] = []
    for answer in answers:
        headers |= {
            name: {"schema": schema, "required": True} for name, schema in answer.headers.items()
        }
        if answer.body is None:
            content[answer.media] = {}
            continue
        name = answer.body.__name__
        texts.append(answer.body.__doc__ or "")
        shown = content.setdefault(answer.media, {"schema": ref(name), "examples": {}})
        if shown["examples"]:
            shown["schema"] = {"anyOf": [*map(ref, shown["examples"]), ref(name)]}
        shown["examples"][name] = {"value": answer.body.EXAMPLE}
    return {
        "description": "; ".join(filter(None, texts)) or "The file.",
        "headers": headers,
        "content": content,
    }


def _refusals(problems: Iterable[type[why.DomainError]]) -> Json:
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


def _refusal(codes: list[str]) -> Json:
    return {"allOf": [ref(Problem.__name__), {"properties": {"code": {"enum": codes}}}]}


def _refusal_headers(status: int) -> Json:
    name = {401: "WWW-Authenticate", 429: "Retry-After", 503: "Retry-After"}.get(status)
    return {name: {"schema": {"type": "string"}, "required": True}} if name else {}


def document() -> Json:
    """Return the whole description."""
    paths: dict[str, Json] = {}
    for resource in RESOURCES:
        for each in resource:
            methods = paths.setdefault(each.path, {})
            methods[each.method.lower()] = _described(each, resource.name)
    bodies = {each.body: None for one in operations() for each in one.answers if each.body}
    anywhere = {
        code: {"description": TITLES[code], "content": {MEDIA_TYPE: {"schema": _refusal([code])}}}
        for code in _ANYWHERE
    }
    return {
        "openapi": "3.1.0",
        "info": _info(),
        "servers": [{"url": "/", "description": "The service that gave this description."}],
        "tags": [{"name": each.name, "description": each.about} for each in RESOURCES],
        "paths": paths,
        "components": {
            "schemas": {**schemas.sent(), **schemas.answered([*bodies, Problem])},
            "responses": anywhere,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def _info() -> Json:
    codes = "\n".join(f"| `{code}` | {int(STATUS[code])} | {TITLES[code]} |" for code in STATUS)
    return {
        "title": "Hồ Sơ Ledger",
        "version": "1",
        "description": f"{_ABOUT}\n\n"
        f"Problems (RFC 9457), by `code`:\n\n| code | status | title |\n|---|---|---|\n{codes}",
        "contact": {"name": "Whoever runs this service"},
        "license": {"name": "MIT", "identifier": "MIT"},
    }
