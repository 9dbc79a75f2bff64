"""How the dates of a dossier came to be what they are: what moved them, and what a pause did."""

from collections.abc import Iterator
from contextlib import suppress
from copy import copy
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain.deadlines.law import CutoffPolicy, PausePolicy
from domain.deadlines.running import Pause
from domain.deadlines.terms import Counting
from domain.dossier.appointments import DueDateRecomputed, ReappointmentIssued
from domain.dossier.dates.dates import Dates, dates_of
from domain.dossier.dates.settling import settle
from domain.dossier.events import DossierEvent
from domain.dossier.evolve import apply
from domain.dossier.history import History
from domain.dossier.intake import DossierAccepted
from domain.dossier.state import Dossier, Interruption, TermClock
from domain.envelope import Recorded
from domain.errors import DomainError
from domain.rules.rule_book import RuleBook

_MOST_TOLD_APART = 50  # Pauses whose effects are computed one by one: the work grows with the cube.
_ALWAYS_TOLD = (DossierAccepted, ReappointmentIssued, DueDateRecomputed)


class Effect(StrEnum):
    """What a pause did to the dates. `stated`: its end came with a due date of its own."""

    MOVED = "moved"
    RESTARTED = "restarted"
    STATED = "stated"
    IGNORED = "ignored-after-due"
    NONE = "none"
    OPEN = "open"


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """Both dates, and the version of the calendar that they were computed by."""

    first_due: datetime | None = None
    due: datetime | None = None
    calendar_version: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Move:
    recorded: Recorded[DossierEvent]
    before: Standing
    after: Standing


def moves(dossier_id: UUID, history: History, rules: RuleBook) -> tuple[Move, ...]:
    """Return every event of an effective history that set or moved a date, and how."""
    return tuple(_moves(Dossier(id=dossier_id), history, rules))


def _moves(dossier: Dossier, history: History, rules: RuleBook) -> Iterator[Move]:
    before = Standing()
    for recorded in history:
        clock = dossier.clock
        apply(dossier, recorded.event)
        if dossier.clock is clock:
            continue
        settle(dossier, rules)
        after = _standing(dossier)
        if after != before or isinstance(recorded.event, _ALWAYS_TOLD):
            yield Move(recorded=recorded, before=before, after=after)
        before = after


def _standing(dossier: Dossier) -> Standing:
    version = dossier.clock.calendar.version if dossier.clock is not None else None
    return Standing(first_due=dossier.first_due, due=dossier.due, calendar_version=version)


def if_resumed(dossier: Dossier, rules: RuleBook, at: datetime) -> datetime | None:
    """Return the due date if the clock of a paused dossier went on at a moment.

    By the calendar as it is decided now, as whoever resumes it would be told.
    Raises CalendarLacksYear or CalendarContradicts.
    """
    clock = dossier.clock
    if clock is None or dossier.competent_unit is None:
        return None
    over = tuple(
        each if each.end is not None else replace(each, end=max(at, each.start))
        for each in clock.interruptions
    )
    dates = dates_of(_with(dossier, clock, over), rules, rules.calendar_use(dossier.competent_unit))
    return dates.due if dates is not None else None


def effects(dossier: Dossier, dates: Dates, rules: RuleBook) -> tuple[Effect, ...]:
    """Return what each of the pauses did, in the order of `dates.pauses`."""
    clock = dossier.clock
    if clock is None:
        return ()
    if len(dates.pauses) > _MOST_TOLD_APART:
        return tuple(
            _at_a_glance(place, pause, dates) for place, (_, pause) in enumerate(dates.pauses)
        )
    found: list[Effect] = []
    told: tuple[Interruption, ...] = ()
    before = _dates_with(dossier, clock, told, rules)
    for place, (interruption, pause) in enumerate(dates.pauses):
        ignored = place in dates.first.ignored
        if pause.end is None:
            found.append(_open(pause, dates, ignored=ignored))
            continue
        told = (*told, interruption)
        after = _dates_with(dossier, clock, told, rules)
        found.append(_ended(pause, dates, ignored=ignored, changed=after != before))
        before = after
    return tuple(found)


def _at_a_glance(place: int, pause: Pause, dates: Dates) -> Effect:
    """Return what a pause of very many did, without computing the dates after each of them."""
    ignored = place in dates.first.ignored
    if pause.end is None:
        return _open(pause, dates, ignored=ignored)
    return _ended(pause, dates, ignored=ignored, changed=not ignored)


def _open(pause: Pause, dates: Dates, *, ignored: bool) -> Effect:
    if pause.policy is PausePolicy.NONE:
        return Effect.NONE
    stands = dates.agreed.open if dates.agreed is not None else not ignored
    return Effect.OPEN if stands else Effect.IGNORED


def _ended(pause: Pause, dates: Dates, *, ignored: bool, changed: bool) -> Effect:
    if pause.policy is PausePolicy.NONE:
        return Effect.NONE
    if ignored and not changed:
        return Effect.IGNORED
    if pause.stated is not None:
        return Effect.STATED
    if pause.policy is PausePolicy.RESTART and _is_computed(dates.counting):
        return Effect.RESTARTED
    return Effect.MOVED if changed else Effect.NONE


def _is_computed(counting: Counting) -> bool:
    return counting.term is not None or counting.cutoff is CutoffPolicy.NEXT_DAY_RESULT


def _dates_with(
    dossier: Dossier, clock: TermClock, told: tuple[Interruption, ...], rules: RuleBook
) -> tuple[datetime | None, datetime | None]:
    with suppress(DomainError):
        dates = dates_of(_with(dossier, clock, told), rules)
        if dates is not None:
            return dates.first_due, dates.due
    return None, None


def _with(dossier: Dossier, clock: TermClock, told: tuple[Interruption, ...]) -> Dossier:
    changed = copy(dossier)
    changed.clock = replace(clock, interruptions=told)
    return changed
