"""The catalogue of deadline bugs that others shipped, D1 to D22, as far as due dates go.

D20 (a second supplement flips a dossier under one metric and not under another) and D21 (an open
dossier is judged at the end of each period) are about reports and are tested with these; of D17
the point before the due date is a question of lists, its arithmetic is here.
"""

from datetime import timedelta

import pytest

from domain.deadlines.law import Term
from domain.dossier.appointments import RecomputeDueDate
from domain.dossier.competence import SucceedUnit
from domain.envelope import UnitCode
from domain.errors import IllegalTransition
from tests import examples as say
from tests.domain.deadlines.given import (
    ELSEWHERE,
    EXTENDED,
    FIVE_DAYS,
    NEIGHBOUR,
    NONE,
    accepted,
    after,
    answered,
    asked,
    assigned,
    billed,
    book,
    calendar,
    calendar_days,
    decided,
    dossier_under,
    down,
    due_of,
    elapsed_hours,
    finished,
    kinds,
    learn,
    moment,
    months,
    offered,
    paid,
    procedure,
    ran,
    recomputed,
    state,
    taken_over,
    told,
    trying,
    up,
    wall,
    working_days,
    working_hours,
)
from tests.examples import AGENCY


def test_d1_a_suspension_moves_the_due_date_by_working_time_and_not_by_the_clock_on_the_wall() -> (
    None
):
    """From Friday 16:00 until Monday 08:00 are 64 hours, two of them worked."""
    dossier = dossier_under(
        EXTENDED,
        "2026-03-04T09:00",
        asked("2026-03-06T16:00"),
        answered("2026-03-09T08:00"),
    )
    assert wall(dossier.due) == "2026-03-11T11:00"


def test_d2_a_hold_is_added_once_even_if_it_is_told_twice_and_computed_again() -> None:
    rules = book(EXTENDED)
    held = [
        accepted(rules, "2026-03-02T09:00"),
        asked("2026-03-03T09:00"),
        asked("2026-03-03T10:00", "asked again"),
        answered("2026-03-03T14:30"),
        answered("2026-03-03T15:00", "answered again"),
    ]
    assert wall(state(rules, *held).due) == "2026-03-09T14:30"
    learn(rules, decided("storm", off=["2026-03-05"]))
    moved = recomputed(rules, held, "2026-03-06T09:00")
    assert wall(state(rules, *moved).due) == "2026-03-10T14:30"


def test_d2_a_supplement_and_a_bill_at_the_same_time_are_one_hold() -> None:
    dossier = dossier_under(
        EXTENDED,
        "2026-03-02T09:00",
        assigned("2026-03-02T10:00"),
        billed("2026-03-03T07:00"),
        asked("2026-03-03T09:00"),
        paid("2026-03-03T10:00"),
        answered("2026-03-03T17:00"),
    )
    assert wall(dossier.due) == "2026-03-10T09:00"
    assert dossier.paused_minutes == 480


def test_d3_a_suspension_inside_of_non_working_time_moves_nothing() -> None:
    dossier = dossier_under(
        EXTENDED,
        "2026-02-12T09:00",
        asked("2026-02-13T17:00"),
        answered("2026-02-23T07:00"),
    )
    assert wall(dossier.due) == "2026-02-26T09:00"
    assert (dossier.pauses, dossier.paused_minutes) == (1, 0)


def test_d4_of_several_suspensions_one_that_is_open_stops_the_clock() -> None:
    rules = book(EXTENDED)
    several = [
        accepted(rules, "2026-03-02T09:00"),
        asked("2026-03-03T07:00"),
        answered("2026-03-03T17:00"),
        down("2026-03-04T07:00"),
    ]
    open_one = state(rules, *several)
    assert (open_one.due, open_one.pauses, open_one.paused_minutes) == (None, 2, 480)
    over = state(rules, *several, up("2026-03-04T17:00"))
    assert (wall(over.due), over.pauses, over.paused_minutes) == ("2026-03-11T09:00", 2, 960)


def test_d5_an_incomplete_dossier_restarts_and_other_reasons_resume() -> None:
    rules = book(FIVE_DAYS)
    start = accepted(rules, "2026-03-02T09:00")
    incomplete = state(rules, start, asked("2026-03-03T09:00"), answered("2026-03-04T09:00"))
    assert wall(incomplete.due) == "2026-03-11T09:00"
    work = assigned("2026-03-02T10:00")
    bill = state(rules, start, work, billed("2026-03-03T09:00"), paid("2026-03-04T09:00"))
    assert wall(bill.due) == "2026-03-10T09:00"
    outage = state(rules, start, down("2026-03-03T09:00"), up("2026-03-04T09:00"))
    assert wall(outage.due) == "2026-03-10T09:00"


def test_d6_what_is_suspended_has_its_dates_computed_or_taken() -> None:
    rules = book(FIVE_DAYS)
    start = accepted(rules, "2026-03-02T09:00")
    suspended = state(rules, start, asked("2026-03-03T09:00"))
    assert suspended.paused_since == moment("2026-03-03T09:00")
    assert (suspended.first_due, suspended.due) == (None, None)
    resumed = state(rules, start, asked("2026-03-03T09:00"), answered("2026-03-04T09:00"))
    assert resumed.paused_since is None
    assert wall(resumed.due) == "2026-03-11T09:00"


def test_d7_number_and_length_of_past_suspensions_can_be_asked_of_the_state() -> None:
    dossier = dossier_under(
        EXTENDED,
        "2026-03-02T09:00",
        assigned("2026-03-02T10:00"),
        asked("2026-03-03T09:00", "first"),
        answered("2026-03-03T11:00", "first answer"),
        billed("2026-03-04T09:00"),
        paid("2026-03-04T10:00"),
        down("2026-03-05T07:00"),
        up("2026-03-05T07:30"),
    )
    assert (dossier.pauses, dossier.paused_minutes) == (3, 210)


def test_d7_overlapping_suspensions_are_counted_each_and_measured_once() -> None:
    dossier = dossier_under(
        EXTENDED,
        "2026-03-02T09:00",
        down("2026-03-03T07:00", "LGSP"),
        down("2026-03-03T08:00", "VNeID"),
        up("2026-03-03T09:00", "LGSP"),
        up("2026-03-03T10:00", "VNeID"),
    )
    assert (dossier.pauses, dossier.paused_minutes) == (2, 180)


def test_d7_what_was_paused_before_a_restart_stays_known() -> None:
    dossier = dossier_under(
        FIVE_DAYS,
        "2026-03-02T09:00",
        down("2026-03-03T07:00"),
        up("2026-03-03T09:00"),
        asked("2026-03-04T10:00"),
        answered("2026-03-10T14:00"),
    )
    assert (dossier.pauses, dossier.paused_minutes) == (2, 120 + 2040)


def test_d8_a_holiday_announced_after_intake_moves_open_dossiers_and_no_closed_ones() -> None:
    rules = book(FIVE_DAYS)
    still_open = [accepted(rules, "2026-11-20T09:00")]
    closed = [*still_open, finished("2026-11-23T09:00")]
    learn(rules, decided("culture-day", off=["2026-11-24"]))
    moved = state(rules, *recomputed(rules, still_open, "2026-11-23T10:00"))
    assert wall(moved.due) == "2026-11-30T09:00"
    assert wall(state(rules, *closed).due) == "2026-11-27T09:00"
    again = trying(rules, closed, RecomputeDueDate(), "2026-11-23T10:00")
    again.then_refused(IllegalTransition)


def test_d9_a_holiday_that_is_worked_and_a_saturday_that_is_worked() -> None:
    """A commemoration is named as worked; 10 January is worked for the 2nd."""
    by = calendar(decided("commemorated", working=["2026-05-07"]))
    assert due_of("2026-05-06T09:00", working_days(1), by=by) == "2026-05-07T09:00"
    assert due_of("2026-01-09T09:00", working_days(2)) == "2026-01-12T09:00"
    assert due_of("2026-01-09T15:00", working_hours(8)) == "2026-01-10T15:00"


def test_d9_the_sunday_after_a_working_saturday_is_off() -> None:
    assert due_of("2026-01-10T17:00", working_days(1)) == "2026-01-13T07:00"


@pytest.mark.parametrize(
    ("term", "due"),
    [
        (working_days(1), "2026-04-28T09:00"),
        (calendar_days(1), "2026-04-28T17:00"),
        (calendar_days(3), "2026-04-28T17:00"),
        (elapsed_hours(24), "2026-04-28T17:00"),
        (working_hours(8), "2026-04-28T09:00"),
    ],
)
def test_d10_a_result_on_a_holiday_or_weekend_by_the_rule_of_its_unit(term: Term, due: str) -> None:
    """From Friday 24 April; Monday the 27th is a compensation."""
    assert due_of("2026-04-24T09:00", term) == due


@pytest.mark.parametrize(
    ("start", "term", "due"),
    [
        ("2026-03-30T09:00", working_days(5), "2026-04-06T09:00"),
        ("2026-03-31T15:00", working_hours(8), "2026-04-01T15:00"),
        ("2026-02-25T09:00", calendar_days(5), "2026-03-02T17:00"),
        ("2026-08-31T09:00", months(1), "2026-09-30T17:00"),
        ("2026-03-31T20:00", elapsed_hours(24), "2026-04-01T20:00"),
    ],
)
def test_d11_across_the_end_of_a_month(start: str, term: Term, due: str) -> None:
    assert due_of(start, term) == due


@pytest.mark.parametrize(
    ("received", "due"),
    [
        ("2026-03-02T05:00", "2026-03-03T07:00"),
        ("2026-03-02T12:00", "2026-03-03T13:30"),
        ("2026-03-02T20:00", "2026-03-04T07:00"),
        ("2026-03-06T20:00", "2026-03-10T07:00"),
        ("2026-03-07T09:00", "2026-03-10T07:00"),
        ("2026-03-08T23:59:59", "2026-03-10T07:00"),
        ("2026-03-09T00:00", "2026-03-10T07:00"),
        ("2026-02-17T09:00", "2026-02-24T07:00"),
    ],
)
def test_d12_day_zero_of_what_arrives_outside_of_office_hours(received: str, due: str) -> None:
    assert due_of(received, working_days(1)) == due


def test_d13_a_day_is_eight_working_hours_and_not_twenty_four() -> None:
    start = "2026-03-02T09:00"
    assert due_of(start, working_days(3)) == due_of(start, working_hours(24)) == "2026-03-05T09:00"
    assert due_of(start, elapsed_hours(24)) == "2026-03-03T09:00"
    assert ran(start, working_days(3)).due != ran(start, working_hours(72)).due


def test_d14_a_procedure_that_changes_on_the_way_keeps_the_term_and_the_elapsed_pause() -> None:
    rules = book(EXTENDED)
    waiting = [accepted(rules, "2026-03-02T09:00"), asked("2026-03-03T07:00")]
    learn(rules, procedure(working_days(1), version=2, pauses=NONE, valid_from="2026-03-02"))
    dossier = state(rules, *waiting, answered("2026-03-04T17:00"))
    assert wall(dossier.due) == "2026-03-11T09:00"
    assert (dossier.pauses, dossier.paused_minutes) == (1, 960)


def test_d14_another_competent_unit_keeps_the_elapsed_pause() -> None:
    dossier = dossier_under(
        EXTENDED,
        "2026-03-02T09:00",
        asked("2026-03-03T07:00"),
        answered("2026-03-03T17:00"),
        told(say.competence_transferred(to_unit=NEIGHBOUR), "2026-03-04T09:00"),
    )
    assert wall(dossier.due) == "2026-03-10T09:00"
    assert (dossier.pauses, dossier.paused_minutes) == (1, 480)


def test_d15_a_decision_that_was_void_did_not_stop_the_clock() -> None:
    rules = book(EXTENDED)
    reopened = [
        accepted(rules, "2026-03-02T09:00"),
        finished("2026-03-04T09:00"),
        told(say.result_rejected(), "2026-03-06T09:00"),
    ]
    assert wall(state(rules, *reopened).due) == "2026-03-09T09:00"
    paused = [*reopened, asked("2026-03-06T10:00"), answered("2026-03-06T15:00")]
    assert wall(state(rules, *paused).due) == "2026-03-09T14:00"


def test_d15_what_was_ignored_after_an_end_counts_once_the_end_is_void() -> None:
    """The outage came after the faulty end; the rejection of that end was told last."""
    rules = book(EXTENDED)
    ended = [
        accepted(rules, "2026-03-02T09:00"),
        finished("2026-03-04T09:00"),
        down("2026-03-05T07:00"),
        up("2026-03-05T17:00"),
    ]
    assert wall(state(rules, *ended).due) == "2026-03-09T09:00"
    reopened = [*ended, told(say.result_rejected(), "2026-03-06T09:00")]
    assert wall(state(rules, *reopened).due) == "2026-03-10T09:00"


def test_d16_an_alarm_clears_with_its_ground() -> None:
    rules = book(FIVE_DAYS)
    start = accepted(rules, "2026-03-02T09:00")
    late = [start, asked("2026-03-10T07:00")]
    assert "supplement-after-due" in kinds(state(rules, *late))
    assert (
        kinds(state(rules, *late, told(say.corrected(corrects="asked"), "2026-03-10T08:00"))) == []
    )


def test_d16_a_closure_that_is_taken_back_closes_nothing_any_more() -> None:
    rules = book(FIVE_DAYS, decided("storm", off=["2026-03-05"]))
    assert wall(accepted(rules, "2026-03-02T09:00").due) == "2026-03-10T09:00"
    learn(rules, decided("storm", off=["2026-03-05"], proposal=True))
    assert wall(accepted(rules, "2026-03-02T09:00").due) == "2026-03-09T09:00"


@pytest.mark.parametrize(
    ("due", "hours", "point"),
    [
        ("2026-03-09T09:00", 8, "2026-03-06T09:00"),
        ("2026-02-23T08:00", 2, "2026-02-13T16:00"),
        ("2026-01-12T08:00", 4, "2026-01-10T14:00"),
    ],
)
def test_d17_so_many_working_hours_before_the_due_date_lie_inside_of_office_hours(
    due: str, hours: int, point: str
) -> None:
    """The last moment at which so much working time is left; nothing on a Saturday night."""
    by = calendar()
    before, at = by.local(moment(due)), by.local(moment(point))
    assert by.worked(at, before) == timedelta(hours=hours)
    assert by.is_worked(at)


def test_d18_of_two_facts_in_the_same_second_the_one_told_first_comes_first() -> None:
    rules = book(EXTENDED)
    start = accepted(rules, "2026-03-02T09:00")
    request, answer = asked("2026-03-03T09:00"), answered("2026-03-03T09:00")
    assert wall(state(rules, start, request, answer).due) == "2026-03-09T09:00"
    assert state(rules, start, answer, request).due is None


def test_d18_a_request_that_is_recorded_late_paused_from_when_it_was_made() -> None:
    dossier = dossier_under(
        EXTENDED,
        "2026-03-02T09:00",
        answered("2026-03-04T09:00"),
        asked("2026-03-03T09:00"),
    )
    assert wall(dossier.due) == "2026-03-10T09:00"
    assert kinds(dossier) == []


def test_d18_an_acceptance_that_is_told_last_starts_the_clock_when_it_happened() -> None:
    rules = book(EXTENDED)
    dossier = state(
        rules,
        answered("2026-03-04T09:00"),
        asked("2026-03-03T09:00"),
        accepted(rules, "2026-03-02T09:00"),
    )
    assert wall(dossier.due) == "2026-03-10T09:00"


def test_d19_the_broken_calendar_of_one_unit_does_not_stop_the_others() -> None:
    rules = book(FIVE_DAYS)
    ours = [accepted(rules, "2026-03-02T09:00")]
    theirs = [accepted(rules, "2026-03-02T09:00", competent=NEIGHBOUR)]
    learn(
        rules,
        decided("storm", off=["2026-03-05"], unit=AGENCY),
        decided("closed", off=["2026-03-06"], unit=NEIGHBOUR),
        decided("opened", working=["2026-03-06"], unit=NEIGHBOUR),
    )
    assert wall(state(rules, *recomputed(rules, ours, "2026-03-06T09:00")).due) == (
        "2026-03-10T09:00"
    )
    assert wall(state(rules, *theirs).due) == "2026-03-09T09:00"


def test_d22_an_agency_that_is_merged_while_the_clock_runs_keeps_the_clock() -> None:
    rules = book(EXTENDED)
    merged = [
        accepted(rules, "2026-03-02T09:00"),
        asked("2026-03-03T07:00"),
        told(say.unit_succeeded(successor=NEIGHBOUR), "2026-03-03T12:00"),
        answered("2026-03-03T17:00"),
    ]
    dossier = state(rules, *merged)
    assert dossier.competent_unit == NEIGHBOUR
    assert wall(dossier.due) == "2026-03-10T09:00"
    assert (dossier.pauses, dossier.paused_minutes) == (1, 480)


def test_d22_after_a_merger_the_closures_of_the_successor_hold() -> None:
    rules = book(FIVE_DAYS)
    merged = [
        accepted(rules, "2026-03-02T09:00"),
        told(say.unit_succeeded(successor=NEIGHBOUR), "2026-03-03T12:00"),
    ]
    learn(rules, decided("flood", off=["2026-03-05"], unit=NEIGHBOUR))
    moved = state(rules, *recomputed(rules, merged, "2026-03-06T09:00"))
    assert wall(moved.due) == "2026-03-10T09:00"


def test_d22_the_successor_of_the_agency_that_is_awaited_starts_the_clock() -> None:
    """Sent to another province; there the agency is merged before the papers arrive."""
    rules = book(FIVE_DAYS, say.unit_registered(UnitCode("H02.40"), parent=UnitCode("H02")))
    successor = UnitCode("H02.40")
    dossier = state(
        rules,
        accepted(rules, "2026-03-02T09:00", competent=ELSEWHERE),
        told(say.unit_succeeded(predecessor=ELSEWHERE, successor=successor), "2026-03-03T09:00"),
        offered("2026-03-03T10:00", successor),
        taken_over("2026-03-04T14:00", successor),
    )
    assert dossier.competent_unit == successor
    assert wall(dossier.due) == "2026-03-11T14:00"


def test_d22_a_merger_moves_no_date_by_itself() -> None:
    rules = book(FIVE_DAYS)
    start = accepted(rules, "2026-03-02T09:00")
    succeed = SucceedUnit(predecessor=AGENCY, successor=NEIGHBOUR)
    merged = after(rules, [start], succeed, "2026-03-03T09:00")
    assert len(merged) == 2
    assert wall(state(rules, *merged).due) == "2026-03-09T09:00"
