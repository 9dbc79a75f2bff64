"""Whose business a dossier is: only what these tell moves it; what anybody else tells is kept."""

from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from domain.dossier.events import DossierEvent, Opening, VoidingEvent, code_of, named_units
from domain.envelope import Recorded, UnitCode
from domain.rules.codes import dossier_named, issuers_of
from domain.rules.units import UnitBook

Told = Recorded[DossierEvent]


class Counting(NamedTuple):
    """Which events do not count, which are void and by what, and whose business the dossier is.

    An event may be void, and not have counted before either.
    """

    strangers: frozenset[UUID]
    voided: Mapping[UUID, UUID]
    parties: frozenset[UnitCode]


def counted(known: Sequence[Told], units: UnitBook) -> Counting:
    """Return what counts of all that is known of a dossier, in legal order.

    A fact counts if the unit that it speaks for is a party, stands above one or succeeds one, as
    the register was known when it was told. Parties are the units of an opening that is its
    teller's to tell, and those that an event names that counts, wherever the two lie in legal
    order: the smallest set of that kind. Which corrections count is found with nothing void; then
    what they make void is left out, and the parties are found again.
    """
    first = _smallest(known, units)
    if not any(isinstance(each.event, VoidingEvent) for each in known):
        return Counting(first.strangers, {}, first.parties)
    voided = _voided(known, first.strangers)
    standing = [each for each in known if each.event.meta.event_id not in voided]
    second = _smallest(standing, units, first.strangers)
    void = first.strangers.intersection(voided)
    return Counting(second.strangers | void, voided, second.parties)


def always_counts(event: DossierEvent) -> bool:
    """Say whether an event counts whoever the parties are.

    That is what a command recorded, the ledger's own clock, or an import at the machine that states
    no unit.
    """
    return event.meta.acting_unit is None or event.meta.is_our_own


def is_theirs(told: Told, parties: Collection[UnitCode], units: UnitBook) -> bool:
    """Say whether a fact speaks for one of the parties, or for what stands above or succeeds it."""
    acting = told.event.meta.acting_unit
    if acting is None or acting in parties:
        return True
    return any(acting in units.above(party, told.seq) for party in parties)


class _Found(NamedTuple):
    strangers: frozenset[UUID]
    parties: frozenset[UnitCode]


class _Opened(NamedTuple):
    """A submission or an acceptance, and its receiving unit."""

    told: Told
    unit: UnitCode


def _smallest(
    known: Sequence[Told], units: UnitBook, without: Container[UUID] | None = None
) -> _Found:
    """Return the smallest set of parties; `without`, the corrections among these do not count."""
    opening = _opening(known, units)
    parties: set[UnitCode] = set()
    waiting: list[Told] = []
    strangers: set[UUID] = set()
    for each in known:
        event = each.event
        if without is not None and isinstance(event, VoidingEvent):
            if event.meta.event_id in without:
                strangers.add(event.meta.event_id)
            else:
                parties.update(named_units(event))
        elif always_counts(event) or event.meta.event_id in opening:
            parties.update(named_units(event))
        else:
            waiting.append(each)
    while waiting:
        further = [each for each in waiting if not _joins(each, parties, units)]
        if len(further) == len(waiting):
            break
        waiting = further
    strangers.update(each.event.meta.event_id for each in waiting)
    return _Found(frozenset(strangers), frozenset(parties))


def _joins(told: Told, parties: set[UnitCode], units: UnitBook) -> bool:
    if not is_theirs(told, parties, units):
        return False
    parties.update(named_units(told.event))
    return True


def _opening(known: Iterable[Told], units: UnitBook) -> set[UUID]:
    """Return the openings that are their tellers' to tell.

    Each is told for its receiving unit or what stands above it, and where its code is of a unit's
    numbering, for one that belongs to that unit or stands above it. Of those that have nothing to
    do with one another the highest rank opens: what always counts; what is told under the code that
    the stream follows from; under another code of a numbering; under a code of nobody's. Within the
    last two ranks the one that was told first opens: only there arrival decides.
    """
    ranks: list[list[_Opened]] = [[], [], [], []]
    for each in known:
        event = each.event
        if isinstance(event, Opening):
            rank = _rank(each, event.receiving_unit, units)
            if rank is not None:
                ranks[rank].append(_Opened(each, event.receiving_unit))
    for late in ranks[2:]:
        late.sort(key=lambda each: each.told.version)
    ours, named, other, anybodys = ranks
    first = ours or named or other[:1] or anybodys[:1]
    return {
        each.told.event.meta.event_id
        for rank in ranks
        for each in rank
        if any(_related(each.unit, one.unit, units, each.told.seq) for one in first)
    }


def _rank(told: Told, receiving: UnitCode, units: UnitBook) -> int | None:
    """Return how well an opening is founded, 0 the best; None: it is not its teller's to tell."""
    event, acting = told.event, told.event.meta.acting_unit
    if acting is None or always_counts(event):
        return 0
    if acting not in units.above(receiving, told.seq):
        return None
    code = code_of(event)
    issuers = issuers_of(code, units, told.seq) if code is not None else ()
    if code is None or not issuers:
        return 3
    if not any(_related(acting, issuer, units, told.seq) for issuer in issuers):
        return None
    return 1 if event.originator_id == dossier_named(code) else 2


def _related(one: UnitCode, other: UnitCode, units: UnitBook, seq: int) -> bool:
    """Say whether one of two units stands above the other or succeeds it."""
    return one in units.above(other, seq) or other in units.above(one, seq)


def _voided(known: Sequence[Told], strangers: Container[UUID]) -> dict[UUID, UUID]:
    """Map each void event to the event that voids it, one that counts.

    Latest first: a voiding event counts unless a later one voids it. (A correction can only be
    voided by one that is legally later: so there are no circles, and arrival is no matter.)
    A rejection that names no result comes after: it means the last one that nothing else voids.
    """
    rank = {recorded.event.meta.event_id: place for place, recorded in enumerate(known)}
    voided: dict[UUID, UUID] = {}
    unnamed: list[tuple[int, VoidingEvent]] = []
    for place in range(len(known) - 1, -1, -1):
        event = known[place].event
        if not isinstance(event, VoidingEvent) or event.meta.event_id in voided:
            continue
        if event.meta.event_id in strangers:
            continue
        if event.aims_at is None:
            unnamed.append((place, event))
        elif _is_hit(known, place, event, rank.get(event.aims_at), voided):
            voided[event.aims_at] = event.meta.event_id
    for place, event in reversed(unnamed):
        target = _last(known[:place], event.AIMS_AT, {*voided}, strangers)
        if target is not None:
            voided[target] = event.meta.event_id
    return voided


def _is_hit(
    known: Sequence[Told],
    place: int,
    event: VoidingEvent,
    found: int | None,
    voided: Container[UUID],
) -> bool:
    """Say whether an event that was named can be made void by the one at a place."""
    if found is None or found == place:
        return False
    aimed_at = known[found].event
    if aimed_at.meta.event_id in voided or not isinstance(aimed_at, event.AIMS_AT):
        return False
    return not (isinstance(aimed_at, VoidingEvent) and found > place)


def _last(
    earlier: Sequence[Told],
    kind: type[DossierEvent],
    voided: Container[UUID],
    strangers: Container[UUID],
) -> UUID | None:
    for each in reversed(earlier):
        name = each.event.meta.event_id
        if isinstance(each.event, kind) and name not in voided and name not in strangers:
            return name
    return None
