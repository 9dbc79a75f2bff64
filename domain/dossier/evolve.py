"""The state that a history adds up to. Total: it happened, so any events in any order give one."""

from collections.abc import Iterable
from copy import copy
from datetime import datetime
from typing import Final
from uuid import UUID

from domain.dossier.accepted_again import promises_broken
from domain.dossier.changes import united
from domain.dossier.chapters import ACT_OF
from domain.dossier.dates.settling import settle
from domain.dossier.events import (
    DossierEvent,
    Opening,
    VoidingEvent,
    code_of,
    name_in,
    named_units,
)
from domain.dossier.history import History, legal_order, told
from domain.dossier.intake import DossierAccepted
from domain.dossier.parties import always_counts, is_theirs
from domain.dossier.regularity import examine
from domain.dossier.state import STRANGER, Dossier, Finding
from domain.envelope import Recorded
from domain.rules.rule_book import RuleBook
from domain.rules.units import UnitBook

_VOIDING: Final = frozenset(event for event in ACT_OF if issubclass(event, VoidingEvent))
_EFFECTS: Final = {event: act.effect for event, act in ACT_OF.items()}


def evolve(dossier: Dossier, event: DossierEvent) -> Dossier:
    """Return the state after one effective event. Any events in any order give a state."""
    after = copy(dossier)
    apply(after, event)
    return after


def apply(dossier: Dossier, event: DossierEvent) -> None:
    """Do the same to a state that is the caller's own, without copying it."""
    finding = examine(dossier, event)
    if finding is not None:
        dossier.findings = (*dossier.findings, finding)
    dossier.version = max(dossier.version, event.originator_version)
    dossier.last_moment, dossier.last_version = event.timestamp, event.originator_version
    dossier.code = dossier.code or name_in(event)
    dossier.opened = dossier.opened or isinstance(event, Opening)
    dossier.parties = united(dossier.parties, *named_units(event))
    _EFFECTS[type(event)](dossier, event)


def fold(dossier_id: UUID, history: Iterable[Recorded[DossierEvent]], rules: RuleBook) -> Dossier:
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
    dossier = undated(dossier_id, events, rules, as_of, known_at)
    settle(dossier, rules)
    return dossier


def undated(
    dossier_id: UUID,
    events: History,
    rules: RuleBook,
    as_of: datetime | None = None,
    known_at: int | None = None,
) -> Dossier:
    """Return the same, but for the dates and what is irregular by them.

    It does not change with the rules: who stood above whom is read as of each event.
    """
    entries, found = told(events, rules.units, as_of, known_at)
    dossier = Dossier(id=dossier_id)
    for entry in entries:
        if entry.counts and entry.voided_by is None:
            apply(dossier, entry.recorded.event)
    for entry in entries:
        if entry.counts and entry.voided_by is not None:
            _remember(dossier, entry.recorded.event)
    dossier.broken_promises = promises_broken(entries)
    standing = [each for each in entries if each.voided_by is None]
    foreign = [each.recorded.event for each in standing if not each.counts]
    dossier.strangers = tuple(map(_foreign, foreign))
    if not dossier.opened:
        early = [each.recorded.event for each in standing]
        dossier.tellers = united((), *(event.meta.acting_unit for event in early))
        dossier.code = dossier.code or next(filter(None, map(code_of, early)), None)
    dossier.parties = tuple(sorted(found.parties))
    dossier.version = max((event.version for event in events), default=0)
    return dossier


def _foreign(event: DossierEvent) -> Finding:
    return Finding(
        kind=STRANGER,
        events=(event.meta.event_id,),
        why=f"It is none of {event.meta.acting_unit}'s business, and changes nothing.",
    )


def advance(before: Dossier, history: History, events: History, rules: RuleBook) -> Dossier:
    """Return the state with further events of a dossier: what a replay of all of them gives.

    `before` is the replay of `history`. What simply follows is applied to it, and settled where a
    clock or an offer changed; what lies before the last event, or makes events void, is replayed.
    """
    if not _follow(before, history, events, rules):
        return replay(before.id, (*history, *events), rules)
    then = copy(before)
    apply_following(then, events, rules)
    return then


def advance_undated(before: Dossier, history: History, events: History, rules: RuleBook) -> Dossier:
    """Return the same without regard to dates: they are as they were before, or there are none."""
    if not _follow(before, history, events, rules):
        return undated(before.id, (*history, *events), rules)
    then = copy(before)
    _apply_in_order(then, events)
    return then


def apply_following(dossier: Dossier, events: History, rules: RuleBook) -> None:
    """Do the same to a state that is the caller's own, with events that simply follow."""
    before = dossier.clock, dossier.offer
    _apply_in_order(dossier, events)
    if (dossier.clock, dossier.offer) != before:
        settle(dossier, rules)


def _apply_in_order(dossier: Dossier, events: History) -> None:
    for recorded in sorted(events, key=legal_order):
        apply(dossier, recorded.event)


def _follow(before: Dossier, history: History, events: History, rules: RuleBook) -> bool:
    if any(type(each.event) in _VOIDING for each in history):
        return False
    return goes_on(before, events, rules.units)


def goes_on(before: Dossier, events: History, units: UnitBook) -> bool:
    """Say whether events simply follow a state, of which nothing was ever made void.

    They lie behind all that counts; each counts, and lets nothing else count; the dossier is open,
    or a command opens it.
    """
    last, parties, opened = before.last_moment, {*before.parties}, before.opened
    for each in events:
        event = each.event
        if (last is not None and event.timestamp < last) or type(event) in _VOIDING:
            return False
        if isinstance(event, Opening):
            if opened or before.version or not always_counts(event):
                return False
            opened = True
        elif not (opened and (always_counts(event) or is_theirs(each, parties, units))):
            return False
        new = {*named_units(event)} - parties
        if new and before.strangers:
            return False
        parties |= new
    return True


def irregularities(history: History, rules: RuleBook) -> tuple[Finding, ...]:
    """Name each step of an effective history that does not fit: the state machine, or the law."""
    if not history:
        return ()
    return fold(history[0].event.originator_id, history, rules).irregularities


def _remember(dossier: Dossier, void: DossierEvent) -> None:
    """Keep of a void event who held the dossier and what it was called: that did happen."""
    dossier.code = dossier.code or code_of(void)
    dossier.opened = dossier.opened or isinstance(void, Opening)
    dossier.acceptance_void = dossier.acceptance_void or isinstance(void, DossierAccepted)
    if ACT_OF[type(void)].names_holders:
        dossier.holders = united(dossier.holders, *named_units(void))
