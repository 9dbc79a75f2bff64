"""What every store promises: the one on PostgreSQL and the one in memory."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import date
from uuid import UUID, uuid4

import pytest

from domain.dossier.parts import Party
from domain.envelope import Pin, ProcedureCode, UnitCode
from domain.errors import CodeTaken, KeyReused, RulesChanged, StaleVersion, TooLarge
from domain.ledger.appends import Append, Key, LineStore, Outcome, Problem, Question, Store
from domain.personal import Personal, Withheld
from domain.rules.procedures import ProcedurePublished
from domain.rules.register import stream_of
from domain.rules.units import UnitRegistered
from infra.admission import EventRow
from infra.memory import MemoryStore
from tests.conftest import OpenStore
from tests.stores import (
    MORNING,
    accepted,
    appending,
    assert_whole,
    claim,
    key,
    meta,
    rows,
    step,
    utc_now,
)

Rows = Callable[[], Awaitable[list[EventRow]]]


class Case:
    """A store, and how to see the rows that it holds."""

    def __init__(self, store: LineStore, ledger_id: UUID, stored: Rows) -> None:
        self.store = store
        self.ledger_id = ledger_id
        self.rows = stored


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.postgres)])
def opener(request: pytest.FixtureRequest) -> OpenStore | None:
    if request.param == "memory":
        return None
    found: OpenStore = request.getfixturevalue("open_store")
    return found


@pytest.fixture
async def tested(opener: OpenStore | None) -> AsyncIterator[Case]:
    if opener is None:
        memory = MemoryStore(utc_now)

        async def stored() -> list[EventRow]:
            return memory.rows

        yield Case(memory, memory.ledger_id, stored)
        assert_whole(memory.ledger_id, memory.rows)
        return
    async with opener() as opened:
        yield Case(opened.store, opened.ledger_id, lambda: rows(opened.pool))
        assert_whole(opened.ledger_id, await rows(opened.pool))


@pytest.fixture
def store(tested: Case) -> Store:
    return tested.store


async def known(store: Store, under: Key) -> Outcome | None:
    """Return what the store answered under a key before; its digest is kept beside."""
    stored = (await store.read(Question(events=False, keys=(under.name,)))).stored.get(under.name)
    return stored.outcome if stored is not None else None


def registered(code: str = "H01", name: str = "Tỉnh") -> UnitRegistered:
    return UnitRegistered(
        originator_id=stream_of("unit", code),
        originator_version=0,
        timestamp=MORNING,
        meta=meta(),
        code=UnitCode(code),
        name=name,
    )


def published() -> ProcedurePublished:
    return ProcedurePublished(
        originator_id=stream_of("procedure", "1.000001"),
        originator_version=0,
        timestamp=MORNING,
        meta=meta(),
        code=ProcedureCode("1.000001"),
        version=1,
        name="Cấp giấy",
        field="F",
        valid_from=date(2026, 1, 1),
        legal_basis="QĐ 1",
    )


async def test_what_was_appended_is_read_again_in_its_order(store: Store) -> None:
    dossier = uuid4()
    first, second = step(dossier, "một"), step(dossier, "hai")
    await store.append(appending(first))
    await store.append(appending(second))
    reading = await store.read(Question(stream=dossier))
    assert [recorded.event for recorded in reading.events] == [
        replace(first, originator_version=1),
        replace(second, originator_version=2),
    ]
    assert [recorded.seq for recorded in reading.events] == [1, 2]
    assert reading.position == 2


async def test_the_answer_says_where_it_stands(store: Store) -> None:
    dossier = uuid4()
    await store.append(appending(step(uuid4())))
    answer = await store.append(appending(step(dossier), step(dossier)))
    assert not answer.repeated
    outcome = answer.outcome
    assert (outcome.kind, outcome.stream, outcome.version) == ("recorded", dossier, 2)
    assert (outcome.seq, outcome.position) == (3, 3)


async def test_a_stream_that_nobody_wrote_is_empty(store: Store) -> None:
    reading = await store.read(Question(stream=uuid4(), keys=(key().name,), name="H01-260302-0001"))
    assert (reading.events, reading.stored, reading.claimed, reading.position) == ((), {}, None, 0)


async def test_several_streams_are_recorded_together(store: Store) -> None:
    first, second = uuid4(), uuid4()
    await store.append(appending(step(first), step(second), step(first), expected=0))
    assert len((await store.read(Question(stream=first))).events) == 2
    assert len((await store.read(Question(stream=second))).events) == 1


async def test_several_streams_are_recorded_all_or_none(tested: Case) -> None:
    first, second = uuid4(), uuid4()
    await tested.store.append(appending(step(second)))
    with pytest.raises(StaleVersion):
        await tested.store.append(
            appending(step(first), step(second), expected=0, claims=(claim("A-1", first),))
        )
    assert len(await tested.rows()) == 1
    assert (await tested.store.read(Question(name="A-1"))).claimed is None


async def test_an_expected_version_that_is_passed_is_refused_and_named(store: Store) -> None:
    dossier = uuid4()
    await store.append(appending(step(dossier), expected=0))
    for expected in (0, 2):
        with pytest.raises(StaleVersion) as refused:
            await store.append(appending(step(dossier), expected=expected))
        assert refused.value.actual == 1
    await store.append(appending(step(dossier), expected=1))


async def test_of_many_that_read_the_same_version_one_wins(tested: Case) -> None:
    dossier = uuid4()
    attempts = [tested.store.append(appending(step(dossier), expected=0)) for _ in range(20)]
    results = await asyncio.gather(*attempts, return_exceptions=True)
    refused = [result for result in results if isinstance(result, StaleVersion)]
    assert len(refused) == 19
    assert len(await tested.rows()) == 1


async def test_appends_in_order_end_with_the_first_refusal(tested: Case) -> None:
    dossier, other = uuid4(), uuid4()
    first, refused, behind = (step(dossier, name) for name in ("một", "hai", "ba"))
    appends = [
        appending(first),
        appending(refused, expected=0),
        appending(behind),
        appending(step(other)),
    ]
    answers = await tested.store.append_in_order(appends)
    assert [type(answer).__name__ for answer in answers] == ["Answer", "StaleVersion"]
    assert len(await tested.rows()) == 1
    again = await tested.store.append_in_order(appends[2:])
    assert [type(answer).__name__ for answer in again] == ["Answer", "Answer"]
    assert len(await tested.rows()) == 3
    assert await tested.store.append_in_order([]) == []


async def test_a_code_belongs_to_one_stream(store: Store) -> None:
    holder, other = uuid4(), uuid4()
    await store.append(appending(step(holder), claims=(claim("A-1", holder),)))
    await store.append(appending(step(holder), claims=(claim("A-1", holder),)))
    with pytest.raises(CodeTaken):
        await store.append(appending(step(other), claims=(claim("A-1", other),)))
    reading = await store.read(Question(stream=other, name="A-1"))
    assert (reading.claimed, reading.stream) == (holder, holder)
    assert len(reading.events) == 2
    assert (await store.read(Question(stream=other))).events == ()


async def test_of_many_that_claim_a_code_at_once_one_gets_it(tested: Case) -> None:
    streams = [uuid4() for _ in range(20)]
    attempts = [tested.store.append(appending(step(s), claims=(claim("A-1", s),))) for s in streams]
    results = await asyncio.gather(*attempts, return_exceptions=True)
    assert sum(isinstance(result, CodeTaken) for result in results) == 19
    (row,) = await tested.rows()
    assert (await tested.store.read(Question(name="A-1"))).claimed == row.stream_id


@pytest.mark.parametrize("scope", ["H01.1-260302", "h01-260302", "Đ01.Một-260302"])
async def test_fifty_at_once_are_issued_gap_free_codes(store: Store, scope: str) -> None:
    streams = [uuid4() for _ in range(50)]
    answers = await asyncio.gather(
        *(store.append(appending(accepted(stream), issue=scope)) for stream in streams)
    )
    codes = {answer.outcome.code for answer in answers}
    assert codes == {f"{scope}-{number:04d}" for number in range(1, 51)}
    for stream, answer in zip(streams, answers, strict=True):
        reading = await store.read(Question(stream=stream, name=answer.outcome.code))
        assert reading.claimed == stream
        assert getattr(reading.events[0].event, "code", None) == answer.outcome.code


async def test_each_numbering_begins_at_one(store: Store) -> None:
    issued: Counter[str | None] = Counter()
    for scope in ("H01-260302", "H02-260302", "H01-260303", "H01-260302"):
        answer = await store.append(appending(accepted(uuid4()), issue=scope))
        issued[answer.outcome.code] += 1
    assert issued == Counter(
        ["H01-260302-0001", "H02-260302-0001", "H01-260303-0001", "H01-260302-0002"]
    )


async def test_a_numbering_skips_the_codes_that_came_from_elsewhere(store: Store) -> None:
    for number in (2, 3, 5):
        elsewhere, code = uuid4(), f"H01-260302-{number:04d}"
        await store.append(appending(step(elsewhere), claims=(claim(code, elsewhere),)))
    answers = [await store.append(appending(accepted(uuid4()), issue="H01-260302")) for _ in "abc"]
    issued = [answer.outcome.code for answer in answers]
    assert issued == ["H01-260302-0001", "H01-260302-0004", "H01-260302-0006"]


async def test_no_code_from_elsewhere_moves_a_numbering(store: Store) -> None:
    elsewhere = uuid4()
    code = f"H01-260302-{'9' * 18}"
    await store.append(appending(step(elsewhere), claims=(claim(code, elsewhere),)))
    answer = await store.append(appending(accepted(uuid4()), issue="H01-260302"))
    assert answer.outcome.code == "H01-260302-0001"


async def test_the_same_key_gets_the_same_answer_and_records_nothing(tested: Case) -> None:
    request = appending(accepted(uuid4()), expected=0, issue="H01-260302", under=key("k"))
    first = await tested.store.append(request)
    again = await tested.store.append(request)
    assert again.outcome == first.outcome
    assert (first.repeated, again.repeated) == (False, True)
    assert len(await tested.rows()) == 1
    assert (await known(tested.store, key("k"))) == first.outcome


async def test_the_same_key_many_times_at_once_is_recorded_once(tested: Case) -> None:
    request = appending(step(uuid4()), under=key("k"))
    answers = await asyncio.gather(*(tested.store.append(request) for _ in range(20)))
    assert {answer.outcome for answer in answers} == {answers[0].outcome}
    assert sum(not answer.repeated for answer in answers) == 1
    assert len(await tested.rows()) == 1


async def test_a_key_with_other_content_is_refused_when_appended(
    tested: Case,
) -> None:
    await tested.store.append(appending(step(uuid4()), under=key("k")))
    other = key("k", b"something else")
    with pytest.raises(KeyReused):
        await tested.store.append(appending(step(uuid4()), under=other))
    assert len(await tested.rows()) == 1


async def test_a_key_is_its_senders_own(tested: Case) -> None:
    await tested.store.append(appending(step(uuid4()), under=key("k", scope="one")))
    other = key("k", b"something else", scope="other")
    assert (await known(tested.store, other)) is None
    assert not (await tested.store.append(appending(step(uuid4()), under=other))).repeated


async def test_a_refusal_is_stored_and_answered_again(tested: Case) -> None:
    problem = Problem(
        code="illegal-transition", detail="Không được", status=9, allowed=("withdraw",)
    )
    outcome = Outcome(kind="refused", stream=uuid4(), problem=problem)
    await tested.store.append(appending(step(uuid4())))
    first = await tested.store.append(Append(key=key("k"), outcome=outcome))
    assert first.outcome == replace(outcome, position=1)
    again = await tested.store.append(Append(key=key("k"), outcome=outcome))
    assert (again.outcome, again.repeated) == (first.outcome, True)
    assert (await known(tested.store, key("k"))) == first.outcome
    assert len(await tested.rows()) == 1


async def test_no_news_is_an_answer_that_records_no_event(tested: Case) -> None:
    dossier = uuid4()
    outcome = Outcome(kind="no-news", stream=dossier, version=3, position=7)
    answer = await tested.store.append(Append(key=key("k"), outcome=outcome))
    assert answer.outcome == outcome
    assert (await known(tested.store, key("k"))) == outcome
    assert await tested.rows() == []


async def test_a_stale_version_is_not_stored_under_its_key(store: Store) -> None:
    dossier = uuid4()
    await store.append(appending(step(dossier)))
    with pytest.raises(StaleVersion):
        await store.append(appending(step(dossier), expected=0, under=key("k")))
    assert (await known(store, key("k"))) is None
    answer = await store.append(appending(step(dossier), expected=1, under=key("k")))
    assert not answer.repeated


async def test_rules_that_changed_since_the_decision_refuse_it(tested: Case) -> None:
    unit = registered()
    await tested.store.append(appending(unit))
    pin = Pin(stream=unit.originator_id, version=1)
    dossier = uuid4()
    await tested.store.append(appending(step(dossier), unchanged=(pin,)))
    await tested.store.append(appending(registered(name="Thành phố")))
    with pytest.raises(RulesChanged):
        await tested.store.append(appending(step(dossier), unchanged=(pin,)))
    assert len((await tested.store.read(Question(stream=dossier))).events) == 1


async def test_rules_that_say_more_by_now_refuse_what_rests_on_all_of_them(tested: Case) -> None:
    await tested.store.append(appending(registered()))
    await tested.store.append(appending(step(uuid4())))
    await tested.store.append(replace(appending(step(uuid4())), learned=1))
    await tested.store.append(appending(published()))
    with pytest.raises(RulesChanged):
        await tested.store.append(replace(appending(step(uuid4())), learned=1))


async def test_a_read_brings_the_rule_book_to_the_head(store: Store) -> None:
    await store.append(appending(registered()))
    await store.append(appending(published()))
    await store.append(appending(step(uuid4())))
    reading = await store.read()
    assert store.rules.units[UnitCode("H01")].unit.name == "Tỉnh"
    assert store.rules.procedures[ProcedureCode("1.000001")].pin.version == 1
    assert (store.rules.position, reading.position) == (2, 3)
    await store.append(appending(registered(name="Thành phố")))
    await store.read()
    assert store.rules.units[UnitCode("H01")].unit.name == "Thành phố"
    assert store.rules.versions[stream_of("unit", "H01")] == 2


async def test_personal_values_are_stored_sealed(tested: Case) -> None:
    dossier = uuid4()
    owner = Party(name=Personal("Nguyễn Văn A"), id_number=Personal("012345678901"))
    await tested.store.append(appending(accepted(dossier, owner)))
    (row,) = await tested.rows()
    assert "Nguyễn".encode() not in row.data
    assert b"012345678901" not in row.data
    (recorded,) = (await tested.store.read(Question(stream=dossier))).events
    read = getattr(recorded.event, "owner", None)
    assert isinstance(read, Party)
    assert read.name is not None
    assert read.name.value is Withheld.SEALED
    assert read.name.subject is not None


async def test_more_than_the_ledger_takes_at_once_is_refused(tested: Case) -> None:
    with pytest.raises(TooLarge):
        await tested.store.append(appending(step(uuid4(), "x" * (8 << 20))))
    assert await tested.rows() == []


async def test_a_caller_that_leaves_spoils_nothing(tested: Case) -> None:
    requests = [appending(step(uuid4()), under=key(f"k{number}")) for number in range(30)]
    tasks = [asyncio.ensure_future(tested.store.append(request)) for request in requests]
    await asyncio.sleep(0)
    for task in tasks[::3]:
        task.cancel()
    for task in tasks[::3]:
        with suppress(asyncio.CancelledError):
            await task
    stayed = await asyncio.gather(*(t for i, t in enumerate(tasks) if i % 3))
    assert not any(answer.repeated for answer in stayed)
    again = await asyncio.gather(*(tested.store.append(request) for request in requests))
    assert [a.outcome for i, a in enumerate(again) if i % 3] == [a.outcome for a in stayed]
    assert len(await tested.rows()) == 30
