"""Rules 3.8 and 3.9, sentence by sentence: what pauses a clock, what a late decision moves."""

import pytest

from domain.deadlines.law import PausePolicy, Term
from domain.dossier.appointments import DueDateRecomputed, RecomputeDueDate
from domain.dossier.incidents import EndIncident
from domain.dossier.supplements import CompleteSupplement, SupplementCompleted
from domain.errors import IllegalTransition
from tests import examples as say
from tests.domain.deadlines.given import (
    EXTEND,
    EXTENDED,
    FIVE_DAYS,
    LATE_SATURDAY,
    NEIGHBOUR,
    NONE,
    RESTART,
    STORM,
    SWAP,
    accepted,
    after,
    answered,
    asked,
    assigned,
    billed,
    book,
    calendar_days,
    decided,
    dossier_under,
    down,
    finished,
    kinds,
    learn,
    moment,
    offered,
    paid,
    procedure,
    put_off,
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

# 3.8


def test_rule_3_8_a_supplement_asked_on_the_third_working_day_is_in_time() -> None:
    rules = book(FIVE_DAYS)
    start = accepted(rules, "2026-03-02T09:00")
    assert "late-supplement-request" not in kinds(state(rules, start, asked("2026-03-05T16:59")))
    assert "late-supplement-request" in kinds(state(rules, start, asked("2026-03-06T07:00")))


def test_rule_3_8_a_late_supplement_moves_the_date_like_any_other() -> None:
    dossier = dossier_under(
        FIVE_DAYS,
        "2026-03-02T09:00",
        asked("2026-03-06T10:00"),
        answered("2026-03-10T14:00"),
    )
    assert kinds(dossier) == ["late-supplement-request"]
    assert wall(dossier.due) == "2026-03-17T14:00"


def test_rule_3_8_the_procedure_version_may_give_another_limit() -> None:
    rules = book(procedure(working_days(10), notice_days=5))
    start = accepted(rules, "2026-03-02T09:00")
    assert kinds(state(rules, start, asked("2026-03-09T09:00"))) == []
    assert kinds(state(rules, start, asked("2026-03-10T09:00"))) == ["late-supplement-request"]


@pytest.mark.parametrize("stated", [None, "2026-03-20T09:00"])
def test_rule_3_8_the_three_days_count_from_the_receipt_as_the_office_sees_it(
    stated: str | None,
) -> None:
    """Received on a Saturday, day 0 is Monday, whoever says the due date."""
    rules = book(FIVE_DAYS)
    start = accepted(rules, "2026-03-07T10:00", due=stated)
    assert kinds(state(rules, start, asked("2026-03-12T10:00"))) == []
    assert kinds(state(rules, start, asked("2026-03-13T10:00"))) == ["late-supplement-request"]


@pytest.mark.parametrize("term", [calendar_days(20), working_hours(99)])
def test_rule_3_8_the_three_days_count_alike_for_terms_of_every_unit(term: Term) -> None:
    rules = book(procedure(term))
    start = accepted(rules, "2026-03-07T10:00")
    assert kinds(state(rules, start, asked("2026-03-12T10:00"))) == []
    assert kinds(state(rules, start, asked("2026-03-13T10:00"))) == ["late-supplement-request"]


@pytest.mark.parametrize("policy", [RESTART, EXTEND])
def test_rule_3_8_a_supplement_asked_after_the_due_date_never_moves_it(
    policy: PausePolicy,
) -> None:
    rules = book(procedure(working_days(5), pauses=policy))
    late = (accepted(rules, "2026-03-02T09:00"), asked("2026-03-10T07:00"))
    for dossier in (state(rules, *late), state(rules, *late, answered("2026-03-12T10:00"))):
        assert wall(dossier.due) == wall(dossier.first_due) == "2026-03-09T09:00"
        assert kinds(dossier) == ["late-supplement-request", "supplement-after-due"]


def test_rule_3_8_nor_does_the_new_date_that_its_source_states_move_it() -> None:
    dossier = dossier_under(
        FIVE_DAYS,
        "2026-03-02T09:00",
        asked("2026-03-10T07:00"),
        answered("2026-03-12T10:00", due="2026-03-30T10:00"),
    )
    assert wall(dossier.due) == "2026-03-09T09:00"


def test_rule_3_8_a_supplement_after_the_first_date_moves_only_that_of_the_reappointment() -> None:
    dossier = dossier_under(
        EXTENDED,
        "2026-03-02T09:00",
        assigned("2026-03-02T10:00"),
        put_off("2026-03-06T09:00", until="2026-03-16T09:00"),
        asked("2026-03-11T07:00"),
        answered("2026-03-11T17:00"),
    )
    assert wall(dossier.first_due) == "2026-03-09T09:00"
    assert wall(dossier.due) == "2026-03-17T09:00"


def test_rule_3_8_waiting_for_an_opinion_never_pauses() -> None:
    dossier = dossier_under(
        FIVE_DAYS,
        "2026-03-02T09:00",
        offered("2026-03-02T10:00"),
        taken_over("2026-03-02T11:00"),
        offered("2026-03-03T10:00", NEIGHBOUR, "for an opinion"),
        taken_over("2026-03-05T10:00", NEIGHBOUR, "opinion begun"),
    )
    assert wall(dossier.due) == "2026-03-09T09:00"
    assert (dossier.pauses, dossier.paused_minutes) == (0, 0)


def test_rule_3_8_status_6_pauses_by_default() -> None:
    rules = book(FIVE_DAYS)
    waiting = (
        accepted(rules, "2026-03-02T09:00"),
        assigned("2026-03-02T10:00"),
        billed("2026-03-03T07:00"),
    )
    assert state(rules, *waiting).due is None
    assert wall(state(rules, *waiting, paid("2026-03-04T17:00")).due) == "2026-03-11T09:00"


@pytest.mark.parametrize(
    ("policy", "due"),
    [(NONE, "2026-03-09T09:00"), (EXTEND, "2026-03-11T09:00"), (RESTART, "2026-03-12T07:00")],
)
def test_rule_3_8_what_status_6_does_is_a_policy_of_the_procedure_version(
    policy: PausePolicy, due: str
) -> None:
    dossier = dossier_under(
        procedure(working_days(5), payment=policy),
        "2026-03-02T09:00",
        assigned("2026-03-02T10:00"),
        billed("2026-03-03T07:00"),
        paid("2026-03-04T17:00"),
    )
    assert wall(dossier.due) == due


def test_rule_3_8_an_open_obligation_that_does_not_pause_leaves_the_date() -> None:
    dossier = dossier_under(
        procedure(working_days(5), payment=NONE),
        "2026-03-02T09:00",
        assigned("2026-03-02T10:00"),
        billed("2026-03-03T07:00"),
    )
    assert wall(dossier.due) == "2026-03-09T09:00"


@pytest.mark.parametrize("policy", [NONE, RESTART])
def test_rule_3_8_a_system_incident_extends_whatever_a_supplement_does(policy: PausePolicy) -> None:
    rules = book(procedure(working_days(5), pauses=policy, payment=policy))
    outage = (
        accepted(rules, "2026-03-02T09:00"),
        down("2026-03-03T07:00"),
    )
    assert state(rules, *outage).due is None
    assert wall(state(rules, *outage, up("2026-03-03T17:00")).due) == "2026-03-10T09:00"


def test_rule_3_8_a_system_incident_is_one_interval_for_each_system() -> None:
    dossier = dossier_under(
        FIVE_DAYS,
        "2026-03-02T09:00",
        down("2026-03-03T09:00", "LGSP"),
        down("2026-03-03T14:00", "VNeID"),
        up("2026-03-03T15:00", "LGSP"),
        up("2026-03-03T17:00", "VNeID"),
    )
    assert wall(dossier.due) == "2026-03-09T17:00"
    assert (dossier.pauses, dossier.paused_minutes) == (2, 360)


def test_rule_3_8_the_clock_stands_still_until_the_last_system_is_up() -> None:
    dossier = dossier_under(
        FIVE_DAYS,
        "2026-03-02T09:00",
        down("2026-03-03T09:00", "LGSP"),
        down("2026-03-03T14:00", "VNeID"),
        up("2026-03-03T15:00", "LGSP"),
    )
    assert dossier.due is None


def test_rule_3_8_an_outage_that_is_told_twice_is_one() -> None:
    dossier = dossier_under(
        FIVE_DAYS,
        "2026-03-02T09:00",
        down("2026-03-03T09:00"),
        down("2026-03-03T10:00"),
        up("2026-03-03T11:00"),
    )
    assert wall(dossier.due) == "2026-03-09T11:00"
    assert dossier.pauses == 1


def test_rule_3_8_an_outage_inside_of_a_supplement_counts_once() -> None:
    dossier = dossier_under(
        EXTENDED,
        "2026-03-02T09:00",
        asked("2026-03-03T07:00"),
        down("2026-03-03T09:00"),
        up("2026-03-03T11:00"),
        answered("2026-03-03T17:00"),
    )
    assert wall(dossier.due) == "2026-03-10T09:00"


# 3.9


def test_rule_3_9_an_acceptance_names_the_versions_of_procedure_calendar_and_policy() -> None:
    rules = book(procedure(working_days(5), version=3))
    start = accepted(rules, "2026-03-02T09:00")
    assert start.procedure_version == 3
    assert start.calendar_used is not None
    assert (start.calendar_used.name, start.calendar_used.version) == ("VN", 4)
    assert start.policy_version == 0
    assert start.due_computed


def test_rule_3_9_a_recomputation_names_both_dates_and_both_calendar_versions() -> None:
    rules = book(FIVE_DAYS)
    start = accepted(rules, "2026-03-02T09:00")
    learn(rules, STORM)
    *_, event = recomputed(rules, [start], "2026-03-06T09:00")
    assert isinstance(event, DueDateRecomputed)
    moved = event.moved
    assert wall(moved.first_due_before) == wall(moved.due_before) == "2026-03-09T09:00"
    assert wall(moved.first_due) == wall(moved.due) == "2026-03-10T09:00"
    assert (moved.calendar_before.version, moved.calendar.version) == (4, 5)


def test_rule_3_9_a_late_decision_moves_an_open_dossier_by_an_event_and_never_silently() -> None:
    rules = book(FIVE_DAYS)
    start = accepted(rules, "2026-03-02T09:00")
    learn(rules, STORM)
    assert wall(state(rules, start).due) == "2026-03-09T09:00"
    dossier = state(rules, *recomputed(rules, [start], "2026-03-06T09:00"))
    assert wall(dossier.due) == wall(dossier.first_due) == "2026-03-10T09:00"
    assert wall(dossier.printed_due) == "2026-03-09T09:00"


def test_rule_3_9_the_same_recomputation_again_is_no_news() -> None:
    rules = book(FIVE_DAYS)
    start = accepted(rules, "2026-03-02T09:00")
    learn(rules, STORM)
    moved = recomputed(rules, [start], "2026-03-06T09:00")
    trying(rules, moved, RecomputeDueDate(), "2026-03-06T10:00").then_nothing()


def test_rule_3_9_a_late_decision_never_makes_a_date_earlier_than_the_one_printed() -> None:
    """The 14th becomes a working Saturday; the receipt said Monday the 16th."""
    rules = book(FIVE_DAYS)
    start = accepted(rules, "2026-03-09T09:00")
    learn(rules, LATE_SATURDAY)
    trying(rules, [start], RecomputeDueDate(), "2026-03-10T09:00").then_nothing()
    outage = (down("2026-03-10T17:00"), up("2026-03-10T18:00"))
    dossier = state(
        rules, *after(rules, [start, outage[0]], EndIncident(system="LGSP"), "2026-03-10T18:00")
    )
    assert wall(dossier.due) == "2026-03-16T09:00"


def test_rule_3_9_nor_earlier_than_the_one_told_when_the_supplement_was_confirmed() -> None:
    """The confirmation prints a form 01 with a new date; a later command must not undercut it."""
    rules = book(FIVE_DAYS)
    restarted = [
        accepted(rules, "2026-03-02T09:00"),
        asked("2026-03-04T10:00"),
        answered("2026-03-10T14:00"),
    ]
    assert wall(state(rules, *restarted).due) == "2026-03-17T14:00"
    learn(rules, LATE_SATURDAY)
    trying(rules, restarted, RecomputeDueDate(), "2026-03-11T08:00").then_nothing()
    at_night = [*restarted, down("2026-03-10T18:00")]
    resumed = after(rules, at_night, EndIncident(system="LGSP"), "2026-03-10T19:00")
    assert wall(state(rules, *resumed).due) == "2026-03-17T14:00"


def test_rule_3_9_a_printed_day_that_a_swap_closes_gives_way_to_the_next_working_day() -> None:
    """22 August is worked for 31 August: computed anew it would be the 28th.

    The receipt says the 31st; then the office is closed, as it is on 1 and 2 September.
    """
    rules = book(procedure(working_days(9)))
    start = accepted(rules, "2026-08-18T10:00")
    assert wall(start.due) == "2026-08-31T10:00"
    learn(rules, SWAP)
    dossier = state(rules, *recomputed(rules, [start], "2026-08-20T08:00"))
    assert (wall(dossier.first_due) or "")[:10] == "2026-09-03"


def test_rule_3_9_what_was_told_before_a_late_decision_is_not_told_earlier_with_a_pause() -> None:
    """Printed for the 16th, a day's outage, told for the 17th: a working Saturday takes nothing."""
    rules = book(FIVE_DAYS)
    outage = [
        accepted(rules, "2026-03-09T09:00"),
        down("2026-03-10T07:00"),
        up("2026-03-10T17:00"),
    ]
    assert wall(state(rules, *outage).due) == "2026-03-17T09:00"
    learn(rules, LATE_SATURDAY)
    again = [*outage, down("2026-03-11T17:00")]
    resumed = after(rules, again, EndIncident(system="LGSP"), "2026-03-11T18:00")
    assert wall(state(rules, *resumed).due) == "2026-03-17T09:00"


def test_rule_3_9_an_ended_dossier_keeps_the_dates_it_ended_with() -> None:
    rules = book(FIVE_DAYS)
    ended = [accepted(rules, "2026-03-02T09:00"), finished("2026-03-06T09:00")]
    before = state(rules, *ended)
    learn(rules, STORM)
    trying(rules, ended, RecomputeDueDate(), "2026-03-06T10:00").then_refused(IllegalTransition)
    assert state(rules, *ended).due == before.due == moment("2026-03-09T09:00")


def test_rule_3_9_a_recomputation_that_comes_to_lie_after_the_end_moves_nothing() -> None:
    """The end is told late: it happened before the recomputation."""
    rules = book(FIVE_DAYS)
    start = accepted(rules, "2026-03-02T09:00")
    learn(rules, STORM)
    moved = recomputed(rules, [start], "2026-03-06T09:00")
    dossier = state(rules, *moved, finished("2026-03-06T08:00"))
    assert wall(dossier.due) == "2026-03-09T09:00"


def test_rule_3_9_a_dossier_whose_end_was_void_is_recomputed_like_any_open_one() -> None:
    rules = book(FIVE_DAYS)
    reopened = [
        accepted(rules, "2026-03-02T09:00"),
        finished("2026-03-04T09:00"),
        told(say.result_rejected(), "2026-03-04T10:00"),
    ]
    learn(rules, STORM)
    dossier = state(rules, *recomputed(rules, reopened, "2026-03-06T09:00"))
    assert wall(dossier.due) == "2026-03-10T09:00"


def test_rule_3_9_a_clock_that_goes_on_counts_by_the_newest_calendar() -> None:
    rules = book(EXTENDED)
    waiting = [accepted(rules, "2026-03-02T09:00"), asked("2026-03-03T09:00")]
    learn(rules, decided("flood", off=["2026-03-11"]))
    trying(rules, waiting, RecomputeDueDate(), "2026-03-05T08:00").then_nothing()
    resumed = after(rules, waiting, CompleteSupplement(), "2026-03-06T09:00")
    assert [type(event) for event in resumed[2:]] == [SupplementCompleted, DueDateRecomputed]
    assert wall(state(rules, *resumed).due) == "2026-03-13T09:00"


def test_rule_3_9_another_units_version_of_the_calendar_is_not_ones_own() -> None:
    rules = book(FIVE_DAYS)
    start = accepted(rules, "2026-03-02T09:00")
    learn(rules, decided("flood", off=["2026-03-05"], unit=NEIGHBOUR))
    trying(rules, [start], RecomputeDueDate(), "2026-03-06T09:00").then_nothing()
