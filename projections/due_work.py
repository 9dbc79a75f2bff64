"""What time brings about: queries over the overview of dossiers for whoever acts on it.

Each answers in pages of bounded size, in an order that what is done meanwhile does not change.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec
from asyncpg import Pool, Record

from domain.dossier.state import Dossier
from domain.dossier.status import OPEN, WORK, Status
from projections.dossier_overview import NAME, codes

LATENESS: Final = timedelta(minutes=10)
"""Systems synchronise within ten minutes (NĐ 301/2026/NĐ-CP)."""

# As the indexes of the overview say it.
_OPEN: Final = f"status IN ({codes(OPEN)})"
_WORK: Final = f"status IN ({codes(WORK)})"
_SUPPLEMENT: Final = f"status IN ({codes({Status.SUPPLEMENT})})"
_FIRST: Final = UUID(int=0)
_BEGINNING: Final = datetime.fromtimestamp(0, UTC)
_states = msgspec.json.Decoder(Dossier)


@dataclass(frozen=True, slots=True)
class Due:
    """A dossier of which something is due, as the overview knows it; with it the pages go on."""

    since: datetime
    dossier: Dossier


async def supplements_to_expire(
    pool: Pool, now: datetime, after: Due | None = None, limit: int = 500
) -> list[Due]:
    """Return dossiers whose applicant did not answer in time."""
    return await _due(pool, "answer_by", _SUPPLEMENT, now, after, limit)


async def transfers_to_time_out(
    pool: Pool, now: datetime, after: Due | None = None, limit: int = 500
) -> list[Due]:
    """Return dossiers whose transfer nobody answered in time."""
    return await _due(pool, "transfer_answer_by", _WORK, now, after, limit)


async def _due(
    pool: Pool, limit_of: str, which: str, now: datetime, after: Due | None, limit: int
) -> list[Due]:
    """Return what is due. What had been due when the ledger was told waits for late facts."""
    records = await pool.fetch(
        f"SELECT {limit_of} AS since, state FROM views.{NAME}"  # noqa: S608  # our own names
        f" WHERE {which} AND {limit_of} < $1 AND (told_at <= {limit_of} OR told_at <= $2)"
        f" AND ({limit_of}, dossier_id) > ($3, $4)"
        f" ORDER BY {limit_of}, dossier_id LIMIT $5",
        now,
        now - LATENESS,
        after.since if after is not None else _BEGINNING,
        after.dossier.id if after is not None else _FIRST,
        limit,
    )
    return [Due(record["since"], _dossier(record)) for record in records]


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
        f"SELECT calendar, calendar_version FROM views.{NAME}"  # noqa: S608  # our own names
        f" WHERE {_OPEN} AND calendar IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2"
    )
    return [(record["calendar"], record["calendar_version"]) for record in records]


async def touched(
    pool: Pool, asked: Touched, after: UUID | None = None, limit: int = 500
) -> list[Dossier]:
    """Return the next of the dossiers that a change may touch, in the order of their ids."""
    records = await pool.fetch(
        f"SELECT state FROM views.{NAME} WHERE {_OPEN}"  # noqa: S608  # our own names
        " AND calendar = $1 AND calendar_version = $2 AND dossier_id > $3"
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
    return [_dossier(record) for record in records]


def _dossier(record: Record) -> Dossier:
    return _states.decode(record["state"])
