"""The runner on a real PostgreSQL: rows follow the ledger, once each, or it says that it halts."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import cast
from uuid import UUID, uuid4

import asyncpg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import given as for_all
from hypothesis import strategies as st

from domain.dossier.events import DossierEvent
from infra.event_store import EventLog
from projections import dossier_overview
from projections.dossier_overview import DossierOverview
from projections.runner import (
    ProjectionHalted,
    Projector,
    ReadModel,
    Runner,
    Session,
    prepare,
    table_of,
)
from tests import examples as eg
from tests.conftest import OpenStore
from tests.looking import examples
from tests.projections.telling import (
    OVERVIEW,
    Tally,
    Watched,
    all_of,
    batches_of,
    changed,
    checkpoint_of,
    dossiers,
    log_of,
    of,
    projector_of,
    rows_due,
    rows_in,
    runner_of,
    tell,
    told_in,
)
from tests.stores import PATIENCE, Opened, step, until

TABLE = table_of(dossier_overview)
TALLY = cast("ReadModel", Tally())
DAMAGES = {
    "a leaf was changed": "UPDATE ledger.event SET leaf = sha256(leaf) WHERE seq = 3",
    "the end was cut off": "DELETE FROM ledger.event WHERE seq = 3",
    "it is another ledger": "UPDATE ledger.head SET ledger_id = gen_random_uuid()",
}
TERMINATE = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


def life_of(dossier: UUID) -> list[DossierEvent]:
    events: tuple[DossierEvent, ...] = (
        eg.accepted(code=None),
        eg.step_started(),
        eg.result_at_desk(),
    )
    return [of(dossier, event, hour) for hour, event in enumerate(events)]


@asynccontextmanager
async def running(runner: Runner) -> AsyncIterator[Runner]:
    runner.start()
    try:
        yield runner
    finally:
        await runner.close()


async def counts(process: Opened) -> dict[UUID, int]:
    rows = await process.pool.fetch("SELECT stream, events FROM views.tally_v1")
    return {UUID(str(row[0])): row[1] for row in rows}


async def test_what_was_told_is_shown(open_store: OpenStore) -> None:
    one, two = uuid4(), uuid4()
    async with open_store() as process:
        projector = await projector_of(process)
        await tell(process, eg.unit_registered(), *life_of(one), of(two, eg.submitted()))
        assert await all_of(projector) == 5
        rows = await rows_in(process, [one, two])
        assert {row.dossier_id: (row.status, row.opened_seq) for row in rows.values()} == {
            one: (9, 2),
            two: (1, 5),
        }
        assert rows == await rows_due(process, [one, two])
        assert await projector.step() == 0


@settings(
    max_examples=examples(12),
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
        projector = await projector_of(process)
        for batch in batches_of(data, told):
            await tell(process, *(each.event for each in batch))
            steps: int = data.draw(st.integers(0, 2))
            for _ in range(steps):
                await projector.step(data.draw(st.integers(1, 5)))
        await all_of(projector)
        assert await rows_in(process, ids) == await rows_due(process, ids)


@pytest.mark.parametrize(
    ("late", "hour"), [(eg.supplement_requested(), 1), (eg.corrected(corrects="result-at-desk"), 9)]
)
async def test_a_late_event_or_a_correction_makes_its_stream_alone_be_read_again(
    open_store: OpenStore, late: DossierEvent, hour: int
) -> None:
    one, two = uuid4(), uuid4()
    async with open_store() as process:
        await projector_of(process)
        log = Watched(log_of(process))
        projector = Projector(process.pool, log, OVERVIEW)
        await tell(process, *life_of(one), *life_of(two))
        await all_of(projector)
        before = await rows_in(process, [one])
        await tell(process, of(one, eg.result_returned(), 5), of(two, eg.result_returned(), 5))
        await all_of(projector)
        assert log.whole == []
        await tell(process, of(one, late, hour), of(two, eg.delivery_failed(), 6))
        await all_of(projector)
        assert log.whole == [{one}]
        rows = await rows_in(process, [one, two])
        assert rows == await rows_due(process, [one, two])
        assert (rows[one].opened_seq, rows[one].version) == (before[one].opened_seq, 5)


async def test_rows_and_checkpoint_move_together_or_not_at_all(open_store: OpenStore) -> None:
    dossier = uuid4()

    async def store_and_fail(
        connection: Session, table: str, rows: Iterable[DossierOverview]
    ) -> None:
        await dossier_overview.store(connection, table, rows)
        raise ConnectionResetError

    async with open_store() as process:
        projector = await projector_of(process)
        first, *others = life_of(dossier)
        await tell(process, first)
        await all_of(projector)
        before = await rows_in(process, [dossier])
        await tell(process, *others)
        failing = changed(OVERVIEW, store=store_and_fail)
        with pytest.raises(ConnectionResetError):
            await Projector(process.pool, log_of(process), failing).step()
        assert await rows_in(process, [dossier]) == before
        assert await checkpoint_of(process, TABLE) == 1
        assert await projector.step() == 2
        assert await checkpoint_of(process, TABLE) == 3
        assert await rows_in(process, [dossier]) == await rows_due(process, [dossier])


async def test_two_processes_apply_each_event_once(open_store: OpenStore) -> None:
    streams = [uuid4() for _ in range(5)]
    async with open_store() as one, open_store() as two:
        projectors = [await projector_of(one, TALLY), await projector_of(two, TALLY)]
        told = asyncio.Event()

        async def telling() -> int:
            await tell(one, *(step(stream) for _ in range(20) for stream in streams))
            told.set()
            return 0

        async def work(projector: Projector) -> int:
            done = 0
            while not told.is_set():
                done += await projector.step(7)
            return done + await all_of(projector, 7)

        done = await asyncio.gather(telling(), *map(work, projectors))
        assert sum(done) == 100
        assert await counts(one) == dict.fromkeys(streams, 20)


@pytest.mark.parametrize("damage", DAMAGES)
async def test_it_halts_where_the_ledger_is_not_what_it_was(
    open_store: OpenStore, owner: asyncpg.Connection, damage: str
) -> None:
    dossier = uuid4()
    async with open_store() as process:
        projector = await projector_of(process)
        await tell(process, *life_of(dossier))
        await all_of(projector)
        before = await rows_in(process, [dossier])
        await owner.execute("ALTER TABLE ledger.event DISABLE TRIGGER ALL")
        await owner.execute("ALTER TABLE ledger.head DISABLE TRIGGER ALL")
        await owner.execute(DAMAGES[damage])
        ledger_id = UUID(str(await owner.fetchval("SELECT ledger_id FROM ledger.head")))
        later = Projector(process.pool, EventLog(process.pool, ledger_id), OVERVIEW)
        with pytest.raises(ProjectionHalted, match="hoso rebuild dossier_overview"):
            await later.step()
        assert await rows_in(process, [dossier]) == before
        assert await checkpoint_of(process, TABLE) == 3


async def test_it_halts_where_the_checkpoint_is_gone(open_store: OpenStore) -> None:
    async with open_store() as process:
        projector = await projector_of(process)
        await process.pool.execute("DELETE FROM views.checkpoint")
        with pytest.raises(ProjectionHalted, match="gone"):
            await projector.step()


async def test_while_one_read_model_halts_the_others_go_on(open_store: OpenStore) -> None:
    dossier = uuid4()
    async with open_store() as process:
        runner = await runner_of(process, OVERVIEW, TALLY)
        await tell(process, *life_of(dossier))
        await runner.catch_up()
        await process.pool.execute(
            "UPDATE views.checkpoint SET leaf = 'another' WHERE table_name = $1", TABLE
        )
        async with running(runner):
            await tell(process, of(dossier, eg.result_returned(), 5))
            await until(lambda: is_counted(process, dossier, 4))
            await until(lambda: has_halted(runner))
            assert not await runner.reached(4, 0.01)
        assert list(runner.halted) == [TABLE]
        assert "position 3" in runner.halted[TABLE]
        assert (await rows_in(process, [dossier]))[dossier].version == 3
        with pytest.raises(ProjectionHalted):
            await runner.catch_up()


async def is_counted(process: Opened, stream: UUID, events: int) -> bool:
    return (await counts(process)).get(stream) == events


async def has_halted(runner: Runner) -> bool:
    return bool(runner.halted)


async def test_a_position_is_waited_for_but_not_for_ever(open_store: OpenStore) -> None:
    dossier = uuid4()
    async with open_store() as process:
        runner = await runner_of(process)
        process.store.tell(runner.wake)
        async with running(runner):
            assert await runner.reached(0, 0)
            assert not await runner.reached(1, 0.01)
            waiting = asyncio.ensure_future(runner.reached(3, PATIENCE))
            await tell(process, *life_of(dossier))
            assert await waiting
            assert (await rows_in(process, [dossier]))[dossier].version == 3
            assert not await runner.reached(4, 0.01)


async def test_an_append_wakes_it_long_before_it_would_look_by_itself(
    open_store: OpenStore,
) -> None:
    async with open_store() as process:
        runner = Runner(process.pool, log_of(process), [OVERVIEW], poll=10 * PATIENCE)
        await runner.prepare()
        process.store.tell(runner.wake)
        async with running(runner):
            for position in range(1, 4):
                await tell(process, of(uuid4(), eg.submitted()))
                assert await runner.reached(position, PATIENCE)


async def test_it_shows_what_other_processes_were_told(open_store: OpenStore) -> None:
    async with open_store() as one, open_store() as two:
        runner = await runner_of(one)
        async with running(runner):
            await tell(two, *life_of(uuid4()))
            assert await runner.reached(3, PATIENCE)


async def test_it_goes_on_after_its_connections_were_terminated(
    open_store: OpenStore, owner: asyncpg.Connection
) -> None:
    async with open_store() as process, open_store() as other:
        runner = await runner_of(process)
        async with running(runner):
            for position in range(1, 4):
                await tell(other, step(uuid4()))
                assert await runner.reached(position, PATIENCE)
                await owner.execute(TERMINATE)
            assert runner.halted == {}


async def test_it_ends_even_while_its_connection_breaks(open_store: OpenStore) -> None:
    busy = asyncio.Event()

    async def lose_the_connection(
        connection: Session, table: str, dossier_ids: Iterable[UUID]
    ) -> dict[UUID, DossierOverview]:
        if busy.is_set():  # Once is enough: a test that fails must still come to its end.
            return dict(await dossier_overview.load(connection, table, dossier_ids))
        cast("asyncpg.Connection", connection).terminate()
        busy.set()
        await asyncio.Event().wait()
        return {}

    async with open_store() as process:
        runner = await runner_of(process, changed(OVERVIEW, load=lose_the_connection))
        await tell(process, step(uuid4()))
        runner.start()
        await busy.wait()
        async with asyncio.timeout(PATIENCE):
            await runner.close()


async def test_what_is_prepared_already_stays(open_store: OpenStore) -> None:
    dossier = uuid4()
    async with open_store() as one, open_store() as two:
        runner = await runner_of(one)
        await tell(one, *life_of(dossier))
        await runner.catch_up()
        before = await rows_in(one, [dossier])
        await runner_of(two)
        await runner.prepare()
        assert await rows_in(two, [dossier]) == before
        assert await checkpoint_of(two, TABLE) == 3


async def test_many_processes_may_prepare_at_once(open_store: OpenStore) -> None:
    async with open_store() as one, open_store() as two:
        runners = await asyncio.gather(
            *(runner_of(each, OVERVIEW, TALLY) for each in (one, two, one, two))
        )
        for runner in runners:
            await runner.catch_up()
        tables = await one.pool.fetch("SELECT table_name FROM views.checkpoint ORDER BY 1")
        assert [row[0] for row in tables] == [TABLE, "tally_v1"]
        assert await one.pool.fetchval("SELECT count(*) FROM views.dossier_overview") == 0


async def test_a_table_made_again_starts_over_with_the_ledger_that_is_there(
    open_store: OpenStore,
) -> None:
    dossier = uuid4()
    async with open_store() as process:
        async with process.pool.acquire() as connection, connection.transaction():
            await prepare(connection, OVERVIEW, uuid4())
        await process.pool.execute(f"DROP TABLE views.{TABLE} CASCADE")
        runner = await runner_of(process)
        await tell(process, *life_of(dossier))
        await runner.catch_up()
        await tell(process, of(dossier, eg.result_returned(), 5))
        await runner.catch_up()
        assert await rows_in(process, [dossier]) == await rows_due(process, [dossier])


async def test_progress_says_how_far_each_read_model_of_this_program_is(
    open_store: OpenStore,
) -> None:
    async with open_store() as process:
        await runner_of(process, TALLY)
        runner = await runner_of(process)
        (before,) = await runner.progress()
        assert (before.name, before.table, before.position) == ("dossier_overview", TABLE, 0)
        await tell(process, *life_of(uuid4()))
        taken: list[int] = []
        await runner.catch_up(taken.append)
        (after,) = await runner.progress()
        assert (after.position, taken) == (3, [3])
        assert after.updated_at > before.updated_at
