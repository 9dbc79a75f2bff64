"""The one interpretation of a history, for decisions, read models, reports and inspectors."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.dossier.events import DossierEvent, VoidingEvent
from domain.envelope import Recorded

History = Sequence[Recorded[DossierEvent]]


@dataclass(frozen=True, slots=True)
class Entry:
    """An event in its legal place, and which event made it void, if any did."""

    recorded: Recorded[DossierEvent]
    voided_by: UUID | None


def legal_order(recorded: Recorded[DossierEvent]) -> tuple[datetime, int]:
    """When it happened; at the same moment, the order in which the ledger was told."""
    return recorded.event.timestamp, recorded.event.originator_version


def full_history(
    events: Iterable[Recorded[DossierEvent]],
    as_of: datetime | None = None,
    known_at: int | None = None,
) -> list[Entry]:
    """Return what was known at a position and happened until a moment, in legal order.

    Void events stay in it and say what voids them: this is what an inspector reads. A correction
    that is known voids its target for every `as_of`.
    """
    known = [event for event in events if known_at is None or event.seq <= known_at]
    known.sort(key=legal_order)
    voided = _voided(known)
    return [
        Entry(event, voided.get(event.event.meta.event_id))
        for event in known
        if as_of is None or event.event.timestamp <= as_of
    ]


def effective_history(
    events: Iterable[Recorded[DossierEvent]],
    as_of: datetime | None = None,
    known_at: int | None = None,
) -> list[Recorded[DossierEvent]]:
    """Return the events that count: known, not voided, not after `as_of`, in legal order."""
    return [e.recorded for e in full_history(events, as_of, known_at) if e.voided_by is None]


def _voided(known: History) -> dict[UUID, UUID]:
    """Map each void event to the event that voids it.

    Latest first: a voiding event counts unless a later one voids it. (A correction can only be
    voided by one that is legally later: so there are no circles, and arrival is no matter.)
    A rejection that names no result comes after: it means the last one that nothing else voids.
    """
    if not any(isinstance(recorded.event, VoidingEvent) for recorded in known):
        return {}
    rank = {recorded.event.meta.event_id: place for place, recorded in enumerate(known)}
    voided: dict[UUID, UUID] = {}
    unnamed: list[tuple[int, VoidingEvent]] = []
    for place in range(len(known) - 1, -1, -1):
        event = known[place].event
        if not isinstance(event, VoidingEvent) or event.meta.event_id in voided:
            continue
        if event.aims_at is None:
            unnamed.append((place, event))
        elif _is_hit(known, place, event, rank.get(event.aims_at), voided):
            voided[event.aims_at] = event.meta.event_id
    for place, event in reversed(unnamed):
        target = _last(known, place, event.AIMS_AT, voided)
        if target is not None:
            voided[target] = event.meta.event_id
    return voided


def _is_hit(
    known: History, place: int, event: VoidingEvent, found: int | None, voided: dict[UUID, UUID]
) -> bool:
    """Say whether an event that was named can be made void by the one at a place."""
    if found is None or found == place:
        return False
    aimed_at = known[found].event
    if aimed_at.meta.event_id in voided or not isinstance(aimed_at, event.AIMS_AT):
        return False
    return not (isinstance(aimed_at, VoidingEvent) and found > place)


def _last(
    known: History, place: int, kind: type[DossierEvent], voided: dict[UUID, UUID]
) -> UUID | None:
    for earlier in range(place - 1, -1, -1):
        event = known[earlier].event
        if isinstance(event, kind) and event.meta.event_id not in voided:
            return event.meta.event_id
    return None
