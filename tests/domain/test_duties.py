"""What each side is to do, and by when: intake, transfer, supplements, re-appointment, steps."""

from dataclasses import replace

import pytest

from domain.deadlines.law import OfficePolicy, PausePolicy
from domain.dossier.dates.dates import dates_of
from domain.dossier.dates.steps import step_plan
from domain.dossier.events import DossierEvent
from domain.dossier.evolve import replay
from domain.dossier.explanation.duties import duties
from domain.dossier.explanation.judging import Duty, DutyName, DutyState
from domain.rules.policies import PolicyDecided
from domain.rules.procedures import Channel, ProcedureStep
from domain.rules.register import stream_of as register_of
from domain.rules.rule_book import RuleBook
from tests import examples as say
from tests.domain.deadlines.given import (
    accepted,
    answered,
    asked,
    assigned,
    billed,
    book,
    decided,
    finished,
    known,
    learn,
    moment,
    offered,
    paid,
    procedure,
    put_off,
    taken_over,
    told,
    wall,
    working_days,
)
from tests.examples import DESK, DOSSIER, in_effect

FIVE_DAYS = procedure(working_days(5))
STEPS = (
    ProcedureStep(name="Tiếp nhận", role="Một cửa", hours=2),
    ProcedureStep(name="Thẩm định", role="Chuyên viên", hours=28.5),
    ProcedureStep(name="Ký", role="Lãnh đạo", hours=16),
)
BY_STEPS = replace(FIVE_DAYS, steps=STEPS)
LIMITS = PolicyDecided(
    **say.stamp("policy", register_of("policy", "VN")),
    **vars(
        OfficePolicy(issued=FIVE_DAYS.valid_from, supplement_answer_days=7, transfer_answer_hours=2)
    ),
)


def found(rules: RuleBook, at: str, *events: DossierEvent) -> tuple[Duty, ...]:
    history = known(*events)
    dossier = replay(DOSSIER, history, rules)
    dates = dates_of(dossier, rules)
    return duties(dossier, in_effect(history), dates, rules, moment(at))


def named(
    name: DutyName, rules: RuleBook, at: str, *events: DossierEvent
) -> list[tuple[str | None, str | None, str]]:
    """Return by when each duty of a name is to be done, when it was, and how it stands."""
    return [
        (wall(each.by), wall(each.met_at), each.state.value)
        for each in found(rules, at, *events)
        if each.name is name
    ]


def submitted(when: str, channel: Channel = Channel.ONLINE) -> DossierEvent:
    return told(replace(say.submitted(), channel=channel), when)


def awaited(when: str, until: str) -> DossierEvent:
    """Return a request that says until when its answer is awaited."""
    return told(replace(say.supplement_requested(), answer_by=moment(until)), when)


# Intake: an online dossier is answered within 8 working hours.


@pytest.mark.parametrize(
    ("when", "by"),
    [
        ("2026-03-02T07:00", "2026-03-02T17:00"),
        ("2026-03-02T09:15", "2026-03-03T09:15"),
        ("2026-03-02T12:00", "2026-03-03T11:30"),
        ("2026-03-06T20:00", "2026-03-09T17:00"),
        ("2026-02-13T15:30", "2026-02-23T15:30"),
    ],
)
def test_an_online_dossier_is_answered_within_8_working_hours(when: str, by: str) -> None:
    rules = book(FIVE_DAYS)
    assert named(DutyName.ACCEPT_OR_REFUSE, rules, when, submitted(when)) == [(by, None, "open")]


def test_acceptance_in_time_meets_it_and_later_is_late() -> None:
    rules = book(FIVE_DAYS)
    start = submitted("2026-03-02T09:15")
    for when, state in (("2026-03-03T09:15", "met"), ("2026-03-03T09:16", "late")):
        act = accepted(rules, when, channel=Channel.ONLINE)
        assert named(DutyName.ACCEPT_OR_REFUSE, rules, "2026-03-10T08:00", start, act) == [
            ("2026-03-03T09:15", when, state)
        ]


def test_without_an_answer_it_is_missed_and_a_refusal_is_an_answer() -> None:
    rules = book(FIVE_DAYS)
    start = submitted("2026-03-02T09:15")
    assert named(DutyName.ACCEPT_OR_REFUSE, rules, "2026-03-03T09:16", start) == [
        ("2026-03-03T09:15", None, "missed")
    ]
    refused = told(say.intake_refused(), "2026-03-02T16:00")
    assert named(DutyName.ACCEPT_OR_REFUSE, rules, "2026-03-09T08:00", start, refused) == [
        ("2026-03-03T09:15", "2026-03-02T16:00", "met")
    ]


def test_after_a_supplement_before_acceptance_the_hours_begin_again() -> None:
    rules = book(FIVE_DAYS)
    events = (
        submitted("2026-03-02T09:15"),
        asked("2026-03-02T15:00"),
        answered("2026-03-05T08:00"),
    )
    assert named(DutyName.ACCEPT_OR_REFUSE, rules, "2026-03-05T09:00", *events) == [
        ("2026-03-03T09:15", "2026-03-02T15:00", "met"),
        ("2026-03-06T08:00", None, "open"),
    ]


def test_a_supplement_in_part_gives_the_desk_nothing_to_answer_yet() -> None:
    rules = book(FIVE_DAYS)
    part = told(say.supplement_completed(partial=True), "2026-03-05T08:00")
    events = (submitted("2026-03-02T09:15"), asked("2026-03-02T15:00"), part)
    assert named(DutyName.ACCEPT_OR_REFUSE, rules, "2026-03-09T09:00", *events) == [
        ("2026-03-03T09:15", "2026-03-02T15:00", "met")
    ]


def test_an_acceptance_may_tell_alone_when_it_was_submitted() -> None:
    rules = book(FIVE_DAYS)
    act = accepted(rules, "2026-03-03T09:16", channel=Channel.ONLINE)
    act = replace(act, submitted_at=moment("2026-03-02T09:15"))
    assert named(DutyName.ACCEPT_OR_REFUSE, rules, "2026-03-03T10:00", act) == [
        ("2026-03-03T09:15", "2026-03-03T09:16", "late")
    ]


def test_whoever_hands_in_at_the_desk_is_answered_there() -> None:
    rules = book(FIVE_DAYS)
    assert not named(
        DutyName.ACCEPT_OR_REFUSE,
        rules,
        "2026-03-02T10:00",
        submitted("2026-03-02T09:15", Channel.KIOSK),
    )
    assert not named(
        DutyName.ACCEPT_OR_REFUSE, rules, "2026-03-02T10:00", accepted(rules, "2026-03-02T09:15")
    )


def test_what_was_withdrawn_before_its_hour_lapses() -> None:
    rules = book(FIVE_DAYS)
    events = (submitted("2026-03-02T09:15"), told(say.withdrawn(), "2026-03-02T11:00"))
    assert named(DutyName.ACCEPT_OR_REFUSE, rules, "2026-03-09T08:00", *events) == [
        ("2026-03-03T09:15", None, "lapsed")
    ]


# Transfer: the same working day; after 15:00 the first session of the next; online at once.


@pytest.mark.parametrize(
    ("when", "channel", "by"),
    [
        ("2026-03-02T09:00", Channel.DIRECT, "2026-03-02T17:00"),
        ("2026-03-02T15:00:00", Channel.DIRECT, "2026-03-02T17:00"),
        ("2026-03-02T15:00:01", Channel.DIRECT, "2026-03-03T11:30"),
        ("2026-03-02T18:30", Channel.POST, "2026-03-03T11:30"),
        ("2026-03-06T16:00", Channel.KIOSK, "2026-03-09T11:30"),
        ("2026-03-07T16:00", Channel.KIOSK, "2026-03-09T17:00"),
        ("2026-02-13T15:30", Channel.DIRECT, "2026-02-23T11:30"),
        ("2026-01-09T15:30", Channel.DIRECT, "2026-01-10T11:30"),
        ("2026-03-02T09:00", Channel.ONLINE, "2026-03-02T11:30"),
        ("2026-03-02T12:00", Channel.ONLINE, "2026-03-02T17:00"),
        ("2026-03-02T15:30", Channel.ONLINE, "2026-03-02T17:00"),
        ("2026-03-02T22:00", Channel.ONLINE, "2026-03-03T11:30"),
    ],
)
def test_the_desk_hands_over_the_same_day_or_after_15_00_in_the_next_morning(
    when: str, channel: Channel, by: str
) -> None:
    rules = book(FIVE_DAYS)
    act = accepted(rules, when, channel=channel)
    assert named(DutyName.TRANSFER, rules, when, act) == [(by, None, "open")]


def test_the_first_hand_over_meets_it() -> None:
    rules = book(FIVE_DAYS)
    act = accepted(rules, "2026-03-02T09:00")
    late = offered("2026-03-03T08:00", named="late")
    assert named(DutyName.TRANSFER, rules, "2026-03-05T08:00", act, late) == [
        ("2026-03-02T17:00", "2026-03-03T08:00", "late")
    ]
    early = offered("2026-03-02T16:59", named="early")
    assert named(DutyName.TRANSFER, rules, "2026-03-05T08:00", act, early, late) == [
        ("2026-03-02T17:00", "2026-03-02T16:59", "met")
    ]
    assert named(DutyName.TRANSFER, rules, "2026-03-02T17:01", act) == [
        ("2026-03-02T17:00", None, "missed")
    ]


def test_where_the_desk_decides_itself_nothing_is_handed_over() -> None:
    rules = book(FIVE_DAYS)
    own = accepted(rules, "2026-03-02T09:00", competent=DESK)
    assert not named(DutyName.TRANSFER, rules, "2026-03-02T10:00", own)
    at_once = replace(accepted(rules, "2026-03-02T09:00"), result_at_once=True)
    assert not named(DutyName.TRANSFER, rules, "2026-03-02T10:00", at_once)


def test_a_closure_of_the_desk_moves_its_own_duties_only() -> None:
    flood = decided("flood", off=["2026-03-03"], unit=DESK)
    rules = book(FIVE_DAYS, flood)
    act = accepted(rules, "2026-03-02T15:30")
    assert named(DutyName.TRANSFER, rules, "2026-03-02T16:00", act) == [
        ("2026-03-04T11:30", None, "open")
    ]
    assert wall(act.due) == "2026-03-09T15:30"


def test_what_is_decided_after_the_acceptance_judges_nobody() -> None:
    rules = book(FIVE_DAYS)
    act = accepted(rules, "2026-03-02T15:30")
    learn(rules, decided("flood", off=["2026-03-03"], unit=DESK))
    assert named(DutyName.TRANSFER, rules, "2026-03-02T16:00", act) == [
        ("2026-03-03T11:30", None, "open")
    ]


def test_a_transfer_is_answered_within_the_hours_of_the_policy_or_those_it_states() -> None:
    rules = book(LIMITS, FIVE_DAYS)
    act, offer = accepted(rules, "2026-03-02T09:00"), offered("2026-03-02T16:00")
    assert named(DutyName.ANSWER_TRANSFER, rules, "2026-03-02T16:30", act, offer) == [
        ("2026-03-03T08:00", None, "open")
    ]
    taken = taken_over("2026-03-03T08:01")
    assert named(DutyName.ANSWER_TRANSFER, rules, "2026-03-09T08:00", act, offer, taken) == [
        ("2026-03-03T08:00", "2026-03-03T08:01", "late")
    ]
    over = told(say.transfer_timed_out(), "2026-03-03T08:01")
    assert named(DutyName.ANSWER_TRANSFER, rules, "2026-03-09T08:00", act, offer, over) == [
        ("2026-03-03T08:00", None, "missed")
    ]
    stated = told(
        replace(say.transfer_offered(), answer_by=moment("2026-03-02T16:10")), "2026-03-02T16:00"
    )
    assert named(DutyName.ANSWER_TRANSFER, rules, "2026-03-02T16:30", act, stated) == [
        ("2026-03-02T16:10", None, "missed")
    ]
    without = book(FIVE_DAYS)
    act = accepted(without, "2026-03-02T09:00")
    assert not named(DutyName.ANSWER_TRANSFER, without, "2026-03-02T16:30", act, offer)


# Supplements: asked for within 3 working days, by date; answered within what the policy says.


def test_a_supplement_may_be_asked_for_until_the_end_of_the_third_working_day() -> None:
    rules = book(FIVE_DAYS)
    act = accepted(rules, "2026-03-02T09:00")
    for at, state in (("2026-03-05T17:00", "open"), ("2026-03-06T00:00", "lapsed")):
        assert named(DutyName.ASK_FOR_SUPPLEMENT, rules, at, act) == [
            ("2026-03-05T23:59:59", None, state)
        ]
    for when, state in (("2026-03-05T16:59", "met"), ("2026-03-06T07:00", "late")):
        events = (act, assigned("2026-03-02T10:00"), asked(when))
        assert named(DutyName.ASK_FOR_SUPPLEMENT, rules, "2026-03-20T08:00", *events) == [
            ("2026-03-05T23:59:59", when, state)
        ]


def test_a_procedure_may_give_longer_and_a_restart_gives_it_again() -> None:
    rules = book(procedure(working_days(10), notice_days=5))
    events = (
        accepted(rules, "2026-03-02T09:00"),
        assigned("2026-03-02T10:00"),
        asked("2026-03-06T10:00"),
        answered("2026-03-10T14:00"),
    )
    assert named(DutyName.ASK_FOR_SUPPLEMENT, rules, "2026-03-11T08:00", *events) == [
        ("2026-03-09T23:59:59", "2026-03-06T10:00", "met"),
        ("2026-03-17T23:59:59", None, "open"),
    ]


def test_where_a_supplement_only_extends_the_days_to_ask_are_the_first_ones() -> None:
    rules = book(procedure(working_days(10), pauses=PausePolicy.EXTEND))
    events = (
        accepted(rules, "2026-03-02T09:00"),
        assigned("2026-03-02T10:00"),
        asked("2026-03-03T10:00", "first"),
        answered("2026-03-04T10:00", "first-answer"),
        asked("2026-03-11T10:00", "second"),
    )
    assert named(DutyName.ASK_FOR_SUPPLEMENT, rules, "2026-03-12T08:00", *events) == [
        ("2026-03-05T23:59:59", "2026-03-03T10:00", "met"),
        ("2026-03-05T23:59:59", "2026-03-11T10:00", "late"),
    ]


def test_an_answer_is_awaited_for_the_days_of_the_policy_or_as_the_request_says() -> None:
    rules = book(LIMITS, FIVE_DAYS)
    events = (accepted(rules, "2026-03-02T09:00"), asked("2026-03-04T10:00"))
    assert named(DutyName.ANSWER_SUPPLEMENT, rules, "2026-03-05T08:00", *events) == [
        ("2026-03-13T23:59:59", None, "open")
    ]
    assert named(
        DutyName.ANSWER_SUPPLEMENT, rules, "2026-03-20T08:00", *events, answered("2026-03-13T20:00")
    ) == [("2026-03-13T23:59:59", "2026-03-13T20:00", "met")]
    assert named(DutyName.ANSWER_SUPPLEMENT, rules, "2026-03-14T00:00", *events) == [
        ("2026-03-13T23:59:59", None, "missed")
    ]
    stated = awaited("2026-03-04T10:00", "2026-03-06T17:00")
    assert named(DutyName.ANSWER_SUPPLEMENT, rules, "2026-03-05T08:00", events[0], stated) == [
        ("2026-03-06T17:00", None, "open")
    ]


def test_before_acceptance_an_answer_is_awaited_as_the_request_says() -> None:
    rules = book(FIVE_DAYS)
    start = submitted("2026-03-02T09:15")
    request = awaited("2026-03-02T15:00", "2026-03-06T17:00")
    assert named(DutyName.ANSWER_SUPPLEMENT, rules, "2026-03-03T08:00", start, request) == [
        ("2026-03-06T17:00", None, "open")
    ]
    events = (start, request, answered("2026-03-09T08:00"))
    assert named(DutyName.ANSWER_SUPPLEMENT, rules, "2026-03-09T09:00", *events) == [
        ("2026-03-06T17:00", "2026-03-09T08:00", "late")
    ]


# Re-appointment: at the latest the day before.


def test_a_new_date_may_be_agreed_until_the_day_before() -> None:
    rules = book(FIVE_DAYS)
    events = (accepted(rules, "2026-03-02T09:00"), assigned("2026-03-02T10:00"))
    for at, state in (("2026-03-08T12:00", "open"), ("2026-03-09T00:00", "lapsed")):
        assert named(DutyName.REAPPOINT, rules, at, *events) == [
            ("2026-03-08T23:59:59", None, state)
        ]
    for when, state in (("2026-03-08T20:00", "met"), ("2026-03-09T07:30", "late")):
        again = put_off(when, "2026-03-16T17:00")
        assert named(DutyName.REAPPOINT, rules, "2026-03-20T08:00", *events, again) == [
            ("2026-03-08T23:59:59", when, state)
        ]


def test_an_agreed_date_is_judged_by_the_due_date_of_its_day() -> None:
    """A pause that came later does not make a late notice one in time."""
    rules = book(FIVE_DAYS)
    events = (
        accepted(rules, "2026-03-02T09:00"),
        assigned("2026-03-02T10:00"),
        put_off("2026-03-09T07:30", "2026-03-16T17:00"),
        billed("2026-03-09T08:00"),
        paid("2026-03-12T08:00"),
    )
    assert named(DutyName.REAPPOINT, rules, "2026-03-12T09:00", *events) == [
        ("2026-03-08T23:59:59", "2026-03-09T07:30", "late")
    ]


def test_while_the_clock_stands_still_or_after_the_end_there_is_nothing_to_put_off() -> None:
    rules = book(FIVE_DAYS)
    act = accepted(rules, "2026-03-02T09:00")
    assert not named(DutyName.REAPPOINT, rules, "2026-03-04T12:00", act, asked("2026-03-04T10:00"))
    assert not named(
        DutyName.REAPPOINT, rules, "2026-03-04T12:00", act, finished("2026-03-04T10:00")
    )


def test_an_ended_dossier_keeps_what_was_missed_and_is_asked_for_nothing_more() -> None:
    rules = book(FIVE_DAYS)
    events = (accepted(rules, "2026-03-02T09:00"), finished("2026-03-03T10:00"))
    states = {each.name: each.state for each in found(rules, "2026-04-01T08:00", *events)}
    assert states == {
        DutyName.TRANSFER: DutyState.MISSED,
        DutyName.ASK_FOR_SUPPLEMENT: DutyState.LAPSED,
    }


def test_a_calendar_that_lacks_the_year_takes_the_duties_that_need_it_and_no_others() -> None:
    rules = book(FIVE_DAYS)
    act = accepted(rules, "2026-12-31T09:00")
    assert act.due is None
    history = known(act)
    dossier = replay(DOSSIER, history, rules)
    (only,) = duties(dossier, history, None, rules, moment("2026-12-31T10:00"))
    assert (only.name, wall(only.by)) == (DutyName.TRANSFER, "2026-12-31T17:00")


# Steps: cumulative working hours, without pauses, never after the whole.


def plan(rules: RuleBook, *events: DossierEvent) -> list[str | None]:
    dates = dates_of(replay(DOSSIER, known(*events), rules), rules)
    assert dates is not None
    return [wall(each.by) for each in step_plan(dates)]


def test_steps_follow_each_other_and_none_ends_after_the_whole() -> None:
    rules = book(BY_STEPS)
    act = accepted(rules, "2026-03-02T09:00")
    assert plan(rules, act) == ["2026-03-02T11:00", "2026-03-06T07:30", "2026-03-09T09:00"]


def test_a_pause_moves_only_the_steps_that_it_meets() -> None:
    rules = book(replace(BY_STEPS, pause_policy=PausePolicy.EXTEND))
    events = (accepted(rules, "2026-03-02T09:00"), asked("2026-03-04T10:00"))
    assert plan(rules, *events) == ["2026-03-02T11:00", None, None]
    assert plan(rules, *events, answered("2026-03-05T10:00")) == [
        "2026-03-02T11:00",
        "2026-03-09T07:30",
        "2026-03-10T09:00",
    ]


def test_a_restart_begins_the_steps_again() -> None:
    rules = book(BY_STEPS)
    events = (
        accepted(rules, "2026-03-02T09:00"),
        asked("2026-03-04T10:00"),
        answered("2026-03-10T14:00"),
    )
    assert plan(rules, *events) == ["2026-03-10T16:00", "2026-03-16T10:30", "2026-03-17T14:00"]
