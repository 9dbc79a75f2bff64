"""The account of a due date: every day is in it, its minutes add up, and it says why."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import HealthCheck, assume, settings
from hypothesis import given as for_all
from hypothesis import strategies as st

from domain.deadlines.decided import deciding, working_calendar
from domain.deadlines.explaining import Day, Why, account
from domain.deadlines.law import (
    CalendarDecision,
    CutoffPolicy,
    OfficeHours,
    PausePolicy,
    Term,
    TermUnit,
)
from domain.deadlines.running import Pause, Run, measured, run
from domain.deadlines.terms import Counting
from domain.deadlines.wording import day_text, explanation_text
from domain.envelope import VIETNAM, UnitCode
from domain.words import Language
from tests.looking import examples

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
NEW_YEAR = CalendarDecision(
    id="12729",
    title="Tết Dương lịch",
    issued=date(2025, 12, 25),
    off=tuple(date(2026, 1, day) for day in range(1, 5)),
    working=(date(2026, 1, 10),),
)
TET = CalendarDecision(
    id="9441", issued=date(2025, 10, 16), off=tuple(date(2026, 2, day) for day in range(14, 23))
)
LATER_YEARS = CalendarDecision(
    id="later", issued=date(2025, 12, 25), off=(date(2027, 1, 1), date(2028, 1, 1))
)
OF_2026 = (NEW_YEAR, TET)
WHOLE = {
    TermUnit.WORKING_DAY: 480,
    TermUnit.WORKING_HOUR: 60,
    TermUnit.CALENDAR_DAY: 1440,
    TermUnit.ELAPSED_HOUR: 60,
}


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=VIETNAM)


def pause(start: str, end: str | None, policy: PausePolicy = PausePolicy.RESTART) -> Pause:
    return Pause(start=moment(start), end=moment(end) if end else None, policy=policy)


@dataclass(frozen=True, kw_only=True)
class Told:
    counting: Counting
    ran: Run
    days: Sequence[Day]

    def on(self, day: str) -> Day:
        return next(each for each in self.days if each.date == date.fromisoformat(day))

    def whys(self, day: str) -> list[Why]:
        return [each.why for each in self.on(day).reasons]

    def lines(self, lang: Language = "vi") -> list[str]:
        return explanation_text(self.days, self.counting, self.ran, lang)


def told(
    start: str,
    amount: int,
    unit: TermUnit,
    *pauses: Pause,
    decisions: Sequence[CalendarDecision] = OF_2026,
    cutoff: CutoffPolicy = CutoffPolicy.NONE,
    until: str | None = None,
    stated: str | None = None,
    floor: str | None = None,
) -> Told:
    calendar = working_calendar(decisions, units=[UnitCode("H44")])
    counting = Counting(term=Term(amount=amount, unit=unit), cutoff=cutoff)
    ran = run(
        calendar,
        counting,
        moment(start),
        pauses,
        moment(stated) if stated else None,
        moment(floor) if floor else None,
    )
    days = account(
        calendar,
        counting,
        moment(start),
        pauses,
        ran,
        deciding(decisions),
        until=moment(until) if until else None,
    )
    return Told(counting=counting, ran=ran, days=days)


def working_days(start: str, amount: int, *pauses: Pause) -> Told:
    return told(start, amount, TermUnit.WORKING_DAY, *pauses)


@dataclass(frozen=True, kw_only=True)
class Case:
    start: datetime
    term: Term
    cutoff: CutoffPolicy
    pauses: tuple[Pause, ...]


instants = st.builds(
    lambda day, minute: (
        datetime.combine(date(2026, 1, 5) + day * DAY, time(), VIETNAM) + minute * MINUTE
    ),
    st.integers(0, 60),
    st.sampled_from([0, 419, 420, 555, 690, 700, 810, 901, 1019, 1020, 1200, 1439]),
)
closed_pauses = st.builds(
    lambda one, other, policy: Pause(start=min(one, other), end=max(one, other), policy=policy),
    instants,
    instants,
    st.sampled_from(PausePolicy),
)
cases = st.builds(
    Case,
    start=instants,
    term=st.builds(Term, amount=st.integers(1, 30), unit=st.sampled_from(sorted(WHOLE))),
    cutoff=st.sampled_from([CutoffPolicy.NONE, CutoffPolicy.COUNT_FROM_NEXT_DAY]),
    pauses=st.lists(closed_pauses, max_size=3).map(tuple),
)
CALENDAR = working_calendar([*OF_2026, LATER_YEARS])
SETTLED = deciding([*OF_2026, LATER_YEARS])
EXAMPLES = settings(max_examples=examples(300), suppress_health_check=[HealthCheck.too_slow])


def account_of(case: Case) -> Told:
    counting = Counting(term=case.term, cutoff=case.cutoff)
    ran = run(CALENDAR, counting, case.start, case.pauses)
    days = account(CALENDAR, counting, case.start, case.pauses, ran, SETTLED)
    return Told(counting=counting, ran=ran, days=days)


@EXAMPLES
@for_all(case=cases)
def test_the_minutes_of_the_days_add_up_to_the_term(case: Case) -> None:
    days = account_of(case).days
    assert sum(each.minutes for each in days) == case.term.amount * WHOLE[case.term.unit]
    assert all(each.minutes >= 0 for each in days)


@EXAMPLES
@for_all(case=cases)
def test_every_day_from_receipt_to_the_due_date_is_told_once(case: Case) -> None:
    found = account_of(case)
    first = case.start.date()
    assert found.ran.due is not None
    assert [each.date for each in found.days] == [
        first + number * DAY for number in range((found.ran.due.date() - first).days + 1)
    ]
    assert found.days[-1].reasons[-1].why is Why.DUE
    assert all(day_text(each, "vi") and day_text(each, "en") for each in found.days)


@EXAMPLES
@for_all(case=cases)
def test_the_paused_minutes_of_the_days_add_up_to_what_was_paused(case: Case) -> None:
    found = account_of(case)
    last = found.days[-1].date
    assume(all(end.date() <= last for _, end in found.ran.stood))
    whole = measured(CALENDAR, case.term.unit, found.ran.stood)
    assert sum(each.paused_minutes for each in found.days) == whole // MINUTE


@EXAMPLES
@for_all(case=cases)
def test_what_came_before_a_restart_counts_nothing(case: Case) -> None:
    found = account_of(case)
    begun = found.ran.legs[-1].starts.date()
    assert all(each.minutes == 0 for each in found.days if each.date < begun)
    restarted = [each for each in found.days if found.ran.clock_starts.date() <= each.date < begun]
    assert all(Why.RESTARTED in {why.why for why in each.reasons} for each in restarted)


@EXAMPLES
@for_all(case=cases, start=instants)
def test_an_open_pause_counts_to_its_beginning_at_most(case: Case, start: datetime) -> None:
    still = Pause(start=start, end=None, policy=PausePolicy.EXTEND)
    whole = case.term.amount * WHOLE[case.term.unit]
    found = account_of(
        Case(start=case.start, term=case.term, cutoff=case.cutoff, pauses=(*case.pauses, still))
    )
    assert sum(each.minutes for each in found.days) <= whole
    if found.ran.open and case.term.unit is not TermUnit.CALENDAR_DAY:
        assert not any(each.minutes for each in found.days if each.date > start.date())
    assert found.ran.open == (found.ran.due is None)


def test_day_zero_keeps_its_hour_and_whole_days_are_numbered() -> None:
    found = working_days("2026-03-02T09:15", 5)
    assert [each.minutes for each in found.days] == [345, 480, 480, 480, 480, 0, 0, 135]
    assert [each.nth for each in found.days] == [None, 1, 2, 3, 4, None, None, 5]
    assert found.lines() == [
        (
            "Thời hạn giải quyết: 5 ngày làm việc, tính từ 09:15 thứ Hai 02/03/2026"
            " (Nghị định 309/2026/NĐ-CP, Điều 8.3)."
        ),
        (
            "Thứ Hai 02/03/2026: ngày bắt đầu (không tính), từ 09:15, còn 5 giờ 45 phút làm việc"
            " (Bộ luật Dân sự 2015, Điều 147)."
        ),
        "Thứ Ba 03/03/2026 đến thứ Sáu 06/03/2026: ngày làm việc thứ 1 đến 4.",
        (
            "Thứ Bảy 07/03/2026 đến Chủ nhật 08/03/2026: nghỉ hằng tuần"
            " (Bộ luật Lao động 2019, Điều 111)."
        ),
        "Thứ Hai 09/03/2026: ngày làm việc thứ 5; hẹn trả kết quả lúc 09:15.",
        "Hẹn trả kết quả: 09:15 thứ Hai 09/03/2026.",
    ]


def test_the_same_account_in_english() -> None:
    assert working_days("2026-03-02T09:15", 5).lines("en")[1:4] == [
        (
            "Monday 02/03/2026: first day, not counted, from 09:15, 5 h 45 min of work left"
            " (Civil Code 2015, Article 147)."
        ),
        "Tuesday 03/03/2026 to Friday 06/03/2026: working day 1 to 4.",
        "Saturday 07/03/2026 to Sunday 08/03/2026: weekly rest (Labour Code 2019, Article 111).",
    ]


def test_a_holiday_and_a_working_saturday_name_their_decision() -> None:
    found = working_days("2026-01-09T14:00", 1)
    (made_up, *_) = found.on("2026-01-10").reasons
    assert (made_up.why, made_up.decision, made_up.title) == (
        Why.MADE_UP,
        "12729",
        "Tết Dương lịch",
    )
    assert day_text(found.on("2026-01-10")).startswith(
        "làm việc bù theo quyết định 12729: Tết Dương lịch; ngày làm việc thứ 1"
    )
    tet = working_days("2026-02-13T10:00", 3)
    assert {each.decision for day in tet.days[1:10] for each in day.reasons} == {"9441"}
    assert "Điều 111, 112) theo quyết định 9441" in tet.lines()[2]


def test_a_closure_of_the_unit_is_no_holiday() -> None:
    storm = CalendarDecision(
        id="storm", issued=date(2026, 3, 1), off=(date(2026, 3, 3),), unit=UnitCode("H44")
    )
    found = told("2026-03-02T09:00", 2, TermUnit.WORKING_DAY, decisions=[*OF_2026, storm])
    assert found.whys("2026-03-03") == [Why.CLOSED]
    assert day_text(found.on("2026-03-03")) == "cơ quan không làm việc theo quyết định storm"


def test_a_short_day_gives_what_it_has() -> None:
    short = CalendarDecision(
        id="short",
        issued=date(2026, 3, 1),
        hours=(OfficeHours(day=date(2026, 3, 3), sessions=("07:00-11:30",)),),
    )
    found = told("2026-03-02T09:00", 2, TermUnit.WORKING_DAY, decisions=[*OF_2026, short])
    assert found.whys("2026-03-03") == [Why.SHORT_DAY, Why.WORKED]
    assert found.on("2026-03-03").minutes == 270


def test_a_restart_counts_again_from_the_beginning() -> None:
    found = working_days("2026-03-02T09:00", 5, pause("2026-03-04T10:00", "2026-03-10T14:00"))
    assert found.whys("2026-03-03") == [Why.RESTARTED]
    assert found.whys("2026-03-05") == [Why.RESTARTED, Why.PAUSED]
    assert found.whys("2026-03-10") == [Why.BEGUN_AGAIN, Why.DAY_ZERO, Why.PAUSED]
    assert found.on("2026-03-17").nth == 5
    assert sum(each.paused_minutes for each in found.days) == 2040
    text = day_text(found.on("2026-03-10"))
    assert "tính lại thời hạn từ đầu, từ 14:00 (Nghị định 61/2018/NĐ-CP, Điều 19.4)" in text
    assert "tạm dừng tính thời hạn đến 14:00" in text


def test_an_extension_tells_the_hours_before_and_after() -> None:
    found = working_days(
        "2026-03-02T09:00",
        5,
        pause("2026-03-04T10:00", "2026-03-10T14:00", PausePolicy.EXTEND),
    )
    assert (found.on("2026-03-04").minutes, found.on("2026-03-04").paused_minutes) == (180, 300)
    assert (found.on("2026-03-10").minutes, found.on("2026-03-10").paused_minutes) == (180, 300)
    assert day_text(found.on("2026-03-05")) == "tạm dừng tính thời hạn cả ngày"
    assert day_text(found.on("2026-03-04"), "en") == (
        "the term stands still from 10:00; 3 h of working time count"
    )


def test_waiting_for_an_opinion_is_told_and_stops_nothing() -> None:
    found = working_days(
        "2026-03-02T09:00",
        5,
        pause("2026-03-04T10:00", "2026-03-05T14:00", PausePolicy.NONE),
    )
    assert found.whys("2026-03-04") == [Why.NOT_PAUSED, Why.WORKED]
    assert "Điều 19.5" in day_text(found.on("2026-03-04"))


def test_a_term_that_ends_on_a_holiday_rolls() -> None:
    found = told("2026-01-20T07:00", 30, TermUnit.CALENDAR_DAY)
    assert found.whys("2026-02-19") == [Why.DAY_OFF, Why.COUNTED]
    assert found.on("2026-02-19").nth == 30
    assert found.whys("2026-02-20") == [Why.DAY_OFF]
    assert found.whys("2026-02-23") == [Why.ROLLED, Why.DUE]
    assert "Điều 148.5" in found.lines()[-2]


def test_months_count_each_day_of_them() -> None:
    found = told("2026-01-30T08:00", 1, TermUnit.MONTH)
    assert sum(each.minutes for each in found.days) == 29 * 1440
    assert found.on("2026-02-28").minutes == 1440
    assert found.whys("2026-03-02") == [Why.ROLLED, Why.DUE]


@pytest.mark.parametrize(
    ("start", "cutoff", "why", "words"),
    [
        (
            "2026-09-07T15:30",
            CutoffPolicy.COUNT_FROM_NEXT_DAY,
            Why.AFTER_CUTOFF,
            (
                "nhận lúc 15:30, sau giờ chốt: tính từ ngày làm việc tiếp theo,"
                " 07:00 thứ Ba 08/09/2026 (Nghị định 61/2018/NĐ-CP, Điều 18)"
            ),
        ),
        (
            "2026-09-07T17:00",
            CutoffPolicy.NONE,
            Why.OUTSIDE_HOURS,
            "nhận lúc 17:00, ngoài giờ làm việc: tính từ 07:00 thứ Ba 08/09/2026",
        ),
    ],
)
def test_a_late_receipt_says_from_when_it_counts(
    start: str, cutoff: CutoffPolicy, why: Why, words: str
) -> None:
    found = told(start, 3, TermUnit.WORKING_DAY, cutoff=cutoff)
    assert found.whys("2026-09-07") == [why]
    assert day_text(found.on("2026-09-07")) == words
    assert found.whys("2026-09-08") == [Why.DAY_ZERO]


def test_an_open_pause_is_told_until_now_and_has_no_due_date() -> None:
    still = pause("2026-03-04T10:00", None)
    bare = working_days("2026-03-02T09:00", 5, still)
    assert bare.days[-1].date == date(2026, 3, 4)
    found = told("2026-03-02T09:00", 5, TermUnit.WORKING_DAY, still, until="2026-03-10T09:00")
    assert found.days[-1].date == date(2026, 3, 10)
    assert sum(each.minutes for each in found.days) == 360 + 480 + 180
    assert sum(each.paused_minutes for each in found.days) == 300 + 3 * 480 + 120
    assert found.lines()[-1] == "Thời hạn đang tạm dừng, nên chưa có ngày hẹn trả kết quả."


def test_an_open_pause_is_told_as_far_as_years_are_decided() -> None:
    still = pause("2026-12-30T10:00", None)
    found = told("2026-12-28T09:00", 3, TermUnit.WORKING_DAY, still, until="2029-01-01T00:00")
    assert found.days[-1].date == date(2026, 12, 31)


def test_a_stated_date_is_not_explained_as_computed() -> None:
    found = told("2026-03-02T09:00", 5, TermUnit.WORKING_DAY, stated="2026-03-04T17:00")
    assert found.whys("2026-03-02") == [Why.DAY_ZERO]
    assert found.whys("2026-03-04") == [Why.STATED, Why.WORKED, Why.DUE]


def test_a_promised_date_that_is_later_is_kept() -> None:
    found = told("2026-03-02T09:00", 1, TermUnit.WORKING_DAY, floor="2026-03-05T09:00")
    assert found.whys("2026-03-04") == [Why.KEPT]
    assert found.whys("2026-03-05") == [Why.KEPT, Why.DUE]
    assert sum(each.minutes for each in found.days) == 480


def test_a_pause_after_the_due_date_is_told_to_come_too_late() -> None:
    late = pause("2026-03-02T16:00", "2026-03-03T09:00")
    found = told("2026-03-02T09:00", 2, TermUnit.WORKING_HOUR, late)
    assert found.ran.due == moment("2026-03-02T11:00")
    assert found.whys("2026-03-02") == [Why.PAUSED_TOO_LATE, Why.WORKED, Why.DUE]
    assert found.on("2026-03-02").paused_minutes == 0


def test_a_date_that_ended_a_pause_replaces_what_was_counted() -> None:
    answered = Pause(
        start=moment("2026-03-04T10:00"),
        end=moment("2026-03-05T10:00"),
        policy=PausePolicy.RESTART,
        stated=moment("2026-03-09T17:00"),
    )
    found = working_days("2026-03-02T09:00", 5, answered)
    assert found.whys("2026-03-03") == [Why.REPLACED]
    assert found.whys("2026-03-09") == [Why.STATED, Why.WORKED, Why.DUE]


def test_the_date_of_a_reappointment_names_its_article() -> None:
    calendar = working_calendar(OF_2026)
    counting = Counting(term=Term(amount=5, unit=TermUnit.WORKING_DAY))
    at, agreed = moment("2026-03-05T09:00"), moment("2026-03-12T17:00")
    ran = run(calendar, counting, at, (), agreed)
    days = account(calendar, counting, at, (), ran, {}, stated_as=Why.REAPPOINTED)
    assert days[-1].date == date(2026, 3, 12)
    assert "Điều 19.9" in day_text(days[-1])


def test_without_a_term_there_is_nothing_to_tell() -> None:
    calendar = working_calendar(OF_2026)
    counting = Counting(term=None)
    start = moment("2026-03-02T09:00")
    ran = run(calendar, counting, start, ())
    assert account(calendar, counting, start, (), ran, {}) == ()
    assert explanation_text((), counting, ran)[-1] == "Không có ngày hẹn trả kết quả."


def test_a_result_of_the_same_day_names_its_law() -> None:
    calendar = working_calendar(OF_2026)
    counting = Counting(term=None, cutoff=CutoffPolicy.NEXT_DAY_RESULT)
    start = moment("2026-03-02T15:30")
    ran = run(calendar, counting, start, ())
    days = account(calendar, counting, start, (), ran, {})
    assert [each.date.day for each in days] == [2, 3]
    assert "Luật Hộ tịch 2014, Điều 5.3" in day_text(days[-1])


@pytest.mark.parametrize("lang", ["vi", "en"])
@pytest.mark.parametrize("why", Why)
def test_every_reason_has_words(why: Why, lang: Language) -> None:
    found = working_days("2026-03-02T09:00", 1).days[0]
    reason = type(found.reasons[0])(why=why, since=moment("2026-03-02T09:00"))
    text = day_text(
        type(found)(date=found.date, minutes=1, paused_minutes=0, reasons=(reason,)), lang
    )
    assert text
    assert "{" not in text
