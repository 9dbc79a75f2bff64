"""What a version of a procedure took away, added and changed."""

from collections import Counter
from dataclasses import fields, replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.deadlines.law import CutoffPolicy, PausePolicy, Term, TermUnit
from domain.envelope import ProcedureCode, UnitCode
from domain.rules.catalogue_diff import FieldChange, Kind, differences
from domain.rules.procedures import (
    Channel,
    ChannelTerm,
    ProcedureFee,
    ProcedureStep,
    ProcedureVersion,
)

RECEIVE = ProcedureStep(name="Tiếp nhận", role="Tiếp nhận", hours=4)
VERIFY = ProcedureStep(name="Thẩm tra", role="Địa chính", hours=80)
RECEIVE_SAID = "Tiếp nhận (Tiếp nhận): 4 working hours"
VERIFY_SAID = "Thẩm tra (Địa chính): 80 working hours"
FEE = ProcedureFee(amount=75_000, name="Lệ phí", kind="lệ phí")
FIRST = ProcedureVersion(
    code=ProcedureCode("1.003554"),
    version=1,
    name="Hòa giải tranh chấp đất đai",
    field="Đất đai",
    term=Term(amount=30, unit=TermUnit.CALENDAR_DAY),
    valid_from=date(2025, 7, 1),
    steps=(RECEIVE, VERIFY),
    components=("Đơn", "Bản vẽ"),
    fees=(FEE,),
    legal_basis="Luật Đất đai 2024",
)

names = st.sampled_from(["a", "b", "c"])
terms = st.builds(Term, amount=st.integers(1, 3), unit=st.sampled_from(TermUnit))
policies = st.sampled_from(PausePolicy)
versions = st.builds(
    ProcedureVersion,
    code=st.just(FIRST.code),
    version=st.integers(1, 3),
    name=names,
    field=names,
    unit=st.none() | names.map(UnitCode),
    level=st.none() | names,
    term=st.none() | terms,
    channel_terms=st.lists(
        st.builds(
            ChannelTerm,
            channel=st.sampled_from(Channel),
            amount=st.integers(1, 3),
            unit=st.sampled_from(TermUnit),
        ),
        max_size=3,
        unique_by=lambda each: each.channel,
    ).map(tuple),
    pause_policy=policies,
    payment_policy=policies,
    cutoff_policy=st.sampled_from(CutoffPolicy),
    supplement_notice_days=st.none() | st.integers(1, 3),
    supplement_answer_days=st.none() | st.integers(1, 3),
    valid_from=st.dates(date(2026, 1, 1), date(2026, 1, 3)),
    steps=st.lists(
        st.builds(ProcedureStep, name=names, role=names, hours=st.sampled_from([1, 1.5, 0.25])),
        max_size=4,
    ).map(tuple),
    components=st.lists(names, max_size=4).map(tuple),
    fees=st.lists(
        st.builds(
            ProcedureFee,
            amount=st.integers(0, 2),
            code=st.none() | names,
            name=st.none() | names,
            kind=st.none() | names,
        ),
        max_size=3,
    ).map(tuple),
    legal_basis=names,
)


def content(version: ProcedureVersion) -> list[object]:
    """Return what a version says. The order of components, fees and terms is nothing."""
    said = {each.name: getattr(version, each.name) for each in fields(ProcedureVersion)}
    unordered = {name: Counter(said[name]) for name in ("components", "fees", "channel_terms")}
    return [{**said, **unordered, "version": None}]


def told(was: ProcedureVersion, now: ProcedureVersion) -> list[tuple[str, str | None, str | None]]:
    return [(each.field, each.was, each.now) for each in differences(was, now)]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            {"term": Term(amount=10, unit=TermUnit.CALENDAR_DAY)},
            ("term", "30 calendar days", "10 calendar days"),
        ),
        (
            {"term": Term(amount=1, unit=TermUnit.MONTH)},
            ("term", "30 calendar days", "1 month"),
        ),
        ({"term": None}, ("term", "30 calendar days", None)),
        (
            {
                "channel_terms": (
                    ChannelTerm(channel=Channel.ONLINE, amount=8, unit=TermUnit.WORKING_HOUR),
                )
            },
            ("channel_terms", None, "online: 8 working hours"),
        ),
        ({"steps": (RECEIVE,)}, ("steps", VERIFY_SAID, None)),
        (
            {"steps": (RECEIVE, replace(VERIFY, hours=1.5))},
            (
                "steps",
                VERIFY_SAID,
                "Thẩm tra (Địa chính): 1,5 working hours",
            ),
        ),
        (
            {"steps": (VERIFY, RECEIVE)},
            (
                "order of steps",
                f"{RECEIVE_SAID}; {VERIFY_SAID}",
                f"{VERIFY_SAID}; {RECEIVE_SAID}",
            ),
        ),
        ({"components": ("Đơn",)}, ("components", "Bản vẽ", None)),
        ({"components": ("Đơn", "Bản vẽ", "Ảnh")}, ("components", None, "Ảnh")),
        (
            {"fees": (replace(FEE, amount=0),)},
            ("fees", "Lệ phí (lệ phí): 75.000 đồng", "Lệ phí (lệ phí): 0 đồng"),
        ),
        ({"payment_policy": PausePolicy.NONE}, ("payment_policy", "extend", "none")),
        ({"supplement_answer_days": 20}, ("supplement_answer_days", None, "20")),
        ({"legal_basis": "NĐ 1"}, ("legal_basis", "Luật Đất đai 2024", "NĐ 1")),
    ],
)
def test_one_change_is_told_in_plain_words(
    change: dict[str, object], expected: tuple[str, str | None, str | None]
) -> None:
    changed = replace(FIRST, version=2, **change)  # type: ignore[arg-type]  # fields by name
    assert told(FIRST, changed) == [expected]


def test_what_is_nowhere_now_was_removed_and_what_was_nowhere_is_added() -> None:
    kinds = [
        FieldChange(field="fees", was=was, now=now).kind
        for was, now in (("a", None), (None, "a"), ("a", "b"))
    ]
    assert kinds == [Kind.REMOVED, Kind.ADDED, Kind.CHANGED]


def test_a_step_that_stands_twice_is_taken_away_once() -> None:
    twice = replace(FIRST, steps=(RECEIVE, VERIFY, RECEIVE))
    assert told(twice, FIRST) == [("steps", RECEIVE_SAID, None)]


@given(versions)
def test_a_version_does_not_differ_from_itself(version: ProcedureVersion) -> None:
    assert differences(version, replace(version, version=version.version + 1)) == []


@given(versions, versions)
def test_nothing_differs_only_where_both_say_the_same(
    was: ProcedureVersion, now: ProcedureVersion
) -> None:
    assert (differences(was, now) == []) == (content(was) == content(now))


@given(versions, versions)
def test_every_difference_is_visible_in_its_words(
    was: ProcedureVersion, now: ProcedureVersion
) -> None:
    assert all(each.was != each.now for each in differences(was, now))


@given(versions, versions)
def test_the_way_back_takes_away_what_the_way_there_added(
    was: ProcedureVersion, now: ProcedureVersion
) -> None:
    there = Counter((each.field, each.kind) for each in differences(was, now))
    back = Counter((each.field, each.kind) for each in differences(now, was))
    for field, kind in there:
        mirrored = {Kind.ADDED: Kind.REMOVED, Kind.REMOVED: Kind.ADDED}.get(kind, kind)
        assert back[field, mirrored] == there[field, kind]
