"""Views built again beside those in use, and new versions that take an old one's place."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID, uuid4

import asyncpg
import pytest

from api.main import VIEWS
from domain.dossier.events import DossierEvent
from projections.dossiers import AnyView
from projections.hosting import building
from projections.hosting.log import Entry
from projections.hosting.rebuild import Rebuilt
from projections.hosting.tables import ProjectionHalted, shown
from projections.lists import Filter, ListReader
from projections.overview import OVERVIEW
from projections.table import Session
from tests import examples as eg
from tests.conftest import OpenStore
from tests.projections.telling import (
    Host,
    Watched,
    feed_of,
    hosted,
    of,
    position_of,
    rows_due,
    rows_in,
    running,
    tell,
)
from tests.stores import PATIENCE, Opened, until

ROWS: Final = {"dossiers": 3, "dossier_overview": 3, "dossier_sight": 3 * 2, "dossiers_due": 3}
"""How many each view has of three dossiers: two units see each."""
OVERVIEW_TABLE: Final = OVERVIEW.table.versioned
IN_USE: Final = sorted(["checkpoint", "dossiers_v4", *(view.table.versioned for view in VIEWS)])
TABLES = (
    'SELECT array_agg(tablename::text ORDER BY tablename COLLATE "C") FROM pg_tables'
    " WHERE schemaname = 'views'"
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


def next_version(view: AnyView) -> AnyView:
    return replace(view, table=replace(view.table, version=view.table.version + 1))


NEXT: Final = (next_version(OVERVIEW), *VIEWS[1:])


class Eventful(Watched):
    """A ledger in which something happens once, when a reader comes to its end."""

    def __init__(
        self, process: Opened, then: Callable[[], Awaitable[object]], *, ends: int = 1
    ) -> None:
        super().__init__(feed_of(process))
        self._then = then
        self._left = ends

    async def page(self, connection: Session, after: int, limit: int) -> Sequence[Entry]:
        entries = await super().page(connection, after, limit)
        if len(entries) <= 1 and self._left:
            self._left -= 1
            if self._left == 0:
                await self._then()
        return entries


async def told(
    process: Opened, dossiers: int = 3, views: Sequence[AnyView] = VIEWS
) -> tuple[Host, list[UUID]]:
    """Return a host of views that show some dossiers with three events each."""
    ids = [uuid4() for _ in range(dossiers)]
    events: Sequence[DossierEvent] = (
        eg.accepted(code=None),
        eg.step_started(),
        eg.supplement_requested(),
    )
    for hour, event in enumerate(events):
        await tell(process, *(of(dossier, event, hour) for dossier in ids))
    host = await hosted(process, views)
    await host.runner.catch_up()
    return host, ids


async def table_shown(process: Opened, name: str = "dossier_overview") -> str | None:
    async with process.pool.acquire() as connection:
        return await shown(connection, name)


@pytest.mark.parametrize("switch", [True, False])
@pytest.mark.parametrize("processes", ["here", "in two processes"])
async def test_a_rebuild_equals_what_is_in_use(
    open_store: OpenStore,
    switch: bool,  # noqa: FBT001  # a parameter
    processes: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if processes != "here":
        monkeypatch.setattr(building, "_WORTH_PROCESSES", 0)
    async with open_store() as process:
        host, ids = await told(process)
        await tell(process, of(ids[0], eg.assigned(), 1))
        taken: list[tuple[int, int]] = []
        done = await host.rebuilt(
            switch=switch, progress=lambda done, total: taken.append((done, total))
        )
        assert done == {
            name: Rebuilt(view=name, rows=rows, rows_different=0, position=10)
            for name, rows in ROWS.items()
        }
        assert taken[-1] == (10, 10)
        assert await process.pool.fetchval(TABLES) == IN_USE
        assert await position_of(process, OVERVIEW_TABLE) == 10
        assert await rows_in(process, ids) == await rows_due(process, ids)


@pytest.mark.parametrize("name", ROWS)
async def test_one_view_may_be_built_alone(open_store: OpenStore, name: str) -> None:
    async with open_store() as process:
        host, ids = await told(process)
        assert await host.rebuilt(name) == {name: Rebuilt(name, ROWS[name], 0, 9)}
        assert await process.pool.fetchval(TABLES) == IN_USE
        await tell(process, of(ids[0], eg.supplement_completed(), 5))
        await host.runner.catch_up()
        assert await rows_in(process, ids) == await rows_due(process, ids)


@pytest.mark.parametrize(
    ("name", "tampering"),
    [
        ("dossier_overview", "UPDATE views.dossier_overview SET status = 10 WHERE dossier_id = $1"),
        ("dossier_overview", "DELETE FROM views.dossier_overview WHERE dossier_id = $1"),
        ("dossier_overview", DOUBLED),
        ("dossiers_due", "UPDATE views.dossiers_due SET accepted_at = NULL WHERE dossier_id = $1"),
        ("dossiers", "UPDATE views.dossiers SET state = state || ' ' WHERE dossier_id = $1"),
    ],
)
async def test_a_row_that_was_tampered_with_is_counted_and_mended(
    open_store: OpenStore, name: str, tampering: str
) -> None:
    async with open_store() as process:
        host, ids = await told(process)
        await process.pool.execute(tampering, ids[1])
        assert (await host.rebuilt(name, switch=False))[name].rows_different == 1
        assert (await host.rebuilt(name))[name].rows_different == 1
        assert (await host.rebuilt(name))[name].rows_different == 0
        assert await rows_in(process, ids) == await rows_due(process, ids)
        assert await process.pool.fetchval(SEEN) == 3


@pytest.mark.parametrize("seen_by", ["the builder", "the one in use", "both"])
async def test_what_is_recorded_during_a_rebuild_is_in_both(
    open_store: OpenStore, seen_by: str
) -> None:
    async with open_store() as process:
        host, ids = await told(process)
        late = uuid4()

        async def happens() -> None:
            if seen_by == "both":
                await host.caught_up()
            await tell(process, of(late, eg.submitted()), of(ids[0], eg.supplement_completed(), 5))
            if seen_by == "the one in use":
                await host.caught_up()

        # The second end is the last one of the builder, before the two are brought level.
        log = Eventful(process, happens, ends=2 if seen_by == "the builder" else 1)
        if seen_by == "the builder":
            await tell(process, of(ids[1], eg.supplement_completed(), 5))
        done = await (await hosted(process, log=log)).rebuilt()
        await host.caught_up()
        assert {each.rows_different for each in done.values()} == {0}
        found = [*ids, late]
        assert await rows_in(process, found) == await rows_due(process, found)
        again = await host.rebuilt()
        assert {each.rows_different for each in again.values()} == {0}


async def test_readers_see_every_row_all_the_time(open_store: OpenStore) -> None:
    async with open_store() as process, open_store() as reader:
        host, ids = await told(process, dossiers=20)
        ready = asyncio.Event()
        lists = ListReader(reader.pool)

        async def read() -> set[int]:
            seen: set[int] = set()
            while not ready.is_set():
                page = await lists.page(Filter(scope=None, limit=100))
                seen |= {len(page.items), await reader.pool.fetchval(SEEN)}
                assert page.position == 60
            return seen

        async def renew() -> None:
            async with running(host):
                for _ in range(4):
                    await host.rebuilt()
            # Whoever leads with an older version leads until it ends.
            await (await hosted(process, NEXT)).runner.catch_up()
            ready.set()

        seen, _ = await asyncio.gather(read(), renew())
        assert seen == {len(ids)}


async def test_a_killed_rebuild_leaves_no_obstacle(open_store: OpenStore) -> None:
    async with open_store() as process:
        host, ids = await told(process)

        async def dies() -> None:
            raise asyncio.CancelledError

        dying = await hosted(process, log=Eventful(process, dies))
        with pytest.raises(asyncio.CancelledError):
            await dying.rebuilt()
        left = set(await process.pool.fetchval(TABLES)) - set(IN_USE)
        assert len(left) == len(ROWS)
        await tell(process, of(ids[0], eg.supplement_completed(), 5))
        assert await host.caught_up() == 1
        assert await host.rebuilt() == {
            name: Rebuilt(name, rows, 0, 10) for name, rows in ROWS.items()
        }
        assert await process.pool.fetchval(TABLES) == IN_USE


async def test_it_may_be_built_again_and_again(open_store: OpenStore) -> None:
    async with open_store() as process:
        host, ids = await told(process)
        for hour in range(3, 6):
            done = await host.rebuilt()
            assert {each.rows_different for each in done.values()} == {0}
            await tell(process, *(of(dossier, eg.assigned(), hour) for dossier in ids))
            assert await host.caught_up() == 3
            assert await rows_in(process, ids) == await rows_due(process, ids)


async def test_of_two_rebuilds_at_once_one_is_done_and_the_other_says_so(
    open_store: OpenStore,
) -> None:
    async with open_store() as one, open_store() as two:
        host, ids = await told(one)
        other = await hosted(two)

        async def meanwhile() -> None:
            with pytest.raises(ProjectionHalted, match="being built already"):
                await other.rebuilt()

        busy = await hosted(one, log=Eventful(one, meanwhile))
        done = await busy.rebuilt()
        assert {each.rows_different for each in done.values()} == {0}
        assert await host.step() == 0
        assert await rows_in(one, ids) == await rows_due(one, ids)


async def test_a_worker_that_waits_while_a_rebuild_switches_goes_on(
    open_store: OpenStore, owner: asyncpg.Connection
) -> None:
    async with open_store() as process, open_store() as other:
        _, ids = await told(process)
        worker = await hosted(other)
        steps: list[asyncio.Task[int]] = []

        async def blocks() -> None:
            steps.append(asyncio.ensure_future(worker.step()))
            await until(lambda: owner.fetchval(WAITING))

        # The first end is before, the second one while the checkpoints are locked.
        log = Eventful(process, blocks, ends=2)
        done = await (await hosted(process, log=log)).rebuilt()
        assert done["dossiers"] == Rebuilt("dossiers", 3, 0, 9)
        assert await steps[0] == 0
        await tell(process, of(ids[1], eg.supplement_completed(), 5))
        assert await worker.step() == 1
        assert await rows_in(process, ids) == await rows_due(process, ids)


@pytest.mark.parametrize("damage", REBUILT_WHERE)
async def test_halted_views_are_rebuilt_and_go_on(
    open_store: OpenStore, owner: asyncpg.Connection, damage: str
) -> None:
    async with open_store() as process:
        host, ids = await told(process)
        await owner.execute("ALTER TABLE ledger.event DISABLE TRIGGER ALL")
        await owner.execute(REBUILT_WHERE[damage])
        ids.append(uuid4())
        await tell(process, of(ids[-1], eg.submitted()))
        async with running(host):
            await until(host.standing.halted)
            with pytest.raises(ProjectionHalted, match="Build all again: hoso rebuild"):
                await host.rebuilt("dossier_overview")
            done = await host.rebuilt()
            head, _ = await host.log.head(owner)
            assert {each.position for each in done.values()} == {head}
            assert await host.standing.reached(head, PATIENCE)
            await until(lambda: goes_on(host))
        assert await rows_in(process, ids) == await rows_due(process, ids)


async def goes_on(host: Host) -> bool:
    return not await host.standing.halted() and host.runner.trouble is None


@pytest.mark.parametrize("processes", ["here", "in two processes"])
async def test_an_event_that_cannot_be_folded_is_named(
    open_store: OpenStore,
    owner: asyncpg.Connection,
    processes: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if processes != "here":
        monkeypatch.setattr(building, "_WORTH_PROCESSES", 0)
    async with open_store() as process:
        host, ids = await told(process)
        await owner.execute("ALTER TABLE ledger.event DISABLE TRIGGER ALL")
        await owner.execute("UPDATE ledger.event SET type = 'dossier.sung.v1' WHERE seq = 5")
        with pytest.raises(ProjectionHalted) as halted:
            await host.rebuilt()
        (line,) = str(halted.value).splitlines()
        for named in ("position 5", "dossier.sung.v1", str(ids[1])):
            assert named in line
        assert await rows_in(process, ids[:1]) == await rows_due(process, ids[:1])


async def test_a_new_version_is_built_beside_the_old_one_and_takes_over(
    open_store: OpenStore,
) -> None:
    async with open_store() as process:
        _, ids = await told(process)
        before = await rows_in(process, ids)
        newer = await hosted(process, NEXT)
        assert await table_shown(process) == OVERVIEW_TABLE
        assert await newer.standing.position() == 0
        await newer.runner.catch_up()
        assert await table_shown(process) == NEXT[0].table.versioned
        assert OVERVIEW_TABLE not in await process.pool.fetchval(TABLES)
        assert await position_of(process, OVERVIEW_TABLE) is None
        assert await rows_in(process, ids, newer.shelf) == before
        assert await newer.standing.position() == 9


async def test_a_program_of_the_old_version_halts_when_the_new_one_has_taken_over(
    open_store: OpenStore,
) -> None:
    async with open_store() as old, open_store() as new:
        _, ids = await told(old)
        older, newer = await hosted(old), await hosted(new, NEXT)
        await newer.runner.catch_up()
        with pytest.raises(ProjectionHalted, match="gone"):
            await older.step()
        await tell(new, of(ids[0], eg.supplement_completed(), 5))
        await newer.runner.catch_up()
        assert await rows_in(new, ids, newer.shelf) == await rows_due(new, ids, NEXT)


async def test_another_version_takes_over_forth_and_back(open_store: OpenStore) -> None:
    async with open_store() as process:
        _, ids = await told(process)
        for views in (NEXT, VIEWS, NEXT):
            host = await hosted(process, views)
            assert await process.pool.fetchval(SEEN) == 3
            await host.runner.catch_up()
            assert await table_shown(process) == views[0].table.versioned
            assert len(await process.pool.fetchval(TABLES)) == len(IN_USE)
            assert await rows_in(process, ids, host.shelf) == await rows_due(process, ids)


async def test_a_public_name_that_is_missing_is_made(open_store: OpenStore) -> None:
    async with open_store() as process:
        host, _ = await told(process)
        await process.pool.execute("DROP VIEW views.dossier_overview")
        await host.runner.catch_up()
        assert await table_shown(process) == OVERVIEW_TABLE
        assert await process.pool.fetchval(SEEN) == 3
