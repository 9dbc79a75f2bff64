"""Read models built again beside the one in use, and new versions that take an old one's place."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID, uuid4

import asyncpg
import pytest

from domain.dossier.events import DossierEvent
from infra.event_store import EventLog
from projections import dossier_overview
from projections.dossier_overview import Filter, page
from projections.rebuild import Rebuilt, rebuild
from projections.runner import (
    Event,
    ProjectionHalted,
    Projector,
    ReadModel,
    Runner,
    shown,
    table_of,
)
from tests import examples as eg
from tests.conftest import OpenStore
from tests.projections.telling import (
    OVERVIEW,
    all_of,
    changed,
    checkpoint_of,
    log_of,
    of,
    projector_of,
    rows_due,
    rows_in,
    runner_of,
    tell,
)
from tests.stores import PATIENCE, Opened, until

OLD = table_of(dossier_overview)
SHADOW = f"{OLD}_shadow"
TABLES = (
    "SELECT array_agg(tablename::text ORDER BY tablename) FROM pg_tables WHERE schemaname = 'views'"
)
SEEN = "SELECT count(*) FROM views.dossier_overview"
WAITING = (
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND wait_event_type = 'Lock'"
)
DOUBLED = (
    "INSERT INTO views.dossier_overview"
    " SELECT (jsonb_populate_record(one, '{\"opened_seq\": -1}' ||"
    " jsonb_build_object('dossier_id', gen_random_uuid()))).*"
    " FROM views.dossier_overview AS one WHERE dossier_id = $1"
)
REBUILT_WHERE = {
    "a leaf was changed": "UPDATE ledger.event SET leaf = sha256(leaf) WHERE seq = 9",
    "the end was cut off": "DELETE FROM ledger.event WHERE seq > 4",
}


def _with_a_note(table: str) -> str:
    return dossier_overview.ddl(table) + f"ALTER TABLE views.{table} ADD COLUMN note text;"


NEXT = changed(OVERVIEW, VERSION=dossier_overview.VERSION + 1, ddl=_with_a_note)
NEW = table_of(NEXT)


class Eventful(EventLog):
    """A ledger in which something happens once, when a reader comes to its end."""

    def __init__(
        self, process: Opened, then: Callable[[], Awaitable[object]], *, empty_pages: int = 1
    ) -> None:
        super().__init__(process.pool, process.ledger_id)
        self._then = then
        self._left = empty_pages

    async def page(self, after: int, limit: int) -> list[Event]:
        events = await super().page(after, limit)
        if len(events) <= 1 and self._left:
            self._left -= 1
            if self._left == 0:
                await self._then()
        return events


async def told(process: Opened, dossiers: int = 3) -> tuple[Projector, list[UUID]]:
    """Return a read model that shows some dossiers with three events each."""
    ids = [uuid4() for _ in range(dossiers)]
    events: Sequence[DossierEvent] = (
        eg.accepted(code=None),
        eg.step_started(),
        eg.result_at_desk(),
    )
    for hour, event in enumerate(events):
        await tell(process, *(of(dossier, event, hour) for dossier in ids))
    projector = await projector_of(process)
    await all_of(projector)
    return projector, ids


async def built_again(
    process: Opened, model: ReadModel = OVERVIEW, *, switch: bool = True
) -> Rebuilt:
    return await rebuild(process.pool, log_of(process), model, switch=switch)


async def table_shown(process: Opened) -> str | None:
    async with process.pool.acquire() as connection:
        return await shown(connection, "dossier_overview")


@pytest.mark.parametrize("switch", [True, False])
async def test_a_rebuild_equals_what_is_in_use(open_store: OpenStore, switch: bool) -> None:  # noqa: FBT001  # a parameter
    async with open_store() as process:
        _, ids = await told(process)
        await tell(process, of(ids[0], eg.assigned(), 1))
        taken: list[int] = []
        done = await rebuild(
            process.pool, log_of(process), OVERVIEW, switch=switch, progress=taken.append
        )
        assert done == Rebuilt(view="dossier_overview", rows=3, rows_different=0, events=10)
        assert taken == [10]
        assert await process.pool.fetchval(TABLES) == ["checkpoint", OLD]
        assert await checkpoint_of(process, OLD) == 10
        assert await rows_in(process, ids, "dossier_overview") == await rows_due(process, ids)


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE views.dossier_overview SET status = 10 WHERE dossier_id = $1",
        "UPDATE views.dossier_overview SET due = NULL WHERE dossier_id = $1",
        "DELETE FROM views.dossier_overview WHERE dossier_id = $1",
        DOUBLED,
    ],
)
async def test_a_row_that_was_tampered_with_is_counted_and_mended(
    open_store: OpenStore, tampering: str
) -> None:
    async with open_store() as process:
        _, ids = await told(process)
        await process.pool.execute(tampering, ids[1])
        assert (await built_again(process, switch=False)).rows_different == 1
        assert (await built_again(process)).rows_different == 1
        assert (await built_again(process)).rows_different == 0
        assert await rows_in(process, ids, "dossier_overview") == await rows_due(process, ids)
        assert await process.pool.fetchval(SEEN) == 3


@pytest.mark.parametrize("seen_by", ["the builder", "the one in use", "both"])
async def test_what_is_recorded_during_a_rebuild_is_in_both(
    open_store: OpenStore, seen_by: str
) -> None:
    async with open_store() as process:
        projector, ids = await told(process)
        late = uuid4()

        async def happens() -> None:
            if seen_by == "both":
                await all_of(projector)
            await tell(process, of(late, eg.submitted()), of(ids[0], eg.result_returned(), 5))
            if seen_by == "the one in use":
                await all_of(projector)

        # The second page is the last one of the builder, before the two are brought level.
        log = Eventful(process, happens, empty_pages=2 if seen_by == "the builder" else 1)
        if seen_by == "the builder":
            await tell(process, of(ids[1], eg.result_returned(), 5))
        done = await rebuild(process.pool, log, OVERVIEW, switch=True)
        await all_of(projector)
        assert done.rows_different == 0
        found = [*ids, late]
        assert await rows_in(process, found, "dossier_overview") == await rows_due(process, found)
        assert (await built_again(process)).rows_different == 0


async def test_readers_see_every_row_all_the_time(open_store: OpenStore) -> None:
    async with open_store() as process, open_store() as reader:
        _, ids = await told(process, dossiers=20)
        runner = await runner_of(process)
        runner.start()
        ready = asyncio.Event()

        async def read() -> set[int]:
            seen: set[int] = set()
            while not ready.is_set():
                seen.add(len(await page(reader.pool, Filter(scope=None, limit=100))))
                seen.add(await reader.pool.fetchval(SEEN))
            return seen

        async def renew() -> None:
            for _ in range(4):
                await built_again(process)
            await runner_of(process, NEXT)
            await built_again(process, NEXT)
            ready.set()

        seen, _ = await asyncio.gather(read(), renew())
        await runner.close()
        assert seen == {len(ids)}


async def test_a_killed_rebuild_leaves_no_obstacle(open_store: OpenStore) -> None:
    async with open_store() as process:
        projector, ids = await told(process)

        async def dies() -> None:
            raise asyncio.CancelledError

        with pytest.raises(asyncio.CancelledError):
            await rebuild(process.pool, Eventful(process, dies), OVERVIEW, switch=True)
        assert await checkpoint_of(process, SHADOW) == 9
        await process.pool.execute(f"UPDATE views.{SHADOW} SET status = 1")  # noqa: S608  # our own name
        await tell(process, of(ids[0], eg.result_returned(), 5))
        assert await all_of(projector) == 1
        assert await built_again(process) == Rebuilt(OVERVIEW.NAME, 3, 0, 10)
        assert await process.pool.fetchval(TABLES) == ["checkpoint", OLD]


async def test_it_may_be_built_again_and_again(open_store: OpenStore) -> None:
    async with open_store() as process:
        projector, ids = await told(process)
        for hour in range(3, 6):
            assert (await built_again(process)).rows_different == 0
            await tell(process, *(of(dossier, eg.assigned(), hour) for dossier in ids))
            assert await all_of(projector) == 3
            assert await rows_in(process, ids, "dossier_overview") == await rows_due(process, ids)


async def test_of_two_rebuilds_at_once_at_least_one_is_done_and_nothing_is_lost(
    open_store: OpenStore,
) -> None:
    async with open_store() as one, open_store() as two:
        projector, ids = await told(one)
        ended = await asyncio.gather(built_again(one), built_again(two), return_exceptions=True)
        done = [each for each in ended if isinstance(each, Rebuilt)]
        assert done
        assert all(isinstance(each, Rebuilt | ProjectionHalted) for each in ended)
        assert {each.rows_different for each in done} == {0}
        assert await projector.step() == 0
        assert await rows_in(one, ids, "dossier_overview") == await rows_due(one, ids)


async def test_a_worker_that_waits_while_a_rebuild_switches_goes_on(
    open_store: OpenStore, owner: asyncpg.Connection
) -> None:
    async with open_store() as process, open_store() as other:
        projector, ids = await told(process)
        worker = Projector(other.pool, log_of(other), OVERVIEW)
        steps: list[asyncio.Task[int]] = []

        async def happens() -> None:
            await tell(process, of(ids[0], eg.result_returned(), 5))
            await all_of(projector)  # The one in use is ahead, so that the builder reads again.

        async def blocks() -> None:
            steps.append(asyncio.ensure_future(worker.step()))
            await until(lambda: owner.fetchval(WAITING))

        class Watched(Eventful):
            async def page(self, after: int, limit: int) -> list[Event]:
                if limit == 2 and not steps:  # While both checkpoints are locked.
                    await blocks()
                return await super().page(after, limit)

        done = await rebuild(process.pool, Watched(process, happens), OVERVIEW, switch=True)
        assert (done.events, done.rows_different) == (10, 0)
        assert await steps[0] == 0
        await tell(process, of(ids[1], eg.result_returned(), 5))
        assert await worker.step() == 1


@pytest.mark.parametrize("damage", REBUILT_WHERE)
async def test_a_halted_read_model_is_rebuilt_and_goes_on(
    open_store: OpenStore, owner: asyncpg.Connection, damage: str
) -> None:
    async with open_store() as process:
        _, ids = await told(process)
        runner = await runner_of(process)
        await owner.execute("ALTER TABLE ledger.event DISABLE TRIGGER ALL")
        await owner.execute(REBUILT_WHERE[damage])
        ids.append(uuid4())
        await tell(process, of(ids[-1], eg.submitted()))
        runner.start()
        await until(lambda: is_halted(runner))
        done = await built_again(process)
        assert done.events == await log_of(process).head()
        assert await runner.reached(done.events, PATIENCE)
        await until(lambda: goes_on(runner))
        await runner.close()
        assert await rows_in(process, ids, "dossier_overview") == await rows_due(process, ids)


async def is_halted(runner: Runner) -> bool:
    return bool(runner.halted)


async def goes_on(runner: Runner) -> bool:
    return not runner.halted


async def test_a_new_version_is_shown_once_it_has_what_the_old_one_has(
    open_store: OpenStore,
) -> None:
    async with open_store() as process:
        _, ids = await told(process)
        before = await rows_in(process, ids, "dossier_overview")
        newer = await projector_of(process, NEXT)
        assert await newer.step(8) > 0
        for _ in range(2):
            assert await table_shown(process) == OLD
            assert await rows_in(process, ids, "dossier_overview") == before
            await newer.take_over()
        await all_of(newer)
        await newer.take_over()
        assert await table_shown(process) == NEW
        assert await process.pool.fetchval(TABLES) == ["checkpoint", NEW]
        assert await checkpoint_of(process, OLD) is None
        assert await rows_in(process, ids, "dossier_overview") == before
        assert await process.pool.fetch("SELECT note FROM views.dossier_overview")


async def test_a_new_version_follows_an_old_one_that_still_moves(open_store: OpenStore) -> None:
    async with open_store() as process:
        older, ids = await told(process)
        newer = await projector_of(process, NEXT)
        await all_of(newer)
        await tell(process, of(ids[0], eg.result_returned(), 5))
        await older.step()
        await newer.take_over()
        assert await table_shown(process) == OLD
        await newer.step()
        await newer.take_over()
        assert await table_shown(process) == NEW


async def test_a_program_of_the_old_version_halts_when_the_new_one_has_taken_over(
    open_store: OpenStore,
) -> None:
    async with open_store() as old, open_store() as new:
        _, ids = await told(old)
        older = await runner_of(old)
        older.start()
        newer, same = await runner_of(new, NEXT), await runner_of(old, NEXT)
        assert await table_shown(old) == OLD
        newer.start()
        same.start()
        await until(lambda: is_halted(older))
        await tell(new, of(ids[0], eg.result_returned(), 5))
        assert await newer.reached(10, PATIENCE)
        assert await same.reached(10, PATIENCE)
        assert (newer.halted, same.halted) == ({}, {})
        assert "gone" in older.halted[OLD]
        for runner in (older, newer, same):
            await runner.close()
        assert await rows_in(new, ids, "dossier_overview") == await rows_due(new, ids)


@pytest.mark.parametrize("way", ["caught up", "rebuilt"])
async def test_another_version_takes_over_forth_and_back(open_store: OpenStore, way: str) -> None:
    async with open_store() as process:
        _, ids = await told(process)
        for model in (NEXT, OVERVIEW, NEXT):
            runner = await runner_of(process, model)
            assert await process.pool.fetchval(SEEN) == 3
            if way == "rebuilt":
                assert (await built_again(process, model)).rows == 3
            await runner.catch_up()
            assert await table_shown(process) == table_of(model)
            assert await process.pool.fetchval(TABLES) == ["checkpoint", table_of(model)]
            assert await rows_in(process, ids, "dossier_overview") == await rows_due(process, ids)


async def test_a_public_name_that_is_missing_is_made(open_store: OpenStore) -> None:
    async with open_store() as process:
        await told(process)
        await process.pool.execute("DROP VIEW views.dossier_overview")
        await runner_of(process)
        assert await table_shown(process) == OLD
        assert await process.pool.fetchval(SEEN) == 3
