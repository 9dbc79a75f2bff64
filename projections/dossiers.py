"""The folded dossier, in a table of its own: the only snapshot, which every view is shown from."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Generic, NamedTuple, TypeVar
from uuid import UUID

import msgspec

from domain.dossier.events import DossierEvent, VoidingEvent
from domain.dossier.evolve import apply_following, goes_on, replay
from domain.dossier.state import FORM, Dossier
from domain.envelope import Recorded
from domain.rules.rule_book import RuleBook
from projections.table import R, Session, Table

NAME: Final = "dossiers"
Told = Recorded[DossierEvent]
D = TypeVar("D", bound=NamedTuple)
_states: Final = msgspec.json.Decoder(Dossier)


class Row(NamedTuple):
    """No column but the key is indexed, so that the next event changes a row in place."""

    dossier_id: UUID
    version: int
    opened_seq: int
    told_at: datetime
    voiding: bool
    state: bytes


TABLE: Final = Table(name=NAME, version=FORM, row=Row, key=("dossier_id",), fillfactor=60)


class Folded(NamedTuple):
    """A dossier as its events add up, and what its state does not say of them.

    `opened_seq` is the position of the first one told, `told_at` when the last one was that counts.
    """

    dossier: Dossier
    opened_seq: int
    told_at: datetime
    voiding: bool


class Change(NamedTuple):
    """What a batch did to one dossier; `before` None: it is new."""

    before: Folded | None
    told: Sequence[Told]
    after: Folded


class Shown(NamedTuple, Generic[D]):
    """What a batch changes in a view: new or other rows, and the keys of those that are gone."""

    rows: list[D]
    gone: list[tuple[object, ...]]


@dataclass(frozen=True, kw_only=True)
class View(Generic[R]):
    """A table and the pure function that says what a batch changes in it."""

    table: Table[R]
    shown: Callable[[Sequence[Change]], Shown[R]]


AnyView = View[Any]


def one_each(changes: Iterable[Change], row_of: Callable[[Folded], R | None]) -> Shown[R]:
    """Return the changes of a view that has one row for a dossier, or none, under its id.

    What is equal before and after is not written.
    """
    rows: list[R] = []
    gone: list[tuple[object, ...]] = []
    for before, _, after in changes:
        was = row_of(before) if before is not None else None
        row = row_of(after)
        if row is None:
            if was is not None:
                gone.append((after.dossier.id,))
        elif row != was:
            rows.append(row)
    return Shown(rows, gone)


def state_in(data: bytes) -> Dossier:
    """Return the folded dossier that is stored."""
    return _states.decode(data)


def folded(row: Row) -> Folded:
    return Folded(_states.decode(row.state), row.opened_seq, row.told_at, row.voiding)


def row_of(after: Folded) -> Row:
    dossier = after.dossier
    return Row(
        dossier.id,
        dossier.version,
        after.opened_seq,
        after.told_at,
        after.voiding,
        msgspec.json.encode(dossier),
    )


def whole(stream: UUID, events: Sequence[Told], rules: RuleBook) -> Folded:
    """Fold a dossier from its first event on."""
    dossier = replay(stream, events, rules)
    foreign = {name for each in dossier.strangers for name in each.events}
    theirs = [each for each in events if each.event.meta.event_id not in foreign]
    return Folded(
        dossier,
        min(each.seq for each in events),
        max(each.recorded_at for each in theirs or events),
        any(isinstance(each.event, VoidingEvent) for each in events),
    )


def follows(row: Row, dossier: Dossier, events: Sequence[Told], rules: RuleBook) -> bool:
    """Say whether events simply go on from a state; else the dossier is folded from its start."""
    versions = [each.version for each in events]
    is_next = versions == list(range(row.version + 1, row.version + 1 + len(versions)))
    return is_next and not row.voiding and goes_on(dossier, events, rules.units)


def following(row: Row, dossier: Dossier, events: Sequence[Told], rules: RuleBook) -> Folded:
    """Fold the next events into a state of the caller's own."""
    apply_following(dossier, events, rules)
    told_at = max(row.told_at, *(each.recorded_at for each in events))
    return Folded(dossier, row.opened_seq, told_at, voiding=False)


async def load(connection: Session, table: str, ids: Sequence[UUID]) -> dict[UUID, Row]:
    """Return the rows of some dossiers, their states not yet decoded."""
    records = await connection.fetch(
        f"SELECT {TABLE.columns} FROM views.{table} WHERE dossier_id = ANY($1::uuid[])",  # noqa: S608  # our own names
        ids,
    )
    return {record[0]: Row(*record) for record in records}
