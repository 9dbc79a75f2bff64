"""Dossiers and events as they are shown: plain values, personal ones as far as allowed."""

from dataclasses import fields
from datetime import datetime
from typing import Any

from api.services import Services
from domain.dossier.history import Entry, full_history
from domain.dossier.state import Dossier
from domain.envelope import LedgerEvent, said
from domain.personal import Personal
from streams.wire.cloudevents import PREFIX


def plain(value: object) -> Any:  # noqa: ANN401  # JSON
    """Return a value of any declared type as JSON knows it; what is absent is left out."""
    if isinstance(value, Personal):
        return str(value.value)
    if isinstance(value, tuple):
        return [plain(each) for each in value]
    if hasattr(value, "__dataclass_fields__"):
        pairs = ((each.name, getattr(value, each.name)) for each in fields(value))  # type: ignore[arg-type]  # just checked
        return {name: plain(each) for name, each in pairs if each is not None}
    return value


def payload_of(event: LedgerEvent) -> dict[str, Any]:
    return {name: plain(value) for name, value in said(event).items() if value is not None}


def dossier_body(dossier: Dossier, position: int | None) -> dict[str, Any]:
    """Return a dossier as it is shown to whoever may see it. It names no person."""
    body: dict[str, Any] = {
        "id": dossier.id,
        "code": dossier.code,
        "version": dossier.version,
        "position": position,
        "status": dossier.status.portal_code if dossier.status is not None else None,
        "financial": dossier.financial,
        "delivery": dossier.delivery,
        "synchronisation": dossier.synchronisation,
    }
    shown = (
        "procedure procedure_version channel receiving_unit competent_unit returning_unit"
        " custodian_unit submitted_at accepted_at printed_due first_due due paused_since"
        " answer_by transfer_answer_by pauses paused_minutes finished_at returned_at"
    )
    body.update((name, getattr(dossier, name)) for name in shown.split())
    body["irregularities"] = [plain(finding) for finding in dossier.irregularities]
    if position is None:
        del body["position"]
    return body


def history_item(entry: Entry, event: LedgerEvent) -> dict[str, Any]:
    """Return an event in its legal place. `event` is the entry's, its personal values opened."""
    meta = event.meta
    return {
        "seq": entry.recorded.seq,
        "version": entry.recorded.version,
        "id": meta.event_id,
        "type": PREFIX + event.TOPIC,
        "occurred_at": event.occurred_at,
        "precision": meta.precision,
        "recorded_at": entry.recorded.recorded_at,
        "actor": meta.actor,
        "principal": meta.principal,
        "unit": meta.acting_unit,
        "source": meta.source,
        "source_id": meta.source_id,
        "legal_basis": meta.legal_basis,
        "data": payload_of(event),
        "voided_by": entry.voided_by,
        "leaf": entry.recorded.leaf.hex(),
    }


async def history_body(
    services: Services,
    events: list[Any],
    as_of: datetime | None,
    known_at: int | None,
    *,
    clear: bool,
) -> list[dict[str, Any]]:
    entries = full_history(events, as_of, known_at)
    opened = await services.open_events([entry.recorded.event for entry in entries], clear=clear)
    return [history_item(entry, event) for entry, event in zip(entries, opened, strict=True)]
