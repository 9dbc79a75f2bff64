"""Applies a batch of the ledger to all views: each dossier is folded once, every view is told."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from domain.rules.rule_book import RuleBook
from projections import dossiers
from projections.dossiers import AnyView, Change
from projections.hosting import folding, tables
from projections.hosting.log import Entry, Head, Log
from projections.hosting.pacing import Pace
from projections.hosting.tables import Checkpoint, ProjectionHalted
from projections.table import Session, Table


class DoesNotFollow(Exception):
    """A batch does not go on where the views stand: what lies between is to be read first."""

    def __init__(self, expected: int, found: int) -> None:
        super().__init__(f"Position {expected} comes next, and not {found}.")
        self.expected = expected


@dataclass(frozen=True, kw_only=True)
class Shelf:
    """Tables that stand together: of the fold, and of views by the names of theirs."""

    fold: str
    views: Mapping[str, AnyView]

    @classmethod
    def of(cls, views: Iterable[AnyView], suffix: str = "") -> "Shelf":
        """Return the tables of this program's versions."""
        return cls(
            fold=dossiers.TABLE.versioned + suffix,
            views={view.table.versioned + suffix: view for view in views},
        )

    @property
    def tables(self) -> list[str]:
        return [self.fold, *self.views]

    def kinds(self) -> list[tuple[str, Table[Any]]]:
        """Return each table with what it is made from."""
        return [
            (self.fold, dossiers.TABLE),
            *((name, view.table) for name, view in self.views.items()),
        ]


def refuse_another(at: Checkpoint, ledger_id: UUID, batch: Sequence[Entry]) -> None:
    """Raise ProjectionHalted where an entry at the checkpoint is not the one that was applied."""
    same = all(each.leaf == at.leaf for each in batch if each.seq == at.seq)
    if not same or at.ledger_id != ledger_id:
        raise ProjectionHalted(
            f"The views were built up to position {at.seq} of another ledger or of a restored one."
            " Build them again: hoso rebuild"
        )


class Projector:
    """Brings the tables of a shelf forward, a batch at a time."""

    def __init__(self, log: Log, shelf: Shelf) -> None:
        self._log = log
        self.shelf = shelf
        self._rules: RuleBook | None = None

    async def apply(self, connection: Session, batch: Sequence[Entry], pace: Pace) -> Checkpoint:
        """Apply what of a batch is new, and return where the views stand. All of it or nothing.

        What was applied already is dropped; if the entry at the checkpoint is among it, it must be
        the same one. Raises ProjectionHalted, and DoesNotFollow where entries are missing.
        """
        async with connection.transaction():
            at = await tables.checkpoint(connection, self.shelf.tables)
            new = self._new(at, batch)
            if not new:
                return at
            changes = await self._changes(connection, new, pace)
            await self._store(connection, changes, pace)
            to = Head(new[-1].seq, new[-1].leaf)
            await tables.move(connection, self.shelf.tables, to)
        return Checkpoint(at.ledger_id, *to)

    async def step(self, connection: Session, at: Checkpoint, limit: int, pace: Pace) -> Checkpoint:
        """Read what comes next and apply it; at the head, return where the views stand already.

        The entry at the checkpoint is read again: it must be the same one. Raises ProjectionHalted.
        """
        again = min(at.seq, 1)
        batch = await self._log.page(connection, at.seq - again, limit + again)
        pace.rested()
        if again and (not batch or batch[0].seq != at.seq):
            raise ProjectionHalted(
                f"The views were built up to position {at.seq}, where the ledger has nothing: it"
                " was restored. Build them again: hoso rebuild"
            )
        if len(batch) == again:
            refuse_another(at, self._log.ledger_id, batch)
            return at
        return await self.apply(connection, batch, pace)

    def _new(self, at: Checkpoint, batch: Sequence[Entry]) -> Sequence[Entry]:
        refuse_another(at, self._log.ledger_id, batch)
        new = [each for each in batch if each.seq > at.seq]
        for expected, each in enumerate(new, at.seq + 1):
            if each.seq != expected:
                raise DoesNotFollow(expected, each.seq)
        return new

    async def _changes(self, connection: Session, new: Sequence[Entry], pace: Pace) -> list[Change]:
        rules = await self._known(new)
        lines = folding.by_stream(new)
        if not lines:
            return []
        known = await dossiers.load(connection, self.shelf.fold, list(lines))
        pace.rested()
        changes: list[Change] = []
        apart: list[UUID] = []
        for stream, line in lines.items():
            await pace.breathe()
            change = folding.changed(known.get(stream), line, rules)
            if change is None:
                apart.append(stream)
            else:
                changes.append(change)
        if apart:
            entries = await self._log.streams(connection, apart, new[-1].seq)
            pace.rested()
            for stream, line in folding.by_stream(entries).items():
                await pace.breathe()
                changes.append(folding.afresh(known.get(stream), line, rules))
        return changes

    async def _known(self, new: Sequence[Entry]) -> RuleBook:
        """Return rules that know every entry of the registers that a batch may rest on."""
        if self._rules is None or not all(e.topic.startswith(folding.DOSSIER) for e in new):
            self._rules = await self._log.rules()
        return self._rules

    async def _store(self, connection: Session, changes: Sequence[Change], pace: Pace) -> None:
        for some in pace.portions(changes):
            folds = [dossiers.row_of(change.after) for change in some]
            await dossiers.TABLE.store(connection, self.shelf.fold, folds)
            for table, view in self.shelf.views.items():
                rows, gone = view.shown(some)
                await view.table.store(connection, table, rows)
                await view.table.remove(connection, table, gone)
            pace.rested()
