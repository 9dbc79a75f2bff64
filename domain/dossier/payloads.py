"""What is said about a dossier: the words that an event, the command for it and a fact share.

Fields follow the forms of TT 01/2018/TT-VPCP (Điều 9) and the synchronisation record of the
national portal, so that no later report finds them missing. Moments are aware datetimes; amounts
are đồng.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain.deadlines.law import CalendarUse
from domain.envelope import ProcedureCode, UnitCode
from domain.personal import Personal
from domain.rules.procedures import Channel


class PartyKind(StrEnum):
    CITIZEN = "citizen"
    ENTERPRISE = "enterprise"
    HOUSEHOLD_BUSINESS = "household_business"
    ORGANISATION = "organisation"


class FeeMoment(StrEnum):
    """When a fee is collected (HinhThucThu 1, 2, 4)."""

    INTAKE = "intake"
    SUPPLEMENT = "supplement"
    RETURN = "return"


class PaymentChannel(StrEnum):
    """How it was paid (DuocThanhToanTrucTuyen: portal 1, gateway 2)."""

    AT_DESK = "at_desk"
    POST = "post"
    NATIONAL_PORTAL = "national_portal"
    LOCAL_GATEWAY = "local_gateway"


class ReturnChannel(StrEnum):
    """How a result is handed over (HinhThuc)."""

    DESK = "desk"
    POST = "post"
    ONLINE = "online"


@dataclass(frozen=True, kw_only=True)
class Party:
    """The owner (chủ hồ sơ), the submitter (người nộp) or the recipient of a result."""

    kind: PartyKind | None = None
    name: Personal[str] | None = None
    id_kind: str | None = None
    id_number: Personal[str] | None = None
    phone: Personal[str] | None = None
    email: Personal[str] | None = None
    address: Personal[str] | None = None
    account: Personal[str] | None = None


@dataclass(frozen=True, kw_only=True)
class Attachment:
    id: str
    name: str | None = None
    url: str | None = None


@dataclass(frozen=True, kw_only=True)
class Component:
    """One component of the dossier (thành phần hồ sơ), as counted on form 01."""

    name: str
    code: str | None = None
    originals: int = 0
    certified_copies: int = 0
    photocopies: int = 0
    electronic: bool = False
    digitised: bool = False
    reused: bool = False
    from_national_store: bool = False
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Fee:
    """A fee (phí) or charge (lệ phí), in đồng."""

    amount: int
    code: str | None = None
    name: str | None = None
    kind: str | None = None
    collected_at: FeeMoment = FeeMoment.INTAKE


@dataclass(frozen=True, kw_only=True)
class ResultDocument:
    """A result paper (giấy tờ kết quả): MaKetQua, link, number and day of issue."""

    code: str | None = None
    name: str | None = None
    url: str | None = None
    number: str | None = None
    issued_on: str | None = None
    component_code: str | None = None


@dataclass(frozen=True, kw_only=True)
class Submission:
    """An online submission (Mới đăng ký), before any desk has looked at it."""

    procedure: ProcedureCode
    channel: Channel = Channel.ONLINE
    receiving_unit: UnitCode
    code: str | None = None
    owner: Party | None = None
    submitter: Party | None = None
    components: tuple[Component, ...] = ()
    contents: Personal[str] | None = None
    vneid_authenticated: bool | None = None


@dataclass(frozen=True, kw_only=True)
class Acceptance:
    """What form 01 says. `due` is the day of return as its source stated it.

    `non_boundary`: taken in outside of the competent agency's area (tiếp nhận không phụ thuộc địa
    giới hành chính); where it is not said, the organisation register tells.
    """

    procedure: ProcedureCode
    channel: Channel
    receiving_unit: UnitCode
    competent_unit: UnitCode
    returning_unit: UnitCode | None = None
    code: str | None = None
    owner: Party | None = None
    submitter: Party | None = None
    components: tuple[Component, ...] = ()
    due: datetime | None = None
    contents: Personal[str] | None = None
    sets: int = 1
    fees: tuple[Fee, ...] = ()
    payment_channel: PaymentChannel | None = None
    return_channel: ReturnChannel | None = None
    vneid_authenticated: bool | None = None
    submitted_at: datetime | None = None
    result_at_once: bool = False
    non_boundary: bool | None = None
    portal_code: str | None = None


@dataclass(frozen=True, kw_only=True)
class Resolved:
    """What the ledger adds to an acceptance: the versions of the rules by which its clock runs.

    `awaited` is the agency from whose receipt the clock counts where the dossier was taken in
    elsewhere: until then the printed date is provisional (NĐ 309/2026, Điều 8.3).
    """

    procedure_version: int | None = None
    due_computed: bool = False
    calendar_used: CalendarUse | None = None
    policy_version: int | None = None
    awaited: str | None = None


@dataclass(frozen=True, kw_only=True)
class IntakeRefusal:
    """Form 03 at intake: the reason is obligatory (NĐ 61/2018, Điều 17)."""

    reason: str
    officer: str | None = None


@dataclass(frozen=True, kw_only=True)
class TransferOffer:
    """A hand-over on the control slip (form 05): whose work, until when.

    `deadline` is for the work, and never lies after the due date of the whole; `answer_by` is for
    taking it over.
    """

    to_unit: UnitCode
    from_unit: UnitCode | None = None
    transfer_id: str | None = None
    work: str | None = None
    deadline: datetime | None = None
    answer_by: datetime | None = None
    paper: bool | None = None


@dataclass(frozen=True, kw_only=True)
class TransferAnswer:
    """The receiving side takes it over. `transfer_id` names the offer; absent: the open one."""

    unit: UnitCode | None = None
    transfer_id: str | None = None
    note: str | None = None


@dataclass(frozen=True, kw_only=True)
class TransferRefusal:
    reason: str
    unit: UnitCode | None = None
    transfer_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class TransferTimeout:
    """Nobody answered the offer in time; the dossier stays where it was."""

    transfer_id: str | None = None
    answer_by: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Assignment:
    """The head of an agency names a case officer."""

    officer: str
    unit: UnitCode | None = None
    deadline: datetime | None = None
    note: str | None = None


@dataclass(frozen=True, kw_only=True)
class StepStart:
    step: str
    officer: str | None = None
    position: str | None = None
    unit: UnitCode | None = None
    deadline: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class StepCompletion:
    """A step of the internal process is done (the portal's progress record)."""

    step: str
    officer: str | None = None
    position: str | None = None
    unit: UnitCode | None = None
    result: str | None = None
    started_at: datetime | None = None
    deadline: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class SupplementRequest:
    """Form 02: what is missing and why, who explains it, until when it is awaited."""

    reason: str
    items: tuple[str, ...] = ()
    officer: str | None = None
    officer_phone: str | None = None
    answer_by: datetime | None = None
    request_id: str | None = None
    fees: tuple[Fee, ...] = ()


@dataclass(frozen=True, kw_only=True)
class SupplementCompletion:
    """The desk confirms what came in; `partial`: something is still awaited."""

    items: tuple[str, ...] = ()
    partial: bool = False
    officer: str | None = None
    request_id: str | None = None
    due: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class SupplementExpiry:
    """The applicant did not answer in the time that the rule gives."""

    request_id: str | None = None
    answer_by: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Reappointment:
    """Form 04: apology and new day of return (NĐ 61/2018, Điều 19.9: once only)."""

    new_due: datetime
    reason: str
    delaying_unit: UnitCode | None = None
    signer: str | None = None
    number: str | None = None
    notified_by: str | None = None


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
class Withdrawal:
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class Stop:
    """Form 05 of TT 03/2025: processing stops.

    `expiry` is the event id of the expiry that it follows from, if it does.
    """

    reason: str
    number: str | None = None
    expiry: UUID | None = None


@dataclass(frozen=True, kw_only=True)
class ResolutionRefusal:
    """A written refusal within the term (NĐ 61/2018, Điều 19.8)."""

    reason: str
    documents: tuple[ResultDocument, ...] = ()


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
class IncidentStart:
    """A system does not work (NĐ 301/2026: its time does not count)."""

    system: str
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class IncidentEnd:
    system: str


@dataclass(frozen=True, kw_only=True)
class CompetenceMove:
    """Another unit becomes competent."""

    to_unit: UnitCode
    from_unit: UnitCode | None = None
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class Succession:
    """A unit was merged or abolished while the dossier was there; its successor takes over."""

    predecessor: UnitCode
    successor: UnitCode


@dataclass(frozen=True, kw_only=True)
class Recomputation:
    """The due date is to be computed again by the rules as they are decided now."""

    cause: str | None = None


@dataclass(frozen=True, kw_only=True)
class DateMove:
    """Both dates as they were and as they are, and by which calendars."""

    first_due_before: datetime | None = None
    first_due: datetime | None = None
    due_before: datetime | None = None
    due: datetime | None = None
    calendar_before: CalendarUse
    calendar: CalendarUse


@dataclass(frozen=True, kw_only=True)
class Moved:
    """What the ledger says about a recomputation."""

    moved: DateMove


@dataclass(frozen=True, kw_only=True)
class Correction:
    """An earlier event is void; `replaced_by` names the event that says it right, if any."""

    corrects: UUID
    reason: str
    replaced_by: UUID | None = None
