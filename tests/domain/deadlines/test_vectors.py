"""The golden vectors, each by bare arithmetic and for a whole dossier; 2026, the usual hours."""

from domain.deadlines.law import PausePolicy, Term
from tests.domain.deadlines.given import (
    accepted,
    answered,
    asked,
    book,
    calendar_days,
    dossier_under,
    due_of,
    pause,
    procedure,
    state,
    wall,
    working_days,
    working_hours,
)


def due_of_a_dossier(start: str, term: Term) -> str | None:
    """Return when a dossier is due; its three dates are one."""
    rules = book(procedure(term))
    dossier = state(rules, accepted(rules, start))
    assert dossier.irregularities == ()
    assert dossier.printed_due == dossier.first_due == dossier.due
    return wall(dossier.due)


def due_after_a_supplement(policy: PausePolicy) -> str | None:
    """Return when the dossier of V12 and V13 is due under a policy."""
    dossier = dossier_under(
        procedure(working_days(5), pauses=policy),
        "2026-03-02T09:00",
        asked("2026-03-04T10:00"),
        answered("2026-03-10T14:00"),
    )
    assert wall(dossier.printed_due) == "2026-03-09T09:00"
    assert dossier.due == dossier.first_due
    return wall(dossier.due)


def test_v1_the_day_of_receipt_is_day_zero_and_the_hour_is_kept() -> None:
    assert due_of("2026-03-02T09:15", working_days(5)) == "2026-03-09T09:15"
    assert due_of_a_dossier("2026-03-02T09:15", working_days(5)) == "2026-03-09T09:15"


def test_v2_the_days_of_tet_do_not_count() -> None:
    assert due_of("2026-02-13T10:00", working_days(3)) == "2026-02-25T10:00"
    assert due_of_a_dossier("2026-02-13T10:00", working_days(3)) == "2026-02-25T10:00"


def test_v4_a_compensating_saturday_is_worked() -> None:
    assert due_of("2026-01-09T14:00", working_days(1)) == "2026-01-10T14:00"
    assert due_of_a_dossier("2026-01-09T14:00", working_days(1)) == "2026-01-10T14:00"


def test_v6_eight_working_hours_are_two_on_friday_and_six_on_monday() -> None:
    assert due_of("2026-03-06T15:00", working_hours(8)) == "2026-03-09T15:00"
    assert due_of_a_dossier("2026-03-06T15:00", working_hours(8)) == "2026-03-09T15:00"


def test_v7_thirty_calendar_days_that_end_in_tet_roll_to_the_next_working_day() -> None:
    assert due_of("2026-01-20T08:00", calendar_days(30)) == "2026-02-23T17:00"
    assert due_of_a_dossier("2026-01-20T08:00", calendar_days(30)) == "2026-02-23T17:00"


def test_v9_the_compensation_for_hung_kings_day_is_off() -> None:
    assert due_of("2026-04-24T08:00", working_days(1)) == "2026-04-28T08:00"
    assert due_of_a_dossier("2026-04-24T08:00", working_days(1)) == "2026-04-28T08:00"


def test_v10_the_end_of_april_the_first_of_may_and_the_weekend_are_off() -> None:
    assert due_of("2026-04-29T08:00", working_days(1)) == "2026-05-04T08:00"
    assert due_of_a_dossier("2026-04-29T08:00", working_days(1)) == "2026-05-04T08:00"


def test_v12_a_restart_counts_the_whole_term_from_the_confirmed_completion() -> None:
    supplement = pause("2026-03-04T10:00", "2026-03-10T14:00", PausePolicy.RESTART)
    assert due_of("2026-03-02T09:00", working_days(5)) == "2026-03-09T09:00"
    assert due_of("2026-03-02T09:00", working_days(5), supplement) == "2026-03-17T14:00"
    assert due_after_a_supplement(PausePolicy.RESTART) == "2026-03-17T14:00"


def test_v13_a_pause_moves_the_date_by_the_2040_working_minutes_that_it_took() -> None:
    supplement = pause("2026-03-04T10:00", "2026-03-10T14:00", PausePolicy.EXTEND)
    assert due_of("2026-03-02T09:00", working_days(5), supplement) == "2026-03-13T11:00"
    assert due_after_a_supplement(PausePolicy.EXTEND) == "2026-03-13T11:00"


def test_v13_without_a_pause_the_supplement_moves_nothing() -> None:
    supplement = pause("2026-03-04T10:00", "2026-03-10T14:00", PausePolicy.NONE)
    assert due_of("2026-03-02T09:00", working_days(5), supplement) == "2026-03-09T09:00"
    assert due_after_a_supplement(PausePolicy.NONE) == "2026-03-09T09:00"
