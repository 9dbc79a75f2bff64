"""Due dates: why a dossier's are what they are, and what one would be."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from api.http.dossiers import known_position, seen
from api.http.requests import (
    FRESH,
    AnyRequest,
    answer,
    at_least,
    body_of,
    dossier_ref,
    instant,
    known,
    sender_of,
    services_of,
    single,
)
from api.services import Services
from api.showing.due_dates import Told, due_date_body, preview_body
from domain.dossier.dates.dates import resolved
from domain.dossier.events import DossierAccepted
from domain.dossier.history import History, effective_history, fold, replay
from domain.dossier.payloads import Acceptance
from domain.envelope import Meta, ProcedureCode, Recorded, UnitCode
from domain.errors import InvalidRequest
from domain.ledger.access import Action
from domain.rules.procedures import Channel
from domain.rules.rule_book import RuleBook
from streams.wire.inputs import Shape

_NOBODY: Final = UUID(int=0)


@get("/v1/dossiers/{dossier:str}/due-date")
async def get_due_date(request: AnyRequest, dossier: FromPath[str]) -> Response[bytes]:
    """Return every date of a dossier: by which rules, day by day, and who must do what by when."""
    known(request, "as_of", "known_at", "at", *FRESH)
    sender = await sender_of(request, Action.READ)
    as_of, at = instant(request, "as_of"), instant(request, "at")
    await at_least(request, views=False)
    services = services_of(request)
    found, events, position = await seen(services, sender, dossier_ref(dossier))
    known_at = await known_position(services, single(request, "known_at"))
    told = told_of(
        events,
        await rules_known(services, known_at),
        at=at or as_of or services.now(),
        as_of=as_of,
        known_at=known_at,
    )
    shown = position if known_at is None else min(known_at, position)
    headers = {"ETag": f'"{found.version}"', "Hoso-Position": str(position)}
    return answer(due_date_body(told, shown), headers=headers)


async def rules_known(services: Services, known_at: int | None) -> RuleBook:
    """Return the rules as they were known at a position, or are known now."""
    return services.store.rules if known_at is None else await services.log.rules_at(known_at)


def told_of(
    events: History,
    rules: RuleBook,
    *,
    at: datetime,
    as_of: datetime | None = None,
    known_at: int | None = None,
) -> Told:
    """Return what is explained of a dossier's events, of which there is one at least."""
    dossier = replay(events[0].event.originator_id, events, rules, as_of, known_at)
    history = effective_history(events, as_of, known_at)
    return Told(dossier=dossier, history=history, rules=rules, at=at)


@dataclass(frozen=True, kw_only=True)
class DuePreview:
    """An acceptance that might happen, also in the future.

    The competent unit is the procedure's where it is not said, else the one that asks.
    """

    procedure: ProcedureCode
    received_at: datetime
    channel: Channel
    receiving_unit: UnitCode | None = None
    competent_unit: UnitCode | None = None
    non_boundary: bool | None = None


PREVIEW: Final = Shape(DuePreview, {})


@post("/v1/due-previews", status_code=200)
async def preview_due_date(request: AnyRequest) -> Response[bytes]:
    """Say when a dossier would be due that is received so, and why. Nothing is recorded."""
    known(request, *FRESH)
    sender = await sender_of(request, Action.READ)
    said, _ = PREVIEW.decode(await body_of(request))
    await at_least(request, views=False)
    services = services_of(request)
    reading = await services.store.read()
    told = previewed(DuePreview(**said), services.store.rules, sender.unit)
    body = {"position": reading.position, **preview_body(told)}
    return answer(body, headers={"Hoso-Position": str(reading.position)})


def previewed(said: DuePreview, rules: RuleBook, asking: UnitCode | None) -> Told:
    """Return the dossier that an acceptance would make.

    Raises UnknownProcedure, UnknownUnit, UnitEnded, CalendarLacksYear or CalendarContradicts.
    """
    at = said.received_at
    procedure, _ = rules.procedure(said.procedure, at)
    competent = said.competent_unit or procedure.unit or asking
    if competent is None:
        raise InvalidRequest("competent_unit says which unit decides.")
    acceptance = Acceptance(
        procedure=said.procedure,
        channel=said.channel,
        receiving_unit=said.receiving_unit or competent,
        competent_unit=competent,
        non_boundary=said.non_boundary,
    )
    for unit in (acceptance.receiving_unit, acceptance.competent_unit):
        rules.unit(unit, at)
    basis, due = resolved(acceptance, at, rules)
    accepted = DossierAccepted(
        originator_id=_NOBODY,
        originator_version=1,
        timestamp=at,
        meta=Meta(event_id=_NOBODY, source="", source_id="", principal=""),
        **{**vars(acceptance), "due": due},
        **vars(basis),
    )
    history = [Recorded(seq=0, recorded_at=at, leaf=b"", event=accepted)]
    return Told(dossier=fold(_NOBODY, history, rules), history=history, rules=rules, at=at)
