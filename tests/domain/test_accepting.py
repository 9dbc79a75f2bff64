"""An acceptance by the rules at hand is what one that looks first would be, and reads nothing."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from domain.dossier.intake import AcceptDossier
from domain.envelope import UnitCode
from domain.errors import DomainError, KeyReused
from domain.ledger.access import Sender, scope_of
from domain.ledger.appends import THE_RULES, Question, Reading
from domain.ledger.commands import Ledger, Order
from domain.ledger.registering import Keeper, Registers
from domain.ledger.sameness import Identity
from domain.rules.procedures import Channel
from domain.rules.register import RegisterEvent
from domain.rules.tokens import Role
from infra.memory import MemoryStore
from streams.wire.sameness import digesting
from tests.examples import (
    AGENCY,
    DESK,
    ENDED,
    MORNING,
    PROCEDURE,
    PROVINCE,
    calendar_decided,
    procedure_published,
    registers,
    rule_book,
    unit_ended,
    unit_registered,
)
from tests.looking import examples

ACCEPT = AcceptDossier(
    procedure=PROCEDURE, channel=Channel.DIRECT, receiving_unit=DESK, competent_unit=AGENCY
)
BELOW = UnitCode("H01.10.6")
NEW = UnitCode("H01.10.7")
ENTRIES: list[RegisterEvent] = [
    unit_ended(AGENCY),
    unit_ended(DESK),
    unit_registered(DESK, parent=AGENCY),
    unit_registered(DESK, parent=None),
    unit_registered(NEW, parent=DESK),
    procedure_published(version=2, days=3),
    calendar_decided(),
    replace(calendar_decided("of their own"), unit=PROVINCE),
]


class Watched(MemoryStore):
    """A ledger that counts how often somebody looks; others write to it unseen."""

    def __init__(self) -> None:
        super().__init__(now)
        self.looks = 0

    async def read(self, asked: Question = THE_RULES) -> Reading:
        self.looks += 1
        return await super().read(asked)

    async def told_elsewhere(self, entry: RegisterEvent) -> None:
        """Let another process change a register."""
        await Registers(self.beside(), now).put(entry, Keeper(principal="others", source="others"))


def now() -> datetime:
    return MORNING


def order(number: int, unit: UnitCode, command: AcceptDossier = ACCEPT) -> Order:
    sender = Sender(
        principal="token:1", role=Role.DESK, unit=unit, scope=scope_of(rule_book(), unit)
    )
    return Order(
        command=command,
        dossier=UUID(int=number + 1, version=4),
        is_new=True,
        expected=0,
        sender=sender,
        key=Identity(scope=sender.principal, key=str(number % 7), digest=digesting(bytes)),
    )


async def furnished() -> Watched:
    store = Watched()
    for entry in [*registers(), unit_registered(BELOW, parent=DESK)]:
        await store.told_elsewhere(entry)
    await store.read()
    store.looks = 0
    return store


async def became(
    steps: Sequence[RegisterEvent | Order], *, looking: bool
) -> tuple[list[object], list[tuple[object, ...]]]:
    """Carry out acceptances while another process changes the registers."""
    store = await furnished()
    ledger = Ledger(store, now)
    answers: list[object] = []
    for step in steps:
        try:
            if isinstance(step, RegisterEvent):
                await store.told_elsewhere(step)
                continue
            if looking:
                await store.read()
            result: object = await ledger.execute(step)
        except DomainError as refused:
            result = type(refused), str(refused)
        answers.append(result)
    return answers, [(row.topic, row.stream_id, row.data) for row in store.rows]


ORDERS = st.builds(
    order,
    st.integers(0, 20),
    st.sampled_from([DESK, AGENCY, PROVINCE]),
    st.sampled_from(
        [
            ACCEPT,
            replace(ACCEPT, receiving_unit=ENDED),
            replace(ACCEPT, receiving_unit=BELOW),
            replace(ACCEPT, competent_unit=NEW),
        ]
    ),
)


@settings(max_examples=examples(100, long=3_000))
@for_all(st.lists(st.sampled_from(ENTRIES) | ORDERS, max_size=12))
def test_it_is_what_one_that_looks_first_would_be(steps: list[RegisterEvent | Order]) -> None:
    assert asyncio.run(became(steps, looking=False)) == asyncio.run(became(steps, looking=True))


async def test_nobody_looks_before_an_acceptance() -> None:
    store = await furnished()
    ledger = Ledger(store, now)
    first = await ledger.execute(order(0, DESK))
    again = await ledger.execute(replace(order(0, DESK), dossier=UUID(int=99, version=4)))
    assert (first.repeated, again.repeated) == (False, True)
    assert first.outcome == again.outcome
    assert store.looks == 0
    with pytest.raises(KeyReused) as refused:
        await ledger.execute(order(7, DESK, replace(ACCEPT, competent_unit=DESK)))
    assert refused.value.mistakes[0].pointer == "/competent_unit"
    assert refused.value.seq == first.outcome.seq


async def test_a_refusal_is_of_the_registers_as_they_stand() -> None:
    """What the rules at hand refuse may have been allowed elsewhere meanwhile, and is then done."""
    store = await furnished()
    there = replace(ACCEPT, competent_unit=NEW)
    await store.told_elsewhere(unit_registered(NEW, parent=DESK))
    result = await Ledger(store, now).execute(order(0, DESK, there))
    assert (result.outcome.kind, store.looks) == ("recorded", 1)
