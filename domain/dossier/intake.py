"""Intake: a dossier is submitted online, accepted at a desk, or refused there.

NĐ 61/2018/NĐ-CP, Điều 17; NĐ 309/2026/NĐ-CP, Điều 8; forms 01 and 03 of TT 01/2018/TT-VPCP.
"""

from dataclasses import dataclass, fields, replace
from datetime import datetime

from domain.deadlines.law import CalendarUse
from domain.deadlines.running import run
from domain.dossier.changes import hold
from domain.dossier.chapter import (
    Act,
    DayMeans,
    Decision,
    DossierCommand,
    Rule,
    Situation,
    happens,
    saying,
)
from domain.dossier.dates.dates import counting_of
from domain.dossier.events import DossierEvent, Opening
from domain.dossier.parts import Component, Fee, Party, PaymentChannel, ReturnChannel
from domain.dossier.state import Dossier, TermClock
from domain.dossier.status import ENDED, UNOPENED, Status
from domain.envelope import ProcedureCode, UnitCode, changed
from domain.errors import CalendarContradicts, CalendarLacksYear, Forbidden
from domain.personal import Personal
from domain.rules.codes import issuing_scope
from domain.rules.procedures import Channel, ProcedureVersion
from domain.rules.rule_book import RuleBook
from domain.words import Words


@dataclass(frozen=True, kw_only=True)
class Submission(Opening):
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
class Acceptance(Opening):
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
class DossierSubmitted(Submission, DossierEvent):
    """Status 1: submitted online, not yet looked at."""

    TOPIC = "dossier.submitted.v1"


@dataclass(frozen=True, kw_only=True)
class DossierAccepted(Acceptance, Resolved, DossierEvent):
    """Status 2: the desk has accepted it; form 01."""

    TOPIC = "dossier.accepted.v1"


@dataclass(frozen=True, kw_only=True)
class IntakeRefused(IntakeRefusal, DossierEvent):
    """Status 3: not accepted; form 03."""

    TOPIC = "dossier.intake-refused.v1"


@dataclass(frozen=True, kw_only=True)
class SubmitDossier(Submission, DossierCommand):
    """Register an online submission (status 1), before any desk has looked at it."""

    NAME = "submit"


@dataclass(frozen=True, kw_only=True)
class AcceptDossier(Acceptance, DossierCommand):
    """Accept a dossier as complete and correct (form 01): the clock starts, the code is issued."""

    NAME = "accept"


@dataclass(frozen=True, kw_only=True)
class RefuseIntake(IntakeRefusal, DossierCommand):
    """Refuse a dossier at intake, with the reason (form 03)."""

    NAME = "refuse-intake"


ACCEPTED_ONCE = Rule(
    code="second-acceptance",
    why="it was accepted before",
    broken=lambda dossier: dossier.accepted_at is not None,
)


def resolved(said: Acceptance, at: datetime, rules: RuleBook) -> tuple[Resolved, datetime | None]:
    """Return by which rules a dossier is accepted, and its due date: stated, or computed now.

    Raises UnknownProcedure, CalendarLacksYear or CalendarContradicts.
    """
    published, _ = rules.procedure(said.procedure, at)
    basis = _basis(said, published, rules)
    if said.due is not None or published is None:
        return basis, said.due
    version = basis.policy_version or 0
    calendar = rules.working_calendar(basis.calendar_used or CalendarUse(), version)
    counting = counting_of(published, said.channel, rules.policy(version))
    due = run(calendar, counting, at, ()).due
    return replace(basis, due_computed=due is not None), due


def basis_of(said: Acceptance, at: datetime, rules: RuleBook) -> Resolved:
    """Return by which rules a dossier is accepted whose date cannot be computed."""
    published, _ = rules.procedure(said.procedure, at)
    return _basis(said, published, rules)


def _basis(said: Acceptance, published: ProcedureVersion, rules: RuleBook) -> Resolved:
    return Resolved(
        procedure_version=published.version,
        calendar_used=rules.calendar_use(said.competent_unit),
        policy_version=rules.policy_version(),
        awaited=_awaited(said, rules),
    )


def _awaited(said: Acceptance, rules: RuleBook) -> UnitCode | None:
    """Return the agency that the clock waits for: intake outside of its own area."""
    agency = rules.authority(said.competent_unit)
    elsewhere = said.non_boundary
    if elsewhere is None:
        elsewhere = rules.is_another_area(rules.authority(said.receiving_unit), agency)
    return agency if elsewhere else None


def _submit(situation: Situation, command: SubmitDossier) -> Decision:
    situation.rules.procedure(command.procedure, situation.at)
    _must_receive(situation, command.receiving_unit)
    return Decision(events=(happens(situation, command, DossierSubmitted),))


def _accept(situation: Situation, command: AcceptDossier) -> Decision:
    _must_receive(situation, command.receiving_unit)
    basis, due = resolved(command, situation.at, situation.rules)
    zone = situation.rules.zone(command.receiving_unit)
    code = command.code or situation.dossier.code
    unit = situation.rules.unit(command.receiving_unit, situation.at).unit
    accepted = happens(situation, command, DossierAccepted, due=due, code=code, **vars(basis))
    issue = None if code else issuing_scope(unit, situation.at.astimezone(zone).date())
    return Decision(events=(accepted,), issue=issue)


def _must_receive(situation: Situation, unit: UnitCode) -> None:
    if unit not in situation.scope:
        raise Forbidden(f"You do not act for the receiving unit {unit}.")


def _completed_submission(event: DossierSubmitted, rules: RuleBook) -> DossierSubmitted:
    rules.procedure(event.procedure, event.timestamp)
    return changed(event, code=event.code or event.meta.subject_code)


def _completed_acceptance(event: DossierAccepted, rules: RuleBook) -> DossierAccepted:
    """Fill in what an acceptance leaves to the ledger: versions of the rules, code, due date."""
    try:
        basis, due = resolved(event, event.timestamp, rules)
    except (CalendarLacksYear, CalendarContradicts):
        basis, due = basis_of(event, event.timestamp, rules), None  # A finding, never a loss.
    code = event.code or event.meta.subject_code
    return changed(event, code=code, due=due, **vars(basis))


def _filled_in(event: DossierAccepted) -> frozenset[str]:
    basis = {each.name for each in fields(Resolved)}
    return frozenset({"code", *basis} | ({"due"} if event.due_computed else set()))


def _ended_too_early(dossier: Dossier) -> bool:
    """Say whether it had ended before it was accepted: then the end carries the finding."""
    if dossier.status not in ENDED:
        return False
    return any(dossier.ended_by in finding.events for finding in dossier.findings)


def _submitted(dossier: Dossier, event: DossierSubmitted) -> None:
    dossier.submitted_at = dossier.submitted_at or event.timestamp
    dossier.code = event.code or dossier.code
    if dossier.status is None and dossier.accepted_at is None:
        dossier.status = Status.REGISTERED
        dossier.procedure = event.procedure
        dossier.channel = event.channel
        dossier.receiving_unit = event.receiving_unit


def _accepted(dossier: Dossier, event: DossierAccepted) -> None:
    if dossier.accepted_at is not None:
        return  # The first acceptance stands.
    dossier.accepted_at = event.timestamp
    dossier.submitted_at = event.submitted_at or dossier.submitted_at
    dossier.code = event.code or dossier.code
    dossier.procedure, dossier.procedure_version = event.procedure, event.procedure_version
    dossier.channel = event.channel
    dossier.receiving_unit = dossier.custodian_unit = event.receiving_unit
    dossier.competent_unit, dossier.returning_unit = event.competent_unit, event.returning_unit
    hold(dossier, event.receiving_unit, event.competent_unit, event.returning_unit)
    dossier.printed_due = dossier.first_due = dossier.due = event.due
    dossier.due_computed = event.due_computed
    dossier.clock = _started(event)
    if dossier.status not in ENDED:
        dossier.status = Status.ACCEPTED


def _started(event: DossierAccepted) -> TermClock:
    return TermClock(
        accepted_by=event.meta.event_id,
        start=event.timestamp,
        stated=event.due,
        computed=event.due_computed and event.calendar_used is not None,
        calendar=event.calendar_used or CalendarUse(),
        policy_version=event.policy_version or 0,
        awaited=event.awaited,
    )


def _intake_refused(dossier: Dossier, event: IntakeRefused) -> None:
    del event
    if dossier.accepted_at is None and dossier.status not in ENDED:
        dossier.status = Status.NOT_ACCEPTED


CHAPTER = (
    Act(
        event=DossierSubmitted,
        command=SubmitDossier,
        fits=frozenset({None}),
        day=DayMeans.OPENING,
        cause=Words("nộp hồ sơ trực tuyến", "submitted online"),
        effect=_submitted,
        decide=_submit,
        moves_clock=False,
        completed=_completed_submission,
        filled_in=lambda _: frozenset({"code"}),
    ),
    Act(
        event=DossierAccepted,
        command=AcceptDossier,
        fits=UNOPENED,
        day=DayMeans.OPENING,
        cause=Words("tiếp nhận", "accepted"),
        effect=_accepted,
        decide=_accept,
        moves_clock=False,
        rules=(ACCEPTED_ONCE,),
        excused=_ended_too_early,
        way_out=lambda dossier: dossier.acceptance_void,  # And no other stands, as the rule says.
        completed=_completed_acceptance,
        filled_in=_filled_in,
        names_holders=True,
    ),
    Act(
        event=IntakeRefused,
        command=RefuseIntake,
        fits=UNOPENED,
        day=DayMeans.OPENING,
        cause=Words("từ chối tiếp nhận", "refused at intake"),
        effect=_intake_refused,
        decide=saying(IntakeRefused),
        moves_clock=False,
    ),
)
