"""The audit finds what the owner of the database changes behind the ledger's back, and no more.

HOSO_LONG=1 changes much more at random.
"""
# ruff: noqa: S608  # every statement is made of this module's own words

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID, uuid4

import asyncpg
import psutil
import pytest

from domain.dossier.chapter import DossierCommand
from domain.dossier.events import DossierEvent
from domain.dossier.incidents import BeginIncident
from domain.envelope import UnitCode
from domain.evidence.leaves import NO_LEAF, entry, leaf_hash
from domain.ledger.access import Sender
from domain.ledger.appends import Key
from domain.ledger.commands import Ledger, Order
from domain.ledger.messages import Fact
from domain.ledger.registering import Keeper, Registers
from domain.rules.tokens import Role
from infra.admission import EventRow
from infra.audit import Audit, AuditStopped, audit
from infra.database import Database
from tests import examples
from tests.conftest import NewDatabase
from tests.stores import Opened, opened, until, utc_now

TIMES = 300 if os.environ.get("HOSO_LONG") == "1" else 6
TABLES = ("event", "stream", "claim", "append", "head")
KEPT = (*TABLES, "subject_key", "lookup")
SENDER = Sender(principal="token:audit", role=Role.DESK, unit=examples.PROVINCE, scope=frozenset())
STRANGER = UnitCode("H02")
FACTS: tuple[DossierEvent, ...] = (
    examples.accepted(code=None),
    examples.assigned(),
    examples.step_completed(),
    examples.supplement_requested(),
    examples.supplement_completed(),
    examples.result_at_desk(),
    examples.result_returned(),
)
OTHER_TYPE = """
CASE type WHEN 'dossier.assigned.v1' THEN 'dossier.step-completed.v1' ELSE 'dossier.assigned.v1' END
"""


def key(scope: str, name: str) -> Key:
    return Key(scope=scope, key=name, digest=b"of what was sent")


def fact(event: DossierEvent, code: str, name: str, hours: int) -> Fact:
    return Fact(
        event=event,
        source="igate",
        source_id=name,
        stated=examples.MORNING + timedelta(hours=hours),
        sender=SENDER,
        key=examples.identity(name, "source:igate"),
        code=code,
    )


def order(command: DossierCommand, dossier: UUID, expected: int) -> Order:
    return Order(
        command=command,
        dossier=dossier,
        expected=expected,
        sender=SENDER,
        key=examples.identity(uuid4().hex, SENDER.principal),
        acting_unit=examples.DESK,
    )


async def send_facts(ledger: Ledger, dossiers: range) -> None:
    for number in dossiers:
        code = f"H01.10-260302-{number:04d}"
        for place, event in enumerate(FACTS):
            await ledger.record(fact(event, code, f"{number}/{place}", place))


async def send_as_strangers(ledger: Ledger, dossiers: range) -> None:
    """Tell of codes that are known, and of one that waits for its acceptance, and claim nothing."""
    for number in (*dossiers, 9_999):
        code = f"H01.10-260302-{number:04d}"
        event = examples.told_for(None, examples.accepted(code=None, receiving_unit=STRANGER))
        told = fact(event, code, f"theirs {number}", 1)
        await ledger.record(replace(told, sender=replace(SENDER, unit=STRANGER)))


async def send_commands(ledger: Ledger, dossier: UUID) -> None:
    """Accept a dossier, with news, no news and a refusal on the way, until two events end it."""
    accept = examples.asking_for(examples.accepted(code=None, due=None))
    incident = BeginIncident(system="VNeID")
    for command, expected in (
        (accept, 0),
        (accept, 1),  # Refused.
        (incident, 1),
        (incident, 2),  # No news.
        (examples.asking_for(examples.supplement_requested()), 2),
        (examples.asking_for(examples.supplement_expired()), 3),
    ):
        await ledger.execute(order(command, dossier, expected))


async def fill(url: str) -> None:
    """Record about 300 events through every way in, and keep a copy of all rows."""
    async with opened(url) as process:
        registers = Registers(process.store, utc_now)
        stranger = examples.unit_registered(STRANGER, parent=None)
        for entry_of_it in (*examples.registers(), stranger):
            await registers.put(entry_of_it, Keeper(principal="administrator", source="test"))
        ledger = Ledger(process.store, utc_now)
        await send_as_strangers(ledger, range(40, 42))
        await asyncio.gather(
            send_facts(ledger, range(30, 45)),
            *(send_commands(ledger, uuid4()) for _ in range(10)),
        )
        await send_as_strangers(ledger, range(42, 45))
        await send_facts(ledger, range(10, 30))
    owner = await asyncpg.connect(url)
    await owner.execute("CREATE SCHEMA kept")
    for table in KEPT:
        await owner.execute(f"CREATE TABLE kept.{table} AS TABLE ledger.{table}")
    await owner.close()


@dataclass(frozen=True)
class Owner:
    """Whoever owns the database, and changes it as if the ledger had no guard."""

    url: str
    connection: asyncpg.Connection
    ledger_id: UUID

    async def change(self, statement: str, *values: object) -> None:
        async with self.unguarded():
            done = await self.connection.execute(statement, *values)
            assert not done.endswith(" 0")

    @asynccontextmanager
    async def unguarded(self) -> AsyncIterator[None]:
        async with self.connection.transaction():
            for table in TABLES:
                await self.connection.execute(
                    f"ALTER TABLE ledger.{table} DISABLE TRIGGER immutable"
                )
            yield
            for table in TABLES:
                await self.connection.execute(
                    f"ALTER TABLE ledger.{table} ENABLE ALWAYS TRIGGER immutable"
                )

    async def restore(self) -> None:
        async with self.unguarded():
            for table in KEPT:
                await self.connection.execute(f"TRUNCATE ledger.{table}")
                await self.connection.execute(
                    f"INSERT INTO ledger.{table} SELECT * FROM kept.{table}"
                )

    async def event(self, where: str = "true", *values: object) -> EventRow:
        row = await self.connection.fetchrow(
            f"SELECT * FROM ledger.event WHERE {where} ORDER BY seq LIMIT 1", *values
        )
        assert row is not None
        return EventRow(row[0], UUID(str(row[1])), *list(row)[2:])

    async def any_event(self, chance: Random) -> EventRow:
        last = await self.connection.fetchval("SELECT max(seq) FROM ledger.event")
        return await self.event("seq = $1", chance.randint(1, last))

    async def audit(self, workers: int = 1) -> Audit:
        return await audit(Database(self.url, "test"), None, workers)

    async def whats(self) -> list[tuple[int | None, UUID | None, str]]:
        return [(each.seq, each.stream, each.what) for each in (await self.audit()).differences]

    def leaf(self, row: EventRow, previous: bytes) -> bytes:
        return leaf_hash(entry(self.ledger_id, row.stream_id, row.version, previous, *row[3:7]))


@pytest.fixture(scope="module")
def ledger_url(new_database: NewDatabase) -> Iterator[str]:
    with new_database() as url:
        asyncio.run(fill(url))
        yield url


@pytest.fixture
async def owner(ledger_url: str) -> AsyncIterator[Owner]:
    connection = await asyncpg.connect(ledger_url)
    ledger_id = await connection.fetchval("SELECT ledger_id FROM ledger.head")
    owner = Owner(ledger_url, connection, UUID(str(ledger_id)))
    yield owner
    await owner.restore()
    await connection.close()


async def test_an_untouched_ledger_has_no_difference(owner: Owner) -> None:
    events = await owner.connection.fetchval("SELECT count(*) FROM ledger.event")
    streams = await owner.connection.fetchval("SELECT count(*) FROM ledger.stream")
    assert events > 290
    assert await owner.audit() == Audit(events, streams, ())
    kinds = await owner.connection.fetch(
        "SELECT DISTINCT convert_from(outcome, 'UTF8')::json ->> 'kind' FROM ledger.append"
    )
    assert {kind for (kind,) in kinds} == {"recorded", "no-news", "refused"}


async def test_an_empty_ledger_has_no_difference(database_url: str) -> None:
    assert await audit(Database(database_url, "test")) == Audit(0, 0, ())


FLIP = "set_bit({0}, $2 % (8 * octet_length({0})), 1 - get_bit({0}, $2 % (8 * octet_length({0}))))"


@pytest.mark.parametrize(
    "change",
    [
        f"data = {FLIP.format('data')}",
        f"leaf = {FLIP.format('leaf')}",
        f"type = {OTHER_TYPE}",
        "type = type || $2::text",
        "type = 'unit.' || type || $2::text",
        "occurred_at = occurred_at + (1 + $2 % 1000000) * interval '1 microsecond'",
        "occurred_at = CASE $2 % 2 WHEN 0 THEN timestamptz 'infinity' ELSE '0044-03-15 BC' END",
        "recorded_at = recorded_at - (1 + $2 % 1000000) * interval '1 microsecond'",
        "recorded_at = recorded_at + (1 + $2 % 1000000) * interval '1 microsecond'",
        "stream_id = md5($2::text)::uuid",
        "version = version # (1 << (5 + $2 % 27)::integer)",
        "seq = seq # (1::bigint << (10 + $2 % 54)::integer)",
    ],
)
async def test_a_changed_event_is_found_and_named(owner: Owner, change: str) -> None:
    chance = Random(change)
    for _ in range(TIMES):
        row = await owner.any_event(chance)
        await owner.change(
            f"UPDATE ledger.event SET {change} WHERE seq = $1 AND $2::bigint >= 0",
            row.seq,
            chance.getrandbits(62),
        )
        found = (await owner.audit()).differences
        assert any(each.seq == row.seq for each in found)
        assert any(each.stream == row.stream_id for each in found)
        assert len(found) <= 8, found
        await owner.restore()


@pytest.mark.parametrize("number", range(2 * TIMES))
async def test_a_deleted_event_is_found_and_named(owner: Owner, number: int) -> None:
    last = await owner.connection.fetchval("SELECT max(seq) FROM ledger.event")
    row = await owner.event("seq = $1", last) if number == 0 else None
    row = row or await owner.any_event(Random(number))
    await owner.change("DELETE FROM ledger.event WHERE seq = $1", row.seq)
    found = (await owner.audit()).differences
    if row.seq < last:
        assert any(each.seq == row.seq and "no event has this seq" in each.what for each in found)
    assert any(each.stream == row.stream_id for each in found)


@pytest.mark.parametrize("number", range(2 * TIMES))
async def test_two_events_that_trade_places_are_found(owner: Owner, number: int) -> None:
    last = await owner.connection.fetchval("SELECT max(seq) FROM ledger.event")
    first, second = Random(number).sample(range(1, last + 1), 2)
    rows = [await owner.event("seq = $1", seq) for seq in (second, first)]
    for before, after in ((first, 0), (second, first), (0, second)):
        await owner.change("UPDATE ledger.event SET seq = $2 WHERE seq = $1", before, after)
    places = {(each.seq, each.stream) for each in (await owner.audit()).differences}
    assert places >= {(first, rows[0].stream_id), (second, rows[1].stream_id)}


@pytest.mark.parametrize("number", range(TIMES))
async def test_a_row_changed_together_with_its_leaf_is_found(owner: Owner, number: int) -> None:
    row = await owner.any_event(Random(number))
    before = "stream_id = $1 AND version = $2"
    first = row.version == 1
    previous = (
        NO_LEAF if first else (await owner.event(before, row.stream_id, row.version - 1)).leaf
    )
    forged = row._replace(occurred_at=row.occurred_at - timedelta(days=1))
    change = "UPDATE ledger.event SET occurred_at = $2, leaf = $3 WHERE seq = $1"
    await owner.change(change, row.seq, forged.occurred_at, owner.leaf(forged, previous))
    (found,) = (await owner.audit()).differences
    assert found.stream == row.stream_id


@pytest.mark.parametrize("with_its_head", [False, True])
async def test_a_forged_event_with_a_fitting_leaf_is_found(
    owner: Owner, *, with_its_head: bool
) -> None:
    last = await owner.event("seq = (SELECT max(seq) FROM ledger.event)")
    previous = await owner.event(
        "stream_id = $1 AND version = (SELECT max(version) FROM ledger.event WHERE stream_id = $1)",
        last.stream_id,
    )
    forged = previous._replace(
        seq=last.seq + 1, version=previous.version + 1, recorded_at=datetime.now(UTC)
    )
    forged = forged._replace(leaf=owner.leaf(forged, previous.leaf))
    await owner.change("INSERT INTO ledger.event VALUES ($1, $2, $3, $4, $5, $6, $7, $8)", *forged)
    if with_its_head:
        change = "UPDATE ledger.stream SET version = $2, leaf = $3 WHERE stream_id = $1"
        await owner.change(change, forged.stream_id, forged.version, forged.leaf)
    found = (await owner.audit()).differences
    # It says that it came in with what the last one came in with, whose outcome says otherwise.
    assert {(each.seq, each.stream) for each in found} == {(forged.seq, forged.stream_id)}
    assert len(found) == (1 if with_its_head else 2)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ("UPDATE ledger.stream SET version = version + 1", "has version 8, the events 7"),
        ("UPDATE ledger.stream SET leaf = sha256(leaf)", "ledger.stream has leaf "),
        ("UPDATE ledger.stream SET category = 'unit'", "category unit, the events dossier"),
        ("DELETE FROM ledger.stream", "the stream has events, but no row in ledger.stream"),
    ],
)
async def test_a_changed_stream_head_is_found_and_named(
    owner: Owner, change: str, what: str
) -> None:
    row = await owner.event("version = 7")
    await owner.change(f"{change} WHERE stream_id = $1", row.stream_id)
    (found,) = (await owner.audit()).differences
    last = await owner.event("stream_id = $1 AND version = 7", row.stream_id)
    assert (found.seq, found.stream) == (last.seq, row.stream_id)
    assert what in found.what


async def test_a_head_of_a_stream_without_events_is_found(owner: Owner) -> None:
    stream = uuid4()
    await owner.change("INSERT INTO ledger.stream VALUES ($1, 'dossier', 3, $2)", stream, NO_LEAF)
    what = "ledger.stream has version 3 of a stream without events"
    assert await owner.whats() == [(None, stream, what)]


CODE = "H01.10-260302-0012"


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ("DELETE FROM ledger.claim", f"nobody claims the dossier code {CODE} that it says"),
        (f"UPDATE ledger.claim SET value = '{CODE}0'", f"nobody claims the dossier code {CODE}"),
        ("UPDATE ledger.claim SET kind = 'other'", f"says the other {CODE} that it claims"),
        ("UPDATE ledger.claim SET serial = 9999", f"the claim of {CODE} is counted as"),
        ("UPDATE ledger.claim SET scope = NULL", f"the claim of {CODE} is counted as"),
    ],
)
async def test_a_changed_claim_is_found_and_named(owner: Owner, change: str, what: str) -> None:
    stream = await owner.connection.fetchval(
        "SELECT stream_id FROM ledger.claim WHERE value = $1", CODE
    )
    await owner.change(f"{change} WHERE value = $1", CODE)
    found = (await owner.audit()).differences
    assert {each.stream for each in found} == {UUID(str(stream))}
    assert any(what in each.what for each in found)


async def test_a_claim_moved_to_another_stream_is_found_on_both_sides(owner: Owner) -> None:
    other = (await owner.event("version = 2")).stream_id
    await owner.change("UPDATE ledger.claim SET stream_id = $2 WHERE value = $1", CODE, other)
    whats = {what for _, _, what in await owner.whats()}
    assert f"the dossier code {CODE} that it says is claimed by {other}" in whats
    assert f"no event of the stream says the dossier-code {CODE} that it claims" in whats


async def test_a_claim_that_no_event_says_is_found(owner: Owner) -> None:
    stream = (await owner.event("version = 2")).stream_id
    await owner.change("INSERT INTO ledger.claim VALUES ('dossier-code', 'X-1', $1)", stream)
    what = "no event of the stream says the dossier-code X-1 that it claims"
    assert await owner.whats() == [(None, stream, what)]


SET = """
UPDATE ledger.append
SET outcome = convert_to((convert_from(outcome, 'UTF8')::jsonb || '%s')::text, 'UTF8')
"""


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ("DELETE FROM ledger.append", "no outcome says that it was recorded"),
        ("UPDATE ledger.append SET key = key || '0'", "no outcome says that it was recorded"),
        ("UPDATE ledger.append SET scope = 'source:other'", "no outcome says that it was recorded"),
        ("UPDATE ledger.append SET outcome = '\\x7b'", "source:igate 15/3 cannot be read"),
        (SET % '{"kind": "refused"}', "its outcome says refused"),
        (SET % '{"kind": "no-news", "seq": null}', "its outcome says no-news"),
        (SET % '{"seq": 9}', "its outcome says seq 9"),
        (SET % '{"version": 400}', "says version 400 of the stream"),
        (SET % '{"version": 99999999999999999999}', "of the stream, which does not have it"),
        (SET % '{"version": null}', "its outcome says recorded"),
        (SET % '{"position": 1}', "but position 1"),
        (SET % '{"code": "X"}', "says the dossier code X, which its stream does not claim"),
    ],
)
async def test_a_changed_outcome_is_found_and_named(owner: Owner, change: str, what: str) -> None:
    told = "convert_from(outcome, 'UTF8')::json ->> 'seq'"
    where = "WHERE scope = 'source:igate' AND key = '15/3'"
    seq = int(await owner.connection.fetchval(f"SELECT {told} FROM ledger.append {where}"))
    row = await owner.event("seq = $1", seq)
    await owner.change(f"{change} {where}")
    found = (await owner.audit()).differences
    assert any(what in each.what for each in found)
    assert {(each.seq, each.stream) for each in found} <= {
        (row.seq, row.stream_id),
        (9, row.stream_id),
        (None, None),
        (None, row.stream_id),
    }


async def test_it_says_exactly_what_differs(owner: Owner) -> None:
    row = await owner.event("version = 3")
    before = await owner.event("stream_id = $1 AND version = 2", row.stream_id)
    after = await owner.event("stream_id = $1 AND version = 4", row.stream_id)

    await owner.change("UPDATE ledger.event SET type = 'dossier.x.v1' WHERE seq = $1", row.seq)
    computed = owner.leaf(row._replace(topic="dossier.x.v1"), before.leaf)
    changed = f"leaf {row.leaf.hex()} is stored, {computed.hex()} was computed"
    unknown = "the stored name dossier.x.v1 is unknown"
    expected = [(row.seq, row.stream_id, changed), (row.seq, row.stream_id, unknown)]
    assert await owner.whats() == expected

    await owner.restore()
    await owner.change("UPDATE ledger.event SET leaf = $2 WHERE seq = $1", row.seq, NO_LEAF)
    changed = f"leaf {NO_LEAF.hex()} is stored, {row.leaf.hex()} was computed"
    follows = "its leaf follows what version 3 says, not the leaf stored there"
    expected = [(row.seq, row.stream_id, changed), (after.seq, row.stream_id, follows)]
    assert await owner.whats() == expected

    await owner.restore()
    await owner.change("DELETE FROM ledger.event WHERE seq = $1", row.seq)
    missing = "version 4 follows no version 3: the stream has none"
    found = await owner.whats()
    assert (row.seq, None, "no event has this seq") in found
    assert (after.seq, row.stream_id, missing) in found
    assert len(found) == 3  # The third is its outcome.


async def test_times_that_run_backwards_and_lost_rows_are_found_in_the_order(owner: Owner) -> None:
    row = await owner.event("seq = 200")
    change = "UPDATE ledger.event SET recorded_at = recorded_at - interval '1 day' WHERE seq = 200"
    await owner.change(change)
    assert (200, None, "recorded_at is before that of seq 199") in await owner.whats()
    await owner.change("DELETE FROM ledger.event WHERE seq BETWEEN 198 AND 202")
    assert (198, None, "no event has this seq up to seq 202") in await owner.whats()
    assert row.seq == 200


PERSON = "(SELECT subject FROM ledger.lookup WHERE kind = 'id_number' LIMIT 1)"


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ("DELETE FROM ledger.subject_key", "is gone, without an erasure"),
        (f"DELETE FROM ledger.subject_key WHERE subject = {PERSON}", "is gone, without an erasure"),
        ("DELETE FROM ledger.lookup", "by an identity number"),
        (
            "UPDATE ledger.subject_key SET subject = gen_random_uuid()",
            "whom it names not",
        ),
        ("UPDATE ledger.lookup SET subject = gen_random_uuid()", "who has no key"),
    ],
)
async def test_a_person_without_a_key_and_a_key_without_a_person_are_found(
    owner: Owner, change: str, what: str
) -> None:
    """Item 13: whoever deletes all keys erases everybody, and says so nowhere."""
    await owner.change(change)
    found = (await owner.audit()).differences
    assert [each for each in found if what in each.what]


async def test_whoever_was_erased_needs_no_key(owner: Owner) -> None:
    (person,) = await owner.connection.fetch(f"SELECT {PERSON} AS subject")
    async with opened(owner.url) as process:
        subject = UUID(str(person["subject"]))
        entry_of_it = examples.subject_erased(subject)
        await Registers(process.store, utc_now).put(
            entry_of_it, Keeper(principal="machine", source="test")
        )
        await process.store.read()
        assert await process.keys.destroy([subject])
    assert (await owner.audit()).differences == ()


async def test_a_ledger_under_another_id_agrees_with_nothing(owner: Owner) -> None:
    await owner.change("UPDATE ledger.head SET ledger_id = gen_random_uuid()")
    audited = await owner.audit()
    assert {each.seq for each in audited.differences} == set(range(1, audited.events + 1))
    await owner.change("DELETE FROM ledger.head")
    (found,) = (await owner.audit()).differences
    assert "ledger.head has 0 rows" in found.what


async def test_a_tail_cut_off_with_all_that_stands_beside_it_is_not_found(owner: Owner) -> None:
    """Only an anchor kept elsewhere finds that: this is what the audit says it cannot do."""
    last = await owner.event("seq = (SELECT max(seq) FROM ledger.event)")
    previous = await owner.event(
        "stream_id = $1 AND version = $2", last.stream_id, last.version - 1
    )
    outcome = "convert_from(outcome, 'UTF8')::json"
    await owner.change("DELETE FROM ledger.event WHERE seq = $1", last.seq)
    await owner.change(
        f"DELETE FROM ledger.append WHERE ({outcome} ->> 'seq')::bigint = $1", last.seq
    )
    assert len((await owner.audit()).differences) == 1
    await owner.change(
        "UPDATE ledger.stream SET version = $2, leaf = $3 WHERE stream_id = $1",
        *(last.stream_id, previous.version, previous.leaf),
    )
    assert (await owner.audit()).ok


async def test_the_number_of_processes_changes_nothing(owner: Owner) -> None:
    await owner.change("UPDATE ledger.event SET data = data || '\\x20'::bytea WHERE seq % 7 = 0")
    await owner.change("DELETE FROM ledger.claim WHERE value LIKE '%4'")
    alone = await owner.audit(workers=1)
    assert len(alone.differences) > 40
    assert await owner.audit(workers=2) == alone
    assert await owner.audit(workers=3) == alone


async def test_it_tells_how_far_it_is(owner: Owner) -> None:
    told: list[tuple[int, int]] = []
    await audit(Database(owner.url, "test"), lambda done, total: told.append((done, total)), 1)
    (total,) = {total for _, total in told}
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[-1] == (total, total)


async def send_without_end(process: Opened) -> None:
    ledger = Ledger(process.store, utc_now)
    for number in range(5_000, 10_000):
        await send_facts(ledger, range(number, number + 1))
        await send_commands(ledger, uuid4())


@pytest.mark.parametrize("workers", [1, 2])
async def test_a_service_that_writes_meanwhile_is_no_difference(
    database_url: str, workers: int
) -> None:
    async with opened(database_url) as process:
        registers = Registers(process.store, utc_now)
        for each in examples.registers():
            await registers.put(each, Keeper(principal="administrator", source="test"))
        writers = [asyncio.create_task(send_without_end(process)) for _ in range(3)]
        seen = []
        for _ in range(4):
            audited = await audit(Database(database_url, "test"), None, workers)
            assert audited.ok, audited.differences
            seen.append(audited.events)
        assert seen == sorted(seen)
        assert seen[-1] > seen[0]
        for writer in writers:
            writer.cancel()
        await asyncio.wait(writers)


async def test_a_process_that_dies_stops_the_audit_with_one_error(owner: Owner) -> None:
    started = asyncio.create_task(owner.audit(workers=2))

    async def killed() -> bool:
        found = [
            child
            for child in psutil.Process().children()
            if any("spawn_main" in word for word in child.cmdline())
        ]
        for child in found:
            child.kill()
        return bool(found)

    await until(killed)
    with pytest.raises(AuditStopped, match="one of its processes died"):
        await started


async def test_a_database_that_is_away_stops_the_audit_with_one_error(
    empty_database_url: str, tmp_path: object
) -> None:
    with pytest.raises(AuditStopped, match="UndefinedTableError"):
        await audit(Database(empty_database_url, "test"))
    with pytest.raises(AuditStopped, match="The audit was cut short"):
        await audit(Database(f"postgresql://postgres@/none?host={tmp_path}", "test"))
