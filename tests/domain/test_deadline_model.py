"""Due dates are those of a slow model that counts every minute, whatever calendar and pauses.

The model has examples of its own, worked out by hand. HOSO_LONG=1 looks much further.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import given as for_all
from hypothesis import strategies as st

from domain.deadlines.decided import working_calendar
from domain.deadlines.law import (
    CalendarDecision,
    CutoffPolicy,
    OfficeHours,
    PausePolicy,
    Term,
    TermUnit,
)
from domain.deadlines.running import Pause, run
from domain.deadlines.terms import Counting
from tests.domain.minute_model import Halt, MinuteModel, Sessions
from tests.looking import LONG, examples

CHUNKS = 100 if LONG else 1
EXAMPLES = settings(
    max_examples=examples(300, long=1000), suppress_health_check=[HealthCheck.too_slow]
)

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
ORDINARY: Sessions = ((420, 690), (810, 1020))
OTHER: list[Sessions] = [
    ((420, 690),),
    ((810, 1020),),
    ((480, 481),),
    ((450, 660), (780, 990)),
    ((420, 540), (600, 720), (780, 1140)),
    ((0, 60), (1080, 1320)),
]
YEARS = range(2026, 2030)
WEEKDAYS = [
    day
    for day in (date(2026, 1, 1) + number * DAY for number in range(4 * 365 + 1))
    if day.weekday() < 5
]
EDGES = [0, 419, 420, 689, 690, 691, 810, 899, 900, 901, 1019, 1020, 1021, 1439]
MOST = {
    TermUnit.WORKING_DAY: 40,
    TermUnit.WORKING_HOUR: 200,
    TermUnit.CALENDAR_DAY: 90,
    TermUnit.MONTH: 6,
    TermUnit.ELAPSED_HOUR: 300,
}


@dataclass(frozen=True, kw_only=True)
class Days:
    """What is decided of the days of a calendar; each day is in one of the three at most."""

    off: frozenset[date]
    working: frozenset[date]
    hours: dict[date, Sessions]


@dataclass(frozen=True, kw_only=True)
class Case:
    days: Days
    start: datetime
    term: Term
    cutoff: CutoffPolicy
    halts: tuple[Halt, ...] = ()


def modelled(case: Case) -> datetime | None:
    return model_of(case).due(case.start, case.halts)


def model_of(case: Case) -> MinuteModel:
    open_days = dict.fromkeys(WEEKDAYS, ORDINARY)
    for day in case.days.off:
        open_days.pop(day, None)
    for day in case.days.working:
        open_days[day] = ORDINARY
    return MinuteModel(
        open_days=open_days | case.days.hours,
        term=case.term,
        counts_from_next_day=case.cutoff is CutoffPolicy.COUNT_FROM_NEXT_DAY,
    )


def implemented(case: Case) -> datetime | None:
    """Ask the code that we judge, and tell its answer as the model tells it."""
    hours = [
        OfficeHours(day=day, sessions=tuple(_written(*each) for each in sessions))
        for day, sessions in case.days.hours.items()
    ]
    decision = CalendarDecision(
        id="D-1",
        issued=date(2025, 12, 25),
        off=tuple(sorted(case.days.off)),
        working=tuple(sorted(case.days.working)),
        hours=tuple(hours),
    )
    pauses = [
        Pause(start=_aware(each.start), end=each.end and _aware(each.end), policy=each.policy)
        for each in case.halts
    ]
    counting = Counting(term=case.term, cutoff=case.cutoff)
    due = run(working_calendar([decision]), counting, _aware(case.start), pauses).due
    assert due is None or due.tzinfo == ZONE
    return None if due is None else due.replace(tzinfo=None)


def _written(opening: int, closing: int) -> str:
    return f"{opening // 60:02}:{opening % 60:02}-{closing // 60:02}:{closing % 60:02}"


def _aware(moment: datetime) -> datetime:
    return moment.replace(tzinfo=ZONE)


def _at(day: date, minute: int) -> datetime:
    return datetime.combine(day, time()) + minute * MINUTE


# Each strategy is made once: making them anew for each example would take most of the time.
minutes_of_a_day = st.sampled_from([*EDGES, *range(0, 1440, 7)])
distances = st.integers(-3, 30) | st.integers(0, 200)
days_off = st.lists(distances, max_size=6)
lengths_of_festivals = st.integers(0, 9)
working_weeks = st.lists(st.integers(0, 12), max_size=3)
short_days = st.lists(st.tuples(distances, st.sampled_from(OTHER)), max_size=4)
receipts = st.integers(0, 618).map(lambda number: date(2026, 1, 5) + number * DAY)
units = st.sampled_from(TermUnit)
amounts = {unit: st.integers(1, most) for unit, most in MOST.items()}
cutoffs = st.sampled_from([CutoffPolicy.NONE, CutoffPolicy.COUNT_FROM_NEXT_DAY])
places = st.sampled_from(["start", "due", "day of due", "between", "between"])
few = st.integers(-2, 2)
days_later = st.integers(-1, 60)
lengths = st.sampled_from([0, 0, 1, 2, 3, *range(4, 31)])
policies = st.sampled_from(
    [PausePolicy.RESTART, PausePolicy.EXTEND, PausePolicy.EXTEND, PausePolicy.NONE]
)
one_in_twenty = st.integers(0, 19).map(lambda number: number == 19)
how_many = st.integers(0, 4)


@st.composite
def days_around(draw: st.DrawFn, middle: date) -> Days:
    """Holidays, one long run of days off, working Saturdays and short days, where it matters."""
    off = {middle + each * DAY for each in draw(days_off)}
    festival = middle + draw(distances) * DAY
    off |= {festival + each * DAY for each in range(draw(lengths_of_festivals))}
    off |= {date(year, 1, 1) for year in YEARS}  # Every year has a decision, so it is known.
    monday = middle - middle.weekday() * DAY
    working = {monday + (7 * each + 5) * DAY for each in draw(working_weeks)} - off
    hours = {middle + each * DAY: sessions for each, sessions in draw(short_days)}
    return Days(
        off=frozenset(off),
        working=frozenset(working),
        hours={
            day: sessions for day, sessions in hours.items() if day.weekday() < 5 and day not in off
        },
    )


@st.composite
def halts_around(draw: st.DrawFn, start: datetime, due: datetime) -> Halt:
    """Return a pause near the start, near the due moment, or anywhere between and beyond."""
    match draw(places):
        case "start":
            began = start + draw(few) * MINUTE
        case "due":
            began = due + draw(few) * MINUTE
        case "day of due":
            began = _at(due.date() + draw(few) * DAY, draw(minutes_of_a_day))
        case _:
            began = _at(start.date() + draw(days_later) * DAY, draw(minutes_of_a_day))
    ended = max(began, _at(began.date() + draw(lengths) * DAY, draw(minutes_of_a_day)))
    return Halt(start=began, end=None if draw(one_in_twenty) else ended, policy=draw(policies))


@st.composite
def cases(draw: st.DrawFn) -> Case:
    received = draw(receipts)
    unit = draw(units)
    bare = Case(
        days=draw(days_around(received)),
        start=_at(received, draw(minutes_of_a_day)),
        term=Term(amount=draw(amounts[unit]), unit=unit),
        cutoff=draw(cutoffs),
    )
    due = modelled(bare)
    assert due is not None
    halts = [draw(halts_around(bare.start, due)) for _ in range(draw(how_many))]
    return replace(bare, halts=tuple(halts))


@pytest.mark.parametrize("_chunk", range(CHUNKS))
@EXAMPLES
@for_all(case=cases())
def test_a_due_date_is_the_one_that_counting_every_minute_gives(_chunk: int, case: Case) -> None:
    assert implemented(case) == modelled(case)


OF_2026 = Days(
    off=frozenset(
        {
            date(2026, 1, 1),
            date(2026, 1, 2),
            *(date(2026, 2, day) for day in range(16, 21)),
            date(2026, 4, 27),
            date(2026, 4, 30),
            date(2026, 5, 1),
        }
    ),
    working=frozenset({date(2026, 1, 10)}),
    hours={},
)


def of_2026(start: str, amount: int, unit: TermUnit, *halts: Halt, late: bool = False) -> Case:
    return Case(
        days=OF_2026,
        start=datetime.fromisoformat(start),
        term=Term(amount=amount, unit=unit),
        cutoff=CutoffPolicy.COUNT_FROM_NEXT_DAY if late else CutoffPolicy.NONE,
        halts=halts,
    )


def halt(policy: PausePolicy, start: str, end: str | None) -> Halt:
    ended = None if end is None else datetime.fromisoformat(end)
    return Halt(start=datetime.fromisoformat(start), end=ended, policy=policy)


def told(due: datetime | None) -> str | None:
    return None if due is None else due.isoformat(timespec="minutes")


@pytest.mark.parametrize(
    ("start", "amount", "unit", "due"),
    [
        ("2026-03-02T09:15", 5, TermUnit.WORKING_DAY, "2026-03-09T09:15"),
        ("2026-02-13T10:00", 3, TermUnit.WORKING_DAY, "2026-02-25T10:00"),
        ("2026-01-09T14:00", 1, TermUnit.WORKING_DAY, "2026-01-10T14:00"),
        ("2026-04-24T08:00", 1, TermUnit.WORKING_DAY, "2026-04-28T08:00"),
        ("2026-04-29T08:00", 1, TermUnit.WORKING_DAY, "2026-05-04T08:00"),
        ("2026-03-02T11:30", 1, TermUnit.WORKING_DAY, "2026-03-03T13:30"),
        ("2026-03-02T17:00", 1, TermUnit.WORKING_DAY, "2026-03-04T07:00"),
        ("2026-03-06T15:00", 8, TermUnit.WORKING_HOUR, "2026-03-09T15:00"),
        ("2026-03-02T07:00", 8, TermUnit.WORKING_HOUR, "2026-03-02T17:00"),
        ("2026-01-20T10:00", 30, TermUnit.CALENDAR_DAY, "2026-02-23T17:00"),
        ("2026-01-31T10:00", 1, TermUnit.MONTH, "2026-03-02T17:00"),
        ("2026-01-30T10:00", 1, TermUnit.MONTH, "2026-03-02T17:00"),
        ("2026-03-02T18:20", 24, TermUnit.ELAPSED_HOUR, "2026-03-03T18:20"),
        ("2026-03-06T09:00", 24, TermUnit.ELAPSED_HOUR, "2026-03-09T17:00"),
    ],
)
def test_the_model_counts_the_terms_that_we_know(
    start: str, amount: int, unit: TermUnit, due: str
) -> None:
    assert told(modelled(of_2026(start, amount, unit))) == due


@pytest.mark.parametrize(
    ("start", "due"),
    [("2026-09-07T15:00", "2026-09-10T15:00"), ("2026-09-07T15:30", "2026-09-11T07:00")],
)
def test_the_model_counts_from_the_next_day_after_the_cut_off(start: str, due: str) -> None:
    case = of_2026(start, 3, TermUnit.WORKING_DAY, late=True)
    assert told(modelled(case)) == due


@pytest.mark.parametrize(
    ("policy", "end", "due"),
    [
        (PausePolicy.RESTART, "2026-03-10T14:00", "2026-03-17T14:00"),
        (PausePolicy.EXTEND, "2026-03-10T14:00", "2026-03-13T11:00"),
        (PausePolicy.NONE, "2026-03-10T14:00", "2026-03-09T09:00"),
        (PausePolicy.RESTART, None, None),
        (PausePolicy.EXTEND, None, None),
        (PausePolicy.NONE, None, "2026-03-09T09:00"),
    ],
)
def test_the_model_pauses_as_the_policy_says(
    policy: PausePolicy, end: str | None, due: str | None
) -> None:
    pause = halt(policy, "2026-03-04T10:00", end)
    case = of_2026("2026-03-02T09:00", 5, TermUnit.WORKING_DAY, pause)
    assert told(modelled(case)) == due


def test_the_model_counts_overlapping_pauses_once_and_a_pause_after_the_due_date_never() -> None:
    pauses = [
        halt(PausePolicy.EXTEND, "2026-03-04T10:00", "2026-03-10T14:00"),
        halt(PausePolicy.EXTEND, "2026-03-06T08:00", "2026-03-09T08:00"),
        halt(PausePolicy.RESTART, "2026-03-14T08:00", "2026-03-20T08:00"),
    ]
    case = of_2026("2026-03-02T09:00", 5, TermUnit.WORKING_DAY, *pauses)
    assert told(modelled(case)) == "2026-03-13T11:00"


def test_the_model_never_counts_again_from_before_the_end_of_another_pause() -> None:
    pauses = [
        halt(PausePolicy.RESTART, "2026-03-04T10:00", "2026-03-10T14:00"),
        halt(PausePolicy.RESTART, "2026-03-05T08:00", "2026-03-06T08:00"),
        halt(PausePolicy.EXTEND, "2026-03-12T07:00", "2026-03-17T17:00"),
    ]
    case = of_2026("2026-03-02T09:00", 5, TermUnit.WORKING_DAY, *pauses)
    assert told(modelled(case)) == "2026-03-23T14:00"
