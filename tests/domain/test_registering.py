"""Who may keep which entry of the registers, and what becomes of the same entry told again."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from domain.deadlines.terms import LONGEST_TERM
from domain.envelope import ProcedureCode, TimePrecision, UnitCode
from domain.errors import (
    DomainError,
    Forbidden,
    InvalidRequest,
    KeyReused,
    RulesChanged,
    StaleVersion,
    TimeInFuture,
    UnknownUnit,
)
from domain.ledger.access import Sender, scope_of
from domain.ledger.messages import Entry
from domain.ledger.recording import Result
from domain.ledger.registering import Change, Keeper, Registers, refuse_out_of_scope
from domain.ledger.sameness import Identity
from domain.rules.register import RegisterEvent
from domain.rules.tokens import Role
from domain.rules.units import UnitRegistered
from infra.memory import MemoryStore
from streams.wire.sameness import digesting
from tests.examples import (
    AGENCY,
    DESK,
    ENDED,
    MORNING,
    PROCEDURE,
    PROVINCE,
    UNKNOWN,
    VIETNAM,
    calendar_decided,
    procedure_published,
    registers,
    rule_book,
    source_registered,
    subject_erased,
    token_granted,
    token_revoked,
    unit_ended,
    unit_registered,
)

NEW = UnitCode("H01.10.5")
OTHER = ProcedureCode("1.000002")
RULES = rule_book(
    unit_registered(NEW, parent=DESK),
    source_registered("theirs", unit=AGENCY),
    replace(procedure_published(OTHER), unit=DESK),
    calendar_decided(),
    replace(calendar_decided("theirs"), unit=AGENCY),
)
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
KEEPER = Keeper(principal="machine", source="tests")


def administrator(unit: UnitCode | None) -> Sender:
    return Sender(
        principal="token:1",
        role=Role.ADMINISTRATOR,
        unit=unit,
        scope=scope_of(RULES, unit),
    )


@pytest.mark.parametrize(
    "entry",
    [
        unit_registered(UnitCode("H01.10.6"), parent=DESK),
        unit_registered(NEW, parent=DESK),
        unit_ended(NEW, successors=(DESK,)),
        source_registered("ours"),
        replace(procedure_published(ProcedureCode("9")), unit=NEW),
        replace(procedure_published(OTHER, version=2), unit=NEW),
        replace(calendar_decided("ours"), unit=DESK),
    ],
)
def test_an_administrator_keeps_what_lies_in_his_units(entry: RegisterEvent) -> None:
    refuse_out_of_scope(entry, administrator(DESK), RULES)


@pytest.mark.parametrize(
    "entry",
    [
        unit_registered(AGENCY, parent=DESK),  # A unit of somebody else, drawn to oneself.
        unit_registered(DESK, parent=DESK),  # One's own, away from those above.
        unit_registered(NEW, parent=AGENCY),  # One's own, given to somebody else.
        unit_registered(NEW, parent=UNKNOWN),
        unit_registered(UnitCode("X"), parent=None),
        unit_registered(UnitCode("X"), parent=AGENCY),
        unit_registered(PROVINCE, parent=None),
        unit_ended(PROVINCE, successors=(DESK,)),
        unit_ended(NEW, successors=(AGENCY,)),
        unit_ended(ENDED, successors=()),
        source_registered("ours", unit=AGENCY),
        source_registered("theirs", unit=DESK),
        procedure_published(ProcedureCode("9")),
        replace(procedure_published(ProcedureCode("9")), unit=AGENCY),
        replace(procedure_published(PROCEDURE, version=2), unit=DESK),  # A national one so far.
        calendar_decided("new"),
        replace(calendar_decided("new"), unit=PROVINCE),
        replace(calendar_decided(), unit=DESK),  # In the place of a national one.
        replace(calendar_decided("theirs"), unit=DESK),
    ],
)
def test_what_lies_outside_belongs_to_those_who_stand_above(entry: RegisterEvent) -> None:
    with pytest.raises(Forbidden):
        refuse_out_of_scope(entry, administrator(DESK), RULES)
    for whole in (PROVINCE, None):
        refuse_out_of_scope(entry, administrator(whole), RULES)


def test_the_top_of_a_part_of_the_register_keeps_nothing_national() -> None:
    rules = rule_book(unit_registered(UnitCode("H02"), parent=None))
    for entry in (unit_registered(UnitCode("H03"), parent=None), calendar_decided()):
        with pytest.raises(Forbidden):
            refuse_out_of_scope(entry, administrator(PROVINCE), rules)


@pytest.mark.parametrize("entry", [token_granted(), token_revoked(), subject_erased()])
def test_tokens_and_erasures_come_from_the_machine_alone(entry: RegisterEvent) -> None:
    for unit in (DESK, PROVINCE, None):
        with pytest.raises(Forbidden):
            refuse_out_of_scope(entry, administrator(unit), RULES)


def at_noon() -> datetime:
    return datetime(2026, 3, 10, 5, tzinfo=UTC)


async def furnished(store: MemoryStore | None = None) -> tuple[MemoryStore, Registers]:
    store = store or MemoryStore(at_noon)
    kept = Registers(store, at_noon)
    for entry in registers():
        await kept.put(entry, KEEPER)
    return store, kept


def notice(entry: RegisterEvent, name: str = "1", **more: Any) -> Entry:  # noqa: ANN401  # any field
    said = {
        "event": entry,
        "source": "office.example",
        "source_id": name,
        "stated": MORNING.astimezone(VIETNAM),
        "sender": administrator(PROVINCE),
        "key": Identity(scope="source:office.example", key=name, digest=digesting(bytes)),
    }
    return Entry(**{**said, **more})


def renamed(name: str) -> UnitRegistered:
    return replace(unit_registered(DESK), name=name)


async def test_an_entry_is_recorded_with_who_when_and_why() -> None:
    store, kept = await furnished()
    said: dict[str, Any] = {"actor": "Lan", "legal_basis": "QĐ 1", "expected": 1}
    got = await kept.record(notice(renamed("A"), precision=TimePrecision.MINUTE, **said))
    assert not got.repeated
    assert (got.outcome.seq, got.outcome.version) == (len(store.rows), 2)
    assert got.outcome.position == len(store.rows)
    await store.read()
    event = store.rules.units[DESK].unit
    assert isinstance(event, UnitRegistered)
    assert (event.name, event.timestamp) == ("A", MORNING)
    meta = event.meta
    assert (meta.source, meta.source_id, meta.principal) == ("office.example", "1", "token:1")
    assert (meta.actor, meta.legal_basis, meta.acting_unit) == ("Lan", "QĐ 1", PROVINCE)
    assert (meta.precision, meta.offset_minutes) == (TimePrecision.MINUTE, 7 * 60)


async def test_the_same_again_is_not_applied_again() -> None:
    store, kept = await furnished()
    first = await kept.record(notice(renamed("A"), "1"))
    await kept.record(notice(renamed("B"), "2"))
    before = len(store.rows)
    assert await kept.record(notice(renamed("A"), "1")) == Result(
        outcome=first.outcome, repeated=True
    )
    assert len(store.rows) == before
    with pytest.raises(KeyReused):
        await kept.record(notice(renamed("C"), "1"))


async def test_what_is_known_already_is_no_news_and_stays_it() -> None:
    store, kept = await furnished()
    before = len(store.rows)
    known = await kept.record(notice(unit_registered(DESK), "1"))
    assert (known.repeated, known.outcome.kind) == (True, "no-news")
    assert (known.outcome.seq, known.outcome.version) == (None, 1)
    assert len(store.rows) == before
    await kept.record(notice(renamed("B"), "2"))
    assert (await kept.record(notice(unit_registered(DESK), "1"))).outcome == known.outcome
    await store.read()
    assert store.rules.units[DESK].unit.name == "B"


async def test_many_at_once_are_recorded_once() -> None:
    store, kept = await furnished()
    before = len(store.rows)
    answers = await asyncio.gather(*(kept.record(notice(renamed("A"))) for _ in range(10)))
    assert sorted(answer.repeated for answer in answers) == [False] + [True] * 9
    assert len({answer.outcome for answer in answers}) == 1
    assert len(store.rows) == before + 1


SOURCE = Sender(principal="s", role=Role.SOURCE, unit=DESK, scope=frozenset({DESK}))
WRONG: dict[str, tuple[type[DomainError], Callable[[], Entry]]] = {
    "version": (StaleVersion, lambda: notice(renamed("A"), expected=2)),
    "version of what is known": (StaleVersion, lambda: notice(unit_registered(), expected=0)),
    "future": (TimeInFuture, lambda: notice(renamed("A"), stated=at_noon() + timedelta(hours=1))),
    "role": (Forbidden, lambda: notice(renamed("A"), sender=SOURCE)),
    "scope": (Forbidden, lambda: notice(unit_registered(AGENCY), sender=administrator(DESK))),
    "acting unit": (Forbidden, lambda: notice(renamed("A"), acting_unit=UnitCode("H02"))),
    "the ledger's name": (Forbidden, lambda: notice(renamed("A"), source="token:1")),
    "unknown": (UnknownUnit, lambda: notice(unit_registered(NEW, parent=UNKNOWN))),
    "endless": (InvalidRequest, lambda: notice(procedure_published(OTHER, days=LONGEST_TERM + 1))),
    "no term": (InvalidRequest, lambda: notice(procedure_published(OTHER, days=0))),
}


@pytest.mark.parametrize("case", WRONG)
async def test_what_is_refused_changes_nothing(case: str) -> None:
    store, kept = await furnished()
    before = len(store.rows)
    refusal, told = WRONG[case]
    with pytest.raises(refusal):
        await kept.record(told())
    assert len(store.rows) == before


async def test_a_registered_source_speaks_with_its_own_tokens() -> None:
    _, kept = await furnished()
    await kept.put(source_registered("office.example"), KEEPER)
    with pytest.raises(Forbidden, match="of its own"):
        await kept.record(notice(renamed("A")))
    own = replace(administrator(PROVINCE), source_name="office.example")
    assert not (await kept.record(notice(renamed("A"), sender=own))).repeated
    with pytest.raises(Forbidden, match="sends as"):
        await kept.record(notice(renamed("B"), "2", source="other", sender=own))


async def test_the_scope_is_that_of_now() -> None:
    _, kept = await furnished()
    inner = unit_registered(NEW, parent=DESK)
    late = administrator(DESK)
    assert not (await kept.record(notice(inner, "1", sender=late))).repeated
    stale = replace(late, scope=frozenset({AGENCY, DESK, PROVINCE, ENDED, NEW}))
    with pytest.raises(Forbidden):
        await kept.record(notice(unit_registered(AGENCY, parent=DESK), "2", sender=stale))


async def test_two_units_never_stand_above_each_other() -> None:
    store, kept = await furnished()
    first = notice(unit_registered(DESK, parent=AGENCY), "1")
    second = notice(unit_registered(AGENCY, parent=DESK), "2")
    answers = await asyncio.gather(kept.record(first), kept.record(second), return_exceptions=True)
    assert sorted(type(answer).__name__ for answer in answers) == ["InvalidRequest", "Result"]
    await store.read()
    assert {store.rules.units[DESK].unit.parent, store.rules.units[AGENCY].unit.parent} in (
        {PROVINCE, AGENCY},
        {PROVINCE, DESK},
    )


class Restless(MemoryStore):
    """A ledger whose rules change before each append."""

    async def append(self, append: Any) -> Any:  # noqa: ANN401  # as the real one
        if append.key is not None and append.key.scope != "register":
            raise RulesChanged
        return await super().append(append)


async def test_rules_that_never_rest_end_in_a_refusal() -> None:
    _, kept = await furnished(Restless(at_noon))
    with pytest.raises(RulesChanged):
        await kept.record(notice(renamed("A")))


async def test_the_command_line_stays_idempotent_by_content() -> None:
    _, kept = await furnished()
    changes = [await kept.put(renamed(name), KEEPER) for name in ("A", "A", "B", "A")]
    assert changes == ["recorded", "unchanged", "recorded", "recorded"]


@pytest.mark.parametrize("amount", [0, -1, LONGEST_TERM + 1, 2**53])
async def test_a_term_ends_within_a_lifetime(amount: int) -> None:
    _, kept = await furnished()
    with pytest.raises(InvalidRequest, match=r"term\.amount"):
        await kept.put(procedure_published(OTHER, days=amount), KEEPER)
    longest = procedure_published(OTHER, days=LONGEST_TERM, valid_from=date(2026, 1, 1))
    assert await kept.put(longest, KEEPER) is Change.RECORDED
