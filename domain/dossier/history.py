"""The one interpretation of a history, for decisions, read models, reports and inspectors."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.dossier.events import DossierEvent
from domain.dossier.parties import Counting, counted
from domain.envelope import Recorded
from domain.rules.units import UnitBook

History = Sequence[Recorded[DossierEvent]]


@dataclass(frozen=True, slots=True)
class Entry:
    """An event in its legal place: which event made it void, if any did, and whether it counts.

    A void event counts if it did before.
    """

    recorded: Recorded[DossierEvent]
    voided_by: UUID | None
    counts: bool = True


def legal_order(recorded: Recorded[DossierEvent]) -> tuple[datetime, int]:
    """When it happened; at the same moment, the order in which the ledger was told."""
    return recorded.event.timestamp, recorded.event.originator_version


def told(
    events: Iterable[Recorded[DossierEvent]],
    units: UnitBook,
    as_of: datetime | None = None,
    known_at: int | None = None,
) -> tuple[list[Entry], Counting]:
    """Return what was known at a position and happened until a moment, in legal order.

    Void events stay in it and say what voids them: this is what an inspector reads. A correction
    that is known voids its target for every `as_of`; what counts does so as well.
    """
    known = [event for event in events if known_at is None or event.seq <= known_at]
    known.sort(key=legal_order)
    found = counted(known, units)
    voided, strangers = found.voided, found.strangers
    entries = [
        Entry(event, voided.get(name), name not in strangers)
        for event in known
        for name in (event.event.meta.event_id,)
        if as_of is None or event.event.timestamp <= as_of
    ]
    return entries, found


def full_history(
    events: Iterable[Recorded[DossierEvent]],
    units: UnitBook,
    as_of: datetime | None = None,
    known_at: int | None = None,
) -> list[Entry]:
    """Return the same entries, whoever's business the dossier is."""
    return told(events, units, as_of, known_at)[0]


def effective_history(
    events: Iterable[Recorded[DossierEvent]],
    units: UnitBook,
    as_of: datetime | None = None,
    known_at: int | None = None,
) -> list[Recorded[DossierEvent]]:
    """Return what moves a dossier: known, told by a party, not void, not after `as_of`."""
    entries = full_history(events, units, as_of, known_at)
    return [each.recorded for each in entries if each.counts and each.voided_by is None]
