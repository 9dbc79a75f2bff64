"""Requests to change a dossier, here and now. Imperative, and they may be refused.

A command says what its event will say; its endpoint, its dry run, its place in `next` and its
documentation all come from its type.
"""

from dataclasses import dataclass
from typing import ClassVar, get_args

from domain.dossier import events as ev
from domain.dossier import payloads as say
from domain.dossier.state import Status
from domain.dossier.transitions import FITS


@dataclass(frozen=True, kw_only=True)
class DossierCommand:
    """`NAME` is its word in addresses, `EVENT` what it makes happen, `FROM` where it is allowed."""

    NAME: ClassVar[str]
    EVENT: ClassVar[type[ev.DossierEvent]]
    FROM: ClassVar[frozenset[Status | None]]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "FROM" not in cls.__dict__:
            cls.FROM = FITS[cls.EVENT]


@dataclass(frozen=True, kw_only=True)
class SubmitDossier(say.Submission, DossierCommand):
    """Register an online submission (status 1), before any desk has looked at it."""

    NAME = "submit"
    EVENT = ev.DossierSubmitted


@dataclass(frozen=True, kw_only=True)
class AcceptDossier(say.Acceptance, DossierCommand):
    """Accept a dossier as complete and correct (form 01): the clock starts, the code is issued."""

    NAME = "accept"
    EVENT = ev.DossierAccepted


@dataclass(frozen=True, kw_only=True)
class RefuseIntake(say.IntakeRefusal, DossierCommand):
    """Refuse a dossier at intake, with the reason (form 03)."""

    NAME = "refuse-intake"
    EVENT = ev.IntakeRefused


@dataclass(frozen=True, kw_only=True)
class OfferTransfer(say.TransferOffer, DossierCommand):
    """Offer the dossier to another unit; it stays here until that unit accepts."""

    NAME = "offer-transfer"
    EVENT = ev.TransferOffered


@dataclass(frozen=True, kw_only=True)
class AcceptTransfer(say.TransferAnswer, DossierCommand):
    """Take over a dossier that was offered to one's own unit."""

    NAME = "accept-transfer"
    EVENT = ev.TransferAccepted


@dataclass(frozen=True, kw_only=True)
class RefuseTransfer(say.TransferRefusal, DossierCommand):
    """Refuse an offered dossier, with the reason."""

    NAME = "refuse-transfer"
    EVENT = ev.TransferRefused


@dataclass(frozen=True, kw_only=True)
class TimeOutTransfer(say.TransferTimeout, DossierCommand):
    """Close an offer that nobody answered in time."""

    NAME = "time-out-transfer"
    EVENT = ev.TransferTimedOut


@dataclass(frozen=True, kw_only=True)
class AssignDossier(say.Assignment, DossierCommand):
    """Name the case officer."""

    NAME = "assign"
    EVENT = ev.DossierAssigned


@dataclass(frozen=True, kw_only=True)
class StartStep(say.StepStart, DossierCommand):
    """Begin a step of the internal process."""

    NAME = "start-step"
    EVENT = ev.StepStarted


@dataclass(frozen=True, kw_only=True)
class CompleteStep(say.StepCompletion, DossierCommand):
    """Finish a step of the internal process."""

    NAME = "complete-step"
    EVENT = ev.StepCompleted


@dataclass(frozen=True, kw_only=True)
class RequestSupplement(say.SupplementRequest, DossierCommand):
    """Ask the applicant to complete the dossier (form 02)."""

    NAME = "request-supplement"
    EVENT = ev.SupplementRequested


@dataclass(frozen=True, kw_only=True)
class CompleteSupplement(say.SupplementCompletion, DossierCommand):
    """Confirm that the supplement came in, wholly or in part."""

    NAME = "complete-supplement"
    EVENT = ev.SupplementCompleted


@dataclass(frozen=True, kw_only=True)
class ExpireSupplement(say.SupplementExpiry, DossierCommand):
    """Stop a dossier whose supplement was not answered in time."""

    NAME = "expire-supplement"
    EVENT = ev.SupplementExpired


@dataclass(frozen=True, kw_only=True)
class IssueReappointment(say.Reappointment, DossierCommand):
    """Apologise and set a new day of return (form 04). Once, at the latest the day before."""

    NAME = "issue-reappointment"
    EVENT = ev.ReappointmentIssued


@dataclass(frozen=True, kw_only=True)
class RecomputeDueDate(say.Recomputation, DossierCommand):
    """Compute the due date again by the calendar as it is decided now; never an earlier one."""

    NAME = "recompute-due-date"
    EVENT = ev.DueDateRecomputed


@dataclass(frozen=True, kw_only=True)
class ApproveResult(say.Approval, DossierCommand):
    """Record that the competent authority has signed the result."""

    NAME = "approve-result"
    EVENT = ev.ResultApproved


@dataclass(frozen=True, kw_only=True)
class DeliverResult(say.ResultArrival, DossierCommand):
    """Bring the result to the desk (status 9): the end of processing."""

    NAME = "deliver-result"
    EVENT = ev.ResultAtDesk


@dataclass(frozen=True, kw_only=True)
class RejectResult(say.ResultRejection, DossierCommand):
    """Send a faulty result back: that end never was one."""

    NAME = "reject-result"
    EVENT = ev.ResultRejected
    FROM = frozenset({Status.FINISHED})


@dataclass(frozen=True, kw_only=True)
class ReturnResult(say.ResultHandover, DossierCommand):
    """Hand the result to the applicant (status 10)."""

    NAME = "return-result"
    EVENT = ev.ResultReturned


@dataclass(frozen=True, kw_only=True)
class RecordDeliveryFailure(say.DeliveryFailure, DossierCommand):
    """Record that the result came back undelivered."""

    NAME = "record-delivery-failure"
    EVENT = ev.DeliveryFailed


@dataclass(frozen=True, kw_only=True)
class WithdrawDossier(say.Withdrawal, DossierCommand):
    """Record that the applicant withdraws the dossier (status 7)."""

    NAME = "withdraw"
    EVENT = ev.DossierWithdrawn


@dataclass(frozen=True, kw_only=True)
class StopDossier(say.Stop, DossierCommand):
    """Stop processing (status 8), with the reason."""

    NAME = "stop"
    EVENT = ev.DossierStopped


@dataclass(frozen=True, kw_only=True)
class RefuseResolution(say.ResolutionRefusal, DossierCommand):
    """Refuse the request in writing (status 8)."""

    NAME = "refuse-resolution"
    EVENT = ev.ResolutionRefused


@dataclass(frozen=True, kw_only=True)
class RequestObligation(say.Obligation, DossierCommand):
    """Ask for a payment that the work waits for (status 6)."""

    NAME = "request-financial-obligation"
    EVENT = ev.FinancialObligationRequested


@dataclass(frozen=True, kw_only=True)
class RecordPayment(say.Payment, DossierCommand):
    """Record a payment; work goes on."""

    NAME = "record-payment"
    EVENT = ev.PaymentRecorded


@dataclass(frozen=True, kw_only=True)
class BeginIncident(say.IncidentStart, DossierCommand):
    """Record that a system stopped working."""

    NAME = "begin-incident"
    EVENT = ev.IncidentBegan


@dataclass(frozen=True, kw_only=True)
class EndIncident(say.IncidentEnd, DossierCommand):
    """Record that a system works again."""

    NAME = "end-incident"
    EVENT = ev.IncidentEnded


@dataclass(frozen=True, kw_only=True)
class TransferCompetence(say.CompetenceMove, DossierCommand):
    """Move the competence to another unit."""

    NAME = "transfer-competence"
    EVENT = ev.CompetenceTransferred


@dataclass(frozen=True, kw_only=True)
class SucceedUnit(say.Succession, DossierCommand):
    """Let the successor of a merged unit take over the dossier."""

    NAME = "succeed-unit"
    EVENT = ev.UnitSucceeded


@dataclass(frozen=True, kw_only=True)
class CorrectEvent(say.Correction, DossierCommand):
    """Make an earlier event void. Nothing is edited: the correction is an event itself."""

    NAME = "correct-event"
    EVENT = ev.EventCorrected


Command = (
    SubmitDossier
    | AcceptDossier
    | RefuseIntake
    | OfferTransfer
    | AcceptTransfer
    | RefuseTransfer
    | TimeOutTransfer
    | AssignDossier
    | StartStep
    | CompleteStep
    | RequestSupplement
    | CompleteSupplement
    | ExpireSupplement
    | IssueReappointment
    | RecomputeDueDate
    | ApproveResult
    | DeliverResult
    | RejectResult
    | ReturnResult
    | RecordDeliveryFailure
    | WithdrawDossier
    | StopDossier
    | RefuseResolution
    | RequestObligation
    | RecordPayment
    | BeginIncident
    | EndIncident
    | TransferCompetence
    | SucceedUnit
    | CorrectEvent
)

COMMANDS: dict[str, type[Command]] = {command.NAME: command for command in get_args(Command)}
