"""Facts: CloudEvents one by one and in batches. What is well-formed is recorded or known."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Final, Literal
from uuid import UUID

from msgspec import UNSET, Struct, UnsetType

from api.http.declared import Body, Caller, Resource, ref
from api.http.problems import Problem
from api.http.replies import Created, Reply, Schema
from api.http.responses import JSON
from api.services import Services
from api.showing import examples
from api.showing.answers import Answer, Count
from api.showing.dossiers import Finding
from domain.dossier.state import STRANGER
from domain.errors import DomainError, InvalidRequest, TimeInFuture
from domain.ledger import appends
from domain.ledger.access import Action, Sender
from domain.ledger.recording import Became, Result
from domain.rules.register import is_register
from streams.intake import Told
from streams.wire.cloudevents import (
    MAX_BATCH,
    claimed_id,
    message_of,
    read_batch,
    read_envelope,
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
    """What became of an event.

    Of one that is about a dossier in which its unit has no part nothing else is told: neither
    `dossier` nor `version`, and `stranger` is all that is irregular.
    """

    EXAMPLE: ClassVar[Mapping[str, object]] = examples.RECORDED

    outcome: Literal["recorded", "duplicate"]
    id: str
    seq: Count | None
    dossier: UUID | UnsetType | None = UNSET
    version: Count | UnsetType | None = UNSET
    position: Count
    irregularities: list[Finding | Literal["stranger"]]


class BatchItem(Struct, kw_only=True):
    """What became of one event of a batch, in the order of the batch."""

    id: str | None
    outcome: Literal["recorded", "duplicate", "refused"]
    dossier: UUID | UnsetType | None = UNSET
    seq: Count | None
    position: Count | UnsetType = UNSET
    version: Count | UnsetType | None = UNSET
    irregularities: list[Literal["stranger"]] | UnsetType = UNSET
    problem: Problem | UnsetType | None = UNSET


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
    media = (caller.request.header(b"content-type") or JSON).partition(";")[0].strip().lower()
    services, sender = caller.services, caller.sender
    if media == BATCH:
        return Reply(await _record_batch(services, sender, body))
    if media not in SINGLE:
        raise InvalidRequest(f"Send {SINGLE[0]} or {BATCH}.")
    if body.lstrip().startswith(b"["):
        raise InvalidRequest(f"A batch of events needs the content type {BATCH}.")
    event = read_envelope(body)
    message = message_of(event, sender, services.digest)
    (became,) = await services.intake.take([message], with_findings=True)
    if isinstance(became, DomainError):
        raise became
    foreign = became.is_foreign
    recorded = Recorded(
        outcome=_word(became),
        id=event.id,
        dossier=UNSET if foreign else _dossier(became),
        seq=became.outcome.seq,
        version=UNSET if foreign else became.outcome.version,
        position=became.outcome.position,
        irregularities=[STRANGER] if foreign else list(map(Finding.of, became.findings)),
    )
    return Reply(recorded) if became.repeated else Created(recorded)


def _word(became: Result) -> Literal["recorded", "duplicate"]:
    return "duplicate" if became.repeated else "recorded"


def _dossier(became: Result) -> UUID | None:
    """Return the dossier that it is about; an entry of a register is about none."""
    stream = became.outcome.stream
    return None if stream is None or is_register(stream) else stream


@dataclass(frozen=True, slots=True)
class _Item:
    """An item of a batch: how it calls itself, and what it tells or why it tells nothing."""

    id: str | None
    told: Told


async def _record_batch(services: Services, sender: Sender, body: bytes) -> Batch:
    items = [_item(services, sender, raw) for raw in read_batch(body)]
    became = await services.intake.take([item.told for item in items])
    position = await services.log.head()
    return Batch(position, list(map(_answered, items, became)))


def _item(services: Services, sender: Sender, raw: bytes) -> _Item:
    try:
        event = read_envelope(raw)
    except DomainError as refusal:  # The item's own answer: the others go on.
        return _Item(claimed_id(raw), refusal)
    try:
        return _Item(event.id, message_of(event, sender, services.digest))
    except DomainError as refusal:
        return _Item(event.id, refusal)


def _answered(item: _Item, became: Became) -> BatchItem:
    if isinstance(became, DomainError):
        return BatchItem(
            id=item.id,
            outcome="refused",
            dossier=None,
            seq=None,
            version=None,
            problem=Problem.of(appends.Problem.of(became)),
        )
    if became.is_foreign:
        return BatchItem(
            id=item.id,
            outcome=_word(became),
            seq=became.outcome.seq,
            position=became.outcome.position,
            irregularities=[STRANGER],
        )
    return BatchItem(
        id=item.id,
        outcome=_word(became),
        dossier=_dossier(became),
        seq=became.outcome.seq,
        version=became.outcome.version,
        problem=None,
    )
