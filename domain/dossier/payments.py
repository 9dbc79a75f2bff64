"""Payments: a fee or tax that the work waits for, and the money that came."""

from dataclasses import dataclass
from datetime import datetime

from domain.dossier.chapter import Act, DayMeans, DossierCommand, saying
from domain.dossier.dates.clocks import pause, resume
from domain.dossier.events import DossierEvent
from domain.dossier.parts import PaymentChannel
from domain.dossier.state import Dossier, Financial, PauseKind
from domain.dossier.status import OPEN, Status
from domain.words import Words


@dataclass(frozen=True, kw_only=True)
class Obligation:
    """A fee or tax notice that the applicant must settle before the work goes on."""

    amount: int
    obligation_id: str | None = None
    name: str | None = None
    pay_by: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Payment:
    amount: int
    channel: PaymentChannel
    obligation_id: str | None = None
    receipt: str | None = None


@dataclass(frozen=True, kw_only=True)
class FinancialObligationRequested(Obligation, DossierEvent):
    """Status 6."""

    TOPIC = "dossier.financial-obligation-requested.v1"


@dataclass(frozen=True, kw_only=True)
class PaymentRecorded(Payment, DossierEvent):
    TOPIC = "dossier.payment-recorded.v1"


@dataclass(frozen=True, kw_only=True)
class RequestObligation(Obligation, DossierCommand):
    """Ask for a payment that the work waits for (status 6)."""

    NAME = "request-financial-obligation"


@dataclass(frozen=True, kw_only=True)
class RecordPayment(Payment, DossierCommand):
    """Record a payment; work goes on."""

    NAME = "record-payment"


def _asked(dossier: Dossier, event: FinancialObligationRequested) -> None:
    dossier.financial = Financial.DUE
    if dossier.status is Status.IN_PROCESS:
        dossier.status = Status.OBLIGATION
        pause(dossier, event, PauseKind.PAYMENT)


def _paid(dossier: Dossier, event: PaymentRecorded) -> None:
    dossier.financial = Financial.PAID
    if dossier.status is Status.OBLIGATION:
        resume(dossier, event, PauseKind.PAYMENT)
        dossier.status = Status.IN_PROCESS


CHAPTER = (
    Act(
        event=FinancialObligationRequested,
        command=RequestObligation,
        fits=frozenset({Status.IN_PROCESS, Status.FINISHED, Status.RETURNED}),
        day=DayMeans.OPENING,
        cause=Words("yêu cầu nghĩa vụ tài chính", "payment asked for"),
        effect=_asked,
        decide=saying(FinancialObligationRequested),
        moves_clock=False,
    ),
    Act(
        event=PaymentRecorded,
        command=RecordPayment,
        fits=OPEN | {Status.FINISHED, Status.RETURNED},
        day=DayMeans.OPENING,
        cause=Words("đã nộp tiền", "paid"),
        effect=_paid,
        decide=saying(PaymentRecorded),
        moves_clock=True,
    ),
)
