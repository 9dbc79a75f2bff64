"""Facts: CloudEvents one by one and in batches. What is well-formed is recorded or known."""

import asyncio
from typing import Any, cast

from litestar import Response, post

from api.presenting import plain
from api.problems import problem_body
from api.requests import AnyRequest, answer, body_of, known, sender_of, services_of
from api.services import Services
from domain.access import Action, Sender
from domain.appends import Problem
from domain.envelope import category
from domain.errors import DomainError, Forbidden, InvalidRequest
from domain.ledger import Result
from domain.registering import Change, Keeper
from domain.registers import RegisterEvent
from streams.cloudevents import (
    CloudEvent,
    claimed_id,
    fact_of,
    read_batch,
    read_envelope,
    stored_name,
)
from streams.inputs import event_from

SINGLE = ("application/cloudevents+json", "application/json")
BATCH = "application/cloudevents-batch+json"
_KEPT = frozenset({"unit", "procedure", "calendar", "source"})


@post("/v1/events", status_code=201)
async def post_events(request: AnyRequest) -> Response[bytes]:
    """Record one event, or a batch of at most 1,000. Safe to repeat."""
    known(request)
    media = request.headers.get("content-type", "application/json").partition(";")[0].strip()
    sender = await _sender(request)
    body = await body_of(request)
    services = services_of(request)
    if media.lower() == BATCH:
        return await _record_batch(services, sender, body)
    if media.lower() not in SINGLE:
        raise InvalidRequest(f"Send {SINGLE[0]} or {BATCH}.")
    event = read_envelope(body)
    if category(stored_name(event)) in _KEPT:
        return await _keep(services, sender, event)
    result = await services.ledger.record(fact_of(event, sender, services.digest))
    shown = _shown(event, result)
    shown["position"] = result.outcome.position
    shown["irregularities"] = [plain(finding) for finding in result.findings]
    return answer(shown, status=200 if result.repeated else 201)


async def _sender(request: AnyRequest) -> Sender:
    """Whoever keeps the registers sends their events here too; each item is checked again."""
    try:
        return await sender_of(request, Action.SEND_FACTS)
    except Forbidden:
        return await sender_of(request, Action.KEEP_REGISTERS)


def _shown(event: CloudEvent, result: Result) -> dict[str, Any]:
    outcome = result.outcome
    return {
        "outcome": "duplicate" if result.repeated else "recorded",
        "id": event.id,
        "dossier": outcome.stream,
        "seq": outcome.seq,
        "version": outcome.version,
    }


async def _keep(services: Services, sender: Sender, event: CloudEvent) -> Response[bytes]:
    change = await _kept(services, sender, event)
    status = 200 if change is Change.UNCHANGED else 201
    shown = _kept_item(event, change)
    shown["position"] = await services.log.head()
    shown["irregularities"] = []
    return answer(shown, status=status)


async def _kept(services: Services, sender: Sender, event: CloudEvent) -> Change:
    sender.must(Action.KEEP_REGISTERS)
    entry = cast("RegisterEvent", event_from(stored_name(event), bytes(event.data)))
    keeper = Keeper(principal=sender.principal, source=event.source, actor=event.actor)
    return await services.registers.put(entry, keeper)


def _kept_item(event: CloudEvent, change: Change) -> dict[str, Any]:
    outcome = "duplicate" if change is Change.UNCHANGED else "recorded"
    return {"outcome": outcome, "id": event.id, "dossier": None, "seq": None, "version": None}


async def _record_batch(services: Services, sender: Sender, body: bytes) -> Response[bytes]:
    """Record what can be recorded: one bad item spoils no other."""
    items = await asyncio.gather(
        *(_record_item(services, sender, item) for item in read_batch(body))
    )
    position = await services.log.head()
    return answer({"position": position, "items": items})


async def _record_item(services: Services, sender: Sender, item: bytes) -> dict[str, Any]:
    try:
        event = read_envelope(item)
        if category(stored_name(event)) in _KEPT:
            shown = _kept_item(event, await _kept(services, sender, event))
        else:
            fact = fact_of(event, sender, services.digest)
            shown = _shown(event, await services.ledger.record(fact, with_findings=False))
    except DomainError as refusal:  # The item's own answer: the others go on.
        return {
            "id": claimed_id(item),
            "outcome": "refused",
            "dossier": None,
            "seq": None,
            "version": None,
            "problem": problem_body(Problem.of(refusal)),
        }
    shown["problem"] = None
    return shown
