"""Facts: CloudEvents one by one and in batches. What is well-formed is recorded or known."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Annotated, ClassVar, Final, Literal
from uuid import UUID

from msgspec import Struct

from api.http.declared import Body, Caller, Resource, ref
from api.http.problems import Problem
from api.http.replies import JSON, Created, Reply, Schema
from api.services import Services
from api.showing import examples
from api.showing.answers import Answer, Count
from api.showing.dossiers import Finding
from domain.dossier import state
from domain.envelope import category
from domain.errors import DomainError, InvalidRequest, TimeInFuture
from domain.ledger import appends
from domain.ledger.access import Action, Sender
from domain.ledger.registering import Change
from streams.wire.cloudevents import (
    MAX_BATCH,
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
from streams.wire.examples import BATCH as BATCH_EXAMPLE
from streams.wire.examples import EVENT

SINGLE: Final = ("application/cloudevents+json", JSON)
BATCH: Final = "application/cloudevents-batch+json"

facts: Final = Resource(
    "Facts",
    "What has happened, as CloudEvents, one by one or in batches: in any order, late, and safely"
    " repeated.",
)


class Recorded(Answer, kw_only=True):
    """What became of an event."""

    EXAMPLE: ClassVar[Mapping[str, object]] = examples.RECORDED

    outcome: Literal["recorded", "duplicate"]
    id: str
    dossier: UUID | None
    seq: Count | None
    version: Count | None
    position: Count
    irregularities: list[Finding]


class BatchItem(Struct, kw_only=True):
    """What became of one event of a batch, in the order of the batch."""

    id: str | None
    outcome: Literal["recorded", "duplicate", "refused"]
    dossier: UUID | None
    seq: Count | None
    version: Count | None
    problem: Problem | None


class Batch(Answer):
    """What became of a batch: one bad item spoils no other."""

    EXAMPLE: ClassVar[Mapping[str, object]] = examples.BATCH

    position: Count
    items: list[BatchItem]


def _body(media: str, schema: Schema, example: object) -> Body:
    return Body(media=media, schema=schema, example=example)


_EVENT: Final = ref("Event")
_EVENTS: Final = {"type": "array", "maxItems": MAX_BATCH, "items": _EVENT}


@facts.writes("/v1/events", Action.SEND_FACTS, Action.KEEP_REGISTERS, problems=(TimeInFuture,))
async def post_events(
    body: Annotated[
        bytes,
        _body(SINGLE[0], _EVENT, EVENT),
        _body(SINGLE[1], _EVENT, EVENT),
        _body(BATCH, _EVENTS, BATCH_EXAMPLE),
    ],
    caller: Caller,
) -> Created[Recorded] | Reply[Recorded] | Reply[Batch]:
    """Record one event, or a batch of at most 1,000. Safe to repeat.

    The same `id` and `source` again is a duplicate; with other content it is refused. What is
    well-formed is recorded, also late and out of order; what does not fit is said to be irregular.
    One bad item of a batch spoils no other. Whoever keeps the registers sends their entries here.
    """
    media = caller.request.headers.get("content-type", JSON).partition(";")[0].strip().lower()
    services, sender = caller.services, caller.sender
    if media == BATCH:
        return Reply(await _record_batch(services, sender, body))
    if media not in SINGLE:
        raise InvalidRequest(f"Send {SINGLE[0]} or {BATCH}.")
    if body.lstrip().startswith(b"["):
        raise InvalidRequest(f"A batch of events needs the content type {BATCH}.")
    event = read_envelope(body)
    became = await _became(services, sender, event, with_findings=True)
    recorded = Recorded(
        outcome=became.word,
        id=event.id,
        dossier=became.dossier,
        seq=became.outcome.seq,
        version=became.outcome.version,
        position=became.outcome.position,
        irregularities=list(map(Finding.of, became.findings)),
    )
    return Reply(recorded) if became.word == "duplicate" else Created(recorded)


@dataclass(frozen=True, slots=True)
class _Became:
    """What became of an event; an entry of a register is about no dossier."""

    outcome: appends.Outcome
    repeated: bool
    dossier: UUID | None = None
    findings: Sequence[state.Finding] = ()

    @property
    def word(self) -> Literal["recorded", "duplicate"]:
        return "duplicate" if self.repeated else "recorded"


async def _became(
    services: Services, sender: Sender, event: CloudEvent, *, with_findings: bool
) -> _Became:
    """Record a fact about a dossier or an entry of a register, each if the sender may."""
    if _is_entry(event):
        sender.must(Action.KEEP_REGISTERS)
        kept = await services.registers.record(notice_of(event, sender, services.digest))
        return _Became(kept.outcome, kept.change is Change.UNCHANGED)
    fact = fact_of(event, sender, services.digest)
    result = await services.ledger.record(fact, with_findings=with_findings)
    return _Became(result.outcome, result.repeated, result.outcome.stream, result.findings)


def _is_entry(event: CloudEvent) -> bool:
    return category(stored_name(event)) in REGISTERS


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


async def _record_batch(services: Services, sender: Sender, body: bytes) -> Batch:
    """Record what can be recorded: one bad item spoils no other.

    Items about one subject are recorded in their order, those of different ones at once.
    """
    answers: dict[int, BatchItem] = {}

    async def record(line: Sequence[_Item]) -> None:
        for item in line:
            answers[item.place] = await _record_item(services, sender, item)

    for lines in _in_turn(map(_item, count(), read_batch(body))):
        await asyncio.gather(*map(record, lines))
    position = await services.log.head()
    return Batch(position, [answers[place] for place in sorted(answers)])


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


async def _record_item(services: Services, sender: Sender, item: _Item) -> BatchItem:
    try:
        if isinstance(item.said, DomainError):
            raise item.said
        became = await _became(services, sender, item.said, with_findings=False)
    except DomainError as refusal:  # The item's own answer: the others go on.
        return BatchItem(
            id=claimed_id(item.raw),
            outcome="refused",
            dossier=None,
            seq=None,
            version=None,
            problem=Problem.of(appends.Problem.of(refusal)),
        )
    return BatchItem(
        id=item.said.id,
        outcome=became.word,
        dossier=became.dossier,
        seq=became.outcome.seq,
        version=became.outcome.version,
        problem=None,
    )
