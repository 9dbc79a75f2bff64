"""What time brings about: until when others are to act on open dossiers, and who counts how.

Each answers in pages of bounded size, in an order that what is done meanwhile does not change.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from asyncpg import Pool

from domain.dossier.state import Dossier
from domain.dossier.status import OPEN, WORK, Status
from projections.dossiers import NAME as DOSSIERS
from projections.dossiers import Change, Folded, Shown, View, one_each, state_in
from projections.table import Table

NAME: Final = "dossiers_due"
VERSION: Final = 1

LATENESS: Final = timedelta(minutes=10)
"""Systems synchronise within ten minutes (NĐ 301/2026/NĐ-CP)."""

_FIRST: Final = UUID(int=0)
_BEGINNING: Final = datetime.fromtimestamp(0, UTC)


class Row(NamedTuple):
    """An open dossier with a clock. A limit stands here while its status is the one that waits."""

    dossier_id: UUID
    competent_unit: str | None
    calendar: str
    calendar_version: int
    accepted_at: datetime | None
    first_due: datetime | None
    due: datetime | None
    answer_by: datetime | None
    transfer_answer_by: datetime | None


def _codes(statuses: Collection[Status]) -> frozenset[int]:
    return frozenset(each.portal_code for each in statuses)


_OPEN: Final = _codes(OPEN)
_WORK: Final = _codes(WORK)
_SUPPLEMENT: Final = _codes({Status.SUPPLEMENT})


def row_of(folded: Folded) -> Row | None:
    dossier = folded.dossier
    status = dossier.status.portal_code if dossier.status is not None else None
    if dossier.clock is None or status not in _OPEN:
        return None
    return Row(
        dossier.id,
        dossier.competent_unit,
        dossier.clock.calendar.name,
        dossier.clock.calendar.version,
        dossier.accepted_at,
        dossier.first_due,
        dossier.due,
        dossier.answer_by if status in _SUPPLEMENT else None,
        dossier.transfer_answer_by if status in _WORK else None,
    )


def shown(changes: Sequence[Change]) -> Shown[Row]:
    """Return the rows that a batch changes, and whose dossiers are open no more."""
    return one_each(changes, row_of)


DUE: Final = View(
    table=Table(
        name=NAME,
        version=VERSION,
        row=Row,
        key=("dossier_id",),
        indexes=(
            "(answer_by) WHERE answer_by IS NOT NULL",
            "(transfer_answer_by) WHERE transfer_answer_by IS NOT NULL",
            "(calendar, calendar_version, dossier_id)",
        ),
    ),
    shown=shown,
)


@dataclass(frozen=True, slots=True)
class Due:
    """A dossier of which something is due, as it is folded; with it the pages go on."""

    since: datetime
    dossier: Dossier


async def supplements_to_expire(
    pool: Pool, now: datetime, after: Due | None = None, limit: int = 500
) -> list[Due]:
    """Return dossiers whose applicant did not answer in time."""
    return await _due(pool, "answer_by", now, after, limit)


async def transfers_to_time_out(
    pool: Pool, now: datetime, after: Due | None = None, limit: int = 500
) -> list[Due]:
    """Return dossiers whose transfer nobody answered in time."""
    return await _due(pool, "transfer_answer_by", now, after, limit)


async def _due(
    pool: Pool, limit_of: str, now: datetime, after: Due | None, limit: int
) -> list[Due]:
    """Return what is due. What had been due when the ledger was told waits for late facts."""
    records = await pool.fetch(
        f"SELECT {limit_of} AS since, folded.state FROM views.{NAME} AS found"  # noqa: S608  # our own names
        f" JOIN views.{DOSSIERS} AS folded USING (dossier_id)"
        f" WHERE {limit_of} < $1 AND (told_at <= {limit_of} OR told_at <= $2)"
        f" AND ({limit_of}, dossier_id) > ($3, $4)"
        f" ORDER BY {limit_of}, dossier_id LIMIT $5",
        now,
        now - LATENESS,
        after.since if after is not None else _BEGINNING,
        after.dossier.id if after is not None else _FIRST,
        limit,
    )
    return [Due(record["since"], state_in(record["state"])) for record in records]


@dataclass(frozen=True, kw_only=True, slots=True)
class Touched:
    """Open dossiers that changes of a calendar may touch: those that count by one of its versions.

    Their clock ran between `first` and `last`, or they have no date. `units`: of these competent
    units only; `told_since`: only what the ledger was told of since then.
    """

    calendar: str
    version: int
    first: datetime
    last: datetime
    units: Sequence[str] | None = None
    told_since: datetime | None = None


async def versions_in_use(pool: Pool) -> list[tuple[str, int]]:
    """Return by which calendars and versions of them open dossiers count."""
    records = await pool.fetch(
        f"SELECT calendar, calendar_version FROM views.{NAME} GROUP BY 1, 2 ORDER BY 1, 2"  # noqa: S608  # our own name
    )
    return [(record["calendar"], record["calendar_version"]) for record in records]


async def touched(
    pool: Pool, asked: Touched, after: UUID | None = None, limit: int = 500
) -> list[Dossier]:
    """Return the next of the dossiers that a change may touch, in the order of their ids."""
    records = await pool.fetch(
        f"SELECT folded.state FROM views.{NAME} AS found"  # noqa: S608  # our own names
        f" JOIN views.{DOSSIERS} AS folded USING (dossier_id)"
        " WHERE calendar = $1 AND calendar_version = $2 AND dossier_id > $3"
        " AND (first_due IS NULL OR due IS NULL"
        " OR (greatest(first_due, due) >= $4 AND accepted_at < $5))"
        " AND ($6::text[] IS NULL OR competent_unit = ANY($6))"
        " AND ($7::timestamptz IS NULL OR told_at >= $7)"
        " ORDER BY dossier_id LIMIT $8",
        asked.calendar,
        asked.version,
        after or _FIRST,
        asked.first,
        asked.last,
        list(asked.units) if asked.units is not None else None,
        asked.told_since,
        limit,
    )
    return [state_in(record["state"]) for record in records]
