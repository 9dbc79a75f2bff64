"""From which status each event is regular (NĐ 61/2018/NĐ-CP, Điều 15-20, as later amended)."""

from collections.abc import Mapping
from uuid import UUID

from domain.dossier import events as ev
from domain.dossier.state import ENDED, OPEN, Dossier, Finding, Offer, Status

_BEFORE = frozenset({None, Status.REGISTERED, Status.INTAKE_SUPPLEMENT})
_WORK = frozenset({Status.ACCEPTED, Status.IN_PROCESS})
_PROCESS = frozenset({Status.IN_PROCESS})
_ANY = frozenset({None, *Status})

FITS: Mapping[type[ev.DossierEvent], frozenset[Status | None]] = {
    ev.DossierSubmitted: frozenset({None}),
    ev.DossierAccepted: _BEFORE,
    ev.IntakeRefused: _BEFORE,
    ev.TransferOffered: _WORK,
    ev.TransferAccepted: _WORK,
    ev.TransferRefused: _WORK,
    ev.TransferTimedOut: _WORK,
    ev.DossierAssigned: _WORK,
    ev.StepStarted: _WORK,
    ev.StepCompleted: _WORK,
    ev.SupplementRequested: frozenset({Status.REGISTERED, *_WORK}),
    ev.SupplementCompleted: frozenset({Status.SUPPLEMENT, Status.INTAKE_SUPPLEMENT}),
    ev.SupplementExpired: frozenset({Status.SUPPLEMENT}),
    ev.ReappointmentIssued: _PROCESS,
    ev.DueDateRecomputed: OPEN,
    ev.ResultApproved: _PROCESS,
    ev.ResultAtDesk: _WORK,  # 2 → 9: resolved at the desk (Điều 17.5).
    # The end that it voids is not in the effective history; a fee asked for after it may be.
    ev.ResultRejected: _WORK | {Status.OBLIGATION},
    ev.ResultReturned: frozenset({Status.FINISHED, Status.STOPPED}),
    ev.DeliveryFailed: frozenset({Status.RETURNED}),
    ev.DossierWithdrawn: OPEN | {Status.REGISTERED, Status.INTAKE_SUPPLEMENT},
    ev.DossierStopped: frozenset({Status.IN_PROCESS, Status.SUPPLEMENT, Status.OBLIGATION}),
    ev.ResolutionRefused: _PROCESS,
    ev.FinancialObligationRequested: _PROCESS | {Status.FINISHED, Status.RETURNED},
    ev.PaymentRecorded: OPEN | {Status.FINISHED, Status.RETURNED},
    ev.IncidentBegan: OPEN,
    ev.IncidentEnded: OPEN,
    ev.CompetenceTransferred: _WORK,
    ev.UnitSucceeded: _ANY - {None},
    ev.EventCorrected: _ANY,
}


def examine(before: Dossier, event: ev.DossierEvent) -> Finding | None:
    """Say how an event does not fit the state that it meets; None if it does."""
    why = _misfit(before, event)
    return None if why is None else Finding(kind=why[0], events=(event.meta.event_id,), why=why[1])


def _misfit(  # noqa: C901, PLR0911  # a table of cases
    before: Dossier, event: ev.DossierEvent
) -> tuple[str, str] | None:
    name = event.TOPIC.split(".")[1]
    match event:
        case ev.DossierAccepted() if before.accepted_at is not None:
            return "second-acceptance", "It was accepted before."
        case ev.DossierAccepted() if before.status in ENDED and _found(before.ended_by, before):
            return None  # The end that came too early carries the finding.
        case ev.SupplementRequested() if (
            before.status is Status.REGISTERED and before.intake_supplements > 0
        ):
            return "second-intake-supplement", "Before acceptance once only (NĐ 61/2018, 15.3)."
        case ev.ReappointmentIssued() if before.reappointed_by is not None:
            return "second-reappointment", "One re-appointment for a dossier (NĐ 61/2018, 19.9)."
        case ev.TransferAccepted() | ev.TransferRefused() | ev.TransferTimedOut() if (
            before.offer is None and before.status in _WORK
        ):
            return "no-open-offer", f"{name}: no transfer waits for an answer."
        case ev.TransferAccepted() | ev.TransferRefused() if (
            before.offer is not None and not answers(before.offer, event)
        ):
            return "other-offer", f"{name}: the open offer is another one."
        case ev.DossierStopped() if _is_overtaken(before, event):
            return "overtaken", "The answer had come before the expiry, and was told later."
        case _ if before.status in FITS[type(event)]:
            return None
        case _ if before.status in ENDED:
            return "after-end", f"{name} came after the end (status {before.status})."
        case _ if before.accepted_at is None and (
            before.status is None or FITS[type(event)].isdisjoint(_BEFORE)
        ):
            return "before-acceptance", f"{name} came before the acceptance."
        case _:
            return "illegal-transition", f"{name} does not follow from status {before.status}."


def _is_overtaken(before: Dossier, stop: ev.DossierStopped) -> bool:
    return stop.expiry is not None and stop.expiry != before.expired_by


def answers(offer: Offer, event: ev.TransferAccepted | ev.TransferRefused) -> bool:
    """Say whether an answer may be one to this offer: it names no other unit and no other id."""
    same_unit = event.unit is None or event.unit == offer.to_unit
    named = event.transfer_id is not None and offer.transfer_id is not None
    return same_unit and (not named or event.transfer_id == offer.transfer_id)


def _found(event: UUID | None, before: Dossier) -> bool:
    return any(event in finding.events for finding in before.findings)
