"""What others tell the ledger: facts and entries of registers, each under an identity."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Generic, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from domain.dossier.events import DossierEvent
from domain.envelope import (
    OF_COMMANDS,
    OWN,
    LedgerEvent,
    Meta,
    Pin,
    TimePrecision,
    UnitCode,
    event_id,
    said,
)
from domain.errors import Forbidden
from domain.ledger.access import Sender, scope_of
from domain.ledger.sameness import CLOUD_EVENT, Identity, Said
from domain.ledger.times import occurred_at, offset_minutes
from domain.rules.register import RegisterEvent
from domain.rules.rule_book import RuleBook

E_co = TypeVar("E_co", bound=LedgerEvent, covariant=True)


@dataclass(frozen=True, kw_only=True)
class Message(Generic[E_co]):
    """Something that happened elsewhere, as its source tells it.

    `event` carries what was said; stream, version, moment and meta are filled in later. A fact
    names its dossier: by the stream (`dossier`), by the dossier's code, or by both where the stream
    is an `alias`. `expected` is the version that its sender read.
    """

    event: E_co
    source: str
    source_id: str
    stated: datetime
    sender: Sender
    key: Identity
    dossier: UUID | None = None
    code: str | None = None
    alias: UUID | None = None
    precision: TimePrecision = TimePrecision.SECOND
    expected: int | None = None
    actor: str | None = None
    acting_unit: UnitCode | None = None
    legal_basis: str | None = None

    def moment(self, zone: ZoneInfo) -> datetime:
        """Return the moment in UTC at which it takes its legal place: a day is one of its zone.

        Raises TimeWithoutOffset.
        """
        offset_minutes(self.stated)
        return occurred_at(type(self.event), self.stated, self.precision, zone)

    def said(self, stream: UUID, unit: UnitCode | None, zone: ZoneInfo) -> Said:
        """Return what it is understood to say about a stream. `unit` is for whom it speaks."""
        return Said(
            topic=self.event.TOPIC,
            stream=stream,
            at=self.moment(zone),
            precision=self.precision,
            content=said(self.event),
            actor=self.actor,
            acting_unit=self.acting_unit,
            legal_basis=self.legal_basis,
            unit=unit,
            form=CLOUD_EVENT,
        )

    def meta(self, acting: UnitCode | None, pins: tuple[Pin, ...] = ()) -> Meta:
        """Return what its event says of its sending."""
        return Meta(
            event_id=event_id(self.source, self.source_id),
            source=self.source,
            source_id=self.source_id,
            principal=self.sender.principal,
            actor=self.actor,
            acting_unit=acting,
            legal_basis=self.legal_basis,
            precision=self.precision,
            offset_minutes=offset_minutes(self.stated),
            pins=pins,
            subject_code=self.code if self.alias is None else str(self.alias),
        )


Fact = Message[DossierEvent]
Entry = Message[RegisterEvent]


def as_of_now(sender: Sender, rules: RuleBook) -> Sender:
    """Return the sender with the units it acts for today: the register may just have grown."""
    scope = scope_of(rules, sender.unit)
    return (
        sender if scope is sender.scope or scope == sender.scope else replace(sender, scope=scope)
    )


def refuse_foreign_source(message: Message[LedgerEvent], rules: RuleBook) -> None:
    """Refuse a source's name to all but its own tokens, and any other name to these.

    The names under which the ledger records what it does itself are nobody's; the machine has them
    where it keeps its own registers.
    """
    source, sender = message.source, message.sender
    if not (sender.is_machine and isinstance(message.event, RegisterEvent)):
        _refuse_reserved(source)
    own = sender.source_name
    if own is not None and source != own:
        raise Forbidden(f"This token sends as {own}, not as {source}.")
    if own is None and not sender.is_machine and source in rules.sources:
        raise Forbidden(f"The source {source} has tokens of its own.")


def _refuse_reserved(source: str) -> None:
    if source.startswith(OF_COMMANDS):
        raise Forbidden("A source's name does not begin with token:.")
    if source in OWN:
        raise Forbidden(f"{source} is the ledger itself.")
