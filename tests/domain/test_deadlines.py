"""Terms in working days, Monday to Friday, the first day not counted."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from domain.deadlines import due_date
from domain.registers import Term, TermUnit
from tests.examples import DUE, MORNING

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


def working_days(amount: int) -> Term:
    return Term(amount=amount, unit=TermUnit.WORKING_DAY)


@pytest.mark.parametrize(
    ("start", "days", "due"),
    [
        ("2026-03-02T09:15", 1, "2026-03-03T09:15"),
        ("2026-03-02T09:15", 4, "2026-03-06T09:15"),
        ("2026-03-02T09:15", 5, "2026-03-09T09:15"),
        ("2026-03-02T09:15", 20, "2026-03-30T09:15"),
        ("2026-03-06T16:59", 1, "2026-03-09T16:59"),
        ("2026-03-07T08:00", 1, "2026-03-09T08:00"),
        ("2026-03-08T08:00", 3, "2026-03-11T08:00"),
        ("2026-03-02T09:15", 0, "2026-03-02T09:15"),
        ("2026-03-07T08:00", 0, "2026-03-09T08:00"),
    ],
)
def test_weekends_are_not_counted_and_the_hour_is_kept(start: str, days: int, due: str) -> None:
    accepted = datetime.fromisoformat(start).replace(tzinfo=ZONE)
    expected = datetime.fromisoformat(due).replace(tzinfo=ZONE)
    assert due_date(accepted, working_days(days), ZONE) == expected


def test_days_are_those_of_the_unit_not_of_utc() -> None:
    saturday_in_vietnam = datetime(2026, 3, 6, 18, 0, tzinfo=UTC)  # 01:00 on 7 March.
    assert due_date(saturday_in_vietnam, working_days(1), ZONE) == datetime(
        2026, 3, 9, 1, 0, tzinfo=ZONE
    )


def test_a_due_date_is_told_in_the_zone_of_the_unit() -> None:
    due = due_date(MORNING, working_days(5), ZONE)
    assert due == DUE
    assert due is not None
    assert due.tzinfo is ZONE


@pytest.mark.parametrize("unit", [unit for unit in TermUnit if unit is not TermUnit.WORKING_DAY])
def test_a_term_in_other_units_gives_no_date(unit: TermUnit) -> None:
    assert due_date(MORNING, Term(amount=5, unit=unit), ZONE) is None


def test_without_a_term_there_is_no_date() -> None:
    assert due_date(MORNING, None, ZONE) is None
