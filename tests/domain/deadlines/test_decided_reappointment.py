"""Rules 3.10 to 3.13, sentence by sentence: re-appointment, receipt elsewhere, sub-deadlines.

Due soon (3.14) is a question of lists of dossiers, and the comparator (3.3) one of each metric;
both are tested where they are asked. The laws (3.15) are in `test_laws`.
"""

import sys
from dataclasses import replace

import pytest

from domain.dossier.appointments import IssueReappointment
from domain.dossier.chapter import DossierCommand
from domain.dossier.dates.dates import dates_of
from domain.dossier.dates.steps import step_plan
from domain.dossier.transfers import OfferTransfer, TransferOffered
from domain.dossier.work import AssignDossier, StartStep
from domain.errors import IllegalTransition, InvalidRequest
from domain.rules.procedures import ProcedureStep
from tests import examples as say
from tests.domain.deadlines.given import (
    CULTURE_DAY,
    ELSEWHERE,
    EXTENDED,
    FIVE_DAYS,
    NEIGHBOUR,
    STORM,
    SWAP,
    accepted,
    after,
    answered,
    asked,
    assigned,
    book,
    decided,
    dossier_under,
    down,
    kinds,
    learn,
    moment,
    offered,
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
)
from tests.examples import AGENCY

# 3.10


def test_rule_3_10_one_reappointment_for_a_dossier() -> None:
    rules = book(FIVE_DAYS)
    once = [
        accepted(rules, "2026-03-02T09:00"),
        assigned("2026-03-02T10:00"),
        put_off("2026-03-05T09:00", until="2026-03-16T17:00"),
    ]
    again = IssueReappointment(new_due=moment("2026-03-20T17:00"), reason="Chờ xác minh.")
    trying(rules, once, again, "2026-03-06T09:00").then_refused(IllegalTransition, "one")
    told_again = put_off("2026-03-06T09:00", until="2026-03-20T17:00", named="again")
    assert kinds(state(rules, *once, told_again)) == ["second-reappointment"]


def test_rule_3_10_one_reappointment_restarts_included() -> None:
    rules = book(FIVE_DAYS)
    restarted = [
        accepted(rules, "2026-03-02T09:00"),
        assigned("2026-03-02T10:00"),
        put_off("2026-03-03T09:00", until="2026-03-16T17:00"),
        asked("2026-03-04T10:00"),
        answered("2026-03-10T14:00"),
    ]
    again = IssueReappointment(new_due=moment("2026-03-27T17:00"), reason="Chờ xác minh.")
    trying(rules, restarted, again, "2026-03-11T09:00").then_refused(IllegalTransition, "one")


@pytest.mark.parametrize("when", ["2026-03-09T07:00", "2026-03-09T00:00", "2026-03-10T09:00"])
def test_rule_3_10_a_reappointment_on_the_due_day_or_later_is_refused(when: str) -> None:
    rules = book(FIVE_DAYS)
    working = [accepted(rules, "2026-03-02T09:00"), assigned("2026-03-02T10:00")]
    command = IssueReappointment(new_due=moment("2026-03-16T17:00"), reason="Chờ xác minh.")
    trying(rules, working, command, when).then_refused(IllegalTransition, "day before")


@pytest.mark.parametrize("when", ["2026-03-06T16:00", "2026-03-08T23:59:59"])
def test_rule_3_10_the_day_before_a_reappointment_is_in_time(when: str) -> None:
    """The law says day, not working day: Sunday is the day before Monday."""
    rules = book(FIVE_DAYS)
    working = [accepted(rules, "2026-03-02T09:00"), assigned("2026-03-02T10:00")]
    command = IssueReappointment(new_due=moment("2026-03-16T17:00"), reason="Chờ xác minh.")
    dossier = state(rules, *after(rules, working, command, when))
    assert kinds(dossier) == []
    assert wall(dossier.due) == "2026-03-16T17:00"


@pytest.mark.parametrize("when", ["2026-03-09T00:00", "2026-03-11T09:00"])
def test_rule_3_10_the_fact_of_a_late_reappointment_is_a_finding(when: str) -> None:
    dossier = dossier_under(
        FIVE_DAYS,
        "2026-03-02T09:00",
        assigned("2026-03-02T10:00"),
        put_off(when, until="2026-03-16T17:00"),
    )
    assert kinds(dossier) == ["late-reappointment"]
    assert wall(dossier.due) == "2026-03-16T17:00"


def test_rule_3_10_a_reappointment_to_an_earlier_day_is_none() -> None:
    rules = book(FIVE_DAYS)
    working = [accepted(rules, "2026-03-02T09:00"), assigned("2026-03-02T10:00")]
    command = IssueReappointment(new_due=moment("2026-03-09T09:00"), reason="Chờ xác minh.")
    trying(rules, working, command, "2026-03-03T09:00").then_refused(InvalidRequest)


def test_rule_3_10_a_reappointment_to_a_day_that_is_past_is_none_while_the_clock_stands_still() -> (
    None
):
    """In an outage there is no due date to compare with; that is no way around the rule."""
    rules = book(FIVE_DAYS)
    waiting = [
        accepted(rules, "2026-03-02T09:00"),
        assigned("2026-03-02T10:00"),
        down("2026-03-03T08:00"),
    ]
    command = IssueReappointment(new_due=moment("2026-03-04T09:00"), reason="Chờ xác minh.")
    trying(rules, waiting, command, "2026-03-20T09:00").then_refused(InvalidRequest)


def test_rule_3_10_a_told_reappointment_to_an_earlier_day_takes_no_time_away() -> None:
    dossier = dossier_under(
        FIVE_DAYS,
        "2026-03-02T09:00",
        assigned("2026-03-02T10:00"),
        put_off("2026-03-04T10:00", until="2026-03-05T10:00"),
    )
    assert wall(dossier.first_due) == wall(dossier.due) == "2026-03-09T09:00"


def test_rule_3_10_three_dates_are_kept() -> None:
    dossier = dossier_under(
        EXTENDED,
        "2026-03-02T09:00",
        assigned("2026-03-02T10:00"),
        asked("2026-03-03T07:00"),
        answered("2026-03-03T17:00"),
        put_off("2026-03-05T09:00", until="2026-03-16T17:00"),
    )
    assert wall(dossier.printed_due) == "2026-03-09T09:00"
    assert wall(dossier.first_due) == "2026-03-10T09:00"
    assert wall(dossier.due) == "2026-03-16T17:00"


def test_rule_3_10_a_pause_after_the_reappointment_moves_both_dates() -> None:
    dossier = dossier_under(
        EXTENDED,
        "2026-03-02T09:00",
        assigned("2026-03-02T10:00"),
        put_off("2026-03-03T09:00", until="2026-03-16T10:00"),
        asked("2026-03-04T07:00"),
        answered("2026-03-04T17:00"),
    )
    assert wall(dossier.printed_due) == "2026-03-09T09:00"
    assert wall(dossier.first_due) == "2026-03-10T09:00"
    assert wall(dossier.due) == "2026-03-17T10:00"


@pytest.mark.parametrize(
    ("until", "due"),
    [("2026-03-16T17:00", "2026-03-17T14:00"), ("2026-03-25T17:00", "2026-03-25T17:00")],
)
def test_rule_3_10_a_restart_after_the_reappointment_never_makes_its_date_earlier(
    until: str, due: str
) -> None:
    dossier = dossier_under(
        FIVE_DAYS,
        "2026-03-02T09:00",
        assigned("2026-03-02T10:00"),
        put_off("2026-03-03T09:00", until=until),
        asked("2026-03-04T10:00"),
        answered("2026-03-10T14:00"),
    )
    assert wall(dossier.first_due) == "2026-03-17T14:00"
    assert wall(dossier.due) == due


def test_rule_3_10_an_open_pause_takes_both_moving_dates_and_leaves_the_printed_one() -> None:
    dossier = dossier_under(
        FIVE_DAYS,
        "2026-03-02T09:00",
        assigned("2026-03-02T10:00"),
        put_off("2026-03-03T09:00", until="2026-03-16T17:00"),
        asked("2026-03-04T10:00"),
    )
    assert (dossier.first_due, dossier.due) == (None, None)
    assert wall(dossier.printed_due) == "2026-03-09T09:00"


def test_rule_3_10_a_recomputation_moves_the_first_date_and_not_that_of_the_reappointment() -> None:
    rules = book(FIVE_DAYS)
    working = [
        accepted(rules, "2026-03-02T09:00"),
        assigned("2026-03-02T10:00"),
        put_off("2026-03-03T09:00", until="2026-03-16T17:00"),
    ]
    learn(rules, STORM)
    dossier = state(rules, *recomputed(rules, working, "2026-03-06T09:00"))
    assert wall(dossier.printed_due) == "2026-03-09T09:00"
    assert wall(dossier.first_due) == "2026-03-10T09:00"
    assert wall(dossier.due) == "2026-03-16T17:00"


def test_rule_3_10_the_date_with_reappointment_is_never_before_the_first_date() -> None:
    """A re-appointment gives time. When storms push the first date past it, it takes none."""
    rules = book(FIVE_DAYS)
    working = [
        accepted(rules, "2026-03-02T09:00"),
        assigned("2026-03-02T10:00"),
        put_off("2026-03-03T09:00", until="2026-03-10T09:00"),
    ]
    learn(rules, decided("storms", off=["2026-03-05", "2026-03-06", "2026-03-09"]))
    dossier = state(rules, *recomputed(rules, working, "2026-03-04T09:00"))
    assert wall(dossier.first_due) == "2026-03-12T09:00"
    assert wall(dossier.due) == "2026-03-12T09:00"


def test_rule_3_10_a_late_decision_moves_a_reappointed_date_that_a_restart_computed() -> None:
    """The first date is past and stands; the one that holds was computed, and its day closes."""
    rules = book(FIVE_DAYS)
    restarted = [
        accepted(rules, "2026-03-02T09:00"),
        assigned("2026-03-02T10:00"),
        put_off("2026-03-06T09:00", until="2026-03-16T09:00"),
        asked("2026-03-11T10:00"),
        answered("2026-03-13T10:00"),
    ]
    assert wall(state(rules, *restarted).due) == "2026-03-20T10:00"
    learn(rules, decided("flood", off=["2026-03-20"]))
    dossier = state(rules, *recomputed(rules, restarted, "2026-03-17T09:00"))
    assert wall(dossier.first_due) == "2026-03-09T09:00"
    assert wall(dossier.due) == "2026-03-23T10:00"


# 3.11


def test_rule_3_11_the_printed_date_is_computed_again_when_the_competent_agency_has_received() -> (
    None
):
    rules = book(FIVE_DAYS)
    sent = [
        accepted(rules, "2026-03-02T09:00", competent=ELSEWHERE),
        offered("2026-03-02T10:00", ELSEWHERE),
    ]
    assert wall(state(rules, *sent).due) == "2026-03-09T09:00"
    dossier = state(rules, *sent, taken_over("2026-03-04T14:00", ELSEWHERE))
    assert wall(dossier.printed_due) == "2026-03-09T09:00"
    assert wall(dossier.first_due) == wall(dossier.due) == "2026-03-11T14:00"


def test_rule_3_11_the_receipt_is_normalised_like_one_at_a_desk() -> None:
    rules = book(FIVE_DAYS)
    dossier = state(
        rules,
        accepted(rules, "2026-03-02T09:00", competent=ELSEWHERE),
        offered("2026-03-02T10:00", ELSEWHERE),
        taken_over("2026-03-06T17:30", ELSEWHERE),
    )
    assert wall(dossier.due) == "2026-03-16T07:00"


def test_rule_3_11_inside_of_ones_own_area_the_clock_does_not_wait() -> None:
    dossier = dossier_under(
        FIVE_DAYS,
        "2026-03-02T09:00",
        offered("2026-03-02T10:00"),
        taken_over("2026-03-04T14:00"),
    )
    assert wall(dossier.due) == "2026-03-09T09:00"


def test_rule_3_11_a_source_that_says_non_boundary_is_believed() -> None:
    rules = book(FIVE_DAYS)
    sent = [
        accepted(rules, "2026-03-02T09:00", non_boundary=True),
        offered("2026-03-02T10:00"),
        taken_over("2026-03-04T14:00"),
    ]
    assert wall(state(rules, *sent).due) == "2026-03-11T14:00"
    sent[0] = accepted(rules, "2026-03-02T09:00", competent=ELSEWHERE, non_boundary=False)
    assert wall(state(rules, *sent).due) == "2026-03-09T09:00"


def test_rule_3_11_somebody_elses_receipt_does_not_start_the_clock() -> None:
    rules = book(FIVE_DAYS)
    sent = [
        accepted(rules, "2026-03-02T09:00", competent=ELSEWHERE),
        offered("2026-03-02T10:00", AGENCY),
        taken_over("2026-03-03T14:00", AGENCY),
    ]
    assert wall(state(rules, *sent).due) == "2026-03-09T09:00"
    again = [
        offered("2026-03-04T10:00", ELSEWHERE, "on"),
        taken_over("2026-03-05T09:00", ELSEWHERE, "there"),
    ]
    assert wall(state(rules, *sent, *again).due) == "2026-03-12T09:00"


def test_rule_3_11_only_the_first_receipt_counts() -> None:
    rules = book(FIVE_DAYS)
    dossier = state(
        rules,
        accepted(rules, "2026-03-02T09:00", competent=ELSEWHERE),
        offered("2026-03-02T10:00", ELSEWHERE),
        taken_over("2026-03-04T14:00", ELSEWHERE),
        offered("2026-03-05T10:00", AGENCY, "back"),
        taken_over("2026-03-05T11:00", AGENCY, "here"),
        offered("2026-03-06T10:00", ELSEWHERE, "on"),
        taken_over("2026-03-06T11:00", ELSEWHERE, "there"),
    )
    assert wall(dossier.due) == "2026-03-11T14:00"


def test_rule_3_11_a_pause_before_the_receipt_takes_nothing_from_the_term() -> None:
    rules = book(FIVE_DAYS)
    dossier = state(
        rules,
        accepted(rules, "2026-03-02T09:00", competent=ELSEWHERE),
        down("2026-03-02T10:00"),
        up("2026-03-03T10:00"),
        offered("2026-03-03T11:00", ELSEWHERE),
        taken_over("2026-03-04T14:00", ELSEWHERE),
    )
    assert wall(dossier.due) == "2026-03-11T14:00"


def test_rule_3_11_after_a_supplement_before_the_receipt_a_later_outage_still_counts_whole() -> (
    None
):
    """The restart of 3 March is overtaken by the receipt of the 5th; the outage is of the 6th."""
    rules = book(FIVE_DAYS)
    received = [
        accepted(rules, "2026-03-02T09:00", competent=ELSEWHERE),
        asked("2026-03-02T10:00"),
        answered("2026-03-03T10:00"),
        offered("2026-03-03T11:00", ELSEWHERE),
        taken_over("2026-03-05T09:00", ELSEWHERE),
    ]
    assert wall(state(rules, *received).due) == "2026-03-12T09:00"
    outage = [down("2026-03-06T07:00"), up("2026-03-06T17:00")]
    assert wall(state(rules, *received, *outage).due) == "2026-03-13T09:00"


def test_rule_3_11_the_agency_that_became_competent_on_the_way_starts_the_clock() -> None:
    rules = book(FIVE_DAYS)
    dossier = state(
        rules,
        accepted(rules, "2026-03-02T09:00", competent=ELSEWHERE),
        told(say.competence_transferred(to_unit=NEIGHBOUR), "2026-03-03T09:00"),
        offered("2026-03-03T10:00", NEIGHBOUR),
        taken_over("2026-03-04T14:00", NEIGHBOUR),
    )
    assert dossier.competent_unit == NEIGHBOUR
    assert wall(dossier.due) == "2026-03-11T14:00"


# 3.12


def offering(deadline: str) -> OfferTransfer:
    return OfferTransfer(to_unit=NEIGHBOUR, deadline=moment(deadline))


def test_rule_3_12_the_deadline_of_an_offered_work_may_be_the_due_moment_of_the_whole() -> None:
    rules = book(FIVE_DAYS)
    working = [accepted(rules, "2026-03-02T09:00"), assigned("2026-03-02T10:00")]
    trying(rules, working, offering("2026-03-09T09:00"), "2026-03-03T09:00").decided()


@pytest.mark.parametrize(
    "command",
    [
        offering("2026-03-09T09:01"),
        StartStep(step="Thẩm định", deadline=moment("2026-03-10T09:00")),
        AssignDossier(officer="Lê Văn Bình", deadline=moment("2026-03-10T09:00")),
    ],
)
def test_rule_3_12_a_sub_deadline_after_the_due_date_of_the_whole_is_refused(
    command: DossierCommand,
) -> None:
    rules = book(FIVE_DAYS)
    working = [accepted(rules, "2026-03-02T09:00"), assigned("2026-03-02T10:00")]
    trying(rules, working, command, "2026-03-03T09:00").then_refused(InvalidRequest, "due date")


@pytest.mark.parametrize(
    ("hours", "by"),
    [
        ((8, 16, 8, 8), ["03-03T09:00", "03-05T09:00", "03-06T09:00", "03-09T09:00"]),
        ((8, 40, 8, 8), ["03-03T09:00", "03-09T09:00", "03-09T09:00", "03-09T09:00"]),
    ],
)
def test_rule_3_12_no_step_of_the_internal_process_ends_after_the_whole(
    hours: tuple[float, ...], by: list[str]
) -> None:
    steps = tuple(ProcedureStep(name="Thẩm định", role="agency", hours=each) for each in hours)
    rules = book(replace(FIVE_DAYS, steps=steps))
    dates = dates_of(state(rules, accepted(rules, "2026-03-02T09:00")), rules)
    assert dates is not None
    assert [wall(step.by) for step in step_plan(dates)] == [f"2026-{each}" for each in by]


def test_rule_3_12_a_fact_with_a_sub_deadline_after_the_due_date_of_the_whole_is_a_finding() -> (
    None
):
    rules = book(FIVE_DAYS)
    offer = TransferOffered(
        **say.stamp("late offer"), to_unit=NEIGHBOUR, deadline=moment("2026-03-20T09:00")
    )
    dossier = state(rules, accepted(rules, "2026-03-02T09:00"), told(offer, "2026-03-03T09:00"))
    assert kinds(dossier) != []


# 3.13


@pytest.mark.parametrize(
    ("proposal", "start", "proposed", "confirmed"),
    [
        (SWAP, "2026-08-28T09:00", "2026-08-31T09:00", "2026-09-03T09:00"),
        (SWAP, "2026-08-21T09:00", "2026-08-24T09:00", "2026-08-22T09:00"),
        (CULTURE_DAY, "2026-11-23T09:00", "2026-11-24T09:00", "2026-11-25T09:00"),
    ],
)
def test_rule_3_13_a_proposal_applies_once_an_administrator_confirms_it(
    proposal: object, start: str, proposed: str, confirmed: str
) -> None:
    assert isinstance(proposal, type(SWAP))
    open_question = decided(
        proposal.id,
        off=[day.isoformat() for day in proposal.off],
        working=[day.isoformat() for day in proposal.working],
        proposal=True,
    )
    rules = book(procedure(working_days(1)), open_question)
    assert wall(accepted(rules, start).due) == proposed
    learn(rules, proposal)
    assert wall(accepted(rules, start).due) == confirmed


def test_rule_3_13_no_date_is_ever_computed_with_a_holiday_library() -> None:
    rules = book(FIVE_DAYS)
    before = set(sys.modules)
    sys.modules.pop("holidays", None)
    state(rules, accepted(rules, "2026-03-02T09:00"))
    assert "holidays" not in set(sys.modules) - before
