"""Dossier codes are issued, read and distrusted."""

from datetime import date

import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from domain.envelope import UnitCode
from domain.rules.codes import (
    MAX_LENGTH,
    Serial,
    canonical,
    dossier_named,
    is_code,
    issuing_scope,
    parse,
    render,
    why_no_code,
)
from domain.rules.units import Unit
from tests.looking import examples

OLD_RULE = date(2025, 6, 30)
NEW_RULE = date(2025, 7, 1)
QUICK = settings(max_examples=examples(150))
UNIT_CODES = st.from_regex(r"[A-Y][0-9]{2}(\.[A-Z0-9]{1,4}){0,4}", fullmatch=True)


def unit(code: str, prefix: str | None = None) -> Unit:
    return Unit(code=UnitCode(code), name="Đơn vị", dossier_prefix=prefix)


@pytest.mark.parametrize(
    ("code", "scope"),
    [
        ("H01", "000.00.00.H01-250630"),
        ("H01.12", "000.00.12.H01-250630"),
        ("H01.2.7", "000.07.02.H01-250630"),
        ("H01.12.34.567", "567.34.12.H01-250630"),
    ],
)
def test_before_july_2025_the_levels_of_a_unit_stand_in_the_old_order(
    code: str, scope: str
) -> None:
    assert issuing_scope(unit(code), OLD_RULE) == scope


@pytest.mark.parametrize("code", ["H01.DANANG", "H01.12.34.5678", "H01.1.2.3.4"])
def test_a_unit_that_does_not_fit_into_the_old_order_keeps_its_own(code: str) -> None:
    assert issuing_scope(unit(code), OLD_RULE) == f"{code}-250630"


def test_since_july_2025_the_unit_code_stands_as_it_is() -> None:
    assert issuing_scope(unit("H01.12"), NEW_RULE) == "H01.12-250701"


@pytest.mark.parametrize("day", [OLD_RULE, NEW_RULE])
def test_a_unit_with_a_prefix_of_its_own_issues_under_that(day: date) -> None:
    assert issuing_scope(unit("H01.12", "H01.12.CAP"), day) == f"H01.12.CAP-{day:%y%m%d}"


def test_before_any_rule_was_in_force_a_code_looks_like_today() -> None:
    assert issuing_scope(unit("H01.12"), date(2018, 4, 25)) == "H01.12-180425"


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (1, "H01.12-260302-0001"),
        (9_999, "H01.12-260302-9999"),
        (10_000, "H01.12-260302-10000"),
        (1_234_567, "H01.12-260302-1234567"),
    ],
)
def test_the_number_has_four_digits_and_widens_beyond(number: int, code: str) -> None:
    assert render(Serial("H01.12-260302", number)) == code
    assert parse(code) == Serial("H01.12-260302", number)


@pytest.mark.parametrize(
    ("code", "scope", "number"),
    [
        ("000.00.12.H01-180425-0001", "000.00.12.H01-180425", 1),
        ("H44.100-260609-0042", "H44.100-260609", 42),
        ("G09.20-20260609-0092637", "G09.20-20260609", 92_637),
    ],
)
def test_codes_of_every_rule_are_read(code: str, scope: str, number: int) -> None:
    assert parse(code) == Serial(scope, number)


@pytest.mark.parametrize(
    "code",
    [
        "TTHC/2026/15",
        "H01.12-260302-001",
        "H01.12-260302-0001 ",
        "H01.12-260302-0001\n",
        "H01.12-260302-+001",
        "H01.12-260302-\u0660\u0660\u0660\u0661",
        "H01.12-260302-" + "9" * 19,
        "",
    ],
)
def test_a_code_of_other_making_takes_no_place_in_a_numbering(code: str) -> None:
    assert parse(code) is None


@pytest.mark.parametrize("scope", ["h01.12-260302", "Đơn.vị-260302", "H01..12-260302"])
def test_whatever_a_unit_may_issue_is_read_back(scope: str) -> None:
    assert parse(render(Serial(scope, 12))) == Serial(scope, 12)


@QUICK
@for_all(UNIT_CODES, st.dates(date(2018, 1, 1), date(2099, 12, 31)), st.integers(1, 10**18 - 1))
def test_every_issued_code_is_read_back(code: str, day: date, number: int) -> None:
    serial = Serial(issuing_scope(unit(code), day), number)
    assert parse(render(serial)) == serial
    assert is_code(render(serial))


@QUICK
@for_all(st.text(max_size=80))
def test_reading_never_fails(text: str) -> None:
    serial = parse(text)
    assert serial is None or text.startswith(serial.scope)


@pytest.mark.parametrize(
    "text", ["H01.12-260302-0001", "HS 15 năm 2026", "Đ-1", "...", "x" * MAX_LENGTH]
)
def test_a_given_code_may_be_any_short_visible_text(text: str) -> None:
    assert is_code(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        " a",
        "a ",
        "a  b",
        "a\tb",
        "a\nb",
        "a\n",
        "a\x00b",
        "a\x7fb",
        "a\x9bb",
        "a\u00a0b",
        "a\u200bb",
        "a\u202eb",
        "a\u2028b",
        "\ufeffa",
        "\ud800",
        "a/b",
        "a+b",
        "a:b",
        "\u0660\u0661",
        "A\u20dd",
        "5a5f7e5c-64a8-5c1c-9d2b-0d5c1e7a4c02",
        "5A5F7E5C64A85C1C9D2B0D5C1E7A4C02",
        "5a5f7e5c-64a8-5c1c-9d2b-0d5c-1e7a4c02",
        "a?b",
        "a#b",
        "a%2fb",
        "a\\b",
        ".",
        "..",
        "x" * (MAX_LENGTH + 1),
    ],
    ids=ascii,
)
def test_a_text_that_hides_something_or_breaks_an_address_is_no_code(text: str) -> None:
    assert not is_code(text)


def test_a_long_hostile_text_is_refused_at_once() -> None:
    assert not is_code("a " * 1_000_000)
    assert parse("A." * 100_000) is None


@pytest.mark.parametrize(
    ("text", "place"), [("a/b", 2), ("HS 15  A", 6), (" a", 1), ("Ho\u0301.1/2", 5)]
)
def test_what_a_code_cannot_hold_is_named_by_its_place(text: str, place: int) -> None:
    why = why_no_code(text)
    assert why is not None
    assert f"at place {place}:" in why


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("h44.100-260302-0001", "H44.100-260302-0001"),
        ("Đơn-1", "đơn-1".replace("ơ", "o\u031b")),
        ("Straße-1", "STRASSE-1"),
    ],
)
def test_a_code_is_the_same_in_every_spelling(one: str, other: str) -> None:
    assert canonical(one) == canonical(other)
    assert dossier_named(one) == dossier_named(other)


@QUICK
@for_all(st.text(max_size=40))
def test_a_canonical_code_is_canonical(text: str) -> None:
    assert canonical(canonical(text)) == canonical(text)
