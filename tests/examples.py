"""Named examples. Every argument has a default, so a test states only what it is about.

The events of one dossier carry their names as ids: `id_of("accepted")` is the id of `accepted()`.
`history` gives them versions, positions and moments an hour apart.
"""

from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta, timezone
from functools import cache
from typing import TypeVar
from uuid import UUID

from domain.deadlines.law import CalendarUse, Term, TermUnit
from domain.dossier.appointments import DueDateRecomputed, ReappointmentIssued
from domain.dossier.chapter import DossierCommand
from domain.dossier.chapters import ACTS
from domain.dossier.competence import CompetenceTransferred, UnitSucceeded
from domain.dossier.corrections import EventCorrected
from domain.dossier.dates.dates import DateMove
from domain.dossier.endings import DossierStopped, DossierWithdrawn, ResolutionRefused
from domain.dossier.events import DossierEvent
from domain.dossier.history import Entry, History, effective_history, full_history
from domain.dossier.incidents import IncidentBegan, IncidentEnded
from domain.dossier.intake import DossierAccepted, DossierSubmitted, IntakeRefused
from domain.dossier.parts import Component, Party, PartyKind, PaymentChannel, ResultDocument
from domain.dossier.payments import FinancialObligationRequested, PaymentRecorded
from domain.dossier.results import (
    DeliveryFailed,
    ResultApproved,
    ResultAtDesk,
    ResultRejected,
    ResultReturned,
)
from domain.dossier.supplements import SupplementCompleted, SupplementExpired, SupplementRequested
from domain.dossier.transfers import (
    TransferAccepted,
    TransferOffered,
    TransferRefused,
    TransferTimedOut,
)
from domain.dossier.work import DossierAssigned, StepCompleted, StepStarted
from domain.envelope import (
    LedgerEvent,
    Meta,
    ProcedureCode,
    Recorded,
    Stamp,
    TimePrecision,
    UnitCode,
    event_id,
)
from domain.ledger.sameness import Identity
from domain.personal import Personal
from domain.rules.calendars import CalendarDecided
from domain.rules.procedures import Channel, ProcedurePublished
from domain.rules.register import RegisterEvent, stream_of
from domain.rules.rule_book import RuleBook
from domain.rules.sources import SourceRegistered
from domain.rules.subjects import SubjectErased
from domain.rules.tokens import Role, TokenGranted, TokenRevoked
from domain.rules.units import UnitEndedByDecision, UnitRegistered

E = TypeVar("E", bound=LedgerEvent)

LEDGER = UUID("1ed6e400-0000-4000-8000-000000000001")
DOSSIER = UUID("d0551e40-0000-4000-8000-000000000001")
LAN = UUID("5ab1ec70-0000-4000-8000-000000000001")
TOKEN = UUID("70ce0000-0000-4000-8000-000000000001")

PROVINCE = UnitCode("H01")
DESK = UnitCode("H01.10")
AGENCY = UnitCode("H01.20")
ENDED = UnitCode("H01.99")
UNKNOWN = UnitCode("H77.1")
PROCEDURE = ProcedureCode("1.000001")
CODE = "H01.10-260302-0001"
SOURCE = "token:examples"

VIETNAM = timezone(timedelta(hours=7))
HOUR = timedelta(hours=1)
MORNING = datetime(2026, 3, 2, 9, 15, tzinfo=VIETNAM).astimezone(UTC)  # A Monday.
DUE = datetime(2026, 3, 9, 9, 15, tzinfo=VIETNAM).astimezone(UTC)  # Five working days later.
LATER_DUE = datetime(2026, 3, 16, 17, 0, tzinfo=VIETNAM).astimezone(UTC)
YEARS_AGO = datetime(2020, 1, 1, tzinfo=VIETNAM).astimezone(UTC)


def id_of(named: str) -> UUID:
    return event_id(SOURCE, named)


def meta(
    named: str = "example",
    *,
    precision: TimePrecision = TimePrecision.SECOND,
    acting_unit: UnitCode | None = DESK,
    subject_code: str | None = None,
) -> Meta:
    return Meta(
        event_id=id_of(named),
        source=SOURCE,
        source_id=named,
        principal="token:examples",
        actor="Nguyễn Văn An",
        acting_unit=acting_unit,
        precision=precision,
        offset_minutes=420,
        subject_code=subject_code,
    )


def stamp(named: str, stream: UUID = DOSSIER) -> Stamp:
    return {
        "originator_id": stream,
        "originator_version": 1,
        "timestamp": MORNING,
        "meta": meta(named),
    }


def recorded(
    event: E, *, version: int = 1, seq: int | None = None, at: datetime | None = None
) -> Recorded[E]:
    moment = at or MORNING + HOUR * (version - 1)
    placed = replace(event, originator_version=version, timestamp=moment)
    return Recorded(seq=seq or version, recorded_at=moment, leaf=bytes(32), event=placed)


def history(*events: DossierEvent) -> History:
    """Return the events as the ledger was told them: one after the other, an hour apart."""
    return [recorded(event, version=version) for version, event in enumerate(events, 1)]


COMMAND_FOR: Mapping[type[DossierEvent], type[DossierCommand]] = {
    act.event: act.command for act in ACTS
}


def asking_for(event: DossierEvent) -> DossierCommand:
    """Return the command that says what an event says."""
    command = COMMAND_FOR[type(event)]
    return command(**{field.name: getattr(event, field.name) for field in fields(command)})


def lan() -> Party:
    return Party(
        kind=PartyKind.CITIZEN,
        name=Personal("Trần Thị Lan", LAN, b"sealed name"),
        id_kind="CCCD",
        id_number=Personal("001190000001", LAN, b"sealed id number"),
    )


def submitted(
    named: str = "submitted",
    *,
    procedure: ProcedureCode = PROCEDURE,
    receiving_unit: UnitCode = DESK,
    code: str | None = None,
) -> DossierSubmitted:
    return DossierSubmitted(
        **stamp(named), procedure=procedure, receiving_unit=receiving_unit, code=code, owner=lan()
    )


def accepted(
    named: str = "accepted",
    *,
    procedure: ProcedureCode = PROCEDURE,
    receiving_unit: UnitCode = DESK,
    competent_unit: UnitCode = AGENCY,
    code: str | None = CODE,
    due: datetime | None = DUE,
) -> DossierAccepted:
    return DossierAccepted(
        **stamp(named),
        procedure=procedure,
        channel=Channel.DIRECT,
        receiving_unit=receiving_unit,
        competent_unit=competent_unit,
        code=code,
        owner=lan(),
        components=(Component(name="Tờ khai", originals=1),),
        due=due,
        procedure_version=1,
        calendar_used=CalendarUse(version=1),
        policy_version=0,
    )


def intake_refused(named: str = "intake-refused") -> IntakeRefused:
    return IntakeRefused(**stamp(named), reason="Không thuộc thẩm quyền.")


def transfer_offered(
    named: str = "transfer-offered", *, to_unit: UnitCode = AGENCY
) -> TransferOffered:
    return TransferOffered(**stamp(named), to_unit=to_unit, transfer_id="BG-1")


def transfer_accepted(
    named: str = "transfer-accepted", *, unit: UnitCode | None = AGENCY
) -> TransferAccepted:
    return TransferAccepted(**stamp(named), unit=unit, transfer_id="BG-1")


def transfer_refused(
    named: str = "transfer-refused", *, unit: UnitCode | None = AGENCY
) -> TransferRefused:
    return TransferRefused(**stamp(named), reason="Nhầm nơi.", unit=unit, transfer_id="BG-1")


def transfer_timed_out(named: str = "transfer-timed-out") -> TransferTimedOut:
    return TransferTimedOut(**stamp(named), transfer_id="BG-1")


def assigned(named: str = "assigned", *, unit: UnitCode | None = AGENCY) -> DossierAssigned:
    return DossierAssigned(**stamp(named), officer="Lê Văn Bình", unit=unit)


def step_started(named: str = "step-started", *, unit: UnitCode | None = AGENCY) -> StepStarted:
    return StepStarted(**stamp(named), step="Thẩm định", unit=unit)


def step_completed(
    named: str = "step-completed", *, unit: UnitCode | None = AGENCY
) -> StepCompleted:
    return StepCompleted(**stamp(named), step="Thẩm định", unit=unit)


def supplement_requested(named: str = "supplement-requested") -> SupplementRequested:
    return SupplementRequested(
        **stamp(named), reason="Thiếu bản vẽ.", items=("Bản vẽ hoàn công",), request_id="BS-1"
    )


def supplement_completed(
    named: str = "supplement-completed", *, partial: bool = False, due: datetime | None = None
) -> SupplementCompleted:
    return SupplementCompleted(
        **stamp(named), items=("Bản vẽ hoàn công",), partial=partial, request_id="BS-1", due=due
    )


def supplement_expired(named: str = "supplement-expired") -> SupplementExpired:
    return SupplementExpired(**stamp(named), request_id="BS-1")


def reappointed(
    named: str = "reappointed",
    *,
    new_due: datetime = LATER_DUE,
    delaying_unit: UnitCode | None = AGENCY,
) -> ReappointmentIssued:
    return ReappointmentIssued(
        **stamp(named), new_due=new_due, reason="Cần xác minh.", delaying_unit=delaying_unit
    )


def due_date_recomputed(
    named: str = "due-date-recomputed", *, due: datetime = LATER_DUE, version: int = 2
) -> DueDateRecomputed:
    move = DateMove(
        first_due_before=DUE,
        first_due=due,
        due_before=DUE,
        due=due,
        calendar_before=CalendarUse(version=1),
        calendar=CalendarUse(version=version),
    )
    return DueDateRecomputed(**stamp(named), cause="calendar", moved=move)


def result_approved(named: str = "result-approved") -> ResultApproved:
    return ResultApproved(**stamp(named), approver="Phạm Thị Dung")


def result_at_desk(named: str = "result-at-desk", *, unit: UnitCode | None = DESK) -> ResultAtDesk:
    return ResultAtDesk(**stamp(named), unit=unit, documents=(ResultDocument(number="12"),))


def result_rejected(
    named: str = "result-rejected", *, rejects: UUID | None = None
) -> ResultRejected:
    return ResultRejected(**stamp(named), reason="Sai họ tên.", rejects=rejects)


def result_returned(named: str = "result-returned") -> ResultReturned:
    return ResultReturned(**stamp(named), recipient=lan())


def delivery_failed(named: str = "delivery-failed") -> DeliveryFailed:
    return DeliveryFailed(**stamp(named), reason="Không có người nhận.")


def withdrawn(named: str = "withdrawn") -> DossierWithdrawn:
    return DossierWithdrawn(**stamp(named), reason="Không còn nhu cầu.")


def stopped(named: str = "stopped") -> DossierStopped:
    return DossierStopped(**stamp(named), reason="Không đủ điều kiện.")


def resolution_refused(named: str = "resolution-refused") -> ResolutionRefused:
    return ResolutionRefused(**stamp(named), reason="Đất đang tranh chấp.")


def obligation_requested(
    named: str = "obligation-requested",
) -> FinancialObligationRequested:
    return FinancialObligationRequested(**stamp(named), amount=150_000, obligation_id="TB-1")


def payment_recorded(named: str = "payment-recorded") -> PaymentRecorded:
    return PaymentRecorded(
        **stamp(named),
        amount=150_000,
        channel=PaymentChannel.NATIONAL_PORTAL,
        obligation_id="TB-1",
    )


def incident_began(named: str = "incident-began", *, system: str = "LGSP") -> IncidentBegan:
    return IncidentBegan(**stamp(named), system=system, reason="Mất kết nối.")


def incident_ended(named: str = "incident-ended", *, system: str = "LGSP") -> IncidentEnded:
    return IncidentEnded(**stamp(named), system=system)


def competence_transferred(
    named: str = "competence-transferred", *, to_unit: UnitCode = PROVINCE
) -> CompetenceTransferred:
    return CompetenceTransferred(**stamp(named), to_unit=to_unit, from_unit=AGENCY)


def unit_succeeded(
    named: str = "unit-succeeded", *, predecessor: UnitCode = AGENCY, successor: UnitCode = DESK
) -> UnitSucceeded:
    return UnitSucceeded(**stamp(named), predecessor=predecessor, successor=successor)


def corrected(
    named: str = "corrected", *, corrects: str = "accepted", replaced_by: str | None = None
) -> EventCorrected:
    """Make the example of a name void."""
    return EventCorrected(
        **stamp(named),
        corrects=id_of(corrects),
        reason="Nhập nhầm.",
        replaced_by=id_of(replaced_by) if replaced_by else None,
    )


EVERY_DOSSIER_EVENT: tuple[DossierEvent, ...] = (
    submitted(),
    accepted(),
    intake_refused(),
    transfer_offered(),
    transfer_accepted(),
    transfer_refused(),
    transfer_timed_out(),
    assigned(),
    step_started(),
    step_completed(),
    supplement_requested(),
    supplement_completed(),
    supplement_expired(),
    reappointed(),
    due_date_recomputed(),
    result_approved(),
    result_at_desk(),
    result_rejected(),
    result_returned(),
    delivery_failed(),
    withdrawn(),
    stopped(),
    resolution_refused(),
    obligation_requested(),
    payment_recorded(),
    incident_began(),
    incident_ended(),
    competence_transferred(),
    unit_succeeded(),
    corrected(),
)


def unit_registered(
    code: UnitCode = DESK, *, parent: UnitCode | None = PROVINCE, prefix: str | None = None
) -> UnitRegistered:
    return UnitRegistered(
        **stamp(f"unit-{code}", stream_of("unit", code)),
        code=code,
        name=f"Đơn vị {code}",
        parent=parent,
        dossier_prefix=prefix,
    )


def unit_ended(
    code: UnitCode = ENDED,
    *,
    ended_at: datetime = YEARS_AGO,
    successors: tuple[UnitCode, ...] = (AGENCY,),
) -> UnitEndedByDecision:
    return UnitEndedByDecision(
        **stamp(f"end-{code}", stream_of("unit", code)),
        code=code,
        ended_at=ended_at,
        successors=successors,
    )


def procedure_published(
    code: ProcedureCode = PROCEDURE,
    *,
    version: int = 1,
    valid_from: date = date(2025, 7, 1),
    days: int | None = 5,
) -> ProcedurePublished:
    return ProcedurePublished(
        **stamp(f"procedure-{code}-{version}", stream_of("procedure", code)),
        code=code,
        version=version,
        name="Cấp giấy phép xây dựng",
        field="Hoạt động xây dựng",
        term=Term(amount=days, unit=TermUnit.WORKING_DAY) if days is not None else None,
        valid_from=valid_from,
        legal_basis="NĐ 61/2018/NĐ-CP",
    )


def calendar_decided(
    decision: str = "tet-2026", *, off: tuple[date, ...] = (date(2026, 2, 17),)
) -> CalendarDecided:
    return CalendarDecided(
        **stamp(f"calendar-{decision}", stream_of("calendar", "VN")),
        id=decision,
        issued=date(2025, 10, 1),
        off=off,
    )


def ordinary_years(years: range = range(2020, 2036)) -> CalendarDecided:
    """Return a decision by which every Monday to Friday of these years is worked."""
    sundays = (date(year, 1, 7 - date(year, 1, 7).isoweekday() % 7) for year in years)
    return calendar_decided("ordinary-years", off=tuple(sundays))


def source_registered(name: str = "mot-cua-h01", *, unit: UnitCode = DESK) -> SourceRegistered:
    return SourceRegistered(
        **stamp(f"source-{name}", stream_of("source", name)), name=name, unit=unit
    )


def token_granted(
    digest: str = "digest of a token",
    *,
    token: UUID = TOKEN,
    role: Role = Role.DESK,
    unit: UnitCode = DESK,
    expires_at: datetime = LATER_DUE,
) -> TokenGranted:
    return TokenGranted(
        **stamp(f"token-{token}", stream_of("token", str(token))),
        token_id=token,
        digest=digest,
        role=role,
        unit=unit,
        expires_at=expires_at,
    )


def token_revoked(token: UUID = TOKEN) -> TokenRevoked:
    return TokenRevoked(**stamp(f"revoked-{token}", stream_of("token", str(token))), token_id=token)


def subject_erased(subject: UUID = LAN) -> SubjectErased:
    return SubjectErased(
        **stamp(f"erased-{subject}", stream_of("subject", str(subject))),
        subject=subject,
        ground="Yêu cầu của người nộp.",
    )


def registers() -> list[RegisterEvent]:
    """Return a province with a desk, an agency and a unit that ended, a procedure, a calendar."""
    return [
        unit_registered(PROVINCE, parent=None),
        unit_registered(DESK),
        unit_registered(AGENCY),
        unit_registered(ENDED),
        unit_ended(ENDED),
        procedure_published(),
        ordinary_years(),
    ]


def told_for(unit: UnitCode | None, event: E, source: str = "igate") -> E:
    """Return an event as a fact that somebody told for a unit: it counts only if it is a party."""
    return replace(event, meta=replace(event.meta, source=source, acting_unit=unit))


def in_effect(
    events: History, as_of: datetime | None = None, known_at: int | None = None
) -> History:
    """Return what moves a dossier, by the registers of the examples."""
    return effective_history(events, rule_book().units, as_of, known_at)


def all_told(
    events: History, as_of: datetime | None = None, known_at: int | None = None
) -> list[Entry]:
    return full_history(events, rule_book().units, as_of, known_at)


def identity(name: str = "k", scope: str = "igate", digest: bytes = b"") -> Identity:
    """Return an identity under which everything, or only some digest, says the same."""
    return Identity(scope=scope, key=name, digest=lambda _: digest)


@cache
def rule_book(*more: RegisterEvent) -> RuleBook:
    """Return what the registers say after some more events.

    The same events give the same book, since its calendar takes long to compile: teach it nothing.
    """
    return own_rule_book(*more)


def own_rule_book(*more: RegisterEvent) -> RuleBook:
    """Return the same, to be taught more."""
    rules = RuleBook()
    rules.learn(
        recorded(event, version=seq, seq=seq) for seq, event in enumerate((*registers(), *more), 1)
    )
    return rules
