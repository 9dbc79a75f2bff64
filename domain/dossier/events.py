"""Everything that can happen to a dossier.

The stored names are the storage format: a released one never changes its meaning or shape. To
change one, add `.v2` beside it and an up-caster; see docs/adr/.
"""

from dataclasses import dataclass
from typing import get_args

from domain.dossier import payloads as say
from domain.envelope import LedgerEvent


@dataclass(frozen=True, kw_only=True)
class DossierSubmitted(say.Submission, LedgerEvent):
    """Status 1: submitted online, not yet looked at."""

    TOPIC = "dossier.submitted.v1"


@dataclass(frozen=True, kw_only=True)
class DossierAccepted(say.Acceptance, say.Resolved, LedgerEvent):
    """Status 2: the desk has accepted it; form 01."""

    TOPIC = "dossier.accepted.v1"


@dataclass(frozen=True, kw_only=True)
class IntakeRefused(say.IntakeRefusal, LedgerEvent):
    """Status 3: not accepted; form 03."""

    TOPIC = "dossier.intake-refused.v1"


@dataclass(frozen=True, kw_only=True)
class TransferOffered(say.TransferOffer, LedgerEvent):
    TOPIC = "dossier.transfer-offered.v1"


@dataclass(frozen=True, kw_only=True)
class TransferAccepted(say.TransferAnswer, LedgerEvent):
    TOPIC = "dossier.transfer-accepted.v1"


@dataclass(frozen=True, kw_only=True)
class TransferRefused(say.TransferRefusal, LedgerEvent):
    TOPIC = "dossier.transfer-refused.v1"


@dataclass(frozen=True, kw_only=True)
class TransferTimedOut(say.TransferTimeout, LedgerEvent):
    TOPIC = "dossier.transfer-timed-out.v1"


@dataclass(frozen=True, kw_only=True)
class DossierAssigned(say.Assignment, LedgerEvent):
    TOPIC = "dossier.assigned.v1"


@dataclass(frozen=True, kw_only=True)
class StepStarted(say.StepStart, LedgerEvent):
    TOPIC = "dossier.step-started.v1"


@dataclass(frozen=True, kw_only=True)
class StepCompleted(say.StepCompletion, LedgerEvent):
    TOPIC = "dossier.step-completed.v1"


@dataclass(frozen=True, kw_only=True)
class SupplementRequested(say.SupplementRequest, LedgerEvent):
    """Status 5 (5' before acceptance); form 02."""

    TOPIC = "dossier.supplement-requested.v1"


@dataclass(frozen=True, kw_only=True)
class SupplementCompleted(say.SupplementCompletion, LedgerEvent):
    TOPIC = "dossier.supplement-completed.v1"


@dataclass(frozen=True, kw_only=True)
class SupplementExpired(say.SupplementExpiry, LedgerEvent):
    TOPIC = "dossier.supplement-expired.v1"


@dataclass(frozen=True, kw_only=True)
class ReappointmentIssued(say.Reappointment, LedgerEvent):
    TOPIC = "dossier.reappointment-issued.v1"


@dataclass(frozen=True, kw_only=True)
class DueDateRecomputed(say.Recomputation, say.Moved, LedgerEvent):
    """The calendar was decided late: from now on the clock counts by its newer version."""

    TOPIC = "dossier.due-date-recomputed.v1"


@dataclass(frozen=True, kw_only=True)
class ResultApproved(say.Approval, LedgerEvent):
    TOPIC = "dossier.result-approved.v1"


@dataclass(frozen=True, kw_only=True)
class ResultAtDesk(say.ResultArrival, LedgerEvent):
    """Status 9: the end of processing."""

    TOPIC = "dossier.result-at-desk.v1"


@dataclass(frozen=True, kw_only=True)
class ResultRejected(say.ResultRejection, LedgerEvent):
    """9 → 4: the end it rejects is void for every `as_of`."""

    TOPIC = "dossier.result-rejected.v1"


@dataclass(frozen=True, kw_only=True)
class ResultReturned(say.ResultHandover, LedgerEvent):
    """Status 10."""

    TOPIC = "dossier.result-returned.v1"


@dataclass(frozen=True, kw_only=True)
class DeliveryFailed(say.DeliveryFailure, LedgerEvent):
    """10 → 9."""

    TOPIC = "dossier.delivery-failed.v1"


@dataclass(frozen=True, kw_only=True)
class DossierWithdrawn(say.Withdrawal, LedgerEvent):
    """Status 7."""

    TOPIC = "dossier.withdrawn.v1"


@dataclass(frozen=True, kw_only=True)
class DossierStopped(say.Stop, LedgerEvent):
    """Status 8."""

    TOPIC = "dossier.stopped.v1"


@dataclass(frozen=True, kw_only=True)
class ResolutionRefused(say.ResolutionRefusal, LedgerEvent):
    """Status 8."""

    TOPIC = "dossier.resolution-refused.v1"


@dataclass(frozen=True, kw_only=True)
class FinancialObligationRequested(say.Obligation, LedgerEvent):
    """Status 6."""

    TOPIC = "dossier.financial-obligation-requested.v1"


@dataclass(frozen=True, kw_only=True)
class PaymentRecorded(say.Payment, LedgerEvent):
    TOPIC = "dossier.payment-recorded.v1"


@dataclass(frozen=True, kw_only=True)
class IncidentBegan(say.IncidentStart, LedgerEvent):
    TOPIC = "dossier.incident-began.v1"


@dataclass(frozen=True, kw_only=True)
class IncidentEnded(say.IncidentEnd, LedgerEvent):
    TOPIC = "dossier.incident-ended.v1"


@dataclass(frozen=True, kw_only=True)
class CompetenceTransferred(say.CompetenceMove, LedgerEvent):
    TOPIC = "dossier.competence-transferred.v1"


@dataclass(frozen=True, kw_only=True)
class UnitSucceeded(say.Succession, LedgerEvent):
    TOPIC = "dossier.unit-succeeded.v1"


@dataclass(frozen=True, kw_only=True)
class EventCorrected(say.Correction, LedgerEvent):
    TOPIC = "dossier.event-corrected.v1"


DossierEvent = (
    DossierSubmitted
    | DossierAccepted
    | IntakeRefused
    | TransferOffered
    | TransferAccepted
    | TransferRefused
    | TransferTimedOut
    | DossierAssigned
    | StepStarted
    | StepCompleted
    | SupplementRequested
    | SupplementCompleted
    | SupplementExpired
    | ReappointmentIssued
    | DueDateRecomputed
    | ResultApproved
    | ResultAtDesk
    | ResultRejected
    | ResultReturned
    | DeliveryFailed
    | DossierWithdrawn
    | DossierStopped
    | ResolutionRefused
    | FinancialObligationRequested
    | PaymentRecorded
    | IncidentBegan
    | IncidentEnded
    | CompetenceTransferred
    | UnitSucceeded
    | EventCorrected
)

DOSSIER_EVENTS: tuple[type[DossierEvent], ...] = get_args(DossierEvent)
