"""The one interpretation of a history, for decisions, read models, reports and inspectors."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.dossier import events as ev
from domain.dossier.dates.settling import settle
from domain.dossier.evolve import apply, remember
from domain.dossier.state import Dossier, Finding
from domain.envelope import Recorded
from domain.rules.rule_book import RuleBook

History = Sequence[Recorded[ev.DossierEvent]]
_VOIDING = (ev.EventCorrected, ev.ResultRejected)


@dataclass(frozen=True, slots=True)
class Entry:
    """An event in its legal place, and which event made it void, if any did."""

    recorded: Recorded[ev.DossierEvent]
    voided_by: UUID | None


def legal_order(recorded: Recorded[ev.DossierEvent]) -> tuple[datetime, int]:
    """When it happened; at the same moment, the order in which the ledger was told."""
    return recorded.event.timestamp, recorded.event.originator_version


def full_history(
    events: Iterable[Recorded[ev.DossierEvent]],
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
    events: Iterable[Recorded[ev.DossierEvent]],
    as_of: datetime | None = None,
    known_at: int | None = None,
) -> list[Recorded[ev.DossierEvent]]:
    """Return the events that count: known, not voided, not after `as_of`, in legal order."""
    return [e.recorded for e in full_history(events, as_of, known_at) if e.voided_by is None]


def fold(
    dossier_id: UUID, history: Iterable[Recorded[ev.DossierEvent]], rules: RuleBook
) -> Dossier:
    """Return the state that an effective history adds up to, its dates by the rules it names."""
    dossier = Dossier(id=dossier_id)
    for recorded in history:
        apply(dossier, recorded.event)
    settle(dossier, rules)
    return dossier


def replay(
    dossier_id: UUID,
    events: History,
    rules: RuleBook,
    as_of: datetime | None = None,
    known_at: int | None = None,
) -> Dossier:
    """Return the state as of now, as known now, or then. Its version counts every event told."""
    history = full_history(events, as_of, known_at)
    dossier = fold(dossier_id, (e.recorded for e in history if e.voided_by is None), rules)
    for entry in history:
        if entry.voided_by is not None:
            remember(dossier, entry.recorded.event)
    dossier.version = max((event.version for event in events), default=0)
    return dossier


def irregularities(history: History, rules: RuleBook) -> tuple[Finding, ...]:
    """Name each step of an effective history that does not fit: the state machine, or the law."""
    if not history:
        return ()
    return fold(history[0].event.originator_id, history, rules).irregularities


def _voided(known: History) -> dict[UUID, UUID]:
    """Map each void event to the event that voids it.

    Latest first: a voiding event counts unless a later one voids it. (A correction can only be
    voided by one that is legally later: so there are no circles, and arrival is no matter.)
    A rejection that names no result comes after: it means the last one that nothing else voids.
    """
    if not any(isinstance(recorded.event, _VOIDING) for recorded in known):
        return {}
    rank = {recorded.event.meta.event_id: place for place, recorded in enumerate(known)}
    voided: dict[UUID, UUID] = {}
    unnamed: list[int] = []
    for place in range(len(known) - 1, -1, -1):
        event = known[place].event
        if not isinstance(event, _VOIDING) or event.meta.event_id in voided:
            continue
        if isinstance(event, ev.ResultRejected) and event.rejects is None:
            unnamed.append(place)
            continue
        target = _target(known, place, rank, voided)
        if target is not None:
            voided[target] = event.meta.event_id
    for place in reversed(unnamed):
        target = _last_result(known, place, voided)
        if target is not None:
            voided[target] = known[place].event.meta.event_id
    return voided


def _target(
    known: History, place: int, rank: dict[UUID, int], voided: dict[UUID, UUID]
) -> UUID | None:
    event = known[place].event
    match event:
        case ev.EventCorrected():
            target = event.corrects
        case ev.ResultRejected(rejects=UUID() as target):
            pass
        case _:
            return None
    found = rank.get(target)
    if found is None or found == place or target in voided:
        return None
    aimed_at = known[found].event
    if isinstance(event, ev.ResultRejected) and not isinstance(aimed_at, ev.ResultAtDesk):
        return None
    if isinstance(aimed_at, _VOIDING) and found > place:
        return None
    return target


def _last_result(known: History, place: int, voided: dict[UUID, UUID]) -> UUID | None:
    for earlier in range(place - 1, -1, -1):
        event = known[earlier].event
        if isinstance(event, ev.ResultAtDesk) and event.meta.event_id not in voided:
            return event.meta.event_id
    return None
