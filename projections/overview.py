"""The overview of dossiers: what lists are filtered, sorted and searched by. The rest is folded."""

from collections.abc import Container, Sequence
from typing import Final, NamedTuple
from uuid import UUID

from asyncpg import Pool

from domain.rules.naming import folded as without_accents
from projections.dossiers import NAME as DOSSIERS
from projections.dossiers import Change, Folded, Shown, View, one_each, state_in
from projections.table import Table, fetch

NAME: Final = "dossier_overview"
VERSION: Final = 6


class Row(NamedTuple):
    """A dossier in the lists, its code without accents. Steps and records change nothing of it."""

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
        without_accents(dossier.code) if dossier.code is not None else None,
        dossier.status.portal_code if dossier.status is not None else None,
        dossier.procedure,
        dossier.procedure_version,
        dossier.receiving_unit,
        dossier.competent_unit,
        dossier.seen_by,
        dossier.accepted_at is not None and dossier.finished_at is None,
        len(dossier.irregularities),
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
            "(opened_seq) WHERE irregularities > 0",
        ),
    ),
    shown=shown,
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

    async def irregular_kinds(self, among: Container[bytes] | None = None) -> dict[str, int]:
        """Return how many findings of each kind stand in the ledger, or among some dossiers."""
        counts: dict[str, int] = {}
        for record in await fetch(self._pool, _IRREGULAR):
            dossier = state_in(record["state"])
            if among is None or dossier.id.bytes in among:
                for finding in dossier.irregularities:
                    counts[finding.kind] = counts.get(finding.kind, 0) + 1
        return dict(sorted(counts.items()))

    async def open_on(self, procedure: str, version: int) -> int:
        """Count the open dossiers that were accepted under a version of a procedure."""
        (record,) = await fetch(self._pool, _OPEN_ON, (procedure, version))
        return int(record[0])

    async def first_paused(self) -> UUID | None:
        """Return the first dossier that has a date and was paused, to show one."""
        found = await fetch(self._pool, _PAUSED)
        return UUID(str(found[0][0])) if found else None
