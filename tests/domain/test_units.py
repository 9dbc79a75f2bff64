"""Which agency a unit belongs to, on which level it stands, and what the law makes of both."""

from dataclasses import replace
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.envelope import UnitCode
from domain.errors import InvalidRequest
from domain.ledger.registering import Change, Keeper, Registers
from domain.rules.rule_book import RuleBook
from domain.rules.units import UnitLevel, UnitRegistered, agency_of
from infra.memory import MemoryStore
from streams.importing.mapping import SHIPPED, load_mapping
from streams.registers.catalogue_files import COMMUNE, load_catalogue
from streams.wire.examples import EXAMPLES
from tests.domain.test_registering import at_noon
from tests.examples import AGENCY, DESK, PROVINCE, recorded, registers, rule_book, unit_registered
from tests.stores import appending

KEEPER = Keeper(principal="machine", source="tests")
COMMUNES = ["commune", "ward", "xã", "phường", "đặc khu", "Xã", "cấp xã", normalize("NFD", "xã")]


def of_level(code: UnitCode, level: str | None) -> UnitRegistered:
    return replace(unit_registered(code), level=level)


@pytest.mark.parametrize("one", COMMUNES)
@pytest.mark.parametrize("other", COMMUNES)
def test_two_communes_have_areas_of_their_own_in_whatever_words(one: str, other: str) -> None:
    rules = rule_book(of_level(DESK, one), of_level(AGENCY, other))
    assert rules.is_another_area(DESK, AGENCY)
    assert not rules.is_another_area(DESK, DESK)


@pytest.mark.parametrize("level", ["province", "sở", "public_post", "other", "rìa", None])
def test_a_commune_and_what_is_none_share_the_area_of_their_province(level: str | None) -> None:
    rules = rule_book(of_level(DESK, "xã"), of_level(AGENCY, level))
    assert not rules.is_another_area(DESK, AGENCY)
    assert not rules.is_another_area(AGENCY, DESK)


def test_two_provinces_have_areas_of_their_own_without_a_word_about_levels() -> None:
    assert RuleBook().is_another_area(UnitCode("H01.10"), UnitCode("H02.10"))


def test_a_level_is_kept_as_it_was_told_and_read_as_what_it_is() -> None:
    entry = rule_book(of_level(DESK, "Phường")).units[DESK]
    assert (entry.unit.level, entry.level) == ("Phường", UnitLevel.COMMUNE)
    assert rule_book().units[DESK].level is None


def test_every_level_that_comes_with_the_program_is_one() -> None:
    shipped = [*load_catalogue(COMMUNE), *load_mapping(SHIPPED / "receipt.toml").registers]
    levels = {each.level for each in shipped if isinstance(each, UnitRegistered)}
    for level in {*levels, *UnitLevel, str(EXAMPLES["unit.registered.v1"]["level"])}:
        assert level is not None
        assert UnitLevel.of(level) is not None


async def furnished() -> tuple[MemoryStore, Registers]:
    store = MemoryStore(at_noon)
    kept = Registers(store, at_noon)
    for entry in registers():
        await kept.put(entry, KEEPER)
    return store, kept


async def test_an_agency_on_no_level_that_rules_know_is_refused() -> None:
    """Else the rule about another area would not apply, and nobody would be told."""
    _, kept = await furnished()
    with pytest.raises(InvalidRequest, match="level of an agency"):
        await kept.put(of_level(DESK, "comune"), KEEPER)
    for level in ("other", "xã", None):
        assert await kept.put(of_level(DESK, level), KEEPER) is Change.RECORDED


@pytest.mark.parametrize("code", ["H01", "H01.10.1"])
async def test_what_is_no_agency_may_stand_on_any_level(code: str) -> None:
    _, kept = await furnished()
    entry = replace(unit_registered(UnitCode(code), parent=None), level="tổ một cửa lưu động")
    assert await kept.put(entry, KEEPER) is Change.RECORDED


async def test_a_level_that_was_registered_before_may_be_told_again() -> None:
    store, kept = await furnished()
    former = replace(of_level(DESK, "một mức xưa"), originator_version=2)
    await store.append(appending(former))  # As an earlier release did.
    assert await kept.put(former, KEEPER) is Change.UNCHANGED
    assert await kept.put(replace(former, name="Another name"), KEEPER) is Change.RECORDED
    with pytest.raises(InvalidRequest, match="level of an agency"):
        await kept.put(of_level(AGENCY, "một mức xưa"), KEEPER)


@pytest.mark.parametrize(
    ("code", "agency"),
    [("H44", "H44"), ("H44.100", "H44.100"), ("H44.100.01", "H44.100"), ("G09.2.3.4", "G09.2")],
)
def test_the_first_two_groups_of_a_code_are_its_agency(code: str, agency: str) -> None:
    assert agency_of(UnitCode(code)) == agency


@given(st.lists(st.lists(st.integers(1, 9), max_size=4), max_size=20))
def test_register_and_code_agree_on_the_agency_where_parents_follow_the_codes(
    places: list[list[int]],
) -> None:
    codes = {".".join(["H01", *map(str, place[:end])]) for place in places for end in range(5)}
    rules = RuleBook()
    rules.learn(
        recorded(unit_registered(UnitCode(code), parent=_above(code)), version=1, seq=seq)
        for seq, code in enumerate(sorted(codes), 1)
    )
    for code in rules.units:
        assert rules.authority(code) == agency_of(code)


def test_the_shipped_registers_agree_with_their_codes_on_every_agency() -> None:
    for entries in (load_catalogue(COMMUNE), load_mapping(SHIPPED / "receipt.toml").registers):
        rules = RuleBook()
        rules.learn(recorded(entry, version=1, seq=seq) for seq, entry in enumerate(entries, 1))
        assert rules.units
        assert {code: rules.authority(code) for code in rules.units} == {
            code: agency_of(code) for code in rules.units
        }


def test_a_unit_belongs_to_the_agency_that_its_register_puts_it_below() -> None:
    moved = UnitCode("H01.10.5")
    rules = rule_book(unit_registered(moved, parent=AGENCY))
    assert (rules.authority(moved), agency_of(moved)) == (AGENCY, DESK)
    assert rules.authority(PROVINCE) == PROVINCE


def _above(code: str) -> UnitCode | None:
    return UnitCode(code.rpartition(".")[0]) if "." in code else None
