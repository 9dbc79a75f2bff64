"""The form of a register: what each type of its events says of itself."""

from dataclasses import dataclass, replace
from datetime import date

import pytest

from domain.rules.policies import PolicyDecided
from domain.rules.register import (
    EntryKind,
    Register,
    RegisterEvent,
    nothing_named,
    nothing_to_check,
    stream_of,
)
from domain.rules.registers import REGISTERS, kind_of, stream_for
from domain.rules.rule_book import RuleBook
from domain.rules.tokens import TokenRevoked
from domain.rules.units import UNITS, UnitEndedByDecision
from tests.examples import (
    DESK,
    LAN,
    calendar_decided,
    procedure_published,
    registers,
    rule_book,
    source_registered,
    stamp,
    subject_erased,
    token_granted,
    token_revoked,
    unit_ended,
    unit_registered,
)

ENTRIES = [
    unit_registered(),
    unit_ended(),
    procedure_published(),
    calendar_decided(),
    source_registered(),
    token_granted(),
    token_revoked(),
    subject_erased(),
    PolicyDecided(**stamp("policy", stream_of("policy", "VN")), issued=date(2026, 1, 5)),
]

BEGINNING = [each for each in ENTRIES if not isinstance(each, UnitEndedByDecision | TokenRevoked)]


@dataclass(frozen=True, kw_only=True)
class RoomOpened(RegisterEvent):
    TOPIC = "room.opened.v1"

    code: str


def kind(**more: str) -> EntryKind[RoomOpened, set[str]]:
    return EntryKind(
        event=RoomOpened,
        key=lambda entry: entry.code,
        tables=(),
        named=nothing_named,
        touched=None,
        check=nothing_to_check,
        says=lambda rooms, entry: entry.code in rooms,
        learn=lambda rooms, entry: rooms.add(entry.code),
        **{"label": "code", **more},
    )


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.TOPIC)
def test_an_entry_stands_in_the_stream_that_its_kind_names(entry: RegisterEvent) -> None:
    assert stream_for(entry) == entry.originator_id


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.TOPIC)
def test_what_a_book_has_learned_it_says_already(entry: RegisterEvent) -> None:
    rules = rule_book(*ENTRIES)
    assert kind_of(entry).says(rules.book_of(entry), entry)


@pytest.mark.parametrize("entry", BEGINNING, ids=lambda entry: entry.TOPIC)
def test_an_empty_book_says_nothing(entry: RegisterEvent) -> None:
    rules = RuleBook()
    assert not kind_of(entry).says(rules.book_of(entry), entry)


def test_people_call_an_entry_by_its_own_name() -> None:
    names = [kind_of(entry).name(entry) for entry in ENTRIES]
    assert names[:5] == [
        "unit H01.10",
        "unit H01.99",
        "procedure 1.000001",
        "calendar tet-2026",
        "source mot-cua-h01",
    ]
    assert names[-2:] == [f"subject {LAN}", "policy VN"]


def test_tokens_and_erasures_come_neither_from_elsewhere_nor_from_files() -> None:
    for register in REGISTERS:
        machine_only = [each.touched is None for each in register.kinds]
        assert all(machine_only) == any(machine_only) == (register.name in {"token", "subject"})
        if any(machine_only):
            assert not register.sent
            assert not any(each.tables for each in register.kinds)


def test_no_two_tables_of_a_catalogue_have_one_name() -> None:
    names = [name for each in REGISTERS for kind in each.kinds for name in kind.tables]
    assert len(names) == len(set(names))


def test_a_register_keeps_no_event_of_another_one() -> None:
    assert Register(name="room", book=set, kinds=(kind(),), sent=False).name == "room"
    with pytest.raises(TypeError, match=r"cannot keep room\.opened\.v1"):
        Register(name="office", book=set, kinds=(kind(),), sent=False)


def test_an_entry_is_called_by_a_field_that_it_has() -> None:
    with pytest.raises(TypeError, match="no field title"):
        kind(label="title")


def test_the_books_of_a_rule_book_are_those_of_its_registers() -> None:
    rules = rule_book()
    assert rules.units is rules.book(UNITS) is rules.book_of(unit_registered())
    assert rules.book(UNITS)[DESK].unit.code == DESK


def test_two_rule_books_that_learned_the_same_are_equal() -> None:
    assert rule_book() == rule_book()
    renamed = replace(unit_registered(DESK), name="Another name")
    assert rule_book(renamed) != rule_book(unit_registered(DESK))
    assert RuleBook() == RuleBook()
    assert len(registers()) == rule_book().position
