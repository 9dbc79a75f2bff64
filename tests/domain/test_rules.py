"""What the registers say at a legal time."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial

import pytest

from domain.envelope import Pin, ProcedureCode, UnitCode
from domain.errors import UnitEnded, UnknownProcedure, UnknownUnit
from domain.rules.memory import Memory
from domain.rules.register import stream_of
from domain.rules.rule_book import RuleBook
from tests.examples import (
    AGENCY,
    DESK,
    ENDED,
    LAN,
    MORNING,
    PROCEDURE,
    PROVINCE,
    UNKNOWN,
    VIETNAM,
    YEARS_AGO,
    calendar_decided,
    own_rule_book,
    procedure_published,
    recorded,
    rule_book,
    source_registered,
    subject_erased,
    token_granted,
    token_revoked,
    unit_ended,
    unit_registered,
)

MIDNIGHT = datetime(2026, 7, 1, tzinfo=VIETNAM)
INSTANT = timedelta.resolution


def test_a_unit_is_known_with_the_version_that_said_so() -> None:
    entry = rule_book().unit(DESK, MORNING)
    assert (entry.unit.code, entry.unit.parent) == (DESK, PROVINCE)
    assert entry.pin == Pin(stream=stream_of("unit", DESK), version=2)


def test_a_unit_that_was_never_registered_is_unknown() -> None:
    with pytest.raises(UnknownUnit):
        rule_book().unit(UNKNOWN, MORNING)


def test_a_unit_exists_until_the_moment_of_its_end() -> None:
    rules = rule_book(unit_ended(DESK, ended_at=MORNING))
    assert rules.unit(DESK, MORNING - INSTANT).successors == (AGENCY,)
    with pytest.raises(UnitEnded):
        rules.unit(DESK, MORNING)


def test_the_end_of_a_unit_that_nobody_knows_makes_no_unit() -> None:
    with pytest.raises(UnknownUnit):
        rule_book(unit_ended(UNKNOWN)).unit(UNKNOWN, YEARS_AGO)


def test_a_procedure_applies_from_the_day_on_which_it_begins_in_viet_nam() -> None:
    rules = rule_book(procedure_published(version=2, valid_from=date(2026, 7, 1)))
    assert rules.procedure(PROCEDURE, MIDNIGHT - INSTANT)[0].version == 1
    assert rules.procedure(PROCEDURE, MIDNIGHT)[0].version == 2


def test_a_version_published_late_applies_from_its_own_day() -> None:
    third = procedure_published(version=3, valid_from=date(2026, 7, 1))
    second = procedure_published(version=2, valid_from=date(2026, 1, 1))
    rules = rule_book(third, second)
    assert rules.procedure(PROCEDURE, MORNING)[0].version == 2
    assert rules.procedure(PROCEDURE, MIDNIGHT)[0].version == 3


def test_of_two_versions_from_the_same_day_the_one_published_later_applies() -> None:
    rules = rule_book(procedure_published(version=2))
    published, pin = rules.procedure(PROCEDURE, MORNING)
    assert published.version == 2
    assert pin.version == published.originator_version


def test_before_its_first_version_a_procedure_is_unknown() -> None:
    with pytest.raises(UnknownProcedure):
        rule_book().procedure(PROCEDURE, YEARS_AGO)


def test_a_procedure_that_was_never_published_is_unknown() -> None:
    with pytest.raises(UnknownProcedure):
        rule_book().procedure(ProcedureCode("9.999999"), MORNING)


def test_a_subtree_holds_what_is_below_and_what_it_took_over() -> None:
    rules = rule_book()
    assert rules.subtree(PROVINCE) == {PROVINCE, DESK, AGENCY, ENDED}
    assert rules.subtree(AGENCY) == {AGENCY, ENDED}
    assert rules.subtree(DESK) == {DESK}
    assert rules.subtree(UNKNOWN) == {UNKNOWN}


def test_a_unit_moves_to_another_parent_with_everything_below_it() -> None:
    below = UnitCode("H01.20.1")
    rules = own_rule_book(unit_registered(below, parent=AGENCY))
    rules.learn([recorded(unit_registered(AGENCY, parent=DESK), version=2, seq=20)])
    assert rules.subtree(DESK) == {DESK, AGENCY, below, ENDED}
    assert rules.subtree(PROVINCE) == {PROVINCE, DESK, AGENCY, below, ENDED}
    rules.learn([recorded(unit_registered(AGENCY, parent=None), version=3, seq=21)])
    assert rules.subtree(PROVINCE) == {PROVINCE, DESK, ENDED}


def test_units_that_are_each_others_parents_have_a_subtree_all_the_same() -> None:
    rules = rule_book(unit_registered(PROVINCE, parent=DESK))
    assert rules.subtree(DESK) == {PROVINCE, DESK, AGENCY, ENDED}


def test_decisions_look_at_the_versions_of_the_units_that_exist() -> None:
    pins = rule_book().pins((DESK, None, UNKNOWN, AGENCY))
    named = {stream_of("unit", DESK), stream_of("unit", AGENCY)}
    assert [pin.stream for pin in pins] == sorted(named)


def test_what_a_book_was_asked_before_it_learned_it_answers_anew() -> None:
    """Nothing that it remembers outlives what it followed from."""
    rules = own_rule_book()

    def asked(book: RuleBook) -> tuple[object, ...]:
        pins = book.pins((DESK,), PROCEDURE, AGENCY)
        return pins, book.calendar_use(DESK), book.zone(DESK)

    before = asked(rules)
    moved = replace(unit_registered(DESK, parent=PROVINCE), zone="Asia/Tokyo", calendar="JP")
    procedure = procedure_published(PROCEDURE, version=2)
    rules.learn([recorded(moved, version=2, seq=30), recorded(procedure, version=2, seq=31)])
    fresh = own_rule_book()
    fresh.learn([recorded(moved, version=2, seq=30), recorded(procedure, version=2, seq=31)])
    assert asked(rules) == asked(fresh)
    assert all(was != now for was, now in zip(before, asked(rules), strict=True))


def test_a_memory_keeps_the_last_answers_and_no_failure() -> None:
    memory = Memory(2)
    found: list[int] = []

    def square_of(number: int) -> int:
        found.append(number)
        if number < 0:
            raise ValueError(number)
        return number * number

    for number in (1, 2, 2, 1, 3, 1):
        assert memory.answer(number, partial(square_of, number)) == number * number
    assert found == [1, 2, 3, 1]
    for _ in range(2):
        with pytest.raises(ValueError, match="-1"):
            memory.answer(-1, partial(square_of, -1))
    assert found[-2:] == [-1, -1]


def test_a_unit_has_its_zone_and_others_that_of_viet_nam() -> None:
    rules = rule_book(replace(unit_registered(UnitCode("G01")), zone="Asia/Tokyo"))
    assert rules.zone(UnitCode("G01")).key == "Asia/Tokyo"
    assert rules.zone(UNKNOWN).key == "Asia/Ho_Chi_Minh"


def test_a_decision_on_days_off_replaces_the_one_of_the_same_name() -> None:
    again = calendar_decided(off=(date(2026, 2, 18),))
    rules = rule_book(calendar_decided(), calendar_decided("reunification-day"), again)
    _, *decided = rules.calendars["VN"]
    assert [(each.id, each.off) for each in decided] == [
        ("reunification-day", (date(2026, 2, 17),)),
        ("tet-2026", (date(2026, 2, 18),)),
    ]


def test_sources_tokens_and_erased_people_are_known() -> None:
    rules = rule_book(source_registered(), token_granted(), subject_erased())
    assert rules.sources["mot-cua-h01"].unit == DESK
    assert rules.tokens["digest of a token"].granted_at == MORNING + 8 * timedelta(hours=1)
    assert rules.erased == {LAN}


def test_a_revoked_token_stays_known_as_revoked() -> None:
    assert rule_book(token_granted(), token_revoked()).tokens["digest of a token"].revoked


def test_the_rules_know_how_far_they_have_read() -> None:
    rules = rule_book()
    assert (rules.position, rules.versions[stream_of("unit", AGENCY)]) == (7, 3)
    assert RuleBook().position == 0
