"""The dates of a dossier: what its clock says, by the rules that its events name.

Dates are a function of the effective history and of versions of rules that never change. So facts
give the same dates in whatever order they arrive, and every past date can be computed again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from domain.deadlines.decided import hour_of
from domain.deadlines.law import CalendarUse, OfficePolicy, PausePolicy, Term
from domain.deadlines.running import Pause, Run, run
from domain.deadlines.terms import Counting
from domain.deadlines.working_time import WorkingCalendar
from domain.dossier.state import Dossier, Interruption, PauseKind, TermClock
from domain.envelope import ProcedureCode
from domain.rules.procedures import Channel, ProcedureVersion
from domain.rules.rule_book import RuleBook


@dataclass(frozen=True, kw_only=True)
class DateMove:
    """Both dates as they were and as they are, and by which calendars."""

    first_due_before: datetime | None = None
    first_due: datetime | None = None
    due_before: datetime | None = None
    due: datetime | None = None
    calendar_before: CalendarUse
    calendar: CalendarUse


@dataclass(frozen=True, kw_only=True, slots=True)
class Dates:
    """Three dates and all that they follow from. `agreed` runs from the re-appointment."""

    calendar: WorkingCalendar
    procedure: ProcedureVersion | None
    policy: OfficePolicy
    counting: Counting
    pauses: tuple[tuple[Interruption, Pause], ...]
    first: Run
    agreed: Run | None
    first_due: datetime | None
    due: datetime | None


def counting_of(
    procedure: ProcedureVersion | None, channel: Channel | None, policy: OfficePolicy
) -> Counting:
    """Return how a version of a procedure counts the dossiers of a channel."""
    if procedure is None:
        return Counting(term=None)
    own = next((each for each in procedure.channel_terms if each.channel is channel), None)
    term = Term(amount=own.amount, unit=own.unit) if own is not None else procedure.term
    return Counting(term=term, cutoff=procedure.cutoff_policy, cutoff_at=hour_of(policy.cutoff))


def dates_of(dossier: Dossier, rules: RuleBook, by: CalendarUse | None = None) -> Dates | None:
    """Return the dates of an accepted dossier, by its own calendar or by another.

    Raises why they cannot be computed: CalendarLacksYear, CalendarContradicts, InvalidRequest.
    """
    clock = dossier.clock
    if clock is None or dossier.procedure is None:
        return None
    use = by or clock.calendar
    asked = "dates", clock, use, *counted_as(dossier)
    return rules.memory.answer(asked, lambda: _dates(dossier, clock, use, rules))


def counted_as(dossier: Dossier) -> tuple[ProcedureCode | None, int | None, Channel | None]:
    """Return what its dates follow from, beside its clock and the rules that both name."""
    return dossier.procedure, dossier.procedure_version, dossier.channel


def _dates(dossier: Dossier, clock: TermClock, use: CalendarUse, rules: RuleBook) -> Dates:
    procedure = _procedure_of(dossier, rules)
    policy = rules.policy(clock.policy_version)
    calendar = rules.working_calendar(use, clock.policy_version)
    counting = counting_of(procedure, dossier.channel, policy)
    pauses = tuple((each, _pause(each, procedure)) for each in _in_order(clock))
    stopping = [pause for _, pause in pauses]
    first = _first_run(clock, calendar, counting, stopping)
    agreed = _agreed(clock, calendar, counting, stopping)
    due = _with_reappointment(first, agreed) if agreed is not None else first.due
    return Dates(
        calendar=calendar,
        procedure=procedure,
        policy=policy,
        counting=counting,
        pauses=pauses,
        first=first,
        agreed=agreed,
        first_due=first.due,
        due=due,
    )


def _procedure_of(dossier: Dossier, rules: RuleBook) -> ProcedureVersion | None:
    if dossier.procedure is None:
        return None
    return rules.procedure_version(dossier.procedure, dossier.procedure_version or 0)


def _first_run(
    clock: TermClock, calendar: WorkingCalendar, counting: Counting, pauses: Sequence[Pause]
) -> Run:
    """Run the clock without its re-appointment: from the competent agency's receipt, if awaited."""
    received = clock.received_at if clock.awaited is not None else None
    computed = clock.computed or (received is not None and counting.term is not None)
    stated, floor = (None, clock.stated) if computed else (clock.stated, None)
    return run(calendar, counting, received or clock.start, pauses, stated, floor)


def stopping_clock(dossier: Dossier, rules: RuleBook) -> list[Interruption]:
    """Return what the clock of a dossier stands still for, in order, whether it is over or not."""
    if dossier.clock is None:
        return []
    procedure = _procedure_of(dossier, rules)
    return [
        each
        for each in _in_order(dossier.clock)
        if _pause(each, procedure).policy is not PausePolicy.NONE
    ]


def _in_order(clock: TermClock) -> list[Interruption]:
    return sorted(clock.interruptions, key=lambda each: (each.start, each.kind, each.by))


def _pause(each: Interruption, procedure: ProcedureVersion | None) -> Pause:
    """Return what an interruption does to the term, as the version of the procedure says.

    Incidents extend: time goes on when the system is normal again (NĐ 301/2026).
    """
    match each.kind:
        case PauseKind.INCIDENT:
            policy = PausePolicy.EXTEND
        case PauseKind.PAYMENT:
            policy = procedure.payment_policy if procedure else PausePolicy.EXTEND
        case PauseKind.SUPPLEMENT:
            policy = procedure.pause_policy if procedure else PausePolicy.EXTEND
    return Pause(start=each.start, end=each.end, policy=policy, stated=each.stated_due)


def _agreed(
    clock: TermClock, calendar: WorkingCalendar, counting: Counting, pauses: list[Pause]
) -> Run | None:
    """Return how the date of a re-appointment runs: only later pauses move it."""
    again = clock.reappointed
    if again is None:
        return None
    return run(calendar, counting, again.at, pauses_since(again.at, pauses), again.new_due)


def _with_reappointment(first: Run, agreed: Run) -> datetime | None:
    """Return the later date: a re-appointment gives time, and takes none."""
    if agreed.due is None or first.due is None:
        return agreed.due
    return max(agreed.due, first.due)


def pauses_since(moment: datetime, pauses: Sequence[Pause]) -> list[Pause]:
    """Return of the pauses what lies after a moment: nothing else moves what was agreed then."""
    return [
        replace(each, start=max(each.start, moment))
        for each in pauses
        if each.end is None or each.end > moment
    ]


def newest(dossier: Dossier, rules: RuleBook) -> DateMove | None:
    """Return how the dates are by the calendar as it is decided now; None if it is in use.

    Raises CalendarLacksYear or CalendarContradicts where they cannot be computed by it.
    """
    clock = dossier.clock
    if clock is None or dossier.competent_unit is None:
        return None
    use = rules.calendar_use(dossier.competent_unit)
    if use == clock.calendar:
        dates_of(dossier, rules)
        return None
    dates = dates_of(dossier, rules, use)
    return (
        None
        if dates is None
        else DateMove(
            first_due_before=dossier.first_due,
            first_due=dates.first_due,
            due_before=dossier.due,
            due=dates.due,
            calendar_before=clock.calendar,
            calendar=use,
        )
    )


def later(dossier: Dossier, rules: RuleBook) -> DateMove | None:
    """Return how the newest calendar moves a date to a later one; None if it does not.

    A date that there was none of is later; neither of the two becomes earlier. Raises as `newest`
    does.
    """
    move = newest(dossier, rules)
    if move is None or move.first_due is None or move.due is None:
        return None
    if dossier.first_due is None or dossier.due is None:
        return move
    before = dossier.first_due, dossier.due
    is_earlier = move.first_due < before[0] or move.due < before[1]
    return None if is_earlier or (move.first_due, move.due) == before else move


def first_due_before(moment: datetime, clock: TermClock, dates: Dates) -> datetime | None:
    """Return the first due date by the pauses that had begun before a moment."""
    earlier = [pause for _, pause in dates.pauses if pause.start < moment]
    return _first_run(clock, dates.calendar, dates.counting, earlier).due
