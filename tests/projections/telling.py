"""Ledgers as tests of read models tell them: strategies, appends, and the rows that must follow."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import SimpleNamespace
from typing import Final, TypeVar, cast
from uuid import UUID

from hypothesis import strategies as st

from domain.dossier.corrections import EventCorrected
from domain.dossier.events import DossierEvent
from domain.dossier.results import ResultRejected
from domain.dossier.state import Dossier
from domain.envelope import LedgerEvent, Recorded
from domain.ledger.appends import Append, Outcome, Write
from domain.rules.rule_book import RuleBook
from infra.event_store import EventLog
from projections import dossier_overview
from projections.dossier_overview import DossierOverview, state_of
from projections.runner import Event, Projector, ReadModel, Runner, Session, prepare, table_of
from tests.domain.test_history_properties import facts
from tests.examples import HOUR, MORNING
from tests.stores import Opened, key

T = TypeVar("T")
Told = Recorded[DossierEvent]

OVERVIEW: Final = cast("ReadModel", dossier_overview)


def changed(model: ReadModel | SimpleNamespace, **parts: object) -> ReadModel:
    """Return a read model that is like another one but for some of its parts."""
    names = ("NAME", "VERSION", "ddl", "streams", "late", "project", "load", "store")
    like = {name: getattr(model, name) for name in names}
    return cast("ReadModel", SimpleNamespace(**{**like, **parts}))


@dataclass(frozen=True)
class Count:
    stream: UUID
    events: int


class Tally:
    """A read model that counts events: one that is applied twice, or not at all, shows."""

    NAME = "tally"
    VERSION = 1

    def ddl(self, table: str) -> str:
        return f"CREATE TABLE views.{table} (stream uuid PRIMARY KEY, events int NOT NULL)"

    def streams(self, events: Iterable[Event]) -> set[UUID]:
        return {each.event.originator_id for each in events}

    def late(self, known: Mapping[UUID, Count], events: Iterable[Event]) -> set[UUID]:
        del known, events
        return set()

    def project(
        self, known: Mapping[UUID, Count], events: Iterable[Event], rules: RuleBook
    ) -> dict[UUID, Count]:
        del rules
        counts = dict(known)
        for each in events:
            stream = each.event.originator_id
            before = counts[stream].events if stream in counts else 0
            counts[stream] = Count(stream, before + 1)
        return counts

    async def load(
        self, connection: Session, table: str, dossier_ids: Iterable[UUID]
    ) -> Mapping[UUID, Count]:
        query = f"SELECT stream, events FROM views.{table} WHERE stream = ANY($1::uuid[])"  # noqa: S608  # our own name
        rows = await connection.fetch(query, list(dossier_ids))
        return {UUID(str(row[0])): Count(UUID(str(row[0])), row[1]) for row in rows}

    async def store(self, connection: Session, table: str, rows: Iterable[Count]) -> None:
        await connection.executemany(
            f"INSERT INTO views.{table} VALUES ($1, $2)"  # noqa: S608  # our own name
            " ON CONFLICT (stream) DO UPDATE SET events = excluded.events",
            [(row.stream, row.events) for row in rows],
        )


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
    return [replace(each, seq=seq) for seq, each in enumerate(events, 1)]


def batches_of(data: st.DataObject, told: Sequence[T]) -> list[list[T]]:
    """Draw a way to split a ledger into batches."""
    batches: list[list[T]] = [[]]
    for each in told:
        cut: bool = data.draw(st.booleans())
        if cut and batches[-1]:
            batches.append([])
        batches[-1].append(each)
    return batches


def _named(event: DossierEvent) -> UUID | None:
    match event:
        case EventCorrected():
            return event.corrects
        case ResultRejected():
            return event.rejects
        case _:
            return None


def but_for_the_order_of_telling(row: DossierOverview) -> tuple[DossierOverview, Dossier]:
    """Return what a row says without what depends on the order in which the ledger was told."""
    state = replace(state_of(row), version=0, last_version=0)
    return replace(row, version=0, opened_seq=0, state=b""), state


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


def log_of(process: Opened) -> EventLog:
    return EventLog(process.pool, process.ledger_id)


async def projector_of(process: Opened, model: ReadModel = OVERVIEW) -> Projector:
    """Return what moves a read model that is prepared."""
    async with process.pool.acquire() as connection, connection.transaction():
        await prepare(connection, model, process.ledger_id)
    return Projector(process.pool, log_of(process), model)


async def runner_of(process: Opened, *models: ReadModel) -> Runner:
    runner = Runner(process.pool, log_of(process), models or (OVERVIEW,), poll=0.01)
    await runner.prepare()
    return runner


async def all_of(projector: Projector, limit: int = 1_000) -> int:
    """Bring a read model to the head of the ledger; return how many events it took."""
    done = 0
    while count := await projector.step(limit):
        done += count
    return done


async def rows_in(
    process: Opened, ids: Iterable[UUID], table: str = table_of(dossier_overview)
) -> Mapping[UUID, DossierOverview]:
    async with process.pool.acquire() as connection:
        return await dossier_overview.load(connection, table, ids)


async def rows_due(process: Opened, ids: Iterable[UUID]) -> Mapping[UUID, DossierOverview]:
    """Return the rows that whole streams give."""
    log = log_of(process)
    return dossier_overview.project({}, await log.streams(ids), await log.rules())


async def checkpoint_of(process: Opened, table: str) -> int | None:
    found: int | None = await process.pool.fetchval(
        "SELECT seq FROM views.checkpoint WHERE table_name = $1", table
    )
    return found


class Watched:
    """The ledger as read models read it, saying which streams were read from their beginning."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self.ledger_id = log.ledger_id
        self.whole: list[set[UUID]] = []

    async def rules(self) -> RuleBook:
        return await self._log.rules()

    async def page(self, after: int, limit: int) -> Sequence[Event]:
        return await self._log.page(after, limit)

    async def streams(self, stream_ids: Iterable[UUID], until: int) -> Sequence[Event]:
        self.whole.append(set(stream_ids))
        return await self._log.streams(stream_ids, until)
