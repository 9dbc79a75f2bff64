"""Small examples of the law of deadlines: a year's calendar, procedures, dossiers told by facts.

Moments are written as the clock on a Vietnamese wall shows them: `2026-03-02T09:15`. Facts go in by
the door that the ledger uses, so an acceptance names the rules that the book holds when it is told.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from domain.deadlines.decided import working_calendar
from domain.deadlines.law import (
    CalendarDecision,
    CutoffPolicy,
    OfficeHours,
    PausePolicy,
    Term,
    TermUnit,
)
from domain.deadlines.running import Pause, Run, run
from domain.deadlines.terms import Counting
from domain.deadlines.working_time import WorkingCalendar
from domain.dossier.appointments import RecomputeDueDate
from domain.dossier.chapter import DossierCommand, Situation
from domain.dossier.events import DossierEvent
from domain.dossier.evolve import replay
from domain.dossier.history import History
from domain.dossier.intake import DossierAccepted
from domain.dossier.state import Dossier
from domain.envelope import VIETNAM, ProcedureCode, UnitCode
from domain.ledger.access import Sender
from domain.ledger.facts import event_of, said_by
from domain.ledger.messages import Fact
from domain.rules.calendars import CalendarDecided
from domain.rules.procedures import Channel, ChannelTerm, ProcedurePublished
from domain.rules.register import RegisterEvent, stream_of
from domain.rules.rule_book import RuleBook
from domain.rules.tokens import Role
from tests import examples as say
from tests.examples import AGENCY, DESK, DOSSIER, PROCEDURE, PROVINCE, identity
from tests.scenario import Attempt

OTHER_PROVINCE = UnitCode("H02")
ELSEWHERE = UnitCode("H02.20")
NEIGHBOUR = UnitCode("H01.30")
UNITS = (
    (PROVINCE, None),
    (DESK, PROVINCE),
    (AGENCY, PROVINCE),
    (NEIGHBOUR, PROVINCE),
    (OTHER_PROVINCE, None),
    (ELSEWHERE, OTHER_PROVINCE),
)
EVERYWHERE = frozenset(code for code, _ in UNITS)
LATER = datetime(2040, 1, 1, tzinfo=UTC)
NONE, EXTEND, RESTART = PausePolicy.NONE, PausePolicy.EXTEND, PausePolicy.RESTART


def moment(text: str) -> datetime:
    """Return the moment at which a clock on a Vietnamese wall shows this."""
    return datetime.fromisoformat(text).replace(tzinfo=VIETNAM).astimezone(UTC)


def wall(at: datetime | None) -> str | None:
    """Return a moment as a Vietnamese clock shows it, to the minute if it has no seconds."""
    if at is None:
        return None
    shown = at.astimezone(VIETNAM).replace(tzinfo=None)
    return shown.isoformat(timespec="seconds" if shown.second else "minutes")


def working_days(amount: int) -> Term:
    return Term(amount=amount, unit=TermUnit.WORKING_DAY)


def working_hours(amount: int) -> Term:
    return Term(amount=amount, unit=TermUnit.WORKING_HOUR)


def calendar_days(amount: int) -> Term:
    return Term(amount=amount, unit=TermUnit.CALENDAR_DAY)


def months(amount: int) -> Term:
    return Term(amount=amount, unit=TermUnit.MONTH)


def elapsed_hours(amount: int) -> Term:
    return Term(amount=amount, unit=TermUnit.ELAPSED_HOUR)


def run_of_days(first: str, last: str) -> tuple[str, ...]:
    """Return every day from one until another, as it is written."""
    start, end = date.fromisoformat(first), date.fromisoformat(last)
    return tuple((start + timedelta(days=n)).isoformat() for n in range((end - start).days + 1))


def decided(
    name: str,
    *,
    off: Iterable[str] = (),
    working: Iterable[str] = (),
    short: tuple[str, ...] = (),
    unit: UnitCode | None = None,
    proposal: bool = False,
) -> CalendarDecided:
    """Return a decision about days; the `short` ones are worked in the morning only."""
    return CalendarDecided(
        **say.stamp(f"calendar-{name}", stream_of("calendar", "VN")),
        id=name,
        issued=date(2025, 10, 1),
        off=tuple(map(date.fromisoformat, off)),
        working=tuple(map(date.fromisoformat, working)),
        hours=tuple(
            OfficeHours(day=date.fromisoformat(day), sessions=("07:00-11:30",)) for day in short
        ),
        unit=unit,
        proposal=proposal,
    )


OF_2026 = (
    decided("new-year", off=run_of_days("2026-01-01", "2026-01-04"), working=["2026-01-10"]),
    decided("tet", off=run_of_days("2026-02-14", "2026-02-22")),
    decided("labour-code", off=["2026-04-26", "2026-04-27", "2026-04-30", "2026-05-01"]),
    decided("national-day", off=["2026-09-01", "2026-09-02"]),
)
SWAP = decided("national-day-swap", off=["2026-08-31"], working=["2026-08-22"])
CULTURE_DAY = decided("culture-day", off=["2026-11-24"])


def calendar(*more: CalendarDecision, units: Iterable[UnitCode] = ()) -> WorkingCalendar:
    """Return the calendar of 2026, and what else is decided."""
    return working_calendar((*OF_2026, *more), units=tuple(units))


def pause(start: str, end: str | None, policy: PausePolicy = PausePolicy.EXTEND) -> Pause:
    return Pause(start=moment(start), end=moment(end) if end else None, policy=policy)


def ran(
    start: str,
    term: Term | None,
    *pauses: Pause,
    cutoff: CutoffPolicy = CutoffPolicy.NONE,
    by: WorkingCalendar | None = None,
) -> Run:
    counting = Counting(term=term, cutoff=cutoff)
    return run(by or calendar(), counting, moment(start), pauses)


def due_of(
    start: str,
    term: Term | None,
    *pauses: Pause,
    cutoff: CutoffPolicy = CutoffPolicy.NONE,
    by: WorkingCalendar | None = None,
) -> str | None:
    """Return when a term ends by bare arithmetic."""
    return wall(ran(start, term, *pauses, cutoff=cutoff, by=by).due)


def procedure(
    term: Term | None,
    *,
    version: int = 1,
    valid_from: str = "2025-07-01",
    pauses: PausePolicy = PausePolicy.RESTART,
    payment: PausePolicy = PausePolicy.EXTEND,
    cutoff: CutoffPolicy = CutoffPolicy.NONE,
    channel_terms: tuple[ChannelTerm, ...] = (),
    notice_days: int | None = None,
    code: ProcedureCode = PROCEDURE,
) -> ProcedurePublished:
    published = say.procedure_published(
        code, version=version, valid_from=date.fromisoformat(valid_from)
    )
    return replace(
        published,
        term=term,
        pause_policy=pauses,
        payment_policy=payment,
        cutoff_policy=cutoff,
        channel_terms=channel_terms,
        supplement_notice_days=notice_days,
    )


FIVE_DAYS = procedure(working_days(5))
EXTENDED = procedure(working_days(5), pauses=EXTEND)
STORM = decided("storm", off=["2026-03-05"])
LATE_SATURDAY = decided("saturday", working=["2026-03-14"])


def learn(rules: RuleBook, *entries: RegisterEvent) -> None:
    """Let a book learn what was decided since."""
    first = rules.position + 1
    rules.learn(say.recorded(each, version=seq, seq=seq) for seq, each in enumerate(entries, first))


def book(*entries: RegisterEvent) -> RuleBook:
    """Return a book of two provinces, the calendar of 2026, and the entries."""
    rules = RuleBook()
    learn(rules, *(say.unit_registered(code, parent=parent) for code, parent in UNITS))
    learn(rules, *OF_2026, *entries)
    return rules


def told(event: DossierEvent, when: str) -> DossierEvent:
    return replace(event, timestamp=moment(when))


def accepted(
    rules: RuleBook,
    when: str,
    *,
    due: str | None = None,
    channel: Channel = Channel.DIRECT,
    competent: UnitCode = AGENCY,
    non_boundary: bool | None = None,
    code: ProcedureCode = PROCEDURE,
) -> DossierAccepted:
    """Return the acceptance as the ledger records it when it is told as a fact."""
    said = say.accepted(
        procedure=code, competent_unit=competent, due=moment(due) if due is not None else None
    )
    said = replace(said, channel=channel, non_boundary=non_boundary, procedure_version=None)
    fact = Fact(
        event=said,
        source="igate",
        source_id="accepted",
        stated=datetime.fromisoformat(when).replace(tzinfo=VIETNAM),
        sender=Sender(principal="cli", role=Role.DESK, unit=None, scope=EVERYWHERE),
        key=identity("accepted"),
        dossier=DOSSIER,
    )
    event = event_of(fact, said_by(fact, DOSSIER, rules), rules, LATER)
    assert isinstance(event, DossierAccepted)
    return event


def assigned(when: str) -> DossierEvent:
    return told(say.assigned(), when)


def asked(when: str, named: str = "asked") -> DossierEvent:
    return told(say.supplement_requested(named), when)


def answered(when: str, named: str = "answered", *, due: str | None = None) -> DossierEvent:
    stated = moment(due) if due is not None else None
    return told(say.supplement_completed(named, due=stated), when)


def billed(when: str, named: str = "billed") -> DossierEvent:
    return told(say.obligation_requested(named), when)


def paid(when: str, named: str = "paid") -> DossierEvent:
    return told(say.payment_recorded(named), when)


def down(when: str, system: str = "LGSP") -> DossierEvent:
    return told(say.incident_began(f"{system} down {when}", system=system), when)


def up(when: str, system: str = "LGSP") -> DossierEvent:
    return told(say.incident_ended(f"{system} up {when}", system=system), when)


def offered(when: str, to: UnitCode = AGENCY, named: str = "offered") -> DossierEvent:
    return told(say.transfer_offered(named, to_unit=to), when)


def taken_over(when: str, by: UnitCode = AGENCY, named: str = "taken-over") -> DossierEvent:
    return told(say.transfer_accepted(named, unit=by), when)


def put_off(when: str, until: str, named: str = "put-off") -> DossierEvent:
    return told(say.reappointed(named, new_due=moment(until)), when)


def finished(when: str, named: str = "finished") -> DossierEvent:
    return told(say.result_at_desk(named), when)


def known(*events: DossierEvent) -> History:
    """Return the events as the ledger was told them: in this order, each with its own moment."""
    return [
        say.recorded(event, version=version, at=event.timestamp)
        for version, event in enumerate(events, 1)
    ]


def state(rules: RuleBook, *events: DossierEvent) -> Dossier:
    return replay(DOSSIER, known(*events), rules)


def dossier_under(entry: RegisterEvent, received: str, *events: DossierEvent) -> Dossier:
    """Return a dossier accepted under one more entry of the registers, and what became of it."""
    rules = book(entry)
    return state(rules, accepted(rules, received), *events)


def trying(
    rules: RuleBook, events: Iterable[DossierEvent], command: DossierCommand, when: str
) -> Attempt:
    """Return a command on a dossier at a moment, not yet decided."""
    history = known(*events)
    situation = Situation(
        dossier=replay(DOSSIER, history, rules),
        history=history,
        rules=rules,
        scope=EVERYWHERE,
        at=moment(when),
        meta=say.meta(f"command {len(history) + 1}"),
    )
    return Attempt(situation, command)


def after(
    rules: RuleBook, events: Iterable[DossierEvent], command: DossierCommand, when: str
) -> tuple[DossierEvent, ...]:
    """Return the events and what a command adds to them."""
    before = tuple(events)
    return (*before, *trying(rules, before, command, when).decided().events)


def recomputed(
    rules: RuleBook, events: Iterable[DossierEvent], when: str
) -> tuple[DossierEvent, ...]:
    """Return the events and what a late decision makes of them, if it makes anything."""
    return after(rules, events, RecomputeDueDate(), when)


def kinds(dossier: Dossier) -> list[str]:
    """Return the kinds of its irregularities."""
    return sorted(finding.kind for finding in dossier.irregularities)
