"""Recomputes the due dates of open dossiers after a calendar was decided late."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from functools import partial
from typing import Final
from uuid import UUID

from asyncpg import Pool

from domain.deadlines.decided import days_of
from domain.dossier.appointments import RecomputeDueDate
from domain.dossier.dates.dates import later
from domain.dossier.state import Dossier
from domain.dossier.status import OPEN
from domain.envelope import UnitCode
from domain.errors import Busy, DomainError, StaleVersion
from domain.rules.calendars import DECIDABLE, CalendarDecided
from domain.rules.rule_book import RuleBook
from projections.due import Touched, touched, versions_in_use
from streams.time.acting import Machine, at_once

_log = logging.getLogger(__name__)

_ATTEMPTS: Final = 5  # Each is lost only to a change of the dossier in the same moment.
_TURN: Final = 25  # Dossiers looked at before others get their turn: about two milliseconds.
_MARGIN: Final = timedelta(days=2)  # More than any zone's midnight is from that of UTC.


class _Fate(StrEnum):
    MOVED = "moved"
    UNCHANGED = "unchanged"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Recomputed:
    """What became of the dossiers whose dates a change may touch."""

    examined: int = 0
    moved: int = 0
    unchanged: int = 0
    failed: int = 0


async def recompute_open(
    machine: Machine,
    pool: Pool,
    *,
    told_since: datetime | None = None,
    progress: Callable[[int], None] | None = None,
    batch: int = 500,
) -> Recomputed:
    """Move the dates of open dossiers that the newest calendars make later, one event for each.

    The overview must have reached the position of the decision. Run again it goes on where it was
    interrupted. It holds `batch` dossiers at most; those that count by an older version, but whose
    term lies elsewhere than the days decided since, cost a look at their row. What fails for one
    dossier is logged and counted. Raises Busy where the ledger is.
    """
    await machine.store.read()
    counts: Counter[_Fate] = Counter()
    why: Counter[str] = Counter()
    in_use = await versions_in_use(pool)
    for asked in _asked(machine.store.rules, in_use, told_since):
        after: UUID | None = None
        while page := await touched(pool, asked, after, batch):
            after = page[-1].id
            counts.update(await _recomputed(machine, page, why))
            if progress is not None:
                progress(counts.total())
    for reason, count in why.items():
        _log.warning("%d dossiers keep their due dates: %s", count, reason)
    return Recomputed(
        examined=counts.total(),
        moved=counts[_Fate.MOVED],
        unchanged=counts[_Fate.UNCHANGED],
        failed=counts[_Fate.FAILED],
    )


def newest_versions(rules: RuleBook) -> dict[str, int]:
    """Return how often each calendar was decided."""
    return {name: rules.calendars.version(name) for name in rules.calendars}


def _asked(
    rules: RuleBook, in_use: Sequence[tuple[str, int]], told_since: datetime | None
) -> Iterator[Touched]:
    """Yield which dossiers of each calendar version the changes since it may touch."""
    newest = newest_versions(rules)
    for name, version in in_use:
        changed = changed_since(rules, name, version, newest.get(name, 0))
        # A day in a year that nobody may decide now was decided once: it moves no date of ours.
        named = {day for each in changed for day in days_of(each)}
        days = sorted(day for day in named if day.year in DECIDABLE)
        if not days:
            continue
        yield Touched(
            calendar=name,
            version=version,
            first=datetime.combine(days[0], time(), UTC) - _MARGIN,
            last=datetime.combine(days[-1], time(), UTC) + _MARGIN,
            units=_concerned(rules, changed),
            told_since=told_since,
        )


def changed_since(rules: RuleBook, name: str, version: int, newest: int) -> list[CalendarDecided]:
    """Return the decisions in which two versions of a calendar differ: as they were, as they are.

    Proposals decide nothing.
    """
    before, after = (
        {each.id: each for each in rules.decisions(name, at) if not each.proposal}
        for at in (version, newest)
    )
    differing = [
        each for each in before.keys() | after.keys() if before.get(each) != after.get(each)
    ]
    return [held[each] for each in differing for held in (before, after) if each in held]


def _concerned(rules: RuleBook, changed: Collection[CalendarDecided]) -> list[UnitCode] | None:
    """Return the units whose offices the decisions are about; None: everybody's."""
    units: set[UnitCode] = set()
    for each in changed:
        if each.unit is None:
            return None
        units |= rules.subtree(each.unit)
    return sorted(units)


async def _recomputed(
    machine: Machine, page: Sequence[Dossier], why: Counter[str]
) -> Counter[_Fate]:
    counts: Counter[_Fate] = Counter()
    moving: list[Dossier] = []
    for place, dossier in enumerate(page, 1):
        fate = _foreseen(dossier, machine.store.rules, why)
        if fate is _Fate.MOVED:
            moving.append(dossier)
        else:
            counts[fate] += 1
        if place % _TURN == 0:
            await asyncio.sleep(0)
    counts.update(await at_once(partial(_move, machine, why), moving))
    return counts


def _foreseen(dossier: Dossier, rules: RuleBook, why: Counter[str]) -> _Fate:
    """Say what will become of a dossier without asking the ledger for it."""
    try:
        moves = dossier.status in OPEN and later(dossier, rules) is not None
    except Exception as error:  # noqa: BLE001  # the edge: one dossier stops no other
        return _failed(dossier, error, why)
    return _Fate.MOVED if moves else _Fate.UNCHANGED


async def _move(machine: Machine, why: Counter[str], dossier: Dossier) -> _Fate:
    try:
        for _ in range(_ATTEMPTS):
            with suppress(StaleVersion):
                return await _ordered(machine, why, dossier)
            dossier = await machine.read(dossier.id)
            fate = _foreseen(dossier, machine.store.rules, why)
            if fate is not _Fate.MOVED:
                return fate
    except Busy:
        raise
    except Exception as error:  # noqa: BLE001  # the edge: one dossier stops no other
        return _failed(dossier, error, why)
    why["It changed again and again."] += 1
    return _Fate.FAILED


def _failed(dossier: Dossier, error: Exception, why: Counter[str]) -> _Fate:
    if not isinstance(error, DomainError):
        _log.error("%s was not recomputed", dossier.id, exc_info=error)
    why[str(error) if isinstance(error, DomainError) else type(error).__name__] += 1
    return _Fate.FAILED


async def _ordered(machine: Machine, why: Counter[str], dossier: Dossier) -> _Fate:
    calendar = machine.store.rules.calendar_use(dossier.competent_unit or UnitCode(""))
    key = f"recompute/{dossier.id}/{calendar.name}/{calendar.version}/{dossier.version}"
    result = await machine.send(RecomputeDueDate(cause="calendar"), dossier, key)
    problem = result.outcome.problem
    if problem is not None:
        why[problem.detail] += 1
        return _Fate.FAILED
    news = result.outcome.kind == "recorded" and not result.repeated
    return _Fate.MOVED if news else _Fate.UNCHANGED
