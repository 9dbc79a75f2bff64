"""What a dossier was accepted under is what it keeps: procedure version, channel, policy, source.

And the same facts give the same dates, in whatever order the ledger is told them.
"""

from dataclasses import replace
from datetime import date
from itertools import permutations

import pytest

from domain.deadlines.law import CutoffPolicy, PausePolicy, TermUnit
from domain.dossier.state import Dossier
from domain.dossier.supplements import CompleteSupplement
from domain.rules.policies import PolicyDecided
from domain.rules.procedures import Channel, ChannelTerm
from domain.rules.register import stream_of
from domain.rules.rule_book import RuleBook
from tests import examples as say
from tests.domain.deadlines.given import (
    FIVE_DAYS,
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
    kinds,
    learn,
    moment,
    paid,
    procedure,
    put_off,
    recomputed,
    state,
    told,
    up,
    wall,
    working_days,
    working_hours,
)

THIRTY = procedure(calendar_days(30))
TEN = procedure(calendar_days(10), version=2, valid_from="2026-03-03")


def test_a_shortened_procedure_leaves_older_dossiers_alone() -> None:
    rules = book(THIRTY)
    old = accepted(rules, "2026-03-02T09:00")
    learn(rules, TEN)
    assert wall(state(rules, old).due) == "2026-04-01T17:00"
    assert wall(state(rules, accepted(rules, "2026-03-03T09:00")).due) == "2026-03-13T17:00"


def test_a_restart_counts_the_term_of_the_version_that_a_dossier_was_accepted_under() -> None:
    rules = book(THIRTY)
    waiting = [accepted(rules, "2026-03-02T09:00"), asked("2026-03-04T10:00")]
    learn(rules, TEN)
    resumed = after(rules, waiting, CompleteSupplement(), "2026-03-10T14:00")
    assert wall(state(rules, *resumed).due) == "2026-04-09T17:00"


def test_a_recomputation_counts_the_term_of_the_version_too() -> None:
    rules = book(THIRTY)
    old = [accepted(rules, "2026-03-02T09:00")]
    learn(rules, TEN, decided("flood", off=["2026-04-01"]))
    assert wall(state(rules, *recomputed(rules, old, "2026-03-05T09:00")).due) == (
        "2026-04-02T17:00"
    )


def test_an_acceptance_that_is_told_late_counts_by_the_version_of_its_own_day() -> None:
    rules = book(THIRTY, TEN)
    old = accepted(rules, "2026-03-02T23:59:59")
    assert old.procedure_version == 1
    assert accepted(rules, "2026-03-03T00:00").procedure_version == 2


def test_a_new_pause_policy_leaves_older_dossiers_alone() -> None:
    rules = book(procedure(working_days(5), pauses=PausePolicy.EXTEND))
    waiting = [accepted(rules, "2026-03-02T09:00"), asked("2026-03-04T10:00")]
    learn(rules, replace(FIVE_DAYS, version=2))
    resumed = state(rules, *waiting, answered("2026-03-10T14:00"))
    assert wall(resumed.due) == "2026-03-13T11:00"


def test_a_new_cut_off_policy_leaves_older_dossiers_alone() -> None:
    rules = book(FIVE_DAYS)
    old = accepted(rules, "2026-03-02T15:30")
    stricter = procedure(
        working_days(5),
        version=2,
        cutoff=CutoffPolicy.COUNT_FROM_NEXT_DAY,
        valid_from="2026-03-02",
    )
    learn(rules, stricter)
    assert wall(state(rules, old).due) == "2026-03-09T15:30"
    assert wall(accepted(rules, "2026-03-02T15:30").due) == "2026-03-10T07:00"


def test_the_term_depends_on_the_channel_where_the_procedure_says_so() -> None:
    online = ChannelTerm(channel=Channel.ONLINE, amount=3, unit=TermUnit.WORKING_DAY)
    post = ChannelTerm(channel=Channel.POST, amount=8, unit=TermUnit.WORKING_HOUR)
    rules = book(procedure(working_days(5), channel_terms=(online, post)))
    due = {
        channel: wall(accepted(rules, "2026-03-02T09:00", channel=channel).due)
        for channel in Channel
    }
    assert due == {
        Channel.DIRECT: "2026-03-09T09:00",
        Channel.KIOSK: "2026-03-09T09:00",
        Channel.ONLINE: "2026-03-05T09:00",
        Channel.POST: "2026-03-03T09:00",
    }


def test_a_restart_keeps_the_term_of_the_channel() -> None:
    online = ChannelTerm(channel=Channel.ONLINE, amount=3, unit=TermUnit.WORKING_DAY)
    rules = book(procedure(working_days(5), channel_terms=(online,)))
    dossier = state(
        rules,
        accepted(rules, "2026-03-02T09:00", channel=Channel.ONLINE),
        asked("2026-03-04T10:00"),
        answered("2026-03-10T14:00"),
    )
    assert wall(dossier.due) == "2026-03-13T14:00"


def test_a_channel_may_have_a_term_where_the_others_have_none() -> None:
    online = ChannelTerm(channel=Channel.ONLINE, amount=3, unit=TermUnit.WORKING_DAY)
    rules = book(procedure(None, channel_terms=(online,)))
    direct = state(rules, accepted(rules, "2026-03-02T09:00"))
    assert (direct.due, kinds(direct)) == (None, ["no-due-date"])
    by_net = state(rules, accepted(rules, "2026-03-02T09:00", channel=Channel.ONLINE))
    assert wall(by_net.due) == "2026-03-05T09:00"


def other_hours(rules: RuleBook) -> None:
    policy = PolicyDecided(
        **say.stamp("policy", stream_of("policy", "VN")),
        issued=date(2026, 3, 1),
        sessions=("08:00-12:00", "13:00-17:00"),
        cutoff="16:00",
    )
    learn(rules, policy)


def test_office_hours_that_are_decided_later_leave_older_dossiers_alone() -> None:
    rules = book(procedure(working_hours(8)))
    old = accepted(rules, "2026-03-02T07:15")
    other_hours(rules)
    assert wall(state(rules, old).due) == "2026-03-03T07:15"
    new = accepted(rules, "2026-03-02T07:15")
    assert (new.policy_version, wall(new.due)) == (1, "2026-03-02T17:00")


def test_the_hour_of_the_cut_off_is_the_policys() -> None:
    rules = book(procedure(working_days(3), cutoff=CutoffPolicy.COUNT_FROM_NEXT_DAY))
    other_hours(rules)
    assert wall(accepted(rules, "2026-09-07T16:00").due) == "2026-09-10T16:00"
    assert wall(accepted(rules, "2026-09-07T16:01").due) == "2026-09-11T08:00"


@pytest.mark.parametrize(
    "stated", ["2026-03-08T23:30", "2026-03-03T09:00", "2026-02-17T09:00", "2029-06-01T09:00"]
)
def test_a_due_date_that_a_source_states_is_taken_as_stated(stated: str) -> None:
    """On a Sunday at night, earlier than the term, even before the receipt, in a year unknown."""
    rules = book(FIVE_DAYS)
    dossier = state(rules, accepted(rules, "2026-03-02T09:00", due=stated))
    assert wall(dossier.printed_due) == wall(dossier.first_due) == wall(dossier.due) == stated
    assert not dossier.due_computed
    assert kinds(dossier) == []


def test_a_stated_date_is_no_later_decisions_to_move() -> None:
    rules = book(FIVE_DAYS)
    start = accepted(rules, "2026-03-02T09:00", due="2026-03-09T12:00")
    learn(rules, decided("storm", off=["2026-03-05", "2026-03-09"]))
    assert recomputed(rules, [start], "2026-03-06T09:00") == (start,)


def test_a_stated_date_moves_with_a_pause() -> None:
    rules = book(procedure(working_days(5), pauses=PausePolicy.EXTEND))
    dossier = state(
        rules,
        accepted(rules, "2026-03-02T09:00", due="2026-03-20T10:00"),
        asked("2026-03-04T07:00"),
        answered("2026-03-05T17:00"),
    )
    assert wall(dossier.due) == "2026-03-24T10:00"


@pytest.mark.parametrize("policy", PausePolicy)
def test_a_new_date_that_a_source_states_with_the_completion_is_taken_as_stated(
    policy: PausePolicy,
) -> None:
    dossier = dossier_under(
        procedure(working_days(5), pauses=policy),
        "2026-03-02T09:00",
        asked("2026-03-04T10:00"),
        answered("2026-03-10T14:00", due="2026-03-21T20:00"),
    )
    assert wall(dossier.due) == "2026-03-21T20:00"


def test_without_a_term_and_a_stated_date_there_is_a_finding_and_no_date() -> None:
    rules = book(procedure(None))
    dossier = state(rules, accepted(rules, "2026-03-02T09:00"))
    assert (dossier.due, kinds(dossier)) == (None, ["no-due-date"])


def test_a_request_that_was_void_paused_nothing() -> None:
    dossier = dossier_under(
        FIVE_DAYS,
        "2026-03-02T09:00",
        asked("2026-03-04T10:00"),
        told(say.corrected(corrects="asked"), "2026-03-05T10:00"),
    )
    assert wall(dossier.due) == "2026-03-09T09:00"
    assert (dossier.pauses, dossier.paused_minutes) == (0, 0)


def test_a_reappointment_that_was_void_leaves_room_for_one() -> None:
    dossier = dossier_under(
        FIVE_DAYS,
        "2026-03-02T09:00",
        assigned("2026-03-02T10:00"),
        put_off("2026-03-04T10:00", until="2026-03-20T10:00", named="wrong"),
        told(say.corrected(corrects="wrong"), "2026-03-05T10:00"),
        put_off("2026-03-05T11:00", until="2026-03-16T10:00", named="right"),
    )
    assert wall(dossier.due) == "2026-03-16T10:00"
    assert kinds(dossier) == []


def test_facts_in_every_order_give_the_same_dates() -> None:
    rules = book(FIVE_DAYS)
    facts = (
        accepted(rules, "2026-03-02T09:00"),
        assigned("2026-03-02T10:00"),
        down("2026-03-03T14:00"),
        asked("2026-03-04T10:00"),
        up("2026-03-11T09:00"),
        answered("2026-03-10T14:00"),
    )
    found = {_dates(state(rules, *order)) for order in permutations(facts)}
    assert found == {("2026-03-09T09:00", "2026-03-18T09:00", "2026-03-18T09:00", 2, 2700)}


def test_payment_reappointment_and_outage_in_every_order_give_the_same_dates() -> None:
    rules = book(FIVE_DAYS)
    start = accepted(rules, "2026-03-02T09:00")
    facts = (
        start,
        assigned("2026-03-02T10:00"),
        billed("2026-03-03T07:00"),
        paid("2026-03-03T17:00"),
        put_off("2026-03-06T09:00", until="2026-03-16T17:00"),
        down("2026-03-10T07:00"),
    )
    found = {_dates(state(rules, *order, up("2026-03-10T17:00"))) for order in permutations(facts)}
    assert found == {("2026-03-09T09:00", "2026-03-11T09:00", "2026-03-17T17:00", 2, 960)}


def _dates(dossier: Dossier) -> tuple[str | None, str | None, str | None, int, int]:
    return (
        wall(dossier.printed_due),
        wall(dossier.first_due),
        wall(dossier.due),
        dossier.pauses,
        dossier.paused_minutes,
    )


def test_a_fact_that_is_told_late_takes_its_place_and_moves_the_date_from_then_on() -> None:
    rules = book(FIVE_DAYS)
    told_in_time = [accepted(rules, "2026-03-02T09:00"), down("2026-03-04T07:00")]
    assert state(rules, *told_in_time).due is None
    told_late = [*told_in_time, up("2026-03-04T17:00")]
    assert wall(state(rules, *told_late).due) == "2026-03-10T09:00"
    assert moment("2026-03-10T09:00") == state(rules, *reversed(told_late)).due
