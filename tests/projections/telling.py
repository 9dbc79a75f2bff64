"""Ledgers as tests of read models tell them: strategies, appends, and the rows that must follow."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar, cast
from uuid import UUID

from hypothesis import strategies as st

from api.main import VIEWS
from domain.dossier.events import DossierEvent
from domain.envelope import LedgerEvent
from domain.ledger.appends import Append, Outcome, Write
from domain.rules.rule_book import RuleBook
from infra.event_feed import EventFeed, InParts
from infra.event_log import EventLog
from projections import dossiers as fold
from projections.dossiers import AnyView, Change, Told
from projections.hosting import tables
from projections.hosting.building import Progress, silent
from projections.hosting.leading import Leadership
from projections.hosting.log import Entry, Log
from projections.hosting.pacing import Pace
from projections.hosting.projector import Projector, Shelf
from projections.hosting.rebuild import Builder, Rebuilt
from projections.hosting.runner import SERVING, Manner, Runner
from projections.hosting.standing import Standing
from projections.table import Session
from tests.domain.test_history_properties import REGISTERED, facts
from tests.examples import HOUR, MORNING
from tests.stores import Opened, key

T = TypeVar("T")

UNPACED = Pace(beside_desks=False)


@st.composite
def dossiers(draw: st.DrawFn, ids: Sequence[UUID]) -> list[list[Told]]:
    """Any facts of some dossiers; within each of them no two moments are the same."""
    return [
        [replace(each, event=replace(each.event, originator_id=dossier)) for each in draw(facts())]
        for dossier in ids
    ]


def told_in(data: st.DataObject, of_dossiers: Sequence[Sequence[Told]]) -> list[Told]:
    """Draw a ledger that was told of dossiers in turns, each in its own order."""
    turns = data.draw(
        st.permutations([n for n, events in enumerate(of_dossiers) for _ in range(len(events))])
    )
    waiting = [iter(events) for events in of_dossiers]
    events = [next(waiting[turn]) for turn in turns]
    return [replace(each, seq=REGISTERED + seq) for seq, each in enumerate(events, 1)]


def batches_of(data: st.DataObject, told: Sequence[T]) -> list[list[T]]:
    """Draw a way to split a ledger into batches."""
    batches: list[list[T]] = [[]]
    for each in told:
        cut: bool = data.draw(st.booleans())
        if cut and batches[-1]:
            batches.append([])
        batches[-1].append(each)
    return batches


def of(dossier: UUID, event: DossierEvent, hour: int = 0) -> DossierEvent:
    """Return an event as it happened to a dossier at an hour."""
    return at(dossier, event, MORNING + HOUR * hour)


def at(dossier: UUID, event: DossierEvent, moment: datetime) -> DossierEvent:
    return replace(event, originator_id=dossier, originator_version=0, timestamp=moment)


async def tell(process: Opened, *events: LedgerEvent) -> None:
    """Let the ledger record events, in this order."""
    for event in events:
        stream = event.originator_id
        await process.store.append(
            Append(
                writes=(Write(stream=stream, events=(event,), expected=None),),
                key=key(),
                outcome=Outcome(kind="recorded", stream=stream),
            )
        )


@dataclass(frozen=True)
class Host:
    """What one process has to do with views: it moves them, builds them, says how far they are."""

    process: Opened
    builder: Builder
    runner: Runner
    standing: Standing
    log: Log

    @property
    def shelf(self) -> Shelf:
        return self.builder.shelf

    async def step(self, limit: int = 1_000, log: Log | None = None) -> int:
        """Apply the next entries, as whoever leads does; return how many there were."""
        async with self.process.pool.acquire() as connection:
            at = await tables.checkpoint(connection, self.shelf.tables, locked=False)
            batch = await self.log.page(connection, at.seq, limit)
            to = await Projector(log or self.log, self.shelf).apply(connection, batch, UNPACED)
            return to.seq - at.seq

    async def caught_up(self, limit: int = 1_000) -> int:
        """Bring the views to the head; return how many entries it took."""
        done = 0
        while count := await self.step(limit):
            done += count
        return done

    async def rebuilt(
        self, *wanted: str, switch: bool = True, progress: Progress = silent
    ) -> dict[str, Rebuilt]:
        names = wanted or self.builder.names
        done = await self.builder.rebuild(names, switch=switch, progress=progress)
        return {each.view: each for each in done}


async def hosted(
    process: Opened,
    views: Sequence[AnyView] = VIEWS,
    *,
    log: Log | None = None,
    manner: Manner = SERVING,
    first: bool = False,
) -> Host:
    """Return what moves views in a process, prepared."""
    log = log or feed_of(process)
    parts = InParts(process.database.url, process.ledger_id)
    builder = Builder(process.database.connect, log, parts, views)
    await builder.prepare()
    standing = Standing(process.pool, builder.shelf.tables)
    leadership = Leadership(process.database.connect, first=first)
    runner = Runner(leadership, log, builder, standing, manner)
    standing.tell(runner.hurry)
    return Host(process, builder, runner, standing, log)


@asynccontextmanager
async def running(host: Host) -> AsyncIterator[Host]:
    """Let a host move the views."""
    host.runner.start()
    try:
        yield host
    finally:
        await host.runner.close()
        await host.standing.close()


def feed_of(process: Opened) -> EventFeed:
    return EventFeed(EventLog(process.pool, process.ledger_id))


Rows = dict[str, list[tuple[object, ...]]]


async def rows_in(process: Opened, ids: Iterable[UUID], tables_of: Shelf | None = None) -> Rows:
    """Return what the tables show of some dossiers, under the names of the views."""
    asked = list(ids)
    kinds = (tables_of or Shelf.of(VIEWS)).kinds()
    return {
        kind.name: in_order(
            await process.pool.fetch(
                f"SELECT * FROM views.{table} WHERE dossier_id = ANY($1::uuid[])",  # noqa: S608  # our own name
                asked,
            )
        )
        for table, kind in kinds
    }


async def rows_due(process: Opened, ids: Iterable[UUID], views: Sequence[AnyView] = VIEWS) -> Rows:
    """Return the rows that whole streams give."""
    log = EventLog(process.pool, process.ledger_id)
    rules = await log.rules()
    streams: dict[UUID, list[Told]] = {}
    for each in await log.streams(ids):
        streams.setdefault(each.event.originator_id, []).append(cast("Told", each))
    changes = [
        Change(None, told, fold.whole(stream, told, rules)) for stream, told in streams.items()
    ]
    return {
        fold.NAME: in_order([fold.row_of(each.after) for each in changes]),
        **{view.table.name: in_order(view.shown(changes).rows) for view in views},
    }


def in_order(rows: Iterable[Iterable[object]]) -> list[tuple[object, ...]]:
    """Return rows as the database gives them back, in one order."""
    stored = [
        tuple(list(each) if isinstance(each, tuple) else each for each in row) for row in rows
    ]
    return sorted(stored, key=repr)


async def position_of(process: Opened, table: str) -> int | None:
    found: int | None = await process.pool.fetchval(
        "SELECT seq FROM views.checkpoint WHERE table_name = $1", table
    )
    return found


class Watched:
    """A ledger that says which streams were read from their beginning."""

    def __init__(self, log: EventFeed) -> None:
        self._log = log
        self.ledger_id = log.ledger_id
        self.whole: list[set[UUID]] = []

    async def rules(self) -> RuleBook:
        return await self._log.rules()

    async def head(self, connection: Session) -> tuple[int, bytes]:
        return await self._log.head(connection)

    async def page(self, connection: Session, after: int, limit: int) -> Sequence[Entry]:
        return await self._log.page(connection, after, limit)

    async def streams(
        self, connection: Session, stream_ids: Iterable[UUID], until: int
    ) -> Sequence[Entry]:
        asked = list(stream_ids)
        self.whole.append(set(asked))
        return await self._log.streams(connection, asked, until)
