"""Fills empty tables from the first event on: stream by stream, in processes, from one snapshot."""

import asyncio
import gc
import multiprocessing
import os
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from threading import Thread
from typing import Final

import asyncpg

from domain.rules.rule_book import RuleBook
from projections import dossiers
from projections.dossiers import Change
from projections.hosting import folding
from projections.hosting.log import Entry, Part, Parts
from projections.hosting.pacing import Pace
from projections.hosting.projector import Shelf
from projections.hosting.tables import ProjectionHalted
from projections.table import Session

_PROCESSES: Final = 2
_WORTH_PROCESSES: Final = 50_000  # Events: below it, starting processes takes longer than folding.
_OF_A_PART: Final = 40_000
_MOST_PARTS: Final = 256
_OBJECTS: Final = 200_000  # Between two looks: events make few circles, and many objects.
_AT_ONCE: Final = 500  # Dossiers that are copied in one go.

Progress = Callable[[int, int], None]
"""Told how many events are folded, of how many."""


def silent(_done: int, _total: int) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class _Job:
    part: Part
    shelf: Shelf


async def fill(
    holder: asyncpg.Connection,
    parts: Parts,
    shelf: Shelf,
    events: int,
    progress: Progress = silent,
) -> None:
    """Fold every dossier that the holder's snapshot shows into tables that are empty.

    Raises ProjectionHalted, and names the event that cannot be folded.
    """
    apart = events >= _WORTH_PROCESSES
    count = min(max(events // _OF_A_PART, _PROCESSES), _MOST_PARTS) if apart else 1
    jobs = [_Job(part, shelf) for part in await parts(holder, count)]
    done = 0

    def take(count: int) -> None:
        nonlocal done
        done += count
        progress(done, events)

    if not apart:
        for job in jobs:
            take(await _filled(job, Pace(beside_desks=True)))
        return
    loop = asyncio.get_running_loop()
    pool = ProcessPoolExecutor(_PROCESSES, multiprocessing.get_context("spawn"), _under_its_parent)

    async def elsewhere(job: _Job) -> None:
        take(await loop.run_in_executor(pool, _filled_here, job))

    try:
        await asyncio.gather(*map(elsewhere, jobs))
    except BrokenProcessPool as error:
        raise ProjectionHalted("The build was cut short: one of its processes died.") from error
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _under_its_parent() -> None:
    """Leave interrupts to the parent, do not outlive it, and seldom look for circles to free."""
    gc.freeze()
    gc.set_threshold(_OBJECTS)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with_the_parent, daemon=True).start()


def _end_with_the_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _filled_here(job: _Job) -> int:
    return asyncio.run(_filled(job, Pace(beside_desks=False)))


async def _filled(job: _Job, pace: Pace) -> int:
    """Fold and copy the dossiers of a part; return how many events they had."""
    try:
        async with job.part.opened() as (log, connection):
            rules = await log.rules()
            done = 0
            waiting: list[Entry] = []
            async for entries in job.part.entries(connection):
                done += len(entries)
                waiting += entries
                lines = folding.by_stream(waiting)
                waiting = lines.pop(waiting[-1].stream_id)  # There may be more of the last one.
                await _copied(connection, rules, list(lines.values()), job.shelf, pace)
            if waiting:
                await _copied(connection, rules, [waiting], job.shelf, pace)
            return done
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        # What a process raises must be picklable.
        why = f"The build was cut short: {type(error).__name__}: {error}"
        raise ProjectionHalted(why) from None


async def _copied(
    connection: Session,
    rules: RuleBook,
    lines: Sequence[Sequence[Entry]],
    shelf: Shelf,
    pace: Pace,
) -> None:
    for start in range(0, len(lines), _AT_ONCE):
        pace.rested()
        changes: list[Change] = []
        for line in lines[start : start + _AT_ONCE]:
            await pace.breathe()
            changes.append(folding.afresh(None, line, rules))
        folds = [dossiers.row_of(each.after) for each in changes]
        await dossiers.TABLE.copy(connection, shelf.fold, folds)
        for table, view in shelf.views.items():
            await view.table.copy(connection, table, view.shown(changes).rows)
