"""Hosts on a real PostgreSQL: rows follow the ledger, once each, or it is said that they halt."""

import asyncio
from collections.abc import Sequence
from uuid import UUID, uuid4

import asyncpg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import given as for_all
from hypothesis import strategies as st

from domain.dossier.events import DossierEvent
from infra.event_feed import EventFeed
from infra.event_log import EventLog
from projections.hosting import pacing, runner, tables
from projections.hosting.log import Entry
from projections.hosting.projector import DoesNotFollow, Projector
from projections.hosting.runner import Manner
from projections.hosting.tables import ProjectionHalted
from projections.table import Session
from tests import examples as eg
from tests.conftest import OpenStore
from tests.looking import examples
from tests.projections.telling import (
    UNPACED,
    Host,
    Watched,
    batches_of,
    dossiers,
    feed_of,
    hosted,
    of,
    position_of,
    rows_due,
    rows_in,
    running,
    tell,
    told_in,
)
from tests.stores import PATIENCE, step, until

TABLES = ("dossier_overview_v6", "dossier_sight_v2", "dossiers_due_v1", "dossiers_v4")
FOLD = TABLES[-1]
DAMAGES = {
    "a leaf was changed": "UPDATE ledger.event SET leaf = sha256(leaf) WHERE seq = 3",
    "the end was cut off": "DELETE FROM ledger.event WHERE seq = 3",
    "it is another ledger": "UPDATE ledger.head SET ledger_id = gen_random_uuid()",
}
POISONS = {
    "a stored name that nobody knows": "UPDATE ledger.event SET type = 'dossier.sung.v1'",
    "bytes that are no JSON": "UPDATE ledger.event SET data = '\\xff'",
}
TERMINATE = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
LOCKS = (
    "SELECT count(*) FROM pg_locks WHERE relation = 'views.checkpoint'::regclass"
    " AND mode <> 'AccessShareLock'"
)


def life_of(dossier: UUID) -> list[DossierEvent]:
    events: tuple[DossierEvent, ...] = (
        eg.accepted(code=None),
        eg.step_started(),
        eg.result_at_desk(),
    )
    return [of(dossier, event, hour) for hour, event in enumerate(events)]


async def test_what_was_told_is_shown(open_store: OpenStore) -> None:
    one, two = uuid4(), uuid4()
    async with open_store() as process:
        host = await hosted(process)
        await tell(process, eg.unit_registered(), *life_of(one), of(two, eg.submitted()))
        assert await host.caught_up() == 5
        found = await process.pool.fetch(
            "SELECT dossier_id, status, opened_seq FROM views.dossier_overview ORDER BY opened_seq"
        )
        assert [tuple(row) for row in found] == [(one, 9, 2), (two, 1, 5)]
        assert await rows_in(process, [one, two]) == await rows_due(process, [one, two])
        assert await host.step() == 0


@settings(
    max_examples=examples(12, long=400),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@for_all(st.data())
async def test_batch_by_batch_gives_what_whole_streams_give(
    open_store: OpenStore, data: st.DataObject
) -> None:
    """Every example goes on with the same ledger, about dossiers of its own."""
    ids = [uuid4() for _ in range(3)]
    told = told_in(data, data.draw(dossiers(ids)))
    async with open_store() as process:
        host = await hosted(process)
        for batch in batches_of(data, told):
            await tell(process, *(each.event for each in batch))
            steps: int = data.draw(st.integers(0, 2))
            for _ in range(steps):
                await host.step(data.draw(st.integers(1, 5)))
        await host.caught_up()
        assert await rows_in(process, ids) == await rows_due(process, ids)


async def test_beside_desks_a_batch_is_stored_in_portions_and_whole(
    open_store: OpenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pacing, "_PORTION", 2)
    ids = [uuid4() for _ in range(5)]
    async with open_store() as process:
        host = await hosted(process)
        for dossier in ids:
            await tell(process, *life_of(dossier))
        async with process.pool.acquire() as connection:
            batch = await host.log.page(connection, 0, 100)
            pace = pacing.Pace(beside_desks=True)
            await Projector(host.log, host.shelf).apply(connection, batch, pace)
        assert await rows_in(process, ids) == await rows_due(process, ids)


async def test_far_behind_it_is_patient_until_it_is_near(
    open_store: OpenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[bool] = []

    class Seen(pacing.Pace):
        def rested(self) -> None:
            told.append(self.is_patient)
            super().rested()

    monkeypatch.setattr(runner, "Pace", Seen)
    monkeypatch.setattr(runner, "_BACKLOG", 2)
    monkeypatch.setattr(runner, "_WAY", 0.0)
    async with open_store() as process:
        host = await hosted(process, manner=Manner(batch=1, beside_desks=True))
        await tell(process, *life_of(uuid4()), *life_of(uuid4()))
        async with running(host):
            await host.standing.reached(6, 30.0)
        assert True in told
        assert not told[-1]


@pytest.mark.parametrize(
    ("late", "hour"), [(eg.supplement_requested(), 1), (eg.corrected(corrects="result-at-desk"), 9)]
)
async def test_a_late_event_or_a_correction_makes_its_stream_alone_be_read_again(
    open_store: OpenStore, late: DossierEvent, hour: int
) -> None:
    one, two = uuid4(), uuid4()
    async with open_store() as process:
        log = Watched(feed_of(process))
        host = await hosted(process, log=log)
        await tell(process, *life_of(one), *life_of(two))
        await host.caught_up()
        await tell(process, of(one, eg.result_returned(), 5), of(two, eg.result_returned(), 5))
        await host.caught_up()
        assert log.whole == []
        await tell(process, of(one, late, hour), of(two, eg.delivery_failed(), 6))
        await host.caught_up()
        assert log.whole == [{one}]
        assert await rows_in(process, [one, two]) == await rows_due(process, [one, two])


async def test_rows_and_checkpoints_move_together_or_not_at_all(
    open_store: OpenStore, owner: asyncpg.Connection
) -> None:
    dossier = uuid4()
    async with open_store() as process:
        host = await hosted(process)
        first, *others = life_of(dossier)
        await tell(process, first)
        await host.caught_up()
        before = await rows_in(process, [dossier])
        await tell(process, *others)
        # What is written last fails: the rows of every view are written by then.
        await owner.execute(
            "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql"
            " AS $$ BEGIN RAISE 'disk full' USING ERRCODE = '53100'; END $$;"
            " CREATE TRIGGER fails BEFORE UPDATE ON views.checkpoint"
            " FOR EACH ROW EXECUTE FUNCTION fail()"
        )
        with pytest.raises(asyncpg.DiskFullError):
            await host.step()
        assert await rows_in(process, [dossier]) == before
        assert {await position_of(process, table) for table in TABLES} == {1}
        await owner.execute("DROP TRIGGER fails ON views.checkpoint")
        assert await host.step() == 2
        assert {await position_of(process, table) for table in TABLES} == {3}
        assert await rows_in(process, [dossier]) == await rows_due(process, [dossier])


async def test_what_was_applied_already_is_dropped_and_what_is_missing_is_named(
    open_store: OpenStore,
) -> None:
    dossier = uuid4()
    async with open_store() as process:
        host = await hosted(process)
        await tell(process, *life_of(dossier))
        projector = Projector(host.log, host.shelf)
        async with process.pool.acquire() as connection:
            entries = await host.log.page(connection, 0, 10)
            with pytest.raises(DoesNotFollow, match="Position 1 comes next, and not 2") as missing:
                await projector.apply(connection, entries[1:], UNPACED)
            assert missing.value.expected == 1
            with pytest.raises(DoesNotFollow, match="Position 2 comes next"):
                await projector.apply(connection, [entries[0], entries[2]], UNPACED)
            for batch in (entries[:2], entries[:2], entries, entries[1:], []):
                await projector.apply(connection, batch, UNPACED)
        assert await position_of(process, FOLD) == 3
        assert await rows_in(process, [dossier]) == await rows_due(process, [dossier])


async def test_two_that_think_they_lead_apply_each_event_once(open_store: OpenStore) -> None:
    ids = [uuid4() for _ in range(5)]
    async with open_store() as one, open_store() as two:
        hosts = [await hosted(one), await hosted(two)]
        told = asyncio.Event()

        async def telling() -> int:
            for hour, _ in enumerate(range(20)):
                await tell(one, *(of(dossier, eg.supplement_requested(), hour) for dossier in ids))
            told.set()
            return 0

        async def work(host: Host) -> int:
            done = 0
            while not told.is_set():
                done += await host.step(7)
            return done + await host.caught_up(7)

        await asyncio.gather(telling(), *map(work, hosts))
        assert await rows_in(one, ids) == await rows_due(one, ids)


@pytest.mark.parametrize("damage", DAMAGES)
async def test_it_halts_where_the_ledger_is_not_what_it_was(
    open_store: OpenStore, owner: asyncpg.Connection, damage: str
) -> None:
    dossier = uuid4()
    async with open_store() as process:
        host = await hosted(process)
        await tell(process, *life_of(dossier))
        await host.caught_up()
        before = await rows_in(process, [dossier])
        await owner.execute("ALTER TABLE ledger.event DISABLE TRIGGER ALL")
        await owner.execute("ALTER TABLE ledger.head DISABLE TRIGGER ALL")
        await owner.execute(DAMAGES[damage])
        ledger_id = UUID(str(await owner.fetchval("SELECT ledger_id FROM ledger.head")))
        later = await hosted(process, log=EventFeed(EventLog(process.pool, ledger_id)))
        with pytest.raises(ProjectionHalted, match="hoso rebuild"):
            await later.runner.catch_up()
        async with running(later):
            await until(later.standing.halted)
            assert not await later.standing.reached(4, 0.01)
        (why,) = await (await hosted(process)).standing.halted()
        assert "position 3" in why
        assert await rows_in(process, [dossier]) == before
        assert {await position_of(process, table) for table in TABLES} == {3}


@pytest.mark.parametrize("poison", POISONS)
async def test_an_event_that_cannot_be_folded_halts_the_views_and_is_named(
    open_store: OpenStore, owner: asyncpg.Connection, poison: str
) -> None:
    one, two = uuid4(), uuid4()
    async with open_store() as process:
        host = await hosted(process)
        await tell(process, *life_of(one))
        await owner.execute("ALTER TABLE ledger.event DISABLE TRIGGER ALL")
        kept = await owner.fetchrow("SELECT type, data FROM ledger.event WHERE seq = 2")
        await owner.execute(f"{POISONS[poison]} WHERE seq = 2")
        async with running(host):
            await until(host.standing.halted)
            (why,) = await host.standing.halted()
            assert "position 2" in why
            assert f"stream {one}" in why
            await tell(process, of(two, eg.submitted()))
            assert not await host.standing.reached(4, 0.01)
            await owner.execute(
                "UPDATE ledger.event SET type = $1, data = $2 WHERE seq = 2", *kept or ()
            )
            assert await host.standing.reached(4, PATIENCE)
            await until(lambda: goes_on(host))
        assert await rows_in(process, [one, two]) == await rows_due(process, [one, two])


async def goes_on(host: Host) -> bool:
    return host.runner.trouble is None and not await host.standing.halted()


async def test_it_halts_where_a_checkpoint_is_gone_or_stands_elsewhere(
    open_store: OpenStore,
) -> None:
    async with open_store() as process:
        host = await hosted(process)
        await tell(process, *life_of(uuid4()))
        await host.caught_up()
        moved = "UPDATE views.checkpoint SET seq = 2 WHERE table_name = $1"
        await process.pool.execute(moved, FOLD)
        with pytest.raises(ProjectionHalted, match=r"do not stand together.*hoso rebuild"):
            await host.step()
        await process.pool.execute("DELETE FROM views.checkpoint WHERE table_name = $1", FOLD)
        with pytest.raises(ProjectionHalted, match="gone"):
            await host.step()


async def test_a_position_is_waited_for_but_not_for_ever(open_store: OpenStore) -> None:
    dossier = uuid4()
    async with open_store() as process:
        host = await hosted(process)
        process.store.tell(host.runner.wake)
        async with running(host):
            assert await host.standing.reached(0, 0)
            assert not await host.standing.reached(1, 0.01)
            waiting = asyncio.ensure_future(host.standing.reached(3, PATIENCE))
            await tell(process, *life_of(dossier))
            assert await waiting
            assert await rows_in(process, [dossier]) == await rows_due(process, [dossier])
            assert await host.standing.reached(3, 0)
            assert not await host.standing.reached(4, 0.01)


async def test_an_append_wakes_it_long_before_it_would_look_by_itself(
    open_store: OpenStore,
) -> None:
    async with open_store() as process:
        slow = Manner(batch=250, poll=10 * PATIENCE, beside_desks=True)
        host = await hosted(process, manner=slow)
        process.store.tell(host.runner.wake)
        host.standing.tell(lambda: None)
        async with running(host):
            for position in range(1, 4):
                await tell(process, of(uuid4(), eg.submitted()))
                assert await host.standing.reached(position, PATIENCE)


async def test_it_shows_what_other_processes_were_told_and_shows_it_to_them(
    open_store: OpenStore,
) -> None:
    dossier = uuid4()
    async with open_store() as one, open_store() as two:
        host, elsewhere = await hosted(one), await hosted(two)
        async with running(host):
            await tell(two, *life_of(dossier))
            assert await elsewhere.standing.reached(3, PATIENCE)
            await elsewhere.runner.catch_up()
            assert await rows_in(two, [dossier]) == await rows_due(two, [dossier])


async def test_while_one_leads_the_others_hold_no_lock(
    open_store: OpenStore, owner: asyncpg.Connection
) -> None:
    async with open_store() as one, open_store() as two:
        first, second = await hosted(one), await hosted(two)
        async with running(first):
            await tell(one, *life_of(uuid4()))
            assert await first.standing.reached(3, PATIENCE)
            async with owner.transaction():
                await owner.execute("LOCK TABLE views.checkpoint IN SHARE MODE")  # No row moves.
                await tell(one, of(uuid4(), eg.submitted()))
                async with running(second):
                    assert not await second.standing.reached(4, 0.01)
                    waiting = "SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted"
                    await until(lambda: owner.fetchval(waiting))
                    assert await owner.fetchval(waiting) == 1
            assert await first.standing.reached(4, PATIENCE)


async def test_whoever_does_nothing_else_leads_before_all_others(open_store: OpenStore) -> None:
    async with open_store() as one, open_store() as two:
        beside, apart = await hosted(one), await hosted(two, first=True)
        async with running(beside):
            await until(lambda: leads(beside))
            async with running(apart):
                await until(lambda: leads(apart))
                assert not beside.runner.leading
                await tell(one, *life_of(uuid4()))
                assert await beside.standing.reached(3, PATIENCE)
                assert not beside.runner.leading
            await until(lambda: leads(beside))
            await tell(two, of(uuid4(), eg.submitted()))
            assert await apart.standing.reached(4, PATIENCE)


async def leads(host: Host) -> bool:
    return host.runner.leading


async def test_it_goes_on_after_its_connections_were_terminated(
    open_store: OpenStore, owner: asyncpg.Connection
) -> None:
    async with open_store() as process, open_store() as other:
        host = await hosted(process)
        async with running(host):
            for position in range(1, 4):
                await tell(other, step(uuid4()))
                assert await host.standing.reached(position, PATIENCE)
                await owner.execute(TERMINATE)
            assert host.runner.trouble is None


async def test_it_ends_even_while_its_connection_breaks(open_store: OpenStore) -> None:
    busy = asyncio.Event()

    class Breaking(Watched):
        async def page(self, connection: Session, after: int, limit: int) -> Sequence[Entry]:
            if not busy.is_set():  # Once is enough: a test that fails must still come to its end.
                connection.terminate()
                busy.set()
                await asyncio.Event().wait()
            return await super().page(connection, after, limit)

    async with open_store() as process:
        host = await hosted(process, log=Breaking(feed_of(process)))
        await tell(process, step(uuid4()))
        host.runner.start()
        await busy.wait()
        async with asyncio.timeout(PATIENCE):
            await host.runner.close()


async def test_what_is_prepared_already_stays(open_store: OpenStore) -> None:
    dossier = uuid4()
    async with open_store() as one, open_store() as two:
        host = await hosted(one)
        await tell(one, *life_of(dossier))
        await host.runner.catch_up()
        before = await rows_in(one, [dossier])
        await hosted(two)
        await host.builder.prepare()
        assert await rows_in(two, [dossier]) == before
        assert await position_of(two, FOLD) == 3


async def test_many_processes_may_prepare_and_catch_up_at_once(open_store: OpenStore) -> None:
    async with open_store() as one, open_store() as two:
        await tell(one, *life_of(uuid4()))
        hosts = await asyncio.gather(*(hosted(each) for each in (one, two, one, two)))
        await asyncio.gather(*(host.runner.catch_up() for host in hosts))
        found = await one.pool.fetch(
            "SELECT table_name, share, seq, shown FROM views.checkpoint ORDER BY 1"
        )
        assert [tuple(row) for row in found] == [(table, 0, 3, True) for table in TABLES]
        assert await one.pool.fetchval("SELECT count(*) FROM views.dossier_overview") == 1


async def test_a_table_that_is_gone_is_built_again(open_store: OpenStore) -> None:
    dossier = uuid4()
    async with open_store() as process:
        host = await hosted(process)
        await tell(process, *life_of(dossier))
        await host.runner.catch_up()
        for table in TABLES:
            await process.pool.execute(f"DROP TABLE views.{table} CASCADE")
            await tell(process, of(dossier, eg.result_returned(), 5))
            await host.runner.catch_up()
            assert await rows_in(process, [dossier]) == await rows_due(process, [dossier])
            assert await process.pool.fetchval("SELECT count(*) FROM views.dossier_overview") == 1


async def test_progress_says_how_far_each_view_is(open_store: OpenStore) -> None:
    async with open_store() as process:
        host = await hosted(process)
        before = await host.standing.progress()
        assert {each.table: each.position for each in before} == dict.fromkeys(TABLES, 0)
        await tell(process, *life_of(uuid4()))
        taken: list[tuple[int, int]] = []
        await host.runner.catch_up(lambda done, total: taken.append((done, total)))
        after = await host.standing.progress()
        assert {each.table: each.position for each in after} == dict.fromkeys(TABLES, 3)
        assert taken == [(3, 3)]
        assert all(new.updated_at > old.updated_at for new, old in zip(after, before, strict=True))


async def test_checkpoints_are_the_ones_of_this_program(open_store: OpenStore) -> None:
    async with open_store() as process:
        host = await hosted(process)
        async with process.pool.acquire() as connection:
            at = await tables.checkpoint(connection, host.shelf.tables)
            assert (at.ledger_id, at.seq) == (process.ledger_id, 0)
