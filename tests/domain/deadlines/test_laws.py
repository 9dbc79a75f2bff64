"""Laws of due dates (rule 3.15) that hold for every calendar, pause and term.

HOSO_LONG=1 looks much further.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import HealthCheck, assume, settings
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
from domain.deadlines.running import Pause, Run, run
from domain.deadlines.terms import BY_INSTANT, WORKING, Counting
from domain.deadlines.working_time import WorkingCalendar
from domain.dossier.events import DossierEvent
from tests import examples as say
from tests.domain.deadlines.given import (
    accepted,
    answered,
    asked,
    assigned,
    billed,
    book,
    decided,
    down,
    learn,
    paid,
    procedure,
    put_off,
    recomputed,
    state,
    told,
    up,
    working_days,
    working_hours,
)
from tests.looking import examples

EXAMPLES = settings(
    max_examples=examples(60, long=1_000),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
FIRST = date(2026, 1, 1)
YEARS = range(2026, 2028)
MOST = {
    TermUnit.WORKING_DAY: 40,
    TermUnit.WORKING_HOUR: 200,
    TermUnit.CALENDAR_DAY: 90,
    TermUnit.MONTH: 6,
    TermUnit.ELAPSED_HOUR: 300,
}
GROWING = frozenset({PausePolicy.EXTEND, PausePolicy.NONE})
SHORT = ("07:00-11:30", "08:00-16:00", "13:30-15:00")
NEVER = frozenset(date(year, 1, 1) for year in YEARS)

days = st.integers(1, 300).map(lambda number: FIRST + number * DAY)
minutes = st.sampled_from([0, 419, 420, 690, 809, 810, 900, 901, 1020, 1439]) | st.integers(0, 1439)


def at(day: date, minute: int) -> datetime:
    """Return a moment by its minute in Vietnam: there is no summer time."""
    wall = datetime.combine(day, time(), tzinfo=UTC) + minute * MINUTE
    return wall - timedelta(hours=7)


moments = st.builds(at, days, minutes)


@st.composite
def decisions(draw: st.DrawFn) -> CalendarDecision:
    """Holidays, runs of them, working Saturdays and Sundays, short days; every year is decided."""
    off = set(draw(st.sets(days, max_size=12)))
    start = draw(days)
    off |= {start + number * DAY for number in range(draw(st.integers(0, 12)))}
    weekends = (day - ((day.weekday() - 5) % 7) * DAY for day in draw(st.sets(days, max_size=5)))
    worked = {day + draw(st.integers(0, 1)) * DAY for day in weekends} - off - NEVER
    short = draw(st.sets(days, max_size=5)) - off - worked - NEVER
    return CalendarDecision(
        id="drawn",
        issued=FIRST,
        off=tuple(sorted(off | NEVER)),
        working=tuple(sorted(worked)),
        hours=tuple(
            OfficeHours(day=day, sessions=(draw(st.sampled_from(SHORT)),)) for day in sorted(short)
        ),
    )


calendars = decisions().map(lambda decision: working_calendar([decision]))


@st.composite
def terms(draw: st.DrawFn, units: Sequence[TermUnit] = tuple(TermUnit)) -> Term:
    unit = draw(st.sampled_from(units))
    return Term(amount=draw(st.integers(1, MOST[unit])), unit=unit)


@st.composite
def pauses(
    draw: st.DrawFn, start: datetime, policies: Sequence[PausePolicy] = tuple(PausePolicy)
) -> Pause:
    """Return a closed pause that begins around a receipt or within 60 days after it."""
    begin = start + draw(st.integers(-1, 60)) * DAY + draw(minutes) * MINUTE
    length = draw(st.integers(0, 3) | st.integers(0, 20)) * DAY + draw(minutes) * MINUTE
    return Pause(start=begin, end=begin + length, policy=draw(st.sampled_from(policies)))


def counting(term: Term, *, late: bool = False) -> Counting:
    cutoff = CutoffPolicy.COUNT_FROM_NEXT_DAY if late else CutoffPolicy.NONE
    return Counting(term=term, cutoff=cutoff)


def due(by: WorkingCalendar, term: Term, start: datetime, *stops: Pause) -> datetime:
    ended = run(by, counting(term), start, stops).due
    assert ended is not None
    return ended


# Working minutes between two moments add up


@EXAMPLES
@for_all(by=calendars, three=st.lists(moments, min_size=3, max_size=3))
def test_law_working_minutes_between_two_moments_add_up(
    by: WorkingCalendar, three: list[datetime]
) -> None:
    first, second, third = sorted(by.local(each) for each in three)
    halves = by.worked(first, second) + by.worked(second, third)
    assert halves == by.worked(first, third) >= timedelta(0)
    assert by.worked(third, first) == -by.worked(first, third)


@EXAMPLES
@for_all(by=calendars, start=moments, one=st.integers(0, 6_000), other=st.integers(0, 6_000))
def test_law_working_time_that_is_added_has_passed_by_then(
    by: WorkingCalendar, start: datetime, one: int, other: int
) -> None:
    wall = by.local(start)
    once = by.add(wall, one * MINUTE)
    assert by.worked(wall, once) == one * MINUTE
    assert by.add(once, other * MINUTE) == by.add(wall, (one + other) * MINUTE)


@EXAMPLES
@for_all(by=calendars, start=moments, days_more=st.integers(0, 40))
def test_law_a_whole_number_of_days_is_as_long_as_the_sessions_in_it(
    by: WorkingCalendar, start: datetime, days_more: int
) -> None:
    first = datetime.combine(by.local(start), time())
    opened = [by.sessions(first + number * DAY) for number in range(days_more)]
    length = sum(
        (
            datetime.combine(first, end) - datetime.combine(first, begin)
            for sessions in opened
            for begin, end in sessions
        ),
        timedelta(0),
    )
    assert by.worked(first, first + days_more * DAY) == length


# Under extend and none adding working time is monotone


@EXAMPLES
@for_all(data=st.data(), by=calendars, term=terms(), start=moments)
def test_law_a_longer_pause_never_makes_the_date_earlier(
    data: st.DataObject, by: WorkingCalendar, term: Term, start: datetime
) -> None:
    policies = sorted(GROWING)
    stops = data.draw(st.lists(pauses(start, policies), min_size=1, max_size=4))
    place = data.draw(st.integers(0, len(stops) - 1))
    longer = data.draw(st.integers(0, 20_000)) * MINUTE
    end = stops[place].end
    assert end is not None
    stretched = [*stops[:place], replace(stops[place], end=end + longer), *stops[place + 1 :]]
    longer_due, shorter_due = due(by, term, start, *stretched), due(by, term, start, *stops)
    if term.unit is TermUnit.ELAPSED_HOUR:  # What rolls ends with its day, by law: see ADR 11.
        assert by.local(longer_due).date() >= by.local(shorter_due).date()
    else:
        assert longer_due >= shorter_due


LONGER = sorted(set(TermUnit) - {TermUnit.ELAPSED_HOUR})


@EXAMPLES
@for_all(data=st.data(), by=calendars, term=terms(LONGER), start=moments)
def test_law_a_longer_term_never_ends_earlier(
    data: st.DataObject, by: WorkingCalendar, term: Term, start: datetime
) -> None:
    """Elapsed hours do where they roll: to the end of the day, by law (Civil Code, Điều 148.5)."""
    stops = data.draw(st.lists(pauses(start, sorted(GROWING)), max_size=3))
    longer = replace(term, amount=term.amount + data.draw(st.integers(0, 4)))
    assert due(by, longer, start, *stops) >= due(by, term, start, *stops)


@EXAMPLES
@for_all(data=st.data(), by=calendars, term=terms(), start=moments)
def test_law_a_later_receipt_is_never_due_on_an_earlier_day(
    data: st.DataObject, by: WorkingCalendar, term: Term, start: datetime
) -> None:
    later = start + data.draw(st.integers(0, 20_000)) * MINUTE
    for late in (False, True):
        rule = counting(term, late=late)
        one, other = run(by, rule, start, ()).due, run(by, rule, later, ()).due
        assert one is not None
        assert other is not None
        assert by.local(other).date() >= by.local(one).date()


# A computed due date never lies on a day that its calendar version closes


@EXAMPLES
@for_all(data=st.data(), by=calendars, term=terms(), start=moments, late=st.booleans())
def test_law_a_computed_due_date_never_lies_on_a_closed_day(
    data: st.DataObject, by: WorkingCalendar, term: Term, start: datetime, *, late: bool
) -> None:
    stops = data.draw(st.lists(pauses(start), max_size=4))
    ended = run(by, counting(term, late=late), start, stops).due
    assert ended is not None
    assert by.is_open(by.local(ended))


@EXAMPLES
@for_all(by=calendars, term=terms(), start=moments, late=st.booleans())
def test_law_a_term_in_days_ends_in_office_hours_or_with_them(
    by: WorkingCalendar, term: Term, start: datetime, *, late: bool
) -> None:
    assume(term.unit not in BY_INSTANT)
    ended = run(by, counting(term, late=late), start, ()).due
    assert ended is not None
    wall = by.local(ended)
    assert by.is_worked(wall) or wall == by.closing(wall)


@EXAMPLES
@for_all(data=st.data(), decision=decisions(), term=terms(), start=moments)
def test_law_a_date_that_is_recomputed_is_not_before_the_printed_one_and_not_on_a_closed_day(
    data: st.DataObject, decision: CalendarDecision, term: Term, start: datetime
) -> None:
    """The printed day is off by a late decision, for weekends before it that are worked."""
    printed_by = working_calendar([decision])
    printed = due(printed_by, term, start)
    last = printed_by.local(printed).date()
    weekends = {last - number * DAY for number in data.draw(st.sets(st.integers(1, 12)))}
    late = replace(
        decision,
        off=tuple({*decision.off, last}),
        working=tuple({*decision.working, *weekends}.difference({last}, decision.off)),
        hours=tuple(each for each in decision.hours if each.day != last),
    )
    by = working_calendar([late])
    ended = run(by, counting(term), start, (), floor=printed).due
    assert ended is not None
    assert ended >= printed
    assert by.is_open(by.local(ended))


# No pause shortens a term


@EXAMPLES
@for_all(data=st.data(), by=calendars, term=terms(), start=moments)
def test_law_no_pause_shortens_a_term(
    data: st.DataObject, by: WorkingCalendar, term: Term, start: datetime
) -> None:
    stops = data.draw(st.lists(pauses(start), max_size=4))
    assert due(by, term, start, *stops) >= due(by, term, start)


@EXAMPLES
@for_all(data=st.data(), by=calendars, term=terms(), start=moments, far=st.booleans())
def test_law_one_more_pause_of_any_policy_never_makes_the_date_earlier(
    data: st.DataObject, by: WorkingCalendar, term: Term, start: datetime, *, far: bool
) -> None:
    """Whether the date is computed, was printed for a `far` day, or is stated."""
    stops = data.draw(st.lists(pauses(start), max_size=3))
    more = [*stops, data.draw(pauses(start))]
    held = start + data.draw(st.integers(10, 60)) * DAY if far else None
    for stated, floor in ((None, held), (held, None)):
        before = run(by, counting(term), start, stops, stated, floor).due
        after = run(by, counting(term), start, more, stated, floor).due
        assert before is not None
        assert after is not None
        assert after >= before


@EXAMPLES
@for_all(data=st.data(), by=calendars, term=terms(sorted(WORKING)), start=moments)
def test_law_a_pause_moves_a_printed_date_by_all_of_its_working_time(
    data: st.DataObject, by: WorkingCalendar, term: Term, start: datetime
) -> None:
    """Also where the printed day is later than the one that would be computed now."""
    held = by.local(due(by, term, start)) + data.draw(st.integers(0, 10)) * DAY
    printed = by.aware(by.opening(held))
    stop = data.draw(pauses(start, [PausePolicy.EXTEND]))
    assert stop.end is not None
    ended = run(by, counting(term), start, [stop], floor=printed)
    assume(not ended.ignored)
    (paused,) = ended.stood or ((by.local(start), by.local(start)),)
    assert ended.due is not None
    assert by.worked(by.local(printed), by.local(ended.due)) == by.worked(*paused)


# What else must hold of pauses


@EXAMPLES
@for_all(data=st.data(), by=calendars, term=terms(), start=moments)
def test_law_the_order_in_which_pauses_are_told_does_not_matter(
    data: st.DataObject, by: WorkingCalendar, term: Term, start: datetime
) -> None:
    stops = data.draw(st.lists(pauses(start), max_size=4))
    other = data.draw(st.permutations(stops))
    one, again = (
        run(by, counting(term), start, stops),
        run(by, counting(term), start, other),
    )
    assert _told(one) == _told(again)


def _told(ended: Run) -> tuple[object, ...]:
    return ended.due, ended.stood, ended.open, len(ended.ignored)


@EXAMPLES
@for_all(data=st.data(), by=calendars, term=terms(), start=moments)
def test_law_a_pause_that_is_told_in_two_parts_is_the_same_pause(
    data: st.DataObject, by: WorkingCalendar, term: Term, start: datetime
) -> None:
    whole = data.draw(pauses(start, [PausePolicy.EXTEND]))
    assert whole.end is not None
    split = min(whole.start + data.draw(st.integers(0, 20_000)) * MINUTE, whole.end)
    parts = (replace(whole, end=split), replace(whole, start=split))
    in_parts = run(by, counting(term), start, parts)
    assume(not in_parts.ignored)
    assert in_parts.due == due(by, term, start, whole)
    assert in_parts.stood == run(by, counting(term), start, [whole]).stood


@EXAMPLES
@for_all(data=st.data(), by=calendars, term=terms(sorted(WORKING)), start=moments)
def test_law_a_pause_without_working_time_moves_no_working_term(
    data: st.DataObject, by: WorkingCalendar, term: Term, start: datetime
) -> None:
    begin = by.local(start + data.draw(st.integers(0, 30)) * DAY)
    night = datetime.combine(begin, time(17))
    dawn = datetime.combine(begin + DAY, time(7))
    asleep = Pause(start=by.aware(night), end=by.aware(dawn), policy=PausePolicy.EXTEND)
    assert due(by, term, start, asleep) == due(by, term, start)


@EXAMPLES
@for_all(data=st.data(), by=calendars, term=terms(), start=moments)
def test_law_while_a_pause_in_time_is_open_there_is_no_date(
    data: st.DataObject, by: WorkingCalendar, term: Term, start: datetime
) -> None:
    policies = [PausePolicy.EXTEND, PausePolicy.RESTART]
    stops = data.draw(st.lists(pauses(start, policies), max_size=3))
    still = replace(data.draw(pauses(start, policies)), end=None)
    ended = run(by, counting(term), start, [*stops, still])
    assert (ended.due is None) == ended.open
    assert ended.open or ended.ignored


# Of whole dossiers


@st.composite
def stories(draw: st.DrawFn) -> list[DossierEvent]:
    """Return what may happen to a dossier after its acceptance, in no order; some of it wrong."""
    hours = st.integers(0, 30 * 24 * 4).map(
        lambda quarter: (datetime(2026, 3, 2) + quarter * 15 * MINUTE).isoformat()  # noqa: DTZ001  # wall time
    )
    kinds = draw(st.lists(st.integers(0, 8), min_size=1, max_size=9))
    found: list[DossierEvent] = []
    used: set[datetime] = set()
    for number, kind in enumerate(kinds):
        event = _event(kind, draw(hours), f"fact {number}")
        if event.timestamp not in used:  # At the same moment the order of arrival decides.
            found.append(event)
            used.add(event.timestamp)
    return found


def _event(kind: int, when: str, named: str) -> DossierEvent:  # noqa: PLR0911  # a case each
    match kind:
        case 0:
            return asked(when, named)
        case 1:
            return answered(when, named)
        case 2:
            return replace(down(when), meta=say.meta(named))
        case 3:
            return replace(up(when), meta=say.meta(named))
        case 4:
            return billed(when, named)
        case 5:
            return paid(when, named)
        case 6:
            return put_off(when, until="2026-04-20T10:00", named=named)
        case 7:
            return told(say.assigned(named), when)
        case _:
            return replace(down(when, "VNeID"), meta=say.meta(named))


@EXAMPLES
@for_all(data=st.data(), story=stories(), policy=st.sampled_from(PausePolicy))
def test_law_the_order_of_facts_does_not_matter(
    data: st.DataObject, story: list[DossierEvent], policy: PausePolicy
) -> None:
    rules = book(procedure(working_days(5), pauses=policy), decided("2027", off=["2027-01-01"]))
    facts = [accepted(rules, "2026-03-02T09:01"), assigned("2026-03-02T09:02"), *story]
    other = data.draw(st.permutations(facts))
    one, again = state(rules, *facts), state(rules, *other)
    assert (one.printed_due, one.first_due, one.due) == (
        again.printed_due,
        again.first_due,
        again.due,
    )
    assert (one.pauses, one.paused_minutes) == (again.pauses, again.paused_minutes)
    assert sorted(map(repr, one.date_findings)) == sorted(map(repr, again.date_findings))


@EXAMPLES
@for_all(story=stories(), policy=st.sampled_from(PausePolicy), off=st.sets(st.integers(3, 31)))
def test_law_a_late_decision_makes_no_first_date_earlier(
    story: list[DossierEvent], policy: PausePolicy, off: set[int]
) -> None:
    rules = book(procedure(working_hours(40), pauses=policy), decided("2027", off=["2027-01-01"]))
    facts = [accepted(rules, "2026-03-02T09:01"), assigned("2026-03-02T09:02"), *story]
    before = state(rules, *facts)
    closed = sorted(f"2026-03-{day:02}" for day in off)
    learn(rules, decided("storms", off=closed, working=["2026-04-04", "2026-04-11"]))
    last = max(event.timestamp for event in facts) + timedelta(hours=8)
    moved = state(rules, *recomputed(rules, facts, last.replace(tzinfo=None).isoformat()))
    assert moved.printed_due == before.printed_due
    if before.first_due is not None:
        assert moved.first_due is not None
        assert moved.first_due >= before.first_due


@pytest.mark.parametrize("policy", PausePolicy)
def test_the_stories_are_no_empty_ones(policy: PausePolicy) -> None:
    """Else the laws above would say nothing."""
    rules = book(procedure(working_days(5), pauses=policy))
    story = [_event(kind, f"2026-03-{3 + kind:02}T10:00", f"fact {kind}") for kind in range(8)]
    dossier = state(
        rules, accepted(rules, "2026-03-02T09:01"), assigned("2026-03-02T09:02"), *story
    )
    assert dossier.pauses == (2 if policy is PausePolicy.NONE else 3)
    assert dossier.first_due != dossier.printed_due
