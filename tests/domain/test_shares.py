"""Parts of a whole are never due after it (rule 3.12)."""

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from domain.deadlines.law import CutoffPolicy, Term, TermUnit
from domain.deadlines.running import merged, run
from domain.deadlines.shares import share_ends, sub_deadline
from domain.deadlines.terms import Counting
from tests.domain.deadlines.given import (
    calendar,
    elapsed_hours,
    moment,
    wall,
    working_days,
    working_hours,
)

CALENDAR = calendar()
FIRST, LAST = datetime(2026, 1, 5, 7), datetime(2026, 8, 31, 17)  # noqa: DTZ001  # wall time
moments = st.datetimes(FIRST, LAST)
terms = st.builds(Term, amount=st.integers(1, 40), unit=st.sampled_from(TermUnit)).filter(
    lambda term: term.unit is not TermUnit.MONTH or term.amount <= 3
)
countings = st.builds(Counting, term=st.none() | terms, cutoff=st.sampled_from(CutoffPolicy))


def counting(term: Term) -> Counting:
    return Counting(term=term)


def test_rule_3_12_a_part_is_due_by_its_own_term_but_never_after_the_whole() -> None:
    start = moment("2026-09-07T09:00")
    whole = run(CALENDAR, counting(working_days(3)), start, ()).due
    birth = sub_deadline(CALENDAR, counting(elapsed_hours(24)), start, whole)
    residence = sub_deadline(CALENDAR, counting(working_days(5)), start, whole)
    notice = sub_deadline(CALENDAR, counting(working_hours(2)), start, whole)
    assert wall(whole) == "2026-09-10T09:00"
    assert [wall(birth), wall(residence), wall(notice)] == [
        "2026-09-08T09:00",
        "2026-09-10T09:00",
        "2026-09-07T11:00",
    ]


def test_a_part_without_a_term_is_due_with_the_whole_and_a_whole_without_a_date_caps_nothing() -> (
    None
):
    start, whole = moment("2026-09-07T09:00"), moment("2026-09-10T09:00")
    assert sub_deadline(CALENDAR, Counting(term=None), start, whole) == whole
    assert wall(sub_deadline(CALENDAR, counting(working_days(1)), start, None)) == (
        "2026-09-08T09:00"
    )
    assert sub_deadline(CALENDAR, Counting(term=None), start, None) is None


@given(start=moments, part=countings, whole=moments)
def test_rule_3_12_no_part_is_due_after_the_whole(
    start: datetime, part: Counting, whole: datetime
) -> None:
    whole_due = CALENDAR.aware(whole)
    due = sub_deadline(CALENDAR, part, CALENDAR.aware(start), whole_due)
    own = run(CALENDAR, part, CALENDAR.aware(start), ()).due
    assert due == (whole_due if own is None else min(own, whole_due))


@given(
    start=moments,
    hours=st.lists(st.floats(0, 40), max_size=5),
    pauses=st.lists(st.tuples(moments, moments).map(sorted).map(tuple), max_size=3),
    whole=moments,
)
def test_shares_follow_each_other_skip_pauses_and_never_end_after_the_whole(
    start: datetime,
    hours: list[float],
    pauses: list[tuple[datetime, datetime]],
    whole: datetime,
) -> None:
    shares = [timedelta(hours=each) for each in hours]
    spans = merged(pauses, start)
    ends = share_ends(CALENDAR, start, shares, spans, whole)
    free = share_ends(CALENDAR, start, shares, spans, None)
    assert all(end <= whole for end in ends)
    assert list(ends) == [min(end, whole) for end in free]
    assert list(free) == sorted(free)
    for place, end in enumerate(free, 1):
        work = CALENDAR.worked(start, end)
        stood = sum((CALENDAR.worked(a, min(b, end)) for a, b in spans if a < end), timedelta(0))
        assert work - stood == sum(shares[:place], timedelta(0))
