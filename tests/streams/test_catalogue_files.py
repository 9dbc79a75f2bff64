"""Files of the catalogue: the tables of the registers, parents first, every mistake named."""

import json
import tomllib
from datetime import UTC
from pathlib import Path

import pytest

from domain.ledger.registering import Change, Keeper, Registers
from domain.rules.calendars import CalendarDecided
from domain.rules.policies import PolicyDecided
from domain.rules.procedures import ProcedurePublished
from domain.rules.register import RegisterEvent
from domain.rules.sources import SourceRegistered
from domain.rules.units import UnitEndedByDecision, UnitRegistered
from infra.memory import MemoryStore
from streams.registers.catalogue_files import (
    COMMUNE,
    CatalogueInvalid,
    load_catalogue,
    load_decisions,
    parse_catalogue,
)
from tests.streams.files import now

UNITS = """
[[units]]
code = "A.1"
name = "Below"
parent = "A"
[[units]]
code = "A"
name = "Above"
"""


async def put_all(entries: list[RegisterEvent]) -> list[Change]:
    registers = Registers(MemoryStore(now), now)
    keeper = Keeper(principal="test", source="test")
    return [await registers.put(entry, keeper) for _ in (1, 2) for entry in entries]


def test_parents_come_first_and_ends_last() -> None:
    ended = '[[ended_units]]\ncode = "A.1"\nended_at = 2026-07-01\nsuccessors = ["A"]\n'
    entries = parse_catalogue(ended + UNITS)
    assert [
        (type(e), e.code) for e in entries if isinstance(e, UnitRegistered | UnitEndedByDecision)
    ] == [
        (UnitRegistered, "A"),
        (UnitRegistered, "A.1"),
        (UnitEndedByDecision, "A.1"),
    ]


@pytest.mark.parametrize(
    ("stated", "meant"),
    [
        ("2026-07-01", "2026-06-30T17:00:00+00:00"),
        ("2026-07-01T08:00:00", "2026-07-01T01:00:00+00:00"),
        ("2026-07-01T08:00:00+02:00", "2026-07-01T06:00:00+00:00"),
        ('"2026-07-01T08:00:00"', "2026-07-01T01:00:00+00:00"),
    ],
)
def test_a_time_without_offset_is_one_of_vietnam(stated: str, meant: str) -> None:
    (end,) = parse_catalogue(f'[[ended_units]]\ncode = "A"\nended_at = {stated}')
    assert isinstance(end, UnitEndedByDecision)
    assert end.ended_at.astimezone(UTC).isoformat() == meant


def test_json_and_the_singular_mean_the_same() -> None:
    units = tomllib.loads(UNITS)["units"]
    assert parse_catalogue(json.dumps({"unit": units}), is_json=True) == parse_catalogue(UNITS)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[[unit]]\ncode = 'A'", "units, entry 1 (A): Object missing required field name"),
        (
            "[[units]]\ncode = 'A'\nname = 'A'\n[[units]]\ncode = 1\nname = 'B'",
            "units, entry 2 (1)",
        ),
        ("[[units]]\ncode = 'A'\nname = 'A'\nboss = 'B'", "unknown field boss"),
        ("[[units]]\ncode = 'A'\nname = 'A'\nzone = 'Nowhere'", "no time zone Nowhere"),
        ("[units]\ncode = 'A'", "write one [[units]]"),
        ("units = [1]", "units, entry 1: it is no table"),
        ("[[offices]]\ncode = 'A'", "There is no table offices"),
        ("[[calendars]]\nid = 'x'\nissued = 2026-13-01", "not TOML"),
        ("[[calendars]]\nid = 'x'\nissued = 'soon'", "calendars, entry 1 (x)"),
        ("[[sources]]\nname = 's'\nunit = 'U'\nsince = 07:00:00\n", "sources, entry 1 (s)"),
        ("[[procedures]]\ncode = 'P'\nfees = [{ amount = 1.5 }]", "procedures, entry 1 (P)"),
        ("[[ended_units]]\ncode = 'A'\nended_at = 'soon'", "ended_units, entry 1 (A)"),
    ],
)
def test_a_mistake_is_named_by_table_and_entry(text: str, why: str) -> None:
    with pytest.raises(CatalogueInvalid) as refused:
        parse_catalogue(text)
    assert why in str(refused.value)


@pytest.mark.parametrize("text", ["[]", "{", "[" * 100_000, '{"units": {}}', '{"units": [NaN]}'])
def test_bad_json_is_refused(text: str) -> None:
    with pytest.raises(CatalogueInvalid):
        parse_catalogue(text, is_json=True)


def test_a_file_is_read_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "c.json").write_text('\ufeff{"units": [{"code": "A", "name": "Xã"}]}', "utf-8")
    assert len(load_catalogue(tmp_path / "c.json")) == 1
    (tmp_path / "c.toml").write_bytes(b"\xff")
    for name in ("c.toml", "nothing.toml"):
        with pytest.raises(CatalogueInvalid):
            load_catalogue(tmp_path / name)


async def test_the_shipped_catalogue_registers_once() -> None:
    entries = load_catalogue(COMMUNE)
    changes = await put_all(entries)
    assert changes == [Change.RECORDED] * len(entries) + [Change.UNCHANGED] * len(entries)
    kinds = [type(entry) for entry in entries]
    assert kinds.count(UnitRegistered) == 6
    assert kinds.count(ProcedurePublished) == 6
    assert kinds.count(SourceRegistered) == 1
    assert kinds.count(PolicyDecided) == 1


def test_the_steps_of_a_shipped_procedure_fill_its_term() -> None:
    hours = {"working_hour": 1, "working_day": 8}
    for entry in load_catalogue(COMMUNE):
        if isinstance(entry, ProcedurePublished) and entry.term and entry.term.unit in hours:
            assert (
                sum(step.hours for step in entry.steps)
                == entry.term.amount * hours[entry.term.unit]
            )


WHOLE = """
[[policy]]
issued = 2026-07-01
sessions = ["07:30-11:30"]
supplement_answer_days = 20
[[procedures]]
code = "P"
version = 1
name = "Thủ tục"
field = "Hộ tịch"
term = { amount = 3, unit = "working_day" }
channel_terms = [{ channel = "online", amount = 8, unit = "working_hour" }]
payment_policy = "none"
valid_from = 2026-07-01
legal_basis = "NĐ 1"
[[decision]]
id = "storm"
issued = 2026-09-06
off = ["2026-09-07..2026-09-09", 2026-09-11]
hours = [{ day = 2026-09-10, sessions = ["07:00-10:00"] }]
"""


async def test_policies_terms_by_channel_and_hours_are_read() -> None:
    procedure, decision, policy = entries = parse_catalogue(WHOLE)
    assert isinstance(policy, PolicyDecided)
    assert (policy.sessions, policy.supplement_answer_days) == (("07:30-11:30",), 20)
    assert isinstance(procedure, ProcedurePublished)
    (online,) = procedure.channel_terms
    assert (online.channel, online.amount, procedure.payment_policy) == ("online", 8, "none")
    assert isinstance(decision, CalendarDecided)
    assert [each.day for each in decision.off] == [7, 8, 9, 11]
    (short,) = decision.hours
    assert (short.day.day, short.sessions) == (10, ("07:00-10:00",))
    assert await put_all(entries) == [Change.RECORDED] * 3 + [Change.UNCHANGED] * 3


@pytest.mark.parametrize(
    ("run", "why"),
    [
        ("2026-09-09..2026-09-07", "begins before it ends"),
        ("2026-01-01..2027-01-02", "within a year"),
        ("2026-02-27..2026-02-30", "'2026-02-30' is no day"),
        ("..2026-02-28", "'' is no day"),
    ],
)
def test_a_run_of_days_that_is_none_is_refused(run: str, why: str) -> None:
    with pytest.raises(CatalogueInvalid, match=why):
        parse_catalogue(f"[[decision]]\nid = 'x'\nissued = 2026-01-01\noff = ['{run}']")


def test_a_year_of_days_is_one_run() -> None:
    (decision,) = parse_catalogue(
        "[[decision]]\nid = 'x'\nissued = 2028-01-01\noff = ['2028-01-01..2028-12-31']"
    )
    assert isinstance(decision, CalendarDecided)
    assert len(decision.off) == 366


def test_a_file_of_decisions_holds_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_text("[[decision]]\nid = 'x'\nissued = 2026-01-01\noff = [2026-01-01]\n")
    (decision,) = load_decisions(file)
    assert (decision.id, decision.calendar) == ("x", "VN")
    for text in ("", UNITS, WHOLE):
        file.write_text(text)
        with pytest.raises(CatalogueInvalid, match="tables only"):
            load_decisions(file)
