"""The overview of dossiers: one row each, for lists, filters, search and the present state."""

from collections.abc import Callable, Collection, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from importlib.resources import files
from typing import Final, cast, get_args
from uuid import UUID

import msgspec
from asyncpg import Connection, Pool, Record
from asyncpg.pool import PoolConnectionProxy

from domain.dossier.dates.settling import settle
from domain.dossier.events import DossierEvent, VoidingEvent
from domain.dossier.evolve import apply, replay
from domain.dossier.history import legal_order
from domain.dossier.state import FORM, Dossier
from domain.dossier.status import OPEN, WORK, Status
from domain.envelope import LedgerEvent, Recorded
from domain.rules.rule_book import RuleBook

NAME: Final = "dossier_overview"  # Table name and checkpoint key: renaming it means a rebuild.
VERSION: Final = FORM  # Rows keep the folded dossier; a column of their own raises it too.

Session = Connection | PoolConnectionProxy
Slot = Callable[[object], str]
_states = msgspec.json.Decoder(Dossier)


@dataclass(frozen=True, kw_only=True, slots=True)
class DossierOverview:
    """A row. `state` is the folded dossier, so that the next event needs no replay."""

    dossier_id: UUID
    version: int
    opened_seq: int
    code: str | None
    status: int | None
    procedure: str | None
    procedure_version: int | None
    channel: str | None
    receiving_unit: str | None
    competent_unit: str | None
    returning_unit: str | None
    custodian_unit: str | None
    units: tuple[str, ...]
    financial: str
    delivery: str
    synchronisation: str
    submitted_at: datetime | None
    accepted_at: datetime | None
    printed_due: datetime | None
    first_due: datetime | None
    due: datetime | None
    paused_since: datetime | None
    finished_at: datetime | None
    returned_at: datetime | None
    last_moment: datetime | None
    told_at: datetime
    answer_by: datetime | None
    transfer_answer_by: datetime | None
    calendar: str | None
    calendar_version: int | None
    pauses: int
    paused_minutes: int
    irregularities: int
    voiding: bool
    state: bytes


Rows = Mapping[UUID, DossierOverview]
Event = Recorded[LedgerEvent]


def streams(events: Iterable[Event]) -> set[UUID]:
    """Return the streams that this view has a row for."""
    return {each.event.originator_id for each in events if isinstance(each.event, DossierEvent)}


def project(known: Rows, events: Iterable[Event], rules: RuleBook) -> dict[UUID, DossierOverview]:
    """Return the rows that the events change. Same events in, in any split, same rows out.

    `rules` knows the events' registers: the versions that a dossier names never change. A dossier
    without a known row must come with its whole stream.
    """
    by_stream: dict[UUID, list[Recorded[DossierEvent]]] = {}
    for each in events:
        if isinstance(each.event, DossierEvent):
            told = cast("Recorded[DossierEvent]", each)
            by_stream.setdefault(each.event.originator_id, []).append(told)
    return {
        stream: _whole(stream, new, rules)
        if stream not in known
        else _next(known[stream], new, rules)
        for stream, new in by_stream.items()
    }


def late(known: Rows, events: Iterable[Event]) -> set[UUID]:
    """Return the streams whose events do not simply follow: they are projected from the start."""
    found: set[UUID] = set()
    new: set[UUID] = set()
    for each in events:
        event = each.event
        if not isinstance(event, DossierEvent):
            continue
        stream = event.originator_id
        row = known.get(stream)
        if row is None:
            if event.originator_version == 1:
                new.add(stream)
            elif stream not in new:
                found.add(stream)
        elif row.voiding or isinstance(event, VoidingEvent) or _precedes(event, row):
            found.add(stream)
    return found


def _precedes(event: LedgerEvent, row: DossierOverview) -> bool:
    return row.last_moment is not None and event.timestamp < row.last_moment


def _whole(
    stream: UUID, events: Sequence[Recorded[DossierEvent]], rules: RuleBook
) -> DossierOverview:
    dossier = replay(stream, events, rules)
    voiding = any(isinstance(each.event, VoidingEvent) for each in events)
    told_at = max(each.recorded_at for each in events)
    return _row(dossier, min(each.seq for each in events), told_at, voiding=voiding)


def _next(
    row: DossierOverview, events: Sequence[Recorded[DossierEvent]], rules: RuleBook
) -> DossierOverview:
    dossier = _states.decode(row.state)
    before = dossier.clock, dossier.offer
    for each in sorted(events, key=legal_order):
        apply(dossier, each.event)
    dossier.version = max(each.version for each in events)
    if (dossier.clock, dossier.offer) != before:
        settle(dossier, rules)
    told_at = max(row.told_at, *(each.recorded_at for each in events))
    return _row(dossier, row.opened_seq, told_at, voiding=False)  # Else it is late.


def _row(dossier: Dossier, opened_seq: int, told_at: datetime, *, voiding: bool) -> DossierOverview:
    clock = dossier.clock
    return DossierOverview(
        dossier_id=dossier.id,
        version=dossier.version,
        opened_seq=opened_seq,
        code=dossier.code,
        status=dossier.status.portal_code if dossier.status is not None else None,
        procedure=dossier.procedure,
        procedure_version=dossier.procedure_version,
        channel=dossier.channel,
        receiving_unit=dossier.receiving_unit,
        competent_unit=dossier.competent_unit,
        returning_unit=dossier.returning_unit,
        custodian_unit=dossier.custodian_unit,
        units=dossier.seen_by,
        financial=dossier.financial,
        delivery=dossier.delivery,
        synchronisation=dossier.synchronisation,
        submitted_at=dossier.submitted_at,
        accepted_at=dossier.accepted_at,
        printed_due=dossier.printed_due,
        first_due=dossier.first_due,
        due=dossier.due,
        paused_since=dossier.paused_since,
        finished_at=dossier.finished_at,
        returned_at=dossier.returned_at,
        last_moment=dossier.last_moment,
        told_at=told_at,
        answer_by=dossier.answer_by,
        transfer_answer_by=dossier.transfer_answer_by,
        calendar=clock.calendar.name if clock is not None else None,
        calendar_version=clock.calendar.version if clock is not None else None,
        pauses=dossier.pauses,
        paused_minutes=dossier.paused_minutes,
        irregularities=len(dossier.irregularities),
        voiding=voiding,
        state=msgspec.json.encode(dossier),
    )


def state_of(row: DossierOverview) -> Dossier:
    """Return the folded dossier that a row was made from."""
    return _states.decode(row.state)


_COLUMNS: Final = tuple(field.name for field in fields(DossierOverview))
_LIST: Final = ", ".join(_COLUMNS)
_SQL: Final[Mapping[object, str]] = {
    UUID: "uuid",
    int: "bigint",
    str: "text",
    bool: "boolean",
    bytes: "bytea",
    datetime: "timestamptz",
    tuple[str, ...]: "text",  # As it travels: see `_value`.
}
_TYPES: Final = tuple(
    _SQL[next(each for each in (*get_args(field.type), field.type) if each in _SQL)]
    for field in fields(DossierOverview)
)


def ddl(table: str) -> str:
    """Return the statements that make one version's table."""
    text = (files("projections") / "sql" / f"{NAME}.sql").read_text("utf-8")
    return text.format(
        table=table, open=codes(OPEN), work=codes(WORK), supplement=codes({Status.SUPPLEMENT})
    )


def codes(statuses: Collection[Status]) -> str:
    """Return the portal's numbers of statuses, for a condition `status IN (…)`."""
    return ", ".join(str(code) for code in sorted({each.portal_code for each in statuses}))


async def load(connection: Session, table: str, dossier_ids: Iterable[UUID]) -> Rows:
    rows = await connection.fetch(
        f"SELECT {_LIST} FROM views.{table} WHERE dossier_id = ANY($1::uuid[])",  # noqa: S608  # our own names
        list(dossier_ids),
    )
    loaded = [row_of(row) for row in rows]
    return {row.dossier_id: row for row in loaded}


def row_of(record: Record) -> DossierOverview:
    values: dict[str, object] = dict(record.items())
    values["dossier_id"] = UUID(str(values["dossier_id"]))
    values["units"] = tuple(cast("list[str]", values["units"]))
    return DossierOverview(**values)  # type: ignore[arg-type]  # the columns are the fields


async def store(connection: Session, table: str, rows: Iterable[DossierOverview]) -> None:
    """Write the changed rows. Runs in the transaction that moves the checkpoint."""
    arrays = [[_value(row, name) for row in rows] for name in _COLUMNS]
    asked = ", ".join(f"${n}::{kind}[]" for n, kind in enumerate(_TYPES, 1))
    names = ", ".join(_COLUMNS)
    selected = ", ".join(
        "string_to_array(units, ',')" if name == "units" else name for name in _COLUMNS
    )
    changes = ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS[1:])
    await connection.execute(
        f"INSERT INTO views.{table} ({names}) SELECT {selected}"  # noqa: S608  # our own names
        f" FROM unnest({asked}) AS new ({names})"
        f" ON CONFLICT (dossier_id) DO UPDATE SET {changes}",
        *arrays,
    )


def _value(row: DossierOverview, name: str) -> object:
    # unnest flattens an array of arrays; unit codes hold no comma.
    return ",".join(row.units) if name == "units" else getattr(row, name)


@dataclass(frozen=True, kw_only=True)
class Filter:
    """What a list asks for. `scope` None: every unit; `matches` holds what a search text names."""

    scope: Sequence[str] | None
    unit: Sequence[str] | None = None
    status: int | None = None
    procedure: str | None = None
    irregular: bool = False
    text: str | None = None
    text_procedures: Sequence[str] = ()
    text_units: Sequence[str] = ()
    dossiers: Sequence[UUID] | None = None
    before: int | None = None
    limit: int = 50


async def page(pool: Pool, asked: Filter) -> list[DossierOverview]:
    """Return rows, newest dossier first, by a keyset that later events do not move."""
    arguments: list[object] = []

    def slot(value: object) -> str:
        arguments.append(value)
        return f"${len(arguments)}"

    where = _conditions(asked, slot)
    ways = _text_ways(asked, slot)
    limit = slot(asked.limit)
    branches = [
        f"(SELECT {_LIST} FROM views.{NAME} WHERE {' AND '.join([*where, way])}"  # noqa: S608  # values are arguments
        f" ORDER BY opened_seq DESC LIMIT {limit})"
        for way in ways
    ]
    query = (
        f"SELECT {_LIST} FROM ({' UNION '.join(branches)}) AS found"  # noqa: S608  # our own names
        f" ORDER BY opened_seq DESC LIMIT {limit}"
    )
    return [row_of(record) for record in await pool.fetch(query, *arguments)]


def _conditions(asked: Filter, slot: Slot) -> list[str]:
    where = ["true"]
    if asked.scope is not None:
        where.append(f"units && {slot(list(asked.scope))}::text[]")
    if asked.unit is not None:
        where.append(f"units && {slot(list(asked.unit))}::text[]")
    if asked.status is not None:
        where.append(f"status = {slot(asked.status)}")
    if asked.procedure is not None:
        where.append(f"procedure = {slot(asked.procedure)}")
    if asked.dossiers is not None:
        where.append(f"dossier_id = ANY({slot(list(asked.dossiers))}::uuid[])")
    if asked.before is not None:
        where.append(f"opened_seq < {slot(asked.before)}")
    if asked.irregular:
        where.append("irregularities > 0")
    return where


def _text_ways(asked: Filter, slot: Slot) -> list[str]:
    """Each way in which a search text may name a dossier is a query with an index of its own."""
    if asked.text is None:
        return ["true"]
    ways = [
        f"code LIKE {slot(_literally(asked.text.upper()) + '%')}",
        f"code LIKE {slot(_literally(asked.text) + '%')}",
        f"reverse(code) LIKE {slot(_literally(asked.text[::-1]) + '%')}",
    ]
    if asked.text_procedures:
        ways.append(f"procedure = ANY({slot(list(asked.text_procedures))}::text[])")
    if asked.text_units:
        units = slot(list(asked.text_units))
        ways.append(f"competent_unit = ANY({units}::text[])")
        ways.append(f"receiving_unit = ANY({units}::text[])")
    return ways


def _literally(text: str) -> str:
    """Return a pattern in which every character stands for itself."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


async def irregular_kinds(pool: Pool, among: Container[bytes] | None = None) -> dict[str, int]:
    """Return how many findings of each kind stand in the ledger, or among some dossiers."""
    records = await pool.fetch(f"SELECT state FROM views.{NAME} WHERE irregularities > 0")  # noqa: S608  # our own name
    counts: dict[str, int] = {}
    for record in records:
        dossier = _states.decode(record["state"])
        findings = dossier.irregularities if among is None or dossier.id.bytes in among else ()
        for finding in findings:
            counts[finding.kind] = counts.get(finding.kind, 0) + 1
    return dict(sorted(counts.items()))


_OPEN_ON: Final = f"""
SELECT count(*) FROM views.{NAME}
WHERE procedure = $1 AND procedure_version = $2
  AND accepted_at IS NOT NULL AND finished_at IS NULL
"""  # noqa: S608  # our own name
_PAUSED: Final = f"""
SELECT dossier_id FROM views.{NAME}
WHERE pauses > 0 AND first_due IS NOT NULL ORDER BY opened_seq LIMIT 1
"""  # noqa: S608  # our own name


class OverviewReader:
    """The queries of this view, for those who should not hold a pool."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def page(self, asked: Filter) -> list[DossierOverview]:
        return await page(self._pool, asked)

    async def irregular_kinds(self, among: Container[bytes] | None = None) -> dict[str, int]:
        return await irregular_kinds(self._pool, among)

    async def open_on(self, procedure: str, version: int) -> int:
        """Count the open dossiers that were accepted under a version of a procedure."""
        return int(await self._pool.fetchval(_OPEN_ON, procedure, version))

    async def first_paused(self) -> UUID | None:
        """Return the first dossier that has a date and was paused, to show one."""
        found = await self._pool.fetchval(_PAUSED)
        return UUID(str(found)) if found is not None else None
