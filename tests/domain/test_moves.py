"""How dates came to be: every move, what each pause did, and what it would be if it went on."""

from itertools import permutations

from domain.deadlines.law import CutoffPolicy, PausePolicy, Term
from domain.dossier.dates.dates import dates_of
from domain.dossier.events import DossierEvent
from domain.dossier.evolve import replay
from domain.dossier.explanation.moves import Effect, effects, if_resumed, moves
from domain.rules.rule_book import RuleBook
from tests import examples as say
from tests.domain.deadlines.given import (
    ELSEWHERE,
    LATER,
    OF_2026,
    accepted,
    answered,
    asked,
    assigned,
    billed,
    book,
    calendar_days,
    decided,
    down,
    finished,
    known,
    learn,
    moment,
    paid,
    procedure,
    put_off,
    recomputed,
    taken_over,
    up,
    wall,
    working_days,
)
from tests.examples import DOSSIER, in_effect

NONE, EXTEND, RESTART = PausePolicy.NONE, PausePolicy.EXTEND, PausePolicy.RESTART
Told = list[tuple[str, str | None, str | None]]


def told_moves(rules: RuleBook, *events: DossierEvent) -> Told:
    """Return the kind of event of each move, and both dates after it."""
    found = moves(DOSSIER, in_effect(known(*events)), rules)
    return [
        (
            each.recorded.event.TOPIC.split(".")[1],
            wall(each.after.first_due),
            wall(each.after.due),
        )
        for each in found
    ]


def told_effects(rules: RuleBook, *events: DossierEvent) -> list[str]:
    dossier = replay(DOSSIER, known(*events), rules)
    dates = dates_of(dossier, rules)
    assert dates is not None
    return [each.value for each in effects(dossier, dates, rules)]


def test_each_event_that_sets_or_moves_a_date_is_told() -> None:
    rules = book(procedure(working_days(5)))
    events = (
        accepted(rules, "2026-03-02T09:00"),
        assigned("2026-03-02T10:00"),
        asked("2026-03-04T10:00"),
        answered("2026-03-10T14:00"),
        put_off("2026-03-12T09:00", "2026-03-20T17:00"),
        finished("2026-03-19T09:00"),
    )
    assert told_moves(rules, *events) == [
        ("accepted", "2026-03-09T09:00", "2026-03-09T09:00"),
        ("supplement-requested", None, None),
        ("supplement-completed", "2026-03-17T14:00", "2026-03-17T14:00"),
        ("reappointment-issued", "2026-03-17T14:00", "2026-03-20T17:00"),
    ]


def test_a_late_decision_is_told_with_both_dates_and_both_versions() -> None:
    rules = book(procedure(working_days(5)))
    before = (accepted(rules, "2026-03-02T09:00"), assigned("2026-03-02T10:00"))
    learn(rules, decided("storm", off=["2026-03-05"]))
    events = recomputed(rules, before, "2026-03-04T08:00")
    last = moves(DOSSIER, in_effect(known(*events)), rules)[-1]
    assert (wall(last.before.due), wall(last.after.due)) == ("2026-03-09T09:00", "2026-03-10T09:00")
    assert (last.before.calendar_version, last.after.calendar_version) == (
        len(OF_2026),
        len(OF_2026) + 1,
    )


def test_facts_in_any_order_of_arrival_tell_the_same_moves() -> None:
    rules = book(procedure(working_days(5), pauses=EXTEND))
    events: tuple[DossierEvent, ...] = (
        accepted(rules, "2026-03-02T09:00"),
        assigned("2026-03-02T10:00"),
        asked("2026-03-04T10:00"),
        answered("2026-03-10T14:00"),
    )
    expected = told_moves(rules, *events)
    assert expected[-1] == ("supplement-completed", "2026-03-13T11:00", "2026-03-13T11:00")
    assert all(told_moves(rules, *order) == expected for order in permutations(events))


def test_a_restart_and_an_extension_are_told_apart_from_what_moved_nothing() -> None:
    for pauses, expected in ((RESTART, "restarted"), (EXTEND, "moved"), (NONE, "none")):
        rules = book(procedure(working_days(5), pauses=pauses))
        events = (
            accepted(rules, "2026-03-02T09:00"),
            asked("2026-03-04T10:00"),
            answered("2026-03-10T14:00"),
        )
        assert told_effects(rules, *events) == [expected], pauses


def test_a_result_of_the_same_day_restarts_too_and_without_any_term_nothing_does() -> None:
    same_day = book(procedure(None, cutoff=CutoffPolicy.NEXT_DAY_RESULT))
    without = book(procedure(None))
    for rules, expected in ((same_day, "restarted"), (without, "none")):
        events = (
            accepted(rules, "2026-03-02T09:00"),
            asked("2026-03-02T10:00"),
            answered("2026-03-10T14:00"),
        )
        assert told_effects(rules, *events) == [expected]


def test_an_incident_at_night_moves_nothing_and_one_at_work_does() -> None:
    rules = book(procedure(working_days(5)))
    events = (
        accepted(rules, "2026-03-02T09:00"),
        down("2026-03-02T18:00"),
        up("2026-03-02T22:00"),
        down("2026-03-03T08:00"),
        up("2026-03-03T09:00"),
    )
    assert told_effects(rules, *events) == ["none", "moved"]


def test_what_another_pause_covers_moves_nothing_more() -> None:
    rules = book(procedure(working_days(5), pauses=EXTEND))
    events = (
        accepted(rules, "2026-03-02T09:00"),
        asked("2026-03-04T10:00"),
        down("2026-03-05T08:00"),
        up("2026-03-05T09:00"),
        answered("2026-03-10T14:00"),
    )
    assert told_effects(rules, *events) == ["moved", "none"]


def test_a_request_after_the_due_date_is_ignored_open_or_answered() -> None:
    rules = book(procedure(working_days(5)))
    events = (accepted(rules, "2026-03-02T09:00"), asked("2026-03-11T10:00"))
    assert told_effects(rules, *events) == ["ignored-after-due"]
    assert told_effects(rules, *events, answered("2026-03-12T10:00")) == ["ignored-after-due"]


def test_a_request_after_the_first_date_still_moves_the_agreed_one() -> None:
    rules = book(procedure(working_days(5), pauses=EXTEND))
    events = (
        accepted(rules, "2026-03-02T09:00"),
        assigned("2026-03-02T10:00"),
        put_off("2026-03-05T09:00", "2026-03-20T17:00"),
        asked("2026-03-11T10:00"),
    )
    assert told_effects(rules, *events) == ["open"]
    assert told_effects(rules, *events, answered("2026-03-12T10:00")) == ["moved"]
    assert told_moves(rules, *events, answered("2026-03-12T10:00"))[-1] == (
        "supplement-completed",
        "2026-03-09T09:00",
        "2026-03-23T17:00",
    )


def test_an_answer_that_states_the_date_is_told_as_that() -> None:
    rules = book(procedure(working_days(5)))
    events = (
        accepted(rules, "2026-03-02T09:00"),
        asked("2026-03-04T10:00"),
        answered("2026-03-10T14:00", due="2026-03-20T16:00"),
    )
    assert told_effects(rules, *events) == ["stated"]
    assert told_moves(rules, *events)[-1][1:] == ("2026-03-20T16:00", "2026-03-20T16:00")


def resumed(term: Term, policy: PausePolicy, at: str, *more: DossierEvent) -> str | None:
    rules = book(procedure(term, pauses=policy))
    events = (accepted(rules, "2026-03-02T09:00"), asked("2026-03-04T10:00"), *more)
    return wall(if_resumed(replay(DOSSIER, known(*events), rules), rules, moment(at)))


def test_what_it_would_be_if_it_went_on_now_is_what_it_becomes() -> None:
    at = "2026-03-10T14:00"
    assert resumed(working_days(5), RESTART, at) == "2026-03-17T14:00"
    assert resumed(working_days(5), EXTEND, at) == "2026-03-13T11:00"
    assert resumed(calendar_days(30), EXTEND, at) == "2026-04-07T17:00"


def test_a_moment_before_the_pause_is_the_pause_itself() -> None:
    assert resumed(working_days(5), EXTEND, "2026-03-03T08:00") == "2026-03-09T09:00"


def test_it_goes_on_by_the_calendar_that_is_decided_now() -> None:
    rules = book(procedure(working_days(5)))
    events = (accepted(rules, "2026-03-02T09:00"), asked("2026-03-04T10:00"))
    learn(rules, decided("storm", off=["2026-03-12"]))
    dossier = replay(DOSSIER, known(*events), rules)
    assert wall(if_resumed(dossier, rules, moment("2026-03-10T14:00"))) == "2026-03-18T14:00"


def test_before_acceptance_nothing_goes_on() -> None:
    rules = book()
    dossier = replay(DOSSIER, known(say.submitted()), rules)
    assert if_resumed(dossier, rules, LATER) is None
    assert moves(DOSSIER, known(say.submitted()), rules) == ()


def test_the_receipt_of_the_competent_agency_moves_a_provisional_date() -> None:
    rules = book(procedure(working_days(5)))
    events = (
        accepted(rules, "2026-03-02T09:00", competent=ELSEWHERE),
        taken_over("2026-03-04T08:00", by=ELSEWHERE),
    )
    assert told_moves(rules, *events) == [
        ("accepted", "2026-03-09T09:00", "2026-03-09T09:00"),
        ("transfer-accepted", "2026-03-11T08:00", "2026-03-11T08:00"),
    ]


def test_a_payment_moves_by_its_own_policy() -> None:
    for policy, effect in ((EXTEND, Effect.MOVED), (NONE, Effect.NONE)):
        rules = book(procedure(working_days(5), payment=policy))
        events = (
            accepted(rules, "2026-03-02T09:00"),
            assigned("2026-03-02T10:00"),
            billed("2026-03-03T08:00"),
            paid("2026-03-04T08:00"),
        )
        assert told_effects(rules, *events) == [effect.value]
