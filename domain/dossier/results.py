"""Results: signed, brought to the desk, sent back if faulty, handed over, returned undelivered.

NĐ 61/2018/NĐ-CP, Điều 19-20. The end of processing is the result at the desk (status 9).
"""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from domain.dossier.changes import end, go_on
from domain.dossier.chapter import (
    Act,
    Binds,
    DayMeans,
    Decision,
    DossierCommand,
    Rule,
    Situation,
    happens,
    saying,
)
from domain.dossier.events import DossierEvent, VoidingEvent
from domain.dossier.parts import Party, PaymentChannel, ResultDocument, ReturnChannel
from domain.dossier.state import Delivery, Dossier
from domain.dossier.status import ENDED, WORK, Status
from domain.envelope import UnitCode
from domain.words import Words


@dataclass(frozen=True, kw_only=True)
class Approval:
    """The competent authority has signed the result."""

    approver: str | None = None
    documents: tuple[ResultDocument, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ResultArrival:
    """The result is at the desk (Đã xử lý xong): the end of processing."""

    documents: tuple[ResultDocument, ...] = ()
    unit: UnitCode | None = None
    officer: str | None = None


@dataclass(frozen=True, kw_only=True)
class ResultRejection:
    """The desk sends a faulty result back: that end never was one."""

    reason: str
    rejects: UUID | None = None


@dataclass(frozen=True, kw_only=True)
class ResultHandover:
    """The result is in the applicant's hands, with what the nine indices ask about contacts."""

    channel: ReturnChannel = ReturnChannel.DESK
    recipient: Party | None = None
    documents: tuple[ResultDocument, ...] = ()
    parcel_id: str | None = None
    contacts: int | None = None
    agencies_contacted: int | None = None
    payment_channel: PaymentChannel | None = None


@dataclass(frozen=True, kw_only=True)
class DeliveryFailure:
    """The result came back undelivered and is at the desk again."""

    reason: str
    parcel_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class ResultApproved(Approval, DossierEvent):
    TOPIC = "dossier.result-approved.v1"


@dataclass(frozen=True, kw_only=True)
class ResultAtDesk(ResultArrival, DossierEvent):
    """Status 9: the end of processing."""

    TOPIC = "dossier.result-at-desk.v1"


@dataclass(frozen=True, kw_only=True)
class ResultRejected(ResultRejection, VoidingEvent):
    """9 → 4: the end it rejects is void for every `as_of`."""

    TOPIC = "dossier.result-rejected.v1"
    AIMS_AT: ClassVar[type[DossierEvent]] = ResultAtDesk

    @property
    def aims_at(self) -> UUID | None:
        return self.rejects


@dataclass(frozen=True, kw_only=True)
class ResultReturned(ResultHandover, DossierEvent):
    """Status 10."""

    TOPIC = "dossier.result-returned.v1"


@dataclass(frozen=True, kw_only=True)
class DeliveryFailed(DeliveryFailure, DossierEvent):
    """10 → 9."""

    TOPIC = "dossier.delivery-failed.v1"


@dataclass(frozen=True, kw_only=True)
class ApproveResult(Approval, DossierCommand):
    """Record that the competent authority has signed the result."""

    NAME = "approve-result"


@dataclass(frozen=True, kw_only=True)
class DeliverResult(ResultArrival, DossierCommand):
    """Bring the result to the desk (status 9): the end of processing."""

    NAME = "deliver-result"


@dataclass(frozen=True, kw_only=True)
class RejectResult(ResultRejection, DossierCommand):
    """Send a faulty result back: that end never was one."""

    NAME = "reject-result"


@dataclass(frozen=True, kw_only=True)
class ReturnResult(ResultHandover, DossierCommand):
    """Hand the result to the applicant (status 10)."""

    NAME = "return-result"


@dataclass(frozen=True, kw_only=True)
class RecordDeliveryFailure(DeliveryFailure, DossierCommand):
    """Record that the result came back undelivered."""

    NAME = "record-delivery-failure"


STILL_AT_THE_DESK = Rule(
    code="result-handed-over",
    why="its result was handed over before",
    broken=lambda dossier: (
        dossier.status is Status.FINISHED and dossier.delivery is not Delivery.AT_DESK
    ),
    binds=Binds.COMMANDS,
)


def _reject(situation: Situation, command: RejectResult) -> Decision:
    rejects = command.rejects or situation.dossier.result
    return Decision(events=(happens(situation, command, ResultRejected, rejects=rejects),))


def _approved(dossier: Dossier, event: ResultApproved) -> None:
    dossier.approved_at = dossier.approved_at or event.timestamp


def _at_desk(dossier: Dossier, event: ResultAtDesk) -> None:
    if dossier.result is not None:
        return
    dossier.result = event.meta.event_id
    if dossier.status is Status.RETURNED:
        dossier.ended_by, dossier.finished_at = event.meta.event_id, event.timestamp
        return  # Handed over before it was at the desk: the end is 9, else 10.
    if dossier.status not in ENDED:
        end(dossier, event, Status.FINISHED)
        dossier.delivery = Delivery.AT_DESK


def _rejected(dossier: Dossier, event: ResultRejected) -> None:
    del event
    go_on(dossier)


def _returned(dossier: Dossier, event: ResultReturned) -> None:
    dossier.returned_at = dossier.returned_at or event.timestamp
    dossier.delivery = Delivery.RETURNED
    if dossier.status is Status.FINISHED:
        dossier.status = Status.RETURNED
    else:
        end(dossier, event, Status.RETURNED)


def _came_back(dossier: Dossier, event: DeliveryFailed) -> None:
    del event
    if dossier.delivery is Delivery.RETURNED:
        dossier.returned_at = None
        dossier.delivery = Delivery.FAILED
    if dossier.status is Status.RETURNED:
        dossier.status = Status.FINISHED


CHAPTER = (
    Act(
        event=ResultApproved,
        command=ApproveResult,
        fits=frozenset({Status.IN_PROCESS}),
        day=DayMeans.OPENING,
        cause=Words("ký duyệt kết quả", "result approved"),
        effect=_approved,
        decide=saying(ResultApproved),
        moves_clock=False,
    ),
    Act(
        event=ResultAtDesk,
        command=DeliverResult,
        fits=WORK,  # 2 → 9: resolved at the desk (Điều 17.5).
        day=DayMeans.END,
        cause=Words("có kết quả tại bộ phận một cửa", "result at the desk"),
        effect=_at_desk,
        decide=saying(ResultAtDesk),
        moves_clock=False,
    ),
    Act(
        event=ResultRejected,
        command=RejectResult,
        # The end that it voids is not in the effective history; a fee asked for after it may be.
        fits=WORK | {Status.OBLIGATION},
        asked_from=frozenset({Status.FINISHED}),
        day=DayMeans.END,
        cause=Words("trả lại kết quả có sai sót", "faulty result sent back"),
        effect=_rejected,
        decide=_reject,
        moves_clock=False,
        rules=(STILL_AT_THE_DESK,),
    ),
    Act(
        event=ResultReturned,
        command=ReturnResult,
        fits=frozenset({Status.FINISHED, Status.STOPPED}),
        day=DayMeans.END,
        cause=Words("trả kết quả", "result returned"),
        effect=_returned,
        decide=saying(ResultReturned),
        moves_clock=False,
    ),
    Act(
        event=DeliveryFailed,
        command=RecordDeliveryFailure,
        fits=frozenset({Status.RETURNED}),
        day=DayMeans.END,
        cause=Words("không phát được kết quả", "delivery failed"),
        effect=_came_back,
        decide=saying(DeliveryFailed),
        moves_clock=False,
    ),
)
