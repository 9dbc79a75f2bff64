"""Every command's endpoint, made from its type; and the outcomes stored under their keys."""

from typing import Any
from urllib.parse import unquote
from uuid import UUID

import orjson
from litestar import Response, get, post
from litestar.params import FromPath

from api.http.problems import problem_body, problem_response
from api.http.requests import (
    FRESH,
    AnyRequest,
    answer,
    at_least,
    body_of,
    flag,
    key_of,
    known,
    sender_of,
    services_of,
    version_of,
)
from api.naming import dossier_ref, stream_named
from domain.dossier.chapters import COMMANDS
from domain.dossier.intake import AcceptDossier
from domain.envelope import UnitCode
from domain.errors import InvalidRequest, KeyRequired, NotFound
from domain.ledger.access import Action, Sender
from domain.ledger.appends import Key, Outcome
from domain.ledger.commands import Order
from streams.wire.inputs import command_from


@post("/v1/dossiers", status_code=201)
async def accept_dossier(request: AnyRequest) -> Response[bytes]:
    """Accept a new dossier (form 01). The ledger issues its code unless one is given."""
    return await _carry_out(request, AcceptDossier.NAME, None, 0)


@post("/v1/dossiers/{dossier:str}/{command:str}", status_code=201)
async def send_command(
    request: AnyRequest, dossier: FromPath[str], command: FromPath[str]
) -> Response[bytes]:
    """Send a command to a dossier. Safe to repeat under the same Idempotency-Key."""
    if command not in COMMANDS:
        raise NotFound("such command")
    version = version_of(request)
    return await _carry_out(request, command, dossier_ref(dossier), version)


async def _carry_out(
    request: AnyRequest, name: str, dossier: UUID | str | None, version: int
) -> Response[bytes]:
    known(request, "dry_run")
    dry_run = flag(request, "dry_run")
    sender = await sender_of(request, Action.SEND_COMMANDS)
    key = key_of(request)
    if key is None and not dry_run:
        raise KeyRequired
    services = services_of(request)
    body = await body_of(request)
    command, about = command_from(name, body)
    acting = about["acting_unit"]
    stream = services.new_id() if dossier is None else await stream_named(services, dossier)
    # A new dossier's id is ours and differs each time: it is not what the sender said.
    named = None if dossier is None else str(stream)
    content = orjson.dumps((name, named, orjson.loads(body)), option=orjson.OPT_SORT_KEYS)
    order = Order(
        command=command,
        dossier=stream,
        expected=version,
        sender=sender,
        key=Key(scope=_scope(sender), key=key, digest=services.digest(content)) if key else None,
        actor=about["actor"],
        acting_unit=UnitCode(acting) if acting else None,
        legal_basis=about["legal_basis"],
    )
    result = await services.ledger.execute(order, dry_run=dry_run)
    return _shown(result.outcome)


def _scope(sender: Sender) -> str:
    return sender.principal


def _shown(outcome: Outcome) -> Response[bytes]:
    if outcome.problem is not None:
        return problem_response(outcome.problem)
    return answer(_body(outcome), status=201, headers={"ETag": f'"{outcome.version}"'})


def _body(outcome: Outcome) -> dict[str, Any]:
    return {
        "id": outcome.stream,
        "code": outcome.code,
        "version": outcome.version,
        "seq": outcome.seq,
        "position": outcome.position,
        "due": outcome.due,
    }


@get("/v1/commands/{key:path}")
async def get_command(request: AnyRequest) -> Response[bytes]:
    """Return what became of a command: its stored outcome, for its own sender only."""
    known(request, *FRESH)
    sender = await sender_of(request, Action.SEND_COMMANDS)
    await at_least(request, views=False)
    key = _key_as_sent(request.scope["raw_path"])
    outcome = await services_of(request).outcome_of(_scope(sender), key)
    if outcome is None:
        raise NotFound("outcome under this key")
    problem = problem_body(outcome.problem) if outcome.problem is not None else None
    body = {"outcome": outcome.kind, **_body(outcome), "problem": problem}
    return answer(body)


def _key_as_sent(path: bytes) -> str:
    """Return the key at the end of a path; the framework loses some of its slashes."""
    text = unquote(path.decode("latin-1").removeprefix("/v1/commands/"))
    if not text.isascii() or not text.isprintable():
        raise InvalidRequest("A key has visible characters only.")
    return text
