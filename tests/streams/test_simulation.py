"""The made-up week tells stories that could have happened."""

from datetime import datetime, time
from zoneinfo import ZoneInfo

from domain.deadlines.decided import working_calendar
from domain.deadlines.law import Term, TermUnit
from domain.deadlines.running import run
from domain.deadlines.terms import Counting
from streams.registers.shipped_calendars import shipped_calendars
from streams.simulation import Commune, week

HOME = ZoneInfo("Asia/Ho_Chi_Minh")
TERMS = {"1.004873": 3, "1.009994": 15}
COMMUNE = Commune("H44.100.01", ("H44.100.02", "H44.100.03"), TERMS)


def test_a_reappointment_lies_after_the_first_due_date_in_office_hours() -> None:
    events = week(datetime(2026, 3, 2, tzinfo=HOME), COMMUNE)
    calendar = working_calendar(shipped_calendars())
    terms = {
        code: Counting(term=Term(amount=days, unit=TermUnit.WORKING_DAY))
        for code, days in TERMS.items()
    }
    due = {
        event["subject"]: run(
            calendar,
            terms[event["data"]["procedure"]],
            datetime.fromisoformat(event["time"]),
            (),
        ).due
        for event in events
        if event["type"].endswith("dossier.accepted.v1")
    }
    found = [event for event in events if event["type"].endswith("reappointment-issued.v1")]
    assert found
    for event in found:
        new = datetime.fromisoformat(event["data"]["new_due"])
        first = due[event["subject"]]
        assert first is not None
        assert new > first
        assert new.weekday() < 5
        assert time(7) <= new.time() <= time(17)


def test_the_same_week_is_told_again_in_the_same_words() -> None:
    monday = datetime(2026, 3, 2, tzinfo=HOME)
    assert week(monday, COMMUNE) == week(monday, COMMUNE)
