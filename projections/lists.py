"""Pages of dossiers, newest first: of some units by their sight, of all by the overview."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from asyncpg import Pool

from domain.dossier.state import Dossier
from domain.rules.naming import folded
from projections.dossiers import NAME as DOSSIERS
from projections.dossiers import state_in
from projections.overview import NAME as OVERVIEW
from projections.sight import NAME as SIGHT
from projections.table import fetch

Slot = Callable[[object], str]

_FEW: Final = 16
"""Units whose dossiers are searched one by one; those of more are looked for by their codes."""


@dataclass(frozen=True, kw_only=True)
class Filter:
    """What a list asks for. `scope` None: every unit's; `text_*` are what a search text names."""

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


class ListReader:
    """Reads pages. Busy where the tables are not built yet."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def page(self, asked: Filter) -> Page:
        """Return dossiers, newest first, with the position that they are as of."""
        arguments: list[object] = []

        def slot(value: object) -> str:
            arguments.append(value)
            return f"${len(arguments)}"

        records = await fetch(self._pool, _query(asked, slot), arguments)
        items = [
            Listed(state_in(record["state"]), record["opened_seq"])
            for record in records
            if record["state"] is not None
        ]
        return Page(items, records[0]["seq"] or 0)


def _query(asked: Filter, slot: Slot) -> str:
    """Return the query of a page, by a keyset that later events do not move.

    The position comes in the same snapshot, without a row of its own where nothing is found.
    """
    limit = slot(asked.limit)
    branches = " UNION ".join(_branches(asked, slot, limit))
    return (
        "SELECT here.seq, found.opened_seq, folded.state"  # noqa: S608  # our own names
        " FROM (SELECT min(seq) AS seq FROM views.checkpoint"
        f" WHERE shown AND name IN ('{OVERVIEW}', '{SIGHT}', '{DOSSIERS}')) AS here"
        f" LEFT JOIN (SELECT * FROM ({branches}) AS ways"
        f" ORDER BY opened_seq DESC LIMIT {limit}) AS found ON true"
        f" LEFT JOIN views.{DOSSIERS} AS folded USING (dossier_id)"
        " ORDER BY found.opened_seq DESC"
    )


def _branches(asked: Filter, slot: Slot, limit: str) -> list[str]:
    """Return queries that find the page between them, each by an index of its own."""
    units = _walked(asked)
    if units is None or _is_rare_in(units, asked):
        where = _of_all(asked, slot)
        return _by_codes(asked, slot, where, limit) + _by_names(asked, slot, where, limit)
    if asked.text is None:
        return [_by_units(asked, units, slot, [], limit)]
    if len(units) <= _FEW:
        ways = [*_coded(asked.text, slot), *_named(asked, slot)]
        return [_by_units(asked, units, slot, ways, limit)]
    branches = _by_codes(asked, slot, _of_all(asked, slot), limit)
    if ways := _named(asked, slot):
        branches.append(_by_units(asked, units, slot, ways, limit))
    return branches


def _walked(asked: Filter) -> Sequence[str] | None:
    """Return the units whose sight holds the whole page, as few as may be; None: any unit's."""
    asked_for = [units for units in (asked.unit, asked.scope) if units is not None]
    return min(asked_for, key=len, default=None)


def _is_rare_in(units: Sequence[str], asked: Filter) -> bool:
    """Say whether another index leads to what is asked for sooner than all that units see."""
    if asked.irregular or asked.dossiers is not None:
        return True
    return len(units) > _FEW and (asked.status is not None or asked.procedure is not None)


def _conditions(asked: Filter, slot: Slot) -> list[str]:
    where = []
    if asked.status is not None:
        where.append(f"status = {slot(asked.status)}")
    if asked.procedure is not None:
        where.append(f"procedure = {slot(asked.procedure)}")
    if asked.before is not None:
        where.append(f"opened_seq < {slot(asked.before)}")
    return where


def _of_all(asked: Filter, slot: Slot) -> str:
    """Return what must hold for a row of the overview."""
    where = _conditions(asked, slot)
    for units in (asked.scope, asked.unit):
        if units is not None:
            where.append(_seen_by(units, slot))
    if asked.irregular:
        where.append("irregularities > 0")
    if asked.dossiers is not None:
        where.append(f"dossier_id = ANY({slot(list(asked.dossiers))}::uuid[])")
    return " AND ".join(where) or "true"


def _seen_by(units: Sequence[str], slot: Slot) -> str:
    return f"units && {slot(list(units))}::text[]"


def _by_codes(asked: Filter, slot: Slot, where: str, limit: str) -> list[str]:
    """Return the queries that find by an index each way in which a text is part of a code."""
    ways = _coded(asked.text, slot) if asked.text is not None else ["true"]
    return [
        f"(SELECT dossier_id, opened_seq FROM views.{OVERVIEW} WHERE {where} AND {way}"  # noqa: S608  # values are arguments
        f" ORDER BY opened_seq DESC LIMIT {limit})"
        for way in ways
    ]


def _coded(text: str, slot: Slot) -> list[str]:
    plain = folded(text)
    return [
        f"code LIKE {slot(_literally(plain) + '%')}",
        f"reverse(code) LIKE {slot(_literally(plain[::-1]) + '%')}",
    ]


def _literally(text: str) -> str:
    """Return a pattern in which every character stands for itself."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _named(asked: Filter, slot: Slot) -> list[str]:
    """Return in which ways a search text may name a dossier's procedure or units."""
    ways = []
    if asked.text_procedures:
        ways.append(f"procedure = ANY({slot(list(asked.text_procedures))}::text[])")
    if asked.text_units:
        units = slot(list(asked.text_units))
        ways.append(f"competent_unit = ANY({units}::text[])")
        ways.append(f"receiving_unit = ANY({units}::text[])")
    return ways


def _by_names(asked: Filter, slot: Slot, where: str, limit: str) -> list[str]:
    """Return the queries that find by an index each name that a search text is part of."""
    given = {
        "procedure": asked.text_procedures,
        "competent_unit": asked.text_units,
        "receiving_unit": asked.text_units,
    }
    return [
        _each(OVERVIEW, column, slot(list(names)), where, limit)
        for column, names in given.items()
        if names
    ]


def _by_units(
    asked: Filter, units: Sequence[str], slot: Slot, ways: Sequence[str], limit: str
) -> str:
    """Return the query that finds what units see, and that any of some ways leads to."""
    where = _conditions(asked, slot)
    for others in (asked.unit, asked.scope):
        if others is not None and not set(units) <= set(others):
            # By its key for each row that is walked: what stays within OFFSET is never joined.
            where.append(
                f"EXISTS (SELECT FROM unnest({slot(list(others))}::text[]) AS other (unit),"
                f" views.{SIGHT} AS too WHERE too.unit = other.unit"
                f" AND too.opened_seq = {SIGHT}.opened_seq OFFSET 0)"
            )
    if ways:
        where.append(f"({' OR '.join(ways)})")
    return _each(SIGHT, "unit", slot(list(units)), " AND ".join(where) or "true", limit)


def _each(table: str, column: str, values: str, where: str, limit: str) -> str:
    """Return a query that walks an index from its newest row for each value of a column."""
    way = (
        f"SELECT dossier_id, opened_seq FROM views.{table} WHERE {column} = each.value AND {where}"  # noqa: S608  # values are arguments
        f" ORDER BY opened_seq DESC LIMIT {limit}"
    )
    return (
        f"(SELECT DISTINCT way.dossier_id, way.opened_seq FROM unnest({values}::text[])"  # noqa: S608  # values are arguments
        f" AS each (value), LATERAL ({way}) AS way ORDER BY way.opened_seq DESC LIMIT {limit})"
    )
