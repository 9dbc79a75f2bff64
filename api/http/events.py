"""Facts: CloudEvents one by one and in batches. What is well-formed is recorded or known."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from litestar import Response, post

from api.http.problems import problem_body
from api.http.requests import AnyRequest, answer, body_of, known, sender_of, services_of
from api.services import Services
from api.showing.dossiers import plain
from domain.envelope import category
from domain.errors import DomainError, Forbidden, InvalidRequest
from domain.ledger.access import Action, Sender
from domain.ledger.appends import Problem
from domain.ledger.commands import Result
from domain.ledger.registering import Change, Kept
from streams.wire.cloudevents import (
    REGISTERS,
    CloudEvent,
    claimed_id,
    fact_of,
    named,
    notice_of,
    read_batch,
    read_envelope,
    stored_name,
)

SINGLE = ("application/cloudevents+json", "application/json")
BATCH = "application/cloudevents-batch+json"


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
    if body.lstrip().startswith(b"["):
        raise InvalidRequest(f"A batch of events needs the content type {BATCH}.")
    event = read_envelope(body)
    if _is_entry(event):
        return await _keep(services, sender, event)
    result = await services.ledger.record(fact_of(event, sender, services.digest))
    shown = _shown(event, result)
    shown["position"] = result.outcome.position
    shown["irregularities"] = [plain(finding) for finding in result.findings]
    return answer(shown, status=200 if result.repeated else 201)


def _is_entry(event: CloudEvent) -> bool:
    return category(stored_name(event)) in REGISTERS


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
    kept = await _kept(services, sender, event)
    shown = _kept_item(event, kept)
    shown["position"] = kept.outcome.position
    shown["irregularities"] = []
    return answer(shown, status=200 if kept.change is Change.UNCHANGED else 201)


async def _kept(services: Services, sender: Sender, event: CloudEvent) -> Kept:
    sender.must(Action.KEEP_REGISTERS)
    return await services.registers.record(notice_of(event, sender, services.digest))


def _kept_item(event: CloudEvent, kept: Kept) -> dict[str, Any]:
    return {
        "outcome": "duplicate" if kept.change is Change.UNCHANGED else "recorded",
        "id": event.id,
        "dossier": None,
        "seq": kept.outcome.seq,
        "version": kept.outcome.version,
    }


@dataclass(frozen=True, slots=True)
class _Item:
    """An item of a batch in its place; `said` is its envelope, or why it has none."""

    place: int
    raw: bytes
    said: CloudEvent | DomainError

    @property
    def is_entry(self) -> bool:
        return isinstance(self.said, CloudEvent) and _is_entry(self.said)

    @property
    def line(self) -> str:
        """Return what it is about, however a UUID is spelled; what names nothing stands alone."""
        subject = self.said.subject if isinstance(self.said, CloudEvent) else None
        if subject is None:
            return f"place {self.place}"
        try:
            return str(named(subject))
        except InvalidRequest:
            return subject


async def _record_batch(services: Services, sender: Sender, body: bytes) -> Response[bytes]:
    """Record what can be recorded: one bad item spoils no other.

    Items about one subject are recorded in their order, those of different ones at once.
    """
    answers: dict[int, dict[str, Any]] = {}

    async def record(line: Sequence[_Item]) -> None:
        for item in line:
            answers[item.place] = await _record_item(services, sender, item)

    for lines in _in_turn(map(_item, count(), read_batch(body))):
        await asyncio.gather(*map(record, lines))
    position = await services.log.head()
    return answer({"position": position, "items": [answers[place] for place in sorted(answers)]})


def _item(place: int, raw: bytes) -> _Item:
    try:
        return _Item(place, raw, read_envelope(raw))
    except DomainError as refusal:
        return _Item(place, raw, refusal)


def _in_turn(items: Iterable[_Item]) -> Iterator[Sequence[Sequence[_Item]]]:
    """Yield lines that may be recorded at once; what follows a register's entry may rest on it."""
    lines: dict[str, list[_Item]] = {}
    for item in items:
        if item.is_entry:
            yield tuple(lines.values())
            yield ((item,),)
            lines = {}
        else:
            lines.setdefault(item.line, []).append(item)
    yield tuple(lines.values())


async def _record_item(services: Services, sender: Sender, item: _Item) -> dict[str, Any]:
    try:
        if isinstance(item.said, DomainError):
            raise item.said
        if item.is_entry:
            shown = _kept_item(item.said, await _kept(services, sender, item.said))
        else:
            fact = fact_of(item.said, sender, services.digest)
            shown = _shown(item.said, await services.ledger.record(fact, with_findings=False))
    except DomainError as refusal:  # The item's own answer: the others go on.
        return {
            "id": claimed_id(item.raw),
            "outcome": "refused",
            "dossier": None,
            "seq": None,
            "version": None,
            "problem": problem_body(Problem.of(refusal)),
        }
    shown["problem"] = None
    return shown
