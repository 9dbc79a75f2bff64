"""Dossiers and events as they are shown: to HTTP and the terminal alike, as far as allowed."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from api.services import Services
from api.showing import examples
from api.showing.answers import Answer, Count, Moment, PortalStatus
from domain.dossier import state
from domain.dossier.events import DossierEvent
from domain.dossier.history import Entry, full_history
from domain.envelope import LedgerEvent, Recorded, TimePrecision, said
from domain.personal import Personal
from domain.rules.procedures import Channel
from streams.wire.cloudevents import PREFIX

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def plain(value: "DataclassInstance") -> dict[str, object]:
    """Return what a dataclass says as JSON knows it; what is absent is left out."""
    pairs = ((each.name, getattr(value, each.name)) for each in fields(value))
    return {name: _plain(each) for name, each in pairs if each is not None}


def _plain(value: object) -> object:
    if isinstance(value, Personal):
        return str(value.value)
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if is_dataclass(value) and not isinstance(value, type):
        return plain(value)
    return value


def payload_of(event: LedgerEvent) -> dict[str, object]:
    return {name: _plain(value) for name, value in said(event).items() if value is not None}


class Finding(Struct):
    """A step that the state machine does not know: recorded, and said to be irregular."""

    kind: str
    events: list[UUID]
    why: str

    @classmethod
    def of(cls, finding: state.Finding) -> Self:
        return cls(finding.kind, list(finding.events), finding.why)


class DossierItem(Answer, kw_only=True):
    """A dossier in a list. It names no person."""

    id: UUID
    code: str | None
    version: Count
    position: Annotated[Count, Meta(description="Absent in a list.")] | UnsetType = UNSET
    status: PortalStatus | None
    financial: state.Financial
    delivery: state.Delivery
    synchronisation: state.Synchronisation
    procedure: str | None
    procedure_version: int | None
    channel: Channel | None
    receiving_unit: str | None
    competent_unit: str | None
    returning_unit: str | None
    custodian_unit: str | None
    submitted_at: Moment | None
    accepted_at: Moment | None
    printed_due: Moment | None
    first_due: Moment | None
    due: Moment | None
    paused_since: Moment | None
    answer_by: Moment | None
    transfer_answer_by: Moment | None
    pauses: Count
    paused_minutes: Count
    finished_at: Moment | None
    returned_at: Moment | None
    irregularities: list[Finding]

    @classmethod
    def of(cls, dossier: state.Dossier, position: int | UnsetType = UNSET) -> Self:
        return cls(
            id=dossier.id,
            code=dossier.code,
            version=dossier.version,
            position=position,
            status=dossier.status.portal_code if dossier.status is not None else None,
            financial=dossier.financial,
            delivery=dossier.delivery,
            synchronisation=dossier.synchronisation,
            procedure=dossier.procedure,
            procedure_version=dossier.procedure_version,
            channel=dossier.channel,
            receiving_unit=dossier.receiving_unit,
            competent_unit=dossier.competent_unit,
            returning_unit=dossier.returning_unit,
            custodian_unit=dossier.custodian_unit,
            submitted_at=dossier.submitted_at,
            accepted_at=dossier.accepted_at,
            printed_due=dossier.printed_due,
            first_due=dossier.first_due,
            due=dossier.due,
            paused_since=dossier.paused_since,
            answer_by=dossier.answer_by,
            transfer_answer_by=dossier.transfer_answer_by,
            pauses=dossier.pauses,
            paused_minutes=dossier.paused_minutes,
            finished_at=dossier.finished_at,
            returned_at=dossier.returned_at,
            irregularities=list(map(Finding.of, dossier.irregularities)),
        )


class DossierState(DossierItem, kw_only=True):
    """A dossier as of now, folded from its events."""

    EXAMPLE: ClassVar[Mapping[str, object]] = examples.DOSSIER_STATE

    position: Count


class HistoryItem(Struct):
    """An event in its legal place. `leaf` is its hash in the ledger, in hexadecimal."""

    seq: Count
    version: Count
    id: UUID
    type: str
    occurred_at: Moment
    precision: TimePrecision
    recorded_at: Moment
    actor: str | None
    principal: str
    unit: str | None
    source: str
    source_id: str
    legal_basis: str | None
    data: dict[str, Any]
    voided_by: UUID | None
    leaf: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]

    @classmethod
    def of(cls, entry: Entry, event: LedgerEvent) -> Self:
        """Show the entry's `event`, its personal values opened as far as allowed."""
        recorded, meta = entry.recorded, event.meta
        return cls(
            seq=recorded.seq,
            version=recorded.version,
            id=meta.event_id,
            type=PREFIX + event.TOPIC,
            occurred_at=event.occurred_at,
            precision=meta.precision,
            recorded_at=recorded.recorded_at,
            actor=meta.actor,
            principal=meta.principal,
            unit=meta.acting_unit,
            source=meta.source,
            source_id=meta.source_id,
            legal_basis=meta.legal_basis,
            data=payload_of(event),
            voided_by=entry.voided_by,
            leaf=recorded.leaf.hex(),
        )


class History(Answer):
    """The events in legal order, as known at `position`."""

    EXAMPLE: ClassVar[Mapping[str, object]] = examples.HISTORY

    position: Count
    items: list[HistoryItem]


async def history_items(
    services: Services,
    events: Sequence[Recorded[DossierEvent]],
    as_of: datetime | None,
    known_at: int | None,
    *,
    clear: bool,
) -> list[HistoryItem]:
    """Return events in legal order; personal values are opened if `clear`."""
    entries = full_history(events, services.store.rules.units, as_of, known_at)
    opened = await services.open_events([entry.recorded.event for entry in entries], clear=clear)
    return [HistoryItem.of(entry, event) for entry, event in zip(entries, opened, strict=True)]
