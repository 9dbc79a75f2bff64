"""Rules 3.1 to 3.7, sentence by sentence: units, sessions, the cut-off, the roll, pauses."""

import pytest

from domain.deadlines.law import CutoffPolicy, PausePolicy, Term, TermUnit
from domain.deadlines.running import Pause
from tests.domain.deadlines.given import (
    EXTEND,
    RESTART,
    accepted,
    answered,
    asked,
    book,
    calendar,
    calendar_days,
    decided,
    dossier_under,
    down,
    due_of,
    elapsed_hours,
    kinds,
    months,
    pause,
    procedure,
    ran,
    state,
    told,
    up,
    wall,
    working_days,
    working_hours,
)
from tests.examples import supplement_completed

NEXT_DAY = CutoffPolicy.COUNT_FROM_NEXT_DAY
SAME_DAY = CutoffPolicy.NEXT_DAY_RESULT


def test_rule_3_1_every_unit_counts_in_its_own_way() -> None:
    """Eight of each from Friday 6 March 2026, 09:00."""
    due = {unit: due_of("2026-03-06T09:00", Term(amount=8, unit=unit)) for unit in TermUnit}
    assert due == {
        TermUnit.WORKING_DAY: "2026-03-18T09:00",
        TermUnit.WORKING_HOUR: "2026-03-09T09:00",
        TermUnit.CALENDAR_DAY: "2026-03-16T17:00",
        TermUnit.MONTH: "2026-11-06T17:00",
        TermUnit.ELAPSED_HOUR: "2026-03-06T17:00",
    }


def test_rule_3_1_two_working_hours_are_not_two_elapsed_hours() -> None:
    assert due_of("2026-03-02T10:30", working_hours(2)) == "2026-03-02T14:30"
    assert due_of("2026-03-02T10:30", elapsed_hours(2)) == "2026-03-02T12:30"


def test_rule_3_1_elapsed_hours_run_through_the_night() -> None:
    assert due_of("2026-03-02T18:20", elapsed_hours(24)) == "2026-03-03T18:20"


@pytest.mark.parametrize(
    ("received", "starts"),
    [
        ("2026-03-02T06:59:59", "2026-03-02T07:00"),
        ("2026-03-02T07:00:00", "2026-03-02T07:00"),
        ("2026-03-02T11:29:59", "2026-03-02T11:29:59"),
        ("2026-03-02T11:30:00", "2026-03-02T13:30"),
        ("2026-03-02T13:29:59", "2026-03-02T13:30"),
        ("2026-03-02T16:59:59", "2026-03-02T16:59:59"),
        ("2026-03-02T17:00:00", "2026-03-03T07:00"),
        ("2026-03-06T17:00:00", "2026-03-09T07:00"),
        ("2026-03-07T10:00:00", "2026-03-09T07:00"),
        ("2026-02-13T17:00:00", "2026-02-23T07:00"),
        ("2026-01-10T10:00:00", "2026-01-10T10:00"),
    ],
)
def test_rule_3_2_sessions_are_half_open(received: str, starts: str) -> None:
    clock_starts = ran(received, working_days(1)).clock_starts
    shown = clock_starts.isoformat(timespec="seconds" if clock_starts.second else "minutes")
    assert shown == starts


def test_rule_3_2_what_arrives_at_half_past_eleven_is_due_in_the_afternoon() -> None:
    assert due_of("2026-03-02T11:30:00", working_days(1)) == "2026-03-03T13:30"


def test_rule_3_2_what_arrives_at_five_has_the_next_day_as_day_zero() -> None:
    assert due_of("2026-03-02T16:59:59", working_days(1)) == "2026-03-03T16:59:59"
    assert due_of("2026-03-02T17:00:00", working_days(1)) == "2026-03-04T07:00"


def test_rule_3_2_a_term_in_hours_may_end_at_five() -> None:
    assert due_of("2026-03-02T07:00", working_hours(8)) == "2026-03-02T17:00"
    assert due_of("2026-03-02T08:00", working_hours(7)) == "2026-03-02T17:00"
    assert due_of("2026-03-06T17:00", working_hours(8)) == "2026-03-09T17:00"


def test_rule_3_2_a_term_in_hours_may_end_at_the_noon_closing() -> None:
    assert due_of("2026-03-02T09:30", working_hours(2)) == "2026-03-02T11:30"


def test_rule_3_2_a_kept_hour_that_a_short_day_lacks_becomes_its_closing() -> None:
    short = calendar(decided("short", short=("2026-03-03",)))
    assert due_of("2026-03-02T15:00", working_days(1), by=short) == "2026-03-03T11:30"
    assert due_of("2026-03-02T13:30", working_days(1), by=short) == "2026-03-03T11:30"


def test_rule_3_2_a_kept_hour_that_a_short_day_has_is_kept() -> None:
    short = calendar(decided("short", short=("2026-03-03",)))
    assert due_of("2026-03-02T11:29", working_days(1), by=short) == "2026-03-03T11:29"
    assert due_of("2026-03-02T15:00", working_days(2), by=short) == "2026-03-04T15:00"


@pytest.mark.parametrize(
    ("received", "due"),
    [
        ("2026-09-07T14:59:59", "2026-09-10T14:59:59"),
        ("2026-09-07T15:00:00", "2026-09-10T15:00"),
        ("2026-09-07T15:00:01", "2026-09-11T07:00"),
    ],
)
def test_rule_3_2_the_cut_off_is_strict(received: str, due: str) -> None:
    assert due_of(received, working_days(3), cutoff=NEXT_DAY) == due


def test_rule_3_3_a_supplement_asked_on_the_due_day_is_in_time_for_a_term_in_days() -> None:
    dossier = dossier_under(
        procedure(working_days(5)),
        "2026-03-02T09:15",
        asked("2026-03-09T16:59"),
        answered("2026-03-10T16:00"),
    )
    assert wall(dossier.due) == "2026-03-17T16:00"
    assert "supplement-after-due" not in kinds(dossier)


@pytest.mark.parametrize("term", [calendar_days(7), months(1)])
def test_rule_3_3_calendar_days_and_months_are_judged_by_date_too(term: Term) -> None:
    rules = book(procedure(term))
    start = accepted(rules, "2026-03-02T09:15")
    due = wall(state(rules, start).due)
    assert due is not None
    dossier = state(rules, start, asked(f"{due[:10]}T23:00"))
    assert dossier.due is None
    assert "supplement-after-due" not in kinds(dossier)


@pytest.mark.parametrize(
    ("term", "due"),
    [(working_hours(8), "2026-03-02T17:00"), (elapsed_hours(10), "2026-03-02T17:00")],
)
def test_rule_3_3_a_term_in_hours_is_judged_by_the_instant(term: Term, due: str) -> None:
    rules = book(procedure(term))
    start = accepted(rules, "2026-03-02T07:00")
    assert wall(state(rules, start).due) == due
    assert state(rules, start, asked(due)).due is None
    a_second_late = state(rules, start, asked(f"{due}:01"))
    assert wall(a_second_late.due) == due
    assert "supplement-after-due" in kinds(a_second_late)


@pytest.mark.parametrize(
    ("start", "term", "due"),
    [
        ("2026-03-02T08:00", calendar_days(5), "2026-03-09T17:00"),  # Saturday
        ("2026-03-02T08:00", calendar_days(6), "2026-03-09T17:00"),  # Sunday
        ("2026-03-02T08:00", calendar_days(7), "2026-03-09T17:00"),
        ("2026-04-20T08:00", calendar_days(10), "2026-05-04T17:00"),  # 30 April
        ("2026-01-20T08:00", months(1), "2026-02-23T17:00"),  # in Tết
    ],
)
def test_rule_3_4_calendar_days_and_months_that_end_on_a_closed_day_roll_to_the_next_working_day(
    start: str, term: Term, due: str
) -> None:
    assert due_of(start, term) == due


def test_rule_3_4_a_working_saturday_counts_as_a_working_day() -> None:
    assert due_of("2026-01-05T08:00", calendar_days(5)) == "2026-01-10T17:00"
    assert due_of("2025-12-10T08:00", months(1), by=calendar(decided("x", off=["2025-09-02"]))) == (
        "2026-01-10T17:00"
    )


def test_rule_3_4_a_term_rolls_onto_a_working_saturday() -> None:
    """Friday is off, the Saturday after it is worked."""
    swapped = calendar(decided("swap", off=["2026-03-06"], working=["2026-03-07"]))
    assert due_of("2026-03-02T08:00", calendar_days(4), by=swapped) == "2026-03-07T17:00"


def test_rule_3_4_their_instant_is_the_closing_of_the_days_last_session() -> None:
    short = calendar(decided("short", short=("2026-03-09",)))
    assert due_of("2026-03-02T16:00", calendar_days(7), by=short) == "2026-03-09T11:30"
    assert due_of("2026-03-02T07:00", calendar_days(1)) == "2026-03-03T17:00"


@pytest.mark.parametrize(
    ("start", "amount", "due"),
    [
        ("2026-08-31T10:00", 1, "2026-09-30T17:00"),  # no 31 September
        ("2026-01-30T10:00", 1, "2026-03-02T17:00"),  # 28 February is a Saturday
        ("2026-03-31T10:00", 1, "2026-05-04T17:00"),  # 30 April is a holiday
        ("2026-05-29T10:00", 6, "2026-11-30T17:00"),  # 29 November is a Sunday
        ("2026-03-02T10:00", 9, "2026-12-02T17:00"),
    ],
)
def test_rule_3_4_months_end_on_the_same_day_number_or_the_months_last(
    start: str, amount: int, due: str
) -> None:
    assert due_of(start, months(amount)) == due


def test_rule_3_4_the_31_of_january_and_a_month_is_the_end_of_february() -> None:
    """A working Saturday on 31 January; in a leap year the end is the 29th."""
    worked = calendar(decided("worked", working=["2026-01-31"]))
    assert due_of("2026-01-31T10:00", months(1), by=worked) == "2026-03-02T17:00"
    leap = calendar(decided("2028", off=["2028-01-01"]))
    assert due_of("2028-01-31T10:00", months(1), by=leap) == "2028-02-29T17:00"


def test_rule_3_5_after_the_cut_off_day_zero_is_the_next_working_day() -> None:
    assert due_of("2026-09-07T15:30", working_days(3), cutoff=NEXT_DAY) == "2026-09-11T07:00"
    rules = book(procedure(working_days(3), cutoff=NEXT_DAY))
    assert wall(state(rules, accepted(rules, "2026-09-07T15:30")).due) == "2026-09-11T07:00"


@pytest.mark.parametrize(
    ("received", "term", "due"),
    [
        ("2026-09-11T15:30", working_days(1), "2026-09-15T07:00"),  # Friday: day 0 is Monday
        ("2026-09-12T15:30", working_days(1), "2026-09-15T07:00"),  # Saturday: it is anyway
        ("2026-09-07T17:30", working_days(1), "2026-09-09T07:00"),  # closed: once, not twice
        ("2026-09-07T15:30", working_hours(2), "2026-09-08T09:00"),
        ("2026-09-07T15:30", calendar_days(3), "2026-09-11T17:00"),
        ("2026-08-28T15:30", working_days(1), "2026-09-03T07:00"),  # day 0 is Monday 31
    ],
)
def test_rule_3_5_day_zero_moves_by_one_working_day_only(
    received: str, term: Term, due: str
) -> None:
    assert due_of(received, term, cutoff=NEXT_DAY) == due


@pytest.mark.parametrize("cutoff", [CutoffPolicy.NONE, CutoffPolicy.TRANSFER_ONLY])
def test_rule_3_5_other_cut_offs_do_not_change_the_count(cutoff: CutoffPolicy) -> None:
    assert due_of("2026-09-07T15:30", working_days(3), cutoff=cutoff) == "2026-09-10T15:30"


@pytest.mark.parametrize(
    ("received", "due"),
    [
        ("2026-09-07T09:00", "2026-09-07T17:00"),
        ("2026-09-07T15:00:00", "2026-09-07T17:00"),
        ("2026-09-07T15:00:01", "2026-09-08T17:00"),
        ("2026-09-11T15:30", "2026-09-14T17:00"),
        ("2026-09-12T10:00", "2026-09-14T17:00"),
    ],
)
def test_rule_3_5_a_result_of_the_same_day_is_due_the_next_after_the_cut_off(
    received: str, due: str
) -> None:
    assert due_of(received, None, cutoff=SAME_DAY) == due


def test_rule_3_6_working_terms_move_by_the_working_minutes_paused() -> None:
    over_a_weekend = pause("2026-03-06T16:00", "2026-03-09T08:00")
    assert due_of("2026-03-02T09:00", working_days(5), over_a_weekend) == "2026-03-09T11:00"
    assert due_of("2026-03-05T09:00", working_hours(24), over_a_weekend) == "2026-03-10T11:00"


def test_rule_3_6_calendar_terms_move_by_the_calendar_days() -> None:
    two_days = pause("2026-03-04T10:00", "2026-03-06T09:00")
    assert due_of("2026-03-02T09:00", calendar_days(10)) == "2026-03-12T17:00"
    assert due_of("2026-03-02T09:00", calendar_days(10), two_days) == "2026-03-16T17:00"
    assert due_of("2026-03-02T09:00", calendar_days(8), two_days) == "2026-03-12T17:00"


def test_rule_3_6_month_terms_move_by_the_calendar_days() -> None:
    three_days = pause("2026-03-04T10:00", "2026-03-07T09:00")
    assert due_of("2026-03-02T09:00", months(1)) == "2026-04-02T17:00"
    assert due_of("2026-03-02T09:00", months(1), three_days) == "2026-04-06T17:00"


def test_rule_3_6_the_roll_is_not_paused_twice() -> None:
    """The nominal end moves and then rolls: Saturday and two days are Monday, not Wednesday."""
    two_days = pause("2026-03-03T10:00", "2026-03-05T10:00")
    assert due_of("2026-03-02T09:00", calendar_days(5), two_days) == "2026-03-09T17:00"


def test_rule_3_6_elapsed_terms_move_by_elapsed_time() -> None:
    at_night = pause("2026-03-02T20:00", "2026-03-02T22:30")
    assert due_of("2026-03-02T08:00", elapsed_hours(24), at_night) == "2026-03-03T10:30"


def test_rule_3_6_a_longer_outage_never_makes_elapsed_hours_end_on_an_earlier_day() -> None:
    """24 hours from Thursday 08:00, and an outage of a day that ends it on Saturday, or of three.

    The shorter one rolls to the end of Monday (Civil Code, Điều 148.5), the longer ends on Monday.
    """
    a_day = pause("2026-03-05T09:00", "2026-03-06T09:00")
    three = pause("2026-03-05T09:00", "2026-03-08T09:00")
    shorter = ran("2026-03-05T08:00", elapsed_hours(24), a_day).due
    longer = ran("2026-03-05T08:00", elapsed_hours(24), three).due
    assert shorter is not None
    assert longer is not None
    assert (wall(shorter), wall(longer)) == ("2026-03-09T17:00", "2026-03-09T08:00")


def test_rule_3_6_overlapping_pauses_count_once() -> None:
    one, other = (
        pause("2026-03-04T10:00", "2026-03-05T10:00"),
        pause("2026-03-04T14:00", "2026-03-05T14:00"),
    )
    assert due_of("2026-03-02T09:00", working_days(5), one, other) == "2026-03-10T11:00"
    assert due_of("2026-03-02T09:00", working_days(5), other, one) == "2026-03-10T11:00"
    assert due_of("2026-03-02T09:00", working_days(5), one, one) == "2026-03-10T09:00"


@pytest.mark.parametrize(
    ("term", "due"),
    [(calendar_days(7), "2026-03-10T17:00"), (elapsed_hours(96), "2026-03-07T13:00")],
)
def test_rule_3_6_overlapping_pauses_count_once_in_every_unit(term: Term, due: str) -> None:
    one, other = (
        pause("2026-03-04T10:00", "2026-03-05T10:00"),
        pause("2026-03-04T14:00", "2026-03-05T14:00"),
    )
    worked = calendar(decided("worked", working=["2026-03-07"]))
    assert due_of("2026-03-02T09:00", term, one, other, by=worked) == due


def test_rule_3_6_one_pause_inside_of_another_counts_for_nothing() -> None:
    outer, inner = (
        pause("2026-03-04T10:00", "2026-03-06T10:00"),
        pause("2026-03-04T15:00", "2026-03-05T15:00"),
    )
    alone = due_of("2026-03-02T09:00", working_days(5), outer)
    assert due_of("2026-03-02T09:00", working_days(5), outer, inner) == alone == "2026-03-11T09:00"


@pytest.mark.parametrize(
    "asleep",
    [
        pause("2026-03-04T11:30", "2026-03-04T13:30"),
        pause("2026-03-04T17:00", "2026-03-05T07:00"),
        pause("2026-03-06T17:00", "2026-03-09T07:00"),
        pause("2026-03-07T00:00", "2026-03-08T23:59"),
        pause("2026-03-04T10:00", "2026-03-04T10:00"),
    ],
)
@pytest.mark.parametrize("term", [working_days(5), working_hours(40)])
def test_rule_3_6_a_pause_in_non_working_time_moves_a_working_term_by_nothing(
    asleep: Pause, term: Term
) -> None:
    assert due_of("2026-03-02T09:00", term, asleep) == "2026-03-09T09:00"


def test_rule_3_6_a_pause_before_the_clock_starts_takes_nothing() -> None:
    early = pause("2026-09-07T15:40", "2026-09-08T07:00")
    assert due_of("2026-09-07T15:30", working_days(3), early, cutoff=NEXT_DAY) == (
        "2026-09-11T07:00"
    )


def test_rule_3_6_an_open_pause_has_no_due_date() -> None:
    still = ran("2026-03-02T09:00", working_days(5), pause("2026-03-04T10:00", None))
    assert (still.due, still.open) == (None, True)
    rules = book(procedure(working_days(5)))
    dossier = state(rules, accepted(rules, "2026-03-02T09:00"), asked("2026-03-04T10:00"))
    assert (dossier.due, dossier.first_due) == (None, None)
    assert wall(dossier.printed_due) == "2026-03-09T09:00"
    assert "no-due-date" not in kinds(dossier)


@pytest.mark.parametrize(
    ("policy", "due"), [(EXTEND, "2026-03-10T10:00"), (RESTART, "2026-03-12T11:00")]
)
def test_rule_3_6_what_the_date_would_be_if_the_clock_resumed_now_can_be_asked(
    policy: PausePolicy, due: str
) -> None:
    if_now = pause("2026-03-04T10:00", "2026-03-05T11:00", policy)
    assert due_of("2026-03-02T09:00", working_days(5), if_now) == due


def test_rule_3_6_one_open_pause_is_enough() -> None:
    over, still = pause("2026-03-03T10:00", "2026-03-03T15:00"), pause("2026-03-04T10:00", None)
    assert due_of("2026-03-02T09:00", working_days(5), over, still) is None
    assert due_of("2026-03-02T09:00", working_days(5), still, over) is None


def test_rule_3_6_an_open_pause_that_does_not_pause_leaves_the_date() -> None:
    still = pause("2026-03-04T10:00", None, PausePolicy.NONE)
    assert due_of("2026-03-02T09:00", working_days(5), still) == "2026-03-09T09:00"


def test_rule_3_6_a_pause_still_moves_a_date_that_a_restart_did_not_reach() -> None:
    """The stated date lies beyond the restarted term. Whichever holds, a day's outage is a day."""
    rules = book(procedure(working_days(5)))
    told_so_far = [
        accepted(rules, "2026-03-02T09:00", due="2026-03-30T09:00"),
        asked("2026-03-03T07:00"),
        answered("2026-03-04T07:00"),
    ]
    before = state(rules, *told_so_far)
    outage = [down("2026-03-05T07:00"), up("2026-03-05T17:00")]
    assert wall(before.due) == "2026-03-30T09:00"
    assert wall(state(rules, *told_so_far, *outage).due) == "2026-03-31T09:00"


@pytest.mark.parametrize(
    ("confirmed", "due"),
    [
        ("2026-03-10T14:00", "2026-03-17T14:00"),
        ("2026-03-10T11:30", "2026-03-17T13:30"),
        ("2026-03-10T17:00", "2026-03-18T07:00"),
        ("2026-03-14T10:00", "2026-03-23T07:00"),
    ],
)
def test_rule_3_7_a_restart_counts_from_the_confirmation_normalised_like_a_receipt(
    confirmed: str, due: str
) -> None:
    dossier = dossier_under(
        procedure(working_days(5)),
        "2026-03-02T09:00",
        asked("2026-03-04T10:00"),
        answered(confirmed),
    )
    assert wall(dossier.due) == due


def test_rule_3_7_a_restart_after_the_cut_off_counts_from_the_next_day() -> None:
    supplement = pause("2026-09-08T10:00", "2026-09-14T15:30", RESTART)
    assert due_of("2026-09-07T09:00", working_days(3), supplement, cutoff=NEXT_DAY) == (
        "2026-09-18T07:00"
    )


def test_rule_3_7_only_the_desks_confirmation_of_the_whole_resumes_the_clock() -> None:
    rules = book(procedure(working_days(5)))
    in_part = told(supplement_completed("in part", partial=True), "2026-03-06T10:00")
    waiting = (
        accepted(rules, "2026-03-02T09:00"),
        asked("2026-03-04T10:00"),
        in_part,
    )
    assert state(rules, *waiting).due is None
    assert wall(state(rules, *waiting, answered("2026-03-10T14:00")).due) == "2026-03-17T14:00"


def test_rule_3_7_a_result_of_the_same_day_is_due_on_the_day_of_the_confirmation() -> None:
    supplement = pause("2026-03-02T10:00", "2026-03-04T09:00", RESTART)
    assert due_of("2026-03-02T09:00", None, supplement, cutoff=SAME_DAY) == "2026-03-04T17:00"


def test_rule_3_7_every_supplement_restarts_again() -> None:
    dossier = dossier_under(
        procedure(working_days(5)),
        "2026-03-02T09:00",
        asked("2026-03-03T10:00", "first"),
        answered("2026-03-05T10:00", "first answer"),
        asked("2026-03-09T10:00", "second"),
        answered("2026-03-11T10:00", "second answer"),
    )
    assert wall(dossier.due) == "2026-03-18T10:00"


def test_rule_3_7_what_was_paused_before_a_restart_is_not_added_to_it() -> None:
    dossier = dossier_under(
        procedure(working_days(5)),
        "2026-03-02T09:00",
        down("2026-03-03T07:00"),
        up("2026-03-03T17:00"),
        asked("2026-03-04T10:00"),
        answered("2026-03-10T14:00"),
    )
    assert wall(dossier.due) == "2026-03-17T14:00"


def test_rule_3_7_of_an_outage_that_outlives_the_supplement_only_the_rest_is_added() -> None:
    dossier = dossier_under(
        procedure(working_days(5)),
        "2026-03-02T09:00",
        asked("2026-03-04T10:00"),
        down("2026-03-09T07:00"),
        answered("2026-03-10T14:00"),
        up("2026-03-11T14:00"),
    )
    assert wall(dossier.due) == "2026-03-18T14:00"
