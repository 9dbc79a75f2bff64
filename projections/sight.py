"""Which unit sees which dossiers: a row for each of a dossier's units, with what lists ask for."""

from collections.abc import Sequence
from typing import Final, NamedTuple
from uuid import UUID

from domain.rules.naming import folded as without_accents
from projections.dossiers import Change, Folded, Shown, View
from projections.table import Table

NAME: Final = "dossier_sight"
VERSION: Final = 2


class Row(NamedTuple):
    """A dossier in the sight of a unit, whose dossiers `opened_seq` tells apart and sorts."""

    unit: str
    opened_seq: int
    dossier_id: UUID
    code: str | None
    status: int | None
    procedure: str | None
    receiving_unit: str | None
    competent_unit: str | None


def rows_of(folded: Folded) -> list[Row]:
    dossier = folded.dossier
    status = dossier.status.portal_code if dossier.status is not None else None
    return [
        Row(
            unit,
            folded.opened_seq,
            dossier.id,
            without_accents(dossier.code) if dossier.code is not None else None,
            status,
            dossier.procedure,
            dossier.receiving_unit,
            dossier.competent_unit,
        )
        for unit in dossier.seen_by
    ]


def shown(changes: Sequence[Change]) -> Shown[Row]:
    """Return the rows that a batch changes, and those of units that see a dossier no more."""
    rows: list[Row] = []
    gone: list[tuple[object, ...]] = []
    for before, _, after in changes:
        was = set(rows_of(before)) if before is not None else set()
        now = rows_of(after)
        rows += [row for row in now if row not in was]
        units = {row.unit for row in now}
        gone += [(row.unit, row.opened_seq) for row in was if row.unit not in units]
    return Shown(rows, gone)


SIGHT: Final = View(
    table=Table(
        name=NAME,
        version=VERSION,
        row=Row,
        key=("unit", "opened_seq"),
        # A unit's dossiers are filtered in the index: their rows are not looked at.
        beside_key=(
            "dossier_id",
            "code",
            "status",
            "procedure",
            "receiving_unit",
            "competent_unit",
        ),
    ),
    shown=shown,
)
