"""Dossiers for those who may see them: state, list, search, history, and what may happen next."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath

from api.http.requests import (
    FRESH,
    AnyRequest,
    answer,
    at_least,
    body_of,
    flag,
    instant,
    known,
    number,
    sender_of,
    services_of,
    single,
)
from api.naming import dossier_ref, known_position, stream_named
from api.services import Services
from api.showing.dossiers import dossier_body, history_body
from domain.dossier.chapters import COMMANDS
from domain.dossier.evolve import replay
from domain.dossier.regularity import allowed, refusal
from domain.dossier.state import Dossier
from domain.envelope import UnitCode
from domain.errors import InvalidRequest, NotFound
from domain.ledger.access import Action, Sender
from domain.rules.naming import matching_procedures, matching_units
from projections import dossier_overview as overview
from streams.wire.inputs import reason_of

_MOST = 200
_CURSOR = re.compile(rb"before:(\d{1,18})")


async def seen(
    services: Services, sender: Sender, ref: UUID | str
) -> tuple[Dossier, list[Any], int]:
    """Return a dossier with its events and the position read, or raise NotFound.

    Outside of what the sender may see a dossier does not exist.
    """
    stream = await stream_named(services, ref)
    reading = await services.store.read(stream=stream)
    dossier = replay(stream, reading.events, services.store.rules)
    if not reading.events or not sender.sees(dossier):
        raise NotFound("such dossier")
    return dossier, list(reading.events), reading.position


@get("/v1/dossiers/{dossier:str}")
async def get_dossier(request: AnyRequest, dossier: FromPath[str]) -> Response[bytes]:
    """Return the present state of a dossier, folded from its events."""
    known(request, *FRESH)
    sender = await sender_of(request, Action.READ)
    await at_least(request, views=False)
    found, _, position = await seen(services_of(request), sender, dossier_ref(dossier))
    headers = {"ETag": f'"{found.version}"', "Hoso-Position": str(position)}
    return answer(dossier_body(found, position), headers=headers)


@get("/v1/dossiers/{dossier:str}/history")
async def get_history(request: AnyRequest, dossier: FromPath[str]) -> Response[bytes]:
    """Return every event in legal order; void ones say what voids them."""
    known(request, "as_of", "known_at", *FRESH)
    sender = await sender_of(request, Action.READ)
    as_of = instant(request, "as_of")
    await at_least(request, views=False)
    services = services_of(request)
    _, events, position = await seen(services, sender, dossier_ref(dossier))
    known_at = await known_position(services, single(request, "known_at"))
    body = await history_body(services, events, as_of, known_at, clear=sender.opens_personal_values)
    shown = position if known_at is None else min(known_at, position)
    headers = {"Hoso-Position": str(position)}
    return answer({"position": shown, "items": body}, headers=headers)


@get("/v1/dossiers/{dossier:str}/next")
async def get_next(request: AnyRequest, dossier: FromPath[str]) -> Response[bytes]:
    """Return the commands that the state allows, and why it refuses the others."""
    known(request, *FRESH)
    sender = await sender_of(request, Action.READ)
    await at_least(request, views=False)
    found, _, position = await seen(services_of(request), sender, dossier_ref(dossier))
    refused = [
        {"command": name, "code": why.code, "why": why.why}
        for name, command in COMMANDS.items()
        if (why := refusal(found, command)) is not None
    ]
    body = {"position": position, "allowed": allowed(found), "refused": refused}
    return answer(body, headers={"Hoso-Position": str(position)})


@get("/v1/dossiers")
async def list_dossiers(request: AnyRequest) -> Response[bytes]:
    """List dossiers, newest first. `q` finds codes, procedures, units, with or without accents."""
    known(request, "unit", "status", "procedure", "q", "limit", "cursor", "irregular", *FRESH)
    sender = await sender_of(request, Action.READ)
    services = services_of(request)
    rules = services.store.rules
    text = single(request, "q")
    unit = single(request, "unit")
    status = number(request, "status", 0, 1, 10)
    asked = overview.Filter(
        scope=_scope(services, sender),
        unit=sorted(rules.subtree(UnitCode(unit))) if unit else None,
        status=status or None,
        procedure=single(request, "procedure"),
        irregular=flag(request, "irregular"),
        text=_text(text),
        text_procedures=matching_procedures(rules, text) if text else (),
        text_units=matching_units(rules, text) if text else (),
        before=_cursor(single(request, "cursor")),
        limit=number(request, "limit", 50, 1, _MOST),
    )
    return await _listed(request, asked)


def _scope(services: Services, sender: Sender) -> list[str] | None:
    """Return the units to filter by; None where the sender's subtree is the whole register."""
    whole = services.store.rules.units.keys() <= sender.scope
    return None if whole else sorted(sender.scope)


def _text(text: str | None) -> str | None:
    if text is not None and ("\0" in text or not 0 < len(text) <= 200):  # noqa: PLR2004
        raise InvalidRequest("q must have 1 to 200 characters.")
    return text


async def _listed(request: AnyRequest, asked: overview.Filter) -> Response[bytes]:
    await at_least(request, views=True)
    services = services_of(request)
    position = services.runner.position
    rows = await overview.page(services.pool, asked)
    items = [dossier_body(overview.state_of(row), None) for row in rows]
    more = len(rows) == asked.limit
    cursor = _cursor_text(rows[-1].opened_seq) if more else None
    headers = {"Hoso-Position": str(position)}
    return answer({"items": items, "next": cursor}, headers=headers)


def _cursor(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        found = _CURSOR.fullmatch(urlsafe_b64decode(text.encode()))
    except ValueError:
        found = None
    if found is None:
        raise InvalidRequest("cursor is not one that this service gave.")
    return int(found[1])


def _cursor_text(opened_seq: int) -> str:
    return urlsafe_b64encode(f"before:{opened_seq}".encode()).decode()


class PersonSearch(msgspec.Struct, forbid_unknown_fields=True):
    """Exactly one of the two. It goes in a body, so that it stays out of addresses and logs."""

    id_number: str | None = None
    phone: str | None = None


_searches = msgspec.json.Decoder(PersonSearch)


@post("/v1/dossier-searches", status_code=200)
async def search_dossiers(request: AnyRequest) -> Response[bytes]:
    """Find the dossiers of a person by exact identity number or phone."""
    known(request, *FRESH)
    sender = await sender_of(request, Action.FIND_PERSON)
    try:
        asked = _searches.decode(await body_of(request))
    except msgspec.DecodeError as error:
        raise InvalidRequest(reason_of(error)) from error
    services = services_of(request)
    given = [(k, v) for k, v in (("id_number", asked.id_number), ("phone", asked.phone)) if v]
    if len(given) != 1:
        raise InvalidRequest("Give an id_number or a phone.")
    found = await services.find_person(*given[0])
    scope = _scope(services, sender)
    return await _listed(request, overview.Filter(scope=scope, dossiers=found, limit=_MOST))
