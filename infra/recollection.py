"""The dossiers that were read last: only what is new of them is read, decoded and replayed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from domain.dossier.events import DossierEvent
from domain.envelope import Recorded
from domain.ledger.aggregates import NOTHING, Aggregate
from domain.ledger.appends import Question

MOST: Final = 32_768  # Events and dossiers, together: some 60 MB.


@dataclass(frozen=True, slots=True)
class _Recollected:
    stream: UUID
    dossier: Aggregate

    @property
    def size(self) -> int:
        return 1 + len(self.dossier.events)


class Recollection:
    """Dossiers by how they were asked for, those that were asked for last.

    What is recorded never changes, so that it can only lack what came later. Its personal values
    are sealed, as they are stored.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._size = 0
        self._known: dict[tuple[str | None, UUID | None], _Recollected] = {}

    def of(self, asked: Question) -> _Recollected | None:
        """Return what is known of the dossier that is asked for."""
        return self._known.get((asked.name, asked.stream)) if asked.events else None

    def read(
        self, asked: Question, stream: UUID, events: Sequence[Recorded[DossierEvent]]
    ) -> Aggregate:
        """Take in the events of a stream, at least all that is not known yet, and return it whole.

        `stream` is what the question was found to mean: it may be another one than before.
        """
        known = self._known.pop((asked.name, asked.stream), None)
        self._size -= 0 if known is None else known.size
        before = known.dossier if known is not None and known.stream == stream else NOTHING
        whole = before.followed_by([each for each in events if each.version > before.version])
        found = self._known[asked.name, asked.stream] = _Recollected(stream, whole)
        self._size += found.size
        while self._size > self._most:
            self._size -= self._known.pop(next(iter(self._known))).size
        return whole

    def forget(self) -> None:
        self._known.clear()
        self._size = 0
