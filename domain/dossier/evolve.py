"""What each event does to the state of a dossier. Total: it happened, so it gives a state."""

import re
from collections.abc import Callable
from copy import copy
from typing import Any, TypeVar

from domain.dossier import events as ev
from domain.dossier.dates import clocks
from domain.dossier.state import (
    ENDED,
    Delivery,
    Dossier,
    Financial,
    Offer,
    PauseKind,
    Status,
)
from domain.dossier.transitions import answers, examine
from domain.envelope import LedgerEvent, UnitCode

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
E = TypeVar("E", bound=LedgerEvent)
_EFFECTS: dict[type[LedgerEvent], Callable[[Dossier, Any], None]] = {}


def evolve(dossier: Dossier, event: ev.DossierEvent) -> Dossier:
    """Return the state after one effective event. Any events in any order give a state."""
    after = copy(dossier)
    apply(after, event)
    return after


def apply(dossier: Dossier, event: ev.DossierEvent) -> None:
    """Do the same to a state that is the caller's own, without copying it."""
    finding = examine(dossier, event)
    if finding is not None:
        dossier.findings = (*dossier.findings, finding)
    dossier.version = max(dossier.version, event.originator_version)
    dossier.last_moment, dossier.last_version = event.timestamp, event.originator_version
    dossier.code = dossier.code or _name_in(event)
    if dossier.accepted_at is None:
        units = (event.meta.acting_unit, *named_units(event))
        dossier.provisional = _with(dossier.provisional, *units)
    _EFFECTS[type(event)](dossier, event)


def remember(dossier: Dossier, void: ev.DossierEvent) -> None:
    """Keep of a void event who held the dossier and what it was called: that did happen."""
    dossier.code = dossier.code or getattr(void, "code", None) or _name_in(void)
    if isinstance(void, ev.DossierAccepted | ev.TransferOffered | ev.TransferAccepted):
        dossier.holders = _with(dossier.holders, *named_units(void))
    dossier.provisional = _with(dossier.provisional, void.meta.acting_unit, *named_units(void))


def _name_in(event: LedgerEvent) -> str | None:
    """Return the code under which a sender named the dossier; a UUID is an alias, no code."""
    name = event.meta.subject_code
    return None if name is None or _UUID.fullmatch(name) else name


def named_units(event: LedgerEvent) -> tuple[UnitCode, ...]:
    """Return the units that an event names, in the order of its fields."""
    values = (getattr(event, name) for name in UNIT_FIELDS[type(event)])
    return tuple(unit for unit in values if unit is not None)


def _unit_fields(event: type[LedgerEvent]) -> tuple[str, ...]:
    fields = event.__dataclass_fields__.items()
    return tuple(name for name, field in fields if field.type in (UnitCode, UnitCode | None))


UNIT_FIELDS: dict[type[LedgerEvent], tuple[str, ...]] = {
    event: _unit_fields(event) for event in ev.DOSSIER_EVENTS
}


def _with(known: tuple[UnitCode, ...], *units: UnitCode | None) -> tuple[UnitCode, ...]:
    new = {unit for unit in units if unit is not None}.difference(known)
    return tuple(sorted({*known, *new})) if new else known


def _effect_of(
    kind: type[E],
) -> Callable[[Callable[[Dossier, E], None]], Callable[[Dossier, E], None]]:
    def register(effect: Callable[[Dossier, E], None]) -> Callable[[Dossier, E], None]:
        _EFFECTS[kind] = effect
        return effect

    return register


def _in_work(dossier: Dossier) -> bool:
    return dossier.status in (Status.ACCEPTED, Status.IN_PROCESS)


def _work(dossier: Dossier) -> None:
    if _in_work(dossier):
        dossier.status = Status.IN_PROCESS


def _end(dossier: Dossier, event: LedgerEvent, status: Status) -> None:
    if dossier.status in ENDED:
        return  # The first end stands.
    dossier.status = status
    dossier.ended_by = event.meta.event_id
    dossier.finished_at = event.timestamp
    dossier.paused_since = None
    dossier.offer = None


@_effect_of(ev.DossierSubmitted)
def _submitted(dossier: Dossier, event: ev.DossierSubmitted) -> None:
    dossier.submitted_at = dossier.submitted_at or event.timestamp
    dossier.code = event.code or dossier.code
    if dossier.status is None and dossier.accepted_at is None:
        dossier.status = Status.REGISTERED
        dossier.procedure = event.procedure
        dossier.channel = event.channel
        dossier.receiving_unit = event.receiving_unit


@_effect_of(ev.DossierAccepted)
def _accepted(dossier: Dossier, event: ev.DossierAccepted) -> None:
    if dossier.accepted_at is not None:
        return  # The first acceptance stands.
    dossier.accepted_at = event.timestamp
    dossier.submitted_at = event.submitted_at or dossier.submitted_at
    dossier.code = event.code or dossier.code
    dossier.procedure, dossier.procedure_version = event.procedure, event.procedure_version
    dossier.channel = event.channel
    dossier.receiving_unit = dossier.custodian_unit = event.receiving_unit
    dossier.competent_unit, dossier.returning_unit = event.competent_unit, event.returning_unit
    dossier.holders = _with(
        dossier.holders, event.receiving_unit, event.competent_unit, event.returning_unit
    )
    dossier.printed_due = dossier.first_due = dossier.due = event.due
    dossier.due_computed = event.due_computed
    clocks.start(dossier, event)
    if dossier.status not in ENDED:
        dossier.status = Status.ACCEPTED


@_effect_of(ev.IntakeRefused)
def _intake_refused(dossier: Dossier, event: ev.IntakeRefused) -> None:
    del event
    if dossier.accepted_at is None and dossier.status not in ENDED:
        dossier.status = Status.NOT_ACCEPTED


@_effect_of(ev.TransferOffered)
def _transfer_offered(dossier: Dossier, event: ev.TransferOffered) -> None:
    if dossier.accepted_at is not None:
        dossier.holders = _with(dossier.holders, event.to_unit)  # To answer, it must see it.
    if _in_work(dossier):
        dossier.offer = Offer(
            to_unit=event.to_unit,
            transfer_id=event.transfer_id,
            at=event.timestamp,
            by=event.meta.event_id,
            answer_by=event.answer_by,
        )
        clocks.hand_over(dossier, event)


@_effect_of(ev.TransferAccepted)
def _transfer_accepted(dossier: Dossier, event: ev.TransferAccepted) -> None:
    if dossier.offer is not None and not answers(dossier.offer, event):
        return
    unit = event.unit or (dossier.offer.to_unit if dossier.offer else None)
    if unit is not None and dossier.accepted_at is not None:
        dossier.custodian_unit = unit
        dossier.holders = _with(dossier.holders, unit)
        clocks.receive(dossier, event, unit)
    dossier.offer = None
    _work(dossier)


@_effect_of(ev.TransferRefused)
def _transfer_refused(dossier: Dossier, event: ev.TransferRefused) -> None:
    if dossier.offer is not None and answers(dossier.offer, event):
        dossier.offer = None


@_effect_of(ev.TransferTimedOut)
def _transfer_timed_out(dossier: Dossier, event: ev.TransferTimedOut) -> None:
    del event
    dossier.offer = None


@_effect_of(ev.DossierAssigned)
def _assigned(dossier: Dossier, event: ev.DossierAssigned) -> None:
    del event
    _work(dossier)


@_effect_of(ev.StepStarted)
def _step_started(dossier: Dossier, event: ev.StepStarted) -> None:
    del event
    _work(dossier)


@_effect_of(ev.StepCompleted)
def _step_completed(dossier: Dossier, event: ev.StepCompleted) -> None:
    del event
    _work(dossier)


@_effect_of(ev.SupplementRequested)
def _supplement_requested(dossier: Dossier, event: ev.SupplementRequested) -> None:
    if dossier.status in ENDED:
        return
    if dossier.accepted_at is None:
        dossier.status = Status.INTAKE_SUPPLEMENT
        dossier.intake_supplements += 1
        return
    dossier.supplements += 1
    dossier.status = Status.SUPPLEMENT
    clocks.resume(dossier, event, PauseKind.PAYMENT)  # What is waited for now is the supplement.
    clocks.pause(dossier, event, PauseKind.SUPPLEMENT, event.answer_by)


@_effect_of(ev.SupplementCompleted)
def _supplement_completed(dossier: Dossier, event: ev.SupplementCompleted) -> None:
    if event.partial:
        return
    if dossier.status is Status.INTAKE_SUPPLEMENT:
        dossier.status = Status.REGISTERED
    elif dossier.status is Status.SUPPLEMENT:
        dossier.status = Status.IN_PROCESS
        clocks.resume(dossier, event, PauseKind.SUPPLEMENT, event.due)


@_effect_of(ev.SupplementExpired)
def _supplement_expired(dossier: Dossier, event: ev.SupplementExpired) -> None:
    if dossier.status is Status.SUPPLEMENT:
        dossier.expired_by = event.meta.event_id


@_effect_of(ev.ReappointmentIssued)
def _reappointed(dossier: Dossier, event: ev.ReappointmentIssued) -> None:
    dossier.reappointed_by = dossier.reappointed_by or event.meta.event_id
    clocks.reappoint(dossier, event)


@_effect_of(ev.DueDateRecomputed)
def _recomputed(dossier: Dossier, event: ev.DueDateRecomputed) -> None:
    clocks.recompute(dossier, event)


@_effect_of(ev.ResultApproved)
def _approved(dossier: Dossier, event: ev.ResultApproved) -> None:
    dossier.approved_at = dossier.approved_at or event.timestamp


@_effect_of(ev.ResultAtDesk)
def _result_at_desk(dossier: Dossier, event: ev.ResultAtDesk) -> None:
    if dossier.result is not None:
        return
    dossier.result = event.meta.event_id
    if dossier.status is Status.RETURNED:
        dossier.ended_by, dossier.finished_at = event.meta.event_id, event.timestamp
        return  # Handed over before it was at the desk: the end is 9, else 10.
    if dossier.status not in ENDED:
        _end(dossier, event, Status.FINISHED)
        dossier.delivery = Delivery.AT_DESK


@_effect_of(ev.ResultRejected)
def _result_rejected(dossier: Dossier, event: ev.ResultRejected) -> None:
    del event
    _work(dossier)


@_effect_of(ev.ResultReturned)
def _result_returned(dossier: Dossier, event: ev.ResultReturned) -> None:
    dossier.returned_at = dossier.returned_at or event.timestamp
    dossier.delivery = Delivery.RETURNED
    if dossier.status is Status.FINISHED:
        dossier.status = Status.RETURNED
    else:
        _end(dossier, event, Status.RETURNED)


@_effect_of(ev.DeliveryFailed)
def _delivery_failed(dossier: Dossier, event: ev.DeliveryFailed) -> None:
    del event
    if dossier.delivery is Delivery.RETURNED:
        dossier.returned_at = None
        dossier.delivery = Delivery.FAILED
    if dossier.status is Status.RETURNED:
        dossier.status = Status.FINISHED


@_effect_of(ev.DossierWithdrawn)
def _withdrawn(dossier: Dossier, event: ev.DossierWithdrawn) -> None:
    _end(dossier, event, Status.WITHDRAWN)


@_effect_of(ev.DossierStopped)
def _stopped(dossier: Dossier, event: ev.DossierStopped) -> None:
    if event.expiry is not None and event.expiry != dossier.expired_by:
        return  # The answer had come in time; it was told after the expiry.
    _end(dossier, event, Status.STOPPED)


@_effect_of(ev.ResolutionRefused)
def _resolution_refused(dossier: Dossier, event: ev.ResolutionRefused) -> None:
    _end(dossier, event, Status.STOPPED)


@_effect_of(ev.FinancialObligationRequested)
def _obligation(dossier: Dossier, event: ev.FinancialObligationRequested) -> None:
    dossier.financial = Financial.DUE
    if dossier.status is Status.IN_PROCESS:
        dossier.status = Status.OBLIGATION
        clocks.pause(dossier, event, PauseKind.PAYMENT)


@_effect_of(ev.PaymentRecorded)
def _paid(dossier: Dossier, event: ev.PaymentRecorded) -> None:
    dossier.financial = Financial.PAID
    if dossier.status is Status.OBLIGATION:
        clocks.resume(dossier, event, PauseKind.PAYMENT)
        dossier.status = Status.IN_PROCESS


@_effect_of(ev.IncidentBegan)
def _incident_began(dossier: Dossier, event: ev.IncidentBegan) -> None:
    dossier.incidents = tuple(sorted({*dossier.incidents, event.system}))
    clocks.pause(dossier, event, PauseKind.INCIDENT, system=event.system)


@_effect_of(ev.IncidentEnded)
def _incident_ended(dossier: Dossier, event: ev.IncidentEnded) -> None:
    dossier.incidents = tuple(system for system in dossier.incidents if system != event.system)
    clocks.resume(dossier, event, PauseKind.INCIDENT, system=event.system)


@_effect_of(ev.CompetenceTransferred)
def _competence(dossier: Dossier, event: ev.CompetenceTransferred) -> None:
    if dossier.accepted_at is not None:
        dossier.competent_unit = event.to_unit
        clocks.await_receipt(dossier, event.to_unit)
        dossier.holders = _with(dossier.holders, event.to_unit)


@_effect_of(ev.UnitSucceeded)
def _unit_succeeded(dossier: Dossier, event: ev.UnitSucceeded) -> None:
    if dossier.accepted_at is not None:
        dossier.holders = _with(dossier.holders, event.successor)
        if dossier.clock is not None and dossier.clock.awaited == clocks.agency_of(
            event.predecessor
        ):
            clocks.await_receipt(dossier, event.successor)
    for role in ("receiving_unit", "competent_unit", "returning_unit", "custodian_unit"):
        if getattr(dossier, role) == event.predecessor:
            setattr(dossier, role, event.successor)


@_effect_of(ev.EventCorrected)
def _corrected(dossier: Dossier, event: ev.EventCorrected) -> None:
    """Its effect is in the effective history: what it corrects is not there."""
    del dossier, event
