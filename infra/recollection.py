"""The dossiers that were read or written last: only what is new of them is read and replayed."""

from collections.abc import Sequence
from typing import Final, NamedTuple
from uuid import UUID

from domain.dossier.events import DossierEvent
from domain.envelope import Recorded
from domain.ledger.aggregates import NOTHING, Aggregate, Settled
from domain.ledger.appends import Question

MOST: Final = 32_768  # Events of all dossiers, with their states some 80 MB; and names.

Events = Sequence[Recorded[DossierEvent]]


class Known(NamedTuple):
    """What is known of a stream when somebody asks: he reads on from there."""

    stream: UUID
    dossier: Aggregate


class Recollection:
    """Dossiers by their streams, and which streams the names stood for that were asked.

    What is recorded never changes, so that it can only lack what came later. Its personal values
    are sealed, as they are stored. What nobody asked for the longest time is forgotten.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._events = 0
        self._dossiers: dict[UUID, Aggregate] = {}
        self._streams: dict[str, UUID] = {}

    def of(self, asked: Question) -> Known | None:
        """Return what is known of the dossier that is asked for, if it is the one that was."""
        if not asked.events:
            return None
        stream = self._streams.get(asked.name, asked.stream) if asked.name else asked.stream
        known = self._dossiers.get(stream) if stream is not None else None
        return None if stream is None or known is None else Known(stream, known)

    def read(
        self, asked: Question, stream: UUID, events: Events, before: Known | None = None
    ) -> Aggregate:
        """Take in the events of a stream, and return it as of the moment that was looked at.

        `stream` is what the question was found to mean: it may be another one than before. The
        events are at least all that was not known `before` it was asked. What was recorded since
        is left out: the keys beside it do not show it yet.
        """
        if asked.name is not None and stream != asked.stream:
            self._streams[asked.name] = stream
            if len(self._streams) > self._most:
                del self._streams[next(iter(self._streams))]
        base = before.dossier if before is not None and before.stream == stream else NOTHING
        whole = base.followed_by([each for each in events if each.version > base.version])
        known = self._taken_out(stream)
        if whole.version == known.version:
            whole = known  # Its state may have been found.
        self._put(stream, max(whole, known, key=lambda each: each.version))
        return whole

    def recorded(self, stream: UUID, events: Events, then: Settled | None = None) -> None:
        """Take in what was recorded just now, where it goes on from what is known.

        `then` is the state with it, where that is known.
        """
        known = self._dossiers.get(stream, NOTHING)
        if events and events[0].version == known.version + 1:
            self._taken_out(stream)
            self._put(stream, known.followed_by(events, then))

    def _taken_out(self, stream: UUID) -> Aggregate:
        known = self._dossiers.pop(stream, NOTHING)
        self._events -= len(known.events)
        return known

    def _put(self, stream: UUID, whole: Aggregate) -> None:
        if whole.events:
            self._dossiers[stream] = whole  # As the last one: what comes first goes first.
            self._events += len(whole.events)
        while self._events > self._most:
            self._taken_out(next(iter(self._dossiers)))

    def forget(self) -> None:
        self._dossiers.clear()
        self._streams.clear()
        self._events = 0
