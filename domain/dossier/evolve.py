"""The state that a history adds up to. Total: it happened, so any events in any order give one."""

import re
from collections.abc import Iterable
from copy import copy
from datetime import datetime
from itertools import chain
from typing import Final
from uuid import UUID

from domain.dossier.changes import united
from domain.dossier.chapter import Opening
from domain.dossier.chapters import ACT_OF, UNIT_FIELDS
from domain.dossier.dates.settling import settle
from domain.dossier.events import DossierEvent, VoidingEvent
from domain.dossier.history import History, full_history, legal_order
from domain.dossier.regularity import examine
from domain.dossier.state import Dossier, Finding
from domain.envelope import LedgerEvent, Recorded, UnitCode
from domain.rules.rule_book import RuleBook

_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
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
    dossier.code = dossier.code or _name_in(event)
    if dossier.accepted_at is None:
        units = (event.meta.acting_unit, *named_units(event))
        dossier.provisional = united(dossier.provisional, *units)
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
    dossier = undated(dossier_id, events, as_of, known_at)
    settle(dossier, rules)
    return dossier


def undated(
    dossier_id: UUID,
    events: History,
    as_of: datetime | None = None,
    known_at: int | None = None,
) -> Dossier:
    """Return the same, but without what follows from rules: no dates, and no findings by them."""
    history = full_history(events, as_of, known_at)
    dossier = Dossier(id=dossier_id)
    for entry in history:
        if entry.voided_by is None:
            apply(dossier, entry.recorded.event)
    for entry in history:
        if entry.voided_by is not None:
            _remember(dossier, entry.recorded.event)
    dossier.version = max((event.version for event in events), default=0)
    return dossier


def advance(before: Dossier, history: History, events: History, rules: RuleBook) -> Dossier:
    """Return the state with further events of a dossier: what a replay of all of them gives.

    `before` is the replay of `history`. What simply follows is applied to it, and settled where a
    clock or an offer changed; what lies before the last event, or makes events void, is replayed.
    """
    if not _follow(before, history, events):
        return replay(before.id, (*history, *events), rules)
    then = copy(before)
    apply_following(then, events, rules)
    return then


def advance_undated(before: Dossier, history: History, events: History) -> Dossier:
    """Return the same without regard to dates: they are as they were before, or there are none."""
    if not _follow(before, history, events):
        return undated(before.id, (*history, *events))
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


def _follow(before: Dossier, history: History, events: History) -> bool:
    if any(type(each.event) in _VOIDING for each in chain(history, events)):
        return False
    last = before.last_moment
    return last is None or all(each.event.timestamp >= last for each in events)


def irregularities(history: History, rules: RuleBook) -> tuple[Finding, ...]:
    """Name each step of an effective history that does not fit: the state machine, or the law."""
    if not history:
        return ()
    return fold(history[0].event.originator_id, history, rules).irregularities


def _remember(dossier: Dossier, void: DossierEvent) -> None:
    """Keep of a void event who held the dossier and what it was called: that did happen."""
    dossier.code = dossier.code or code_said(void) or _name_in(void)
    if ACT_OF[type(void)].names_holders:
        dossier.holders = united(dossier.holders, *named_units(void))
    dossier.provisional = united(dossier.provisional, void.meta.acting_unit, *named_units(void))


def code_said(said: object) -> str | None:
    """Return the code that an event or command gives to its dossier, if it may and does."""
    return said.code if isinstance(said, Opening) else None


def _name_in(event: LedgerEvent) -> str | None:
    """Return the code under which a sender named the dossier; a UUID is an alias, no code."""
    name = event.meta.subject_code
    return None if name is None or _UUID.fullmatch(name) else name


def named_units(event: DossierEvent) -> tuple[UnitCode, ...]:
    """Return the units that an event names, in the order of its fields."""
    names = UNIT_FIELDS[type(event)]
    if not names:
        return ()
    return tuple(unit for name in names if (unit := getattr(event, name)) is not None)
