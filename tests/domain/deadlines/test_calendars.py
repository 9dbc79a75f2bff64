"""Calendars that lack a year, contradict themselves, close one office, or are decided late."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import pairwise

import pytest

from domain.deadlines.law import OfficeHours, PausePolicy, Term, TermUnit
from domain.dossier.appointments import DueDateRecomputed, RecomputeDueDate
from domain.dossier.chapter import DossierCommand
from domain.dossier.endings import WithdrawDossier
from domain.dossier.events import DossierEvent
from domain.dossier.intake import AcceptDossier, DossierAccepted
from domain.dossier.supplements import CompleteSupplement, RequestSupplement
from domain.dossier.transfers import AcceptTransfer
from domain.dossier.work import AssignDossier
from domain.envelope import UnitCode
from domain.errors import CalendarContradicts, CalendarLacksYear, InvalidRequest
from domain.rules.calendars import CalendarDecided
from domain.rules.procedures import Channel
from domain.rules.rule_book import RuleBook
from streams.registers.shipped_calendars import shipped_calendars
from tests import examples as say
from tests.domain.deadlines.given import (
    EVERYWHERE,
    FIVE_DAYS,
    NEIGHBOUR,
    accepted,
    answered,
    asked,
    assigned,
    book,
    calendar,
    calendar_days,
    decided,
    dossier_under,
    due_of,
    finished,
    kinds,
    learn,
    moment,
    months,
    offered,
    pause,
    recomputed,
    run_of_days,
    state,
    trying,
    wall,
    working_days,
    working_hours,
)
from tests.examples import AGENCY, DESK, PROCEDURE, PROVINCE

OF_2027 = decided("2027", off=["2027-01-01"])
ACCEPTING = AcceptDossier(
    procedure=PROCEDURE,
    channel=Channel.DIRECT,
    receiving_unit=DESK,
    competent_unit=AGENCY,
)


def opens(rules: RuleBook, unit: UnitCode, day: str) -> bool:
    by = rules.working_calendar(rules.calendar_use(unit), rules.policy_version())
    return by.is_open(date.fromisoformat(day))


# What ships


def test_the_shipped_decisions_make_the_calendar_of_the_golden_vectors() -> None:
    shipped, ours = RuleBook(), calendar()
    learn(shipped, *shipped_calendars())
    by = shipped.working_calendar(shipped.calendar_use(DESK), 0)
    days = (date(2026, 1, 1) + timedelta(days=number) for number in range(365))
    assert [day for day in days if by.sessions(day) != ours.sessions(day)] == []


# Years


def test_a_command_that_needs_a_year_that_is_not_decided_is_refused() -> None:
    rules = book(FIVE_DAYS)
    trying(rules, [], ACCEPTING, "2026-12-28T09:00").then_refused(CalendarLacksYear, "2027")
    assert CalendarLacksYear.code == "calendar-lacks-year"


def test_a_command_whose_dates_lie_in_decided_years_is_not() -> None:
    rules = book(FIVE_DAYS)
    (event,) = trying(rules, [], ACCEPTING, "2026-12-24T09:00").decided().events
    assert isinstance(event, DossierAccepted)
    assert wall(event.due) == "2026-12-31T09:00"


def test_a_fact_that_needs_a_year_that_is_not_decided_is_recorded_with_a_finding() -> None:
    rules = book(FIVE_DAYS)
    dossier = state(rules, accepted(rules, "2026-12-28T09:00"))
    assert (dossier.printed_due, dossier.first_due, dossier.due) == (None, None, None)
    assert kinds(dossier) == ["no-due-date"]


def test_once_the_year_is_decided_the_dossier_gets_its_date_and_the_finding_goes() -> None:
    rules = book(FIVE_DAYS)
    undated = [accepted(rules, "2026-12-28T09:00")]
    learn(rules, OF_2027)
    dossier = state(rules, *recomputed(rules, undated, "2026-12-29T09:00"))
    assert wall(dossier.due) == wall(dossier.first_due) == "2027-01-05T09:00"
    assert dossier.printed_due is None
    assert kinds(dossier) == []


def test_a_supplement_that_ends_in_an_undecided_year_takes_the_date_with_a_finding() -> None:
    dossier = dossier_under(
        FIVE_DAYS,
        "2026-12-14T09:00",
        asked("2026-12-15T09:00"),
        answered("2026-12-28T09:00"),
    )
    assert (dossier.first_due, dossier.due) == (None, None)
    assert wall(dossier.printed_due) == "2026-12-21T09:00"
    assert kinds(dossier) == ["no-due-date"]


def test_a_command_that_resumes_a_clock_into_an_undecided_year_is_refused() -> None:
    rules = book(FIVE_DAYS)
    waiting = [accepted(rules, "2026-12-14T09:00"), asked("2026-12-15T09:00")]
    resuming = trying(rules, waiting, CompleteSupplement(), "2026-12-28T09:00")
    resuming.then_refused(CalendarLacksYear, "2027")


@pytest.mark.parametrize(
    "command",
    [
        RequestSupplement(reason="Thiếu bản vẽ."),
        AssignDossier(officer="Lê Văn Bình"),
        AcceptTransfer(),
        WithdrawDossier(),
    ],
    ids=lambda command: command.NAME,
)
def test_work_that_needs_no_date_goes_on_where_none_can_be_computed(
    command: DossierCommand,
) -> None:
    """The calendar is late; the applicant's paper is missing all the same."""
    rules = book(FIVE_DAYS)
    undated = [accepted(rules, "2026-12-28T09:00"), offered("2026-12-28T10:00")]
    assert trying(rules, undated, command, "2026-12-28T11:00").decided().events != ()


def test_the_number_of_pauses_is_told_even_where_no_date_can_be() -> None:
    dossier = dossier_under(
        FIVE_DAYS,
        "2026-12-14T09:00",
        asked("2026-12-15T09:00"),
        answered("2026-12-28T09:00"),
    )
    assert dossier.due is None
    assert dossier.pauses == 1


@pytest.mark.parametrize(
    "no_decision",
    [
        decided("proposed", off=["2027-01-01"], proposal=True),
        decided("closure", off=["2027-01-04"], unit=AGENCY),
    ],
    ids=["proposal", "closure"],
)
def test_neither_a_proposal_nor_one_offices_closure_decides_a_year(no_decision: object) -> None:
    assert isinstance(no_decision, type(OF_2027))
    rules = book(FIVE_DAYS, no_decision)
    assert accepted(rules, "2026-12-28T09:00").due is None


@pytest.mark.parametrize("unit", TermUnit)
def test_a_receipt_in_a_year_that_is_missing_between_two_others_is_refused(unit: TermUnit) -> None:
    gap = calendar(decided("2028", off=["2028-01-01"]))
    with pytest.raises(CalendarLacksYear, match="2027"):
        due_of("2027-06-01T09:00", Term(amount=1, unit=unit), by=gap)


@pytest.mark.parametrize("term", [working_days(300), working_hours(2400)])
def test_working_time_is_not_counted_across_a_missing_year(term: Term) -> None:
    gap = calendar(decided("2028", off=["2028-01-01"]))
    with pytest.raises(CalendarLacksYear, match="2027"):
        due_of("2026-12-01T09:00", term, by=gap)


def test_calendar_days_and_months_need_only_the_year_in_which_they_end() -> None:
    gap = calendar(decided("2028", off=["2028-01-01"]))
    assert due_of("2026-12-01T09:00", calendar_days(500), by=gap) == "2028-04-14T17:00"
    assert due_of("2026-12-01T09:00", months(16), by=gap) == "2028-04-03T17:00"


def test_a_pause_across_a_missing_year_is_no_short_one() -> None:
    gap = calendar(decided("2028", off=["2028-01-01"]))
    with pytest.raises(CalendarLacksYear):
        due_of(
            "2026-12-01T09:00",
            working_days(5),
            pause("2026-12-02T09:00", "2028-01-10T09:00"),
            by=gap,
        )


# Contradictions

OFF, WORKED = decided("off", off=["2026-03-05"]), decided("worked", working=["2026-03-05"])
SHORT = decided("short", short=("2026-03-05",))


@pytest.mark.parametrize(
    "decisions",
    [
        (OFF, WORKED),
        (WORKED, OFF),
        (OFF, SHORT),
        (SHORT, OFF),
        (decided("itself", off=["2026-03-05"], working=["2026-03-05"]),),
        (decided("itself", off=["2026-03-05"], short=("2026-03-05",)),),
    ],
)
def test_decisions_that_say_off_and_worked_of_a_day_are_a_clear_error(
    decisions: tuple[CalendarDecided, ...],
) -> None:
    with pytest.raises(CalendarContradicts, match="2026-03-05 is both off and worked"):
        calendar(*decisions)


@pytest.mark.parametrize(
    ("decisions", "is_open"),
    [
        ((OFF, decided("again", off=["2026-03-05"])), False),
        ((WORKED, SHORT), True),
        ((SHORT, WORKED), True),
    ],
)
def test_decisions_that_say_the_same_twice_contradict_nothing(
    decisions: tuple[CalendarDecided, ...], *, is_open: bool
) -> None:
    assert calendar(*decisions).is_open(date(2026, 3, 5)) is is_open


def test_of_a_contradicting_calendar_a_command_is_refused_and_a_fact_is_recorded() -> None:
    rules = book(FIVE_DAYS, OFF, WORKED)
    trying(rules, [], ACCEPTING, "2026-03-02T09:00").then_refused(CalendarContradicts)
    dossier = state(rules, accepted(rules, "2026-03-02T09:00"))
    assert (dossier.due, kinds(dossier)) == (None, ["no-due-date"])


def test_a_contradiction_that_is_mended_gives_the_dossier_its_date() -> None:
    rules = book(FIVE_DAYS, OFF, WORKED)
    undated = [accepted(rules, "2026-03-02T09:00")]
    learn(rules, decided("worked", working=["2026-03-07"]))
    dossier = state(rules, *recomputed(rules, undated, "2026-03-03T09:00"))
    assert wall(dossier.due) == "2026-03-09T09:00"
    assert kinds(dossier) == []


def test_a_contradiction_that_comes_late_takes_no_date_that_was_computed() -> None:
    rules = book(FIVE_DAYS)
    dated = [accepted(rules, "2026-03-02T09:00")]
    learn(rules, OFF, WORKED)
    assert wall(state(rules, *dated).due) == "2026-03-09T09:00"
    trying(rules, dated, RecomputeDueDate(), "2026-03-03T09:00").then_refused(CalendarContradicts)


# One office


def test_the_closure_of_a_unit_holds_for_it_and_for_what_stands_below_it() -> None:
    room = UnitCode("H01.20.1")
    rules = book(
        FIVE_DAYS,
        say.unit_registered(room, parent=AGENCY),
        decided("storm", off=["2026-03-05"], unit=AGENCY),
    )
    assert [unit for unit in (*EVERYWHERE, room) if not opens(rules, unit, "2026-03-05")] == [
        each for each in (*EVERYWHERE, room) if each in (AGENCY, room)
    ]


def test_the_closure_of_the_competent_unit_moves_its_dossiers_only() -> None:
    rules = book(FIVE_DAYS, decided("storm", off=["2026-03-05"], unit=AGENCY))
    assert wall(accepted(rules, "2026-03-02T09:00").due) == "2026-03-10T09:00"
    assert wall(accepted(rules, "2026-03-02T09:00", competent=NEIGHBOUR).due) == (
        "2026-03-09T09:00"
    )


def test_what_one_unit_decides_comes_before_what_is_decided_for_everyone() -> None:
    """The country is off on 30 April; the agency works, and rests on the 29th."""
    rules = book(FIVE_DAYS, decided("own", working=["2026-04-30"], off=["2026-04-29"], unit=AGENCY))
    assert [opens(rules, AGENCY, day) for day in ("2026-04-29", "2026-04-30")] == [False, True]
    assert [opens(rules, NEIGHBOUR, day) for day in ("2026-04-29", "2026-04-30")] == [True, False]


@pytest.mark.parametrize("near", ["H01.20.1", "H01.9", "H01.77"])
def test_what_the_nearest_unit_decides_comes_first_whatever_its_code_looks_like(near: str) -> None:
    """The register says what stands below what; codes do not, after a merger least of all."""
    room = UnitCode(near)
    rules = book(
        FIVE_DAYS,
        say.unit_registered(room, parent=AGENCY),
        decided("above", off=["2026-03-05"], unit=AGENCY),
        decided("own", working=["2026-03-05"], unit=room),
    )
    assert opens(rules, room, "2026-03-05")
    assert not opens(rules, AGENCY, "2026-03-05")


def test_one_units_broken_calendar_stops_nobody_else() -> None:
    rules = book(
        FIVE_DAYS,
        decided("storm", off=["2026-03-05"], unit=NEIGHBOUR),
        decided("no storm", working=["2026-03-05"], unit=NEIGHBOUR),
    )
    assert wall(accepted(rules, "2026-03-02T09:00").due) == "2026-03-09T09:00"
    dossier = state(rules, accepted(rules, "2026-03-02T09:00", competent=NEIGHBOUR))
    assert (dossier.due, kinds(dossier)) == (None, ["no-due-date"])


def test_a_provinces_closure_closes_all_of_it_and_no_other_province() -> None:
    rules = book(FIVE_DAYS, decided("flood", off=["2026-03-05"], unit=PROVINCE))
    closed = {unit for unit in EVERYWHERE if not opens(rules, unit, "2026-03-05")}
    assert closed == {PROVINCE, DESK, AGENCY, NEIGHBOUR}


def test_a_late_closure_of_a_day_that_is_past_moves_the_date_too() -> None:
    rules = book(FIVE_DAYS)
    start = accepted(rules, "2026-03-02T09:00")
    learn(rules, decided("storm", off=["2026-03-03"], unit=AGENCY))
    moved = recomputed(rules, [start], "2026-03-05T09:00")
    assert wall(state(rules, *moved).due) == "2026-03-10T09:00"


def test_two_late_closures_make_two_recomputations() -> None:
    rules = book(FIVE_DAYS)
    moved: list[DossierEvent] = [accepted(rules, "2026-03-02T09:00")]
    learn(rules, decided("storm", off=["2026-03-05"], unit=AGENCY))
    moved = [*recomputed(rules, moved, "2026-03-05T10:00")]
    learn(rules, decided("flood", off=["2026-03-06"], unit=PROVINCE))
    moved = [*recomputed(rules, moved, "2026-03-06T10:00")]
    steps = [each.moved for each in moved if isinstance(each, DueDateRecomputed)]
    assert [wall(step.first_due) for step in steps] == ["2026-03-10T09:00", "2026-03-11T09:00"]
    assert all(one.first_due == other.first_due_before for one, other in pairwise(steps))
    assert all(one.calendar == other.calendar_before for one, other in pairwise(steps))


# Versions


def test_an_acceptance_keeps_the_calendar_that_it_named() -> None:
    rules = book(FIVE_DAYS)
    old = accepted(rules, "2026-03-02T09:00")
    learn(rules, decided("storm", off=["2026-03-05"]))
    assert wall(accepted(rules, "2026-03-02T09:00").due) == "2026-03-10T09:00"
    assert wall(state(rules, old, finished("2026-03-10T08:00")).due) == "2026-03-09T09:00"


def test_a_decision_told_again_replaces_its_former_self() -> None:
    rules = book(FIVE_DAYS, decided("storm", off=["2026-03-05"]))
    learn(rules, decided("storm", off=["2026-03-06"]))
    assert opens(rules, AGENCY, "2026-03-05")
    assert not opens(rules, AGENCY, "2026-03-06")


def test_every_version_can_be_asked_for_as_it_was() -> None:
    rules = book(decided("storm", off=["2026-03-05"]))
    learn(rules, decided("storm", off=["2026-03-06"]), decided("storm", proposal=True))
    held = [
        sorted(
            day
            for each in rules.decisions("VN", version)
            if not each.proposal
            for day in each.off
            if day.month == 3
        )
        for version in (4, 5, 6, 7)
    ]
    assert held == [[], [date(2026, 3, 5)], [date(2026, 3, 6)], []]


def test_a_run_of_days_off_is_one_however_it_is_decided() -> None:
    """Nine days at once, or each in a decision of its own."""
    apart = [decided(day, off=[day]) for day in run_of_days("2026-05-11", "2026-05-19")]
    at_once = decided("run", off=run_of_days("2026-05-11", "2026-05-19"))
    term = calendar_days(6)
    assert due_of("2026-05-08T09:00", term, by=calendar(*apart)) == "2026-05-20T17:00"
    assert due_of("2026-05-08T09:00", term, by=calendar(at_once)) == "2026-05-20T17:00"


# Terms and pauses that cannot be


@pytest.mark.parametrize("unit", TermUnit)
@pytest.mark.parametrize("amount", [-1, 0, 3_651, 10_000])
def test_a_term_of_nothing_or_of_ten_thousand_is_a_clear_error(amount: int, unit: TermUnit) -> None:
    with pytest.raises(InvalidRequest, match="from 1 to"):
        due_of("2026-03-02T09:00", Term(amount=amount, unit=unit))


@pytest.mark.parametrize(
    "unit", [TermUnit.WORKING_DAY, TermUnit.CALENDAR_DAY, TermUnit.MONTH, TermUnit.WORKING_HOUR]
)
def test_the_longest_term_needs_years_that_are_not_decided(unit: TermUnit) -> None:
    with pytest.raises(CalendarLacksYear):
        due_of("2026-03-02T09:00", Term(amount=3_650, unit=unit))


@pytest.mark.parametrize("policy", PausePolicy)
def test_a_pause_that_ends_before_it_begins_is_a_clear_error(policy: PausePolicy) -> None:
    with pytest.raises(InvalidRequest, match="ends before it begins"):
        due_of(
            "2026-03-02T09:00",
            working_days(5),
            pause("2026-03-04T10:00", "2026-03-04T09:59", policy),
        )


def test_a_completion_from_before_the_request_ends_no_pause() -> None:
    """Facts cannot make such a pause: the clock waits for a completion that comes after."""
    dossier = dossier_under(
        FIVE_DAYS,
        "2026-03-02T09:00",
        assigned("2026-03-02T10:00"),
        asked("2026-03-04T10:00"),
        answered("2026-03-04T09:59"),
    )
    assert dossier.due is None
    assert "illegal-transition" in kinds(dossier)


def test_office_hours_of_a_day_that_are_none_are_a_clear_error() -> None:
    hours = OfficeHours(day=date(2026, 3, 5), sessions=("11:30-07:00",))
    wrong = replace(decided("wrong"), hours=(hours,))
    with pytest.raises(InvalidRequest, match="Sessions end after they begin"):
        calendar(wrong)


def test_a_calendar_without_any_decision_knows_no_year() -> None:
    nothing = RuleBook()
    by = nothing.working_calendar(nothing.calendar_use(DESK), 0)
    with pytest.raises(CalendarLacksYear):
        due_of("2026-03-02T09:00", working_days(1), by=by)
    assert by.local(moment("2026-03-02T09:00")) == datetime.fromisoformat("2026-03-02T09:00")
