"""Facts in a line: what becomes of them is what would become of each alone, one after the other."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import orjson
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from domain.dossier.chapters import ACT_OF
from domain.dossier.events import Opening
from domain.envelope import UnitCode
from domain.ledger.access import Sender, scope_of
from domain.ledger.commands import Ledger
from domain.ledger.messages import Fact
from domain.ledger.recording import Became, Result
from domain.ledger.registering import Keeper, Registers
from domain.rules.tokens import Role
from infra.memory import MemoryStore
from tests.examples import (
    AGENCY,
    DESK,
    DOSSIER,
    EVERY_DOSSIER_EVENT,
    HOUR,
    MORNING,
    PROVINCE,
    accepted,
    identity,
    registers,
    rule_book,
)
from tests.looking import examples

TELLABLE = [each for each in EVERY_DOSSIER_EVENT if ACT_OF[type(each)].ledger_alone is None]
CODES = ("H01.10-260302-0001", "A-1")
OTHER = UUID(int=7)


def now() -> datetime:
    return MORNING + timedelta(days=30)


def of_unit(unit: UnitCode | None) -> Sender:
    return Sender(
        principal=f"of {unit}", role=Role.DESK, unit=unit, scope=scope_of(rule_book(), unit)
    )


SENDERS = [of_unit(unit) for unit in (DESK, AGENCY, PROVINCE, None)]


@st.composite
def lines(draw: st.DrawFn) -> list[Fact]:
    """Facts with one subject by several senders: late, repeated, strangers', at stale versions."""
    subject = draw(st.sampled_from([*CODES, OTHER]))
    facts = []
    for _ in range(draw(st.integers(0, 8))):
        event = draw(st.sampled_from(TELLABLE))
        if isinstance(event, Opening):
            event = replace(event, code=draw(st.sampled_from([None, *CODES])))  # type: ignore[call-arg]
        name = str(draw(st.integers(0, 12)))
        facts.append(
            Fact(
                event=event,
                source="igate",
                source_id=name,
                stated=MORNING + HOUR * draw(st.integers(0, 40)),
                sender=draw(st.sampled_from(SENDERS)),
                key=identity(name, digest=draw(st.sampled_from([b"a", b"a", b"b"]))),
                dossier=subject if isinstance(subject, UUID) else None,
                code=subject if isinstance(subject, str) else None,
                expected=draw(st.sampled_from([None, None, None, 0, 1, 2])),
            )
        )
    return facts


async def furnished(*, opened: bool) -> tuple[MemoryStore, Ledger]:
    """Return a ledger with its registers; `opened`: somebody else has the code of a dossier."""
    store = MemoryStore(now)
    for entry in registers():
        await Registers(store, now).put(entry, Keeper(principal="tests", source="tests"))
    ledger = Ledger(store, now)
    if opened:
        await ledger.record(
            Fact(
                event=replace(accepted(), code=CODES[1]),
                source="theirs",
                source_id="0",
                stated=MORNING,
                sender=of_unit(None),
                key=identity("0", "theirs"),
                dossier=DOSSIER,
            )
        )
    return store, ledger


def shown(became: Became) -> object:
    if isinstance(became, Result):
        return became
    return type(became), str(became)


def said(store: MemoryStore) -> list[tuple[object, ...]]:
    """Return what is recorded, but for what is sealed: that differs each time."""
    return [
        (row.seq, row.stream_id, row.version, row.topic, orjson.loads(row.data)["meta"])
        for row in store.rows
    ]


async def told(
    earlier: Sequence[Fact], facts: Sequence[Fact], *, opened: bool, at_once: bool
) -> tuple[list[object], list[tuple[object, ...]]]:
    store, ledger = await furnished(opened=opened)
    for fact in earlier:
        await ledger.record_in_order([fact])
    if at_once:
        became = await ledger.record_in_order(facts)
    else:
        became = [each for fact in facts for each in await ledger.record_in_order([fact])]
    return [shown(each) for each in became], said(store)


@settings(max_examples=examples(150, long=5_000))
@for_all(lines(), lines(), st.booleans())
def test_a_line_of_facts_is_one_after_the_other(
    earlier: list[Fact],
    facts: list[Fact],
    opened: bool,  # noqa: FBT001  # drawn
) -> None:
    at_once = asyncio.run(told(earlier, facts, opened=opened, at_once=True))
    alone = asyncio.run(told(earlier, facts, opened=opened, at_once=False))
    assert at_once == alone
