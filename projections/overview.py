"""The overview of dossiers: what lists are filtered, sorted and searched by. The rest is folded."""

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple
from uuid import UUID

from asyncpg import Pool, Record, UndefinedColumnError, UndefinedTableError

from domain.dossier.state import Dossier
from domain.errors import Busy
from projections.dossiers import NAME as DOSSIERS
from projections.dossiers import Change, Folded, Shown, View, one_each, state_in
from projections.table import Table

NAME: Final = "dossier_overview"
VERSION: Final = 4

Slot = Callable[[object], str]


class Row(NamedTuple):
    """A dossier in the lists. Steps and records change nothing of it."""

    dossier_id: UUID
    opened_seq: int
    code: str | None
    status: int | None
    procedure: str | None
    procedure_version: int | None
    receiving_unit: str | None
    competent_unit: str | None
    units: tuple[str, ...]
    is_open: bool
    irregularities: int


def row_of(folded: Folded) -> Row:
    dossier = folded.dossier
    return Row(
        dossier.id,
        folded.opened_seq,
        dossier.code,
        dossier.status.portal_code if dossier.status is not None else None,
        dossier.procedure,
        dossier.procedure_version,
        dossier.receiving_unit,
        dossier.competent_unit,
        dossier.seen_by,
        dossier.accepted_at is not None and dossier.finished_at is None,
        len(dossier.findings) + len(dossier.date_findings),
    )


def shown(changes: Sequence[Change]) -> Shown[Row]:
    """Return the rows that a batch changes."""
    return one_each(changes, row_of)


OVERVIEW: Final = View(
    table=Table(
        name=NAME,
        version=VERSION,
        row=Row,
        key=("dossier_id",),
        indexes=(
            "(opened_seq)",
            "(code text_pattern_ops)",
            "(reverse(code) text_pattern_ops)",
            "(procedure, opened_seq)",
            "(competent_unit, opened_seq)",
            "(receiving_unit, opened_seq)",
            "(status, opened_seq)",
            "USING gin (units) WITH (fastupdate = off)",
            "(opened_seq) WHERE irregularities > 0",
        ),
    ),
    shown=shown,
)


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


@dataclass(frozen=True, slots=True)
class Listed:
    """A dossier of a page; with `opened_seq` the pages go on."""

    dossier: Dossier
    opened_seq: int


@dataclass(frozen=True, slots=True)
class Page:
    """Dossiers as of the position that was read with them."""

    items: Sequence[Listed]
    position: int


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


def _query(asked: Filter, slot: Slot) -> str:
    """Return the query of a page, newest dossier first, by a keyset that later events do not move.

    The position comes in the same snapshot, without a row of its own where nothing is found.
    """
    where = _conditions(asked, slot)
    ways = _text_ways(asked, slot)
    limit = slot(asked.limit)
    branches = " UNION ".join(
        f"(SELECT dossier_id, opened_seq FROM views.{NAME} WHERE {' AND '.join([*where, way])}"  # noqa: S608  # values are arguments
        f" ORDER BY opened_seq DESC LIMIT {limit})"
        for way in ways
    )
    return (
        "SELECT here.seq, found.opened_seq, folded.state"  # noqa: S608  # our own names
        " FROM (SELECT min(seq) AS seq FROM views.checkpoint"
        f" WHERE shown AND name IN ('{NAME}', '{DOSSIERS}')) AS here"
        f" LEFT JOIN (SELECT * FROM ({branches}) AS ways"
        f" ORDER BY opened_seq DESC LIMIT {limit}) AS found ON true"
        f" LEFT JOIN views.{DOSSIERS} AS folded USING (dossier_id)"
        " ORDER BY found.opened_seq DESC"
    )


_IRREGULAR: Final = f"""
SELECT folded.state FROM views.{NAME} AS found JOIN views.{DOSSIERS} AS folded USING (dossier_id)
WHERE found.irregularities > 0
"""  # noqa: S608  # our own names
_OPEN_ON: Final = f"""
SELECT count(*) FROM views.{NAME}
WHERE procedure = $1 AND procedure_version = $2 AND is_open
"""  # noqa: S608  # our own name
_PAUSED: Final = f"""
SELECT dossier_id
FROM views.{DOSSIERS}, LATERAL (SELECT convert_from(state, 'UTF8')::jsonb AS dossier) AS said
WHERE (dossier ->> 'pauses')::int > 0 AND dossier ->> 'first_due' IS NOT NULL
ORDER BY opened_seq LIMIT 1
"""  # noqa: S608  # our own name


class OverviewReader:
    """The queries of this view. Busy where its tables are not built yet."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def page(self, asked: Filter) -> Page:
        """Return dossiers, newest first, with the position that they are as of."""
        arguments: list[object] = []

        def slot(value: object) -> str:
            arguments.append(value)
            return f"${len(arguments)}"

        records = await self._fetch(_query(asked, slot), *arguments)
        items = [
            Listed(state_in(record["state"]), record["opened_seq"])
            for record in records
            if record["state"] is not None
        ]
        return Page(items, records[0]["seq"] or 0)

    async def irregular_kinds(self, among: Container[bytes] | None = None) -> dict[str, int]:
        """Return how many findings of each kind stand in the ledger, or among some dossiers."""
        counts: dict[str, int] = {}
        for record in await self._fetch(_IRREGULAR):
            dossier = state_in(record["state"])
            if among is None or dossier.id.bytes in among:
                for finding in dossier.irregularities:
                    counts[finding.kind] = counts.get(finding.kind, 0) + 1
        return dict(sorted(counts.items()))

    async def open_on(self, procedure: str, version: int) -> int:
        """Count the open dossiers that were accepted under a version of a procedure."""
        (record,) = await self._fetch(_OPEN_ON, procedure, version)
        return int(record[0])

    async def first_paused(self) -> UUID | None:
        """Return the first dossier that has a date and was paused, to show one."""
        found = await self._fetch(_PAUSED)
        return UUID(str(found[0][0])) if found else None

    async def _fetch(self, query: str, *arguments: object) -> list[Record]:
        try:
            return await self._pool.fetch(query, *arguments)
        except (UndefinedTableError, UndefinedColumnError) as error:
            raise Busy("The lists are being built.") from error
