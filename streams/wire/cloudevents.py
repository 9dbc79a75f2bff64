"""CloudEvents 1.0, structured JSON: from an envelope to a fact, or to a notice for a register."""

from dataclasses import dataclass
from typing import Annotated, Final, Literal, TypeVar, cast
from uuid import UUID

import msgspec
import orjson

from domain.dossier.events import DossierEvent
from domain.envelope import LedgerEvent, TimePrecision, UnitCode, category
from domain.errors import InvalidRequest
from domain.ledger.access import Sender
from domain.ledger.messages import Entry, Fact, Message
from domain.ledger.sameness import Digest, Identity
from domain.rules import registers
from domain.rules.register import RegisterEvent
from streams.wire.inputs import (
    CODE_OF_REGISTER,
    EMPTY,
    UNREADABLE,
    event_from,
    moment,
    reason_of,
    refuse_doubles,
)

PREFIX = "vn.gov.motcua."
MAX_BATCH = 1_000
CODE = "code:"
REGISTERS: Final = frozenset(each.name for each in registers.REGISTERS if each.sent)
"""The registers whose events come as CloudEvents; tokens and erasures never do."""

E = TypeVar("E", bound=LedgerEvent)
_Name = Annotated[
    str, msgspec.Meta(min_length=1, max_length=500, pattern=r"^[^\x00-\x1f\x7f]+$(?!\n)")
]
_Unit = Annotated[str, msgspec.Meta(pattern=CODE_OF_REGISTER)]


class CloudEvent(msgspec.Struct, kw_only=True):
    """The envelope. Extension attributes that are not named here are accepted and not kept."""

    specversion: Literal["1.0"]
    id: _Name
    source: _Name
    type: _Name
    time: _Name
    subject: _Name | None = None
    data: msgspec.Raw
    datacontenttype: Literal["application/json"] | None = None
    dataschema: str | None = None
    expectedversion: Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)] | None = None
    timeprecision: TimePrecision = TimePrecision.SECOND
    actor: _Name | None = None
    actingunit: _Unit | None = None
    legalbasis: _Name | None = None


_envelopes = msgspec.json.Decoder(CloudEvent)
_batches = msgspec.json.Decoder(list[msgspec.Raw])
_attributes = msgspec.json.Decoder(dict[str, msgspec.Raw])


@dataclass(frozen=True, slots=True)
class Named:
    """The stream that a subject names."""

    dossier: UUID | None
    code: str | None


def read_batch(body: bytes) -> list[bytes]:
    """Return the items of a batch, each still unread. Raises InvalidRequest."""
    try:
        items = _batches.decode(body)
    except UNREADABLE as error:
        raise InvalidRequest(f"A batch is a JSON array of events. {reason_of(error)}") from error
    if len(items) > MAX_BATCH:
        raise InvalidRequest(f"A batch holds at most {MAX_BATCH} events.")
    return [bytes(item) for item in items]


def read_envelope(body: bytes) -> CloudEvent:
    """Return a well-formed envelope, or raise InvalidRequest."""
    if not body.strip():
        raise InvalidRequest(EMPTY)
    try:
        event = _envelopes.decode(body)
        names = _attributes.decode(body)
    except UNREADABLE as error:
        raise InvalidRequest(reason_of(error)) from error
    refuse_doubles(body)
    for name in names:
        if not (name.isascii() and name.isalnum() and name == name.lower()):
            raise InvalidRequest("An attribute's name has only a-z and 0-9 (CloudEvents 1.0).")
    if not event.type.startswith(PREFIX):
        raise InvalidRequest(f"type begins with {PREFIX}")
    return event


def claimed_id(body: bytes) -> str | None:
    """Return the id of an item however broken it is otherwise, to name it in an answer."""
    try:
        value = orjson.loads(body)
    except (orjson.JSONDecodeError, RecursionError):
        return None
    name = value.get("id") if isinstance(value, dict) else None
    return name[:500] if isinstance(name, str) else None


def stored_name(event: CloudEvent) -> str:
    return event.type.removeprefix(PREFIX)


def named(subject: str | None) -> Named:
    """Return what a subject names: the dossier's UUID, or `code:<dossier code>`."""
    text = subject or ""
    if text.startswith(CODE):
        return Named(None, text.removeprefix(CODE))
    try:
        return Named(UUID(text), None)
    except ValueError as error:
        message = "subject must be the dossier's UUID or code:<dossier code>."
        raise InvalidRequest(message) from error


def is_entry(event: CloudEvent) -> bool:
    """Say whether an envelope tells an entry of a register."""
    return category(stored_name(event)) in REGISTERS


def message_of(event: CloudEvent, sender: Sender, digest: Digest) -> Fact | Entry:
    """Return what an envelope tells: a fact about a dossier, or an entry of a register."""
    return (entry_of if is_entry(event) else fact_of)(event, sender, digest)


def fact_of(event: CloudEvent, sender: Sender, digest: Digest) -> Fact:
    """Return the fact about a dossier that an envelope carries. Raises the first refusal."""
    topic = stored_name(event)
    if category(topic) != "dossier":
        raise InvalidRequest("Only the registers' keepers send this type.")
    said = cast("DossierEvent", event_from(topic, bytes(event.data)))
    return _message(event, said, named(event.subject), sender, digest)


def entry_of(event: CloudEvent, sender: Sender, digest: Digest) -> Entry:
    """Return the entry of a register that an envelope carries. Raises the first refusal."""
    topic = stored_name(event)
    if not is_entry(event):
        raise InvalidRequest("No register takes this type.")
    said = cast("RegisterEvent", event_from(topic, bytes(event.data)))
    return _message(event, said, Named(None, None), sender, digest)


def _message(
    event: CloudEvent, said: E, about: Named, sender: Sender, digest: Digest
) -> Message[E]:
    return Message(
        event=said,
        source=event.source,
        source_id=event.id,
        stated=moment(event.time, "time"),
        sender=sender,
        key=Identity(scope=f"source:{event.source}", key=event.id, digest=digest),
        dossier=about.dossier,
        code=about.code,
        precision=event.timeprecision,
        expected=event.expectedversion,
        actor=event.actor,
        acting_unit=UnitCode(event.actingunit) if event.actingunit else None,
        legal_basis=event.legalbasis,
    )
