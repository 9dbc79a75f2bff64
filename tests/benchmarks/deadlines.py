"""Due dates: one by itself, its whole explanation, and ten thousand after a late decision."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

import psutil

from api.main import Process, Settings, machine_of, opened
from api.operating.keeping import KEEPER
from domain.deadlines.decided import applied, deciding, working_calendar
from domain.deadlines.explaining import account
from domain.deadlines.law import PausePolicy, Term, TermUnit
from domain.deadlines.running import Pause, run
from domain.deadlines.terms import Counting
from domain.deadlines.wording import explanation_text
from domain.envelope import VIETNAM
from domain.rules.calendars import CalendarDecided
from streams.registers.shipped_calendars import shipped_calendars
from streams.time.recomputing import recompute_open
from tests.benchmarks.bulk import Filling, fill
from tests.benchmarks.lives import Life, open_life
from tests.benchmarks.measuring import Effort, Figure, benchmark
from tests.benchmarks.province import founded
from tests.examples import stamp
from tests.system.service import environment

_DECIDED = applied(shipped_calendars())
_CALENDAR = working_calendar(_DECIDED)
_COUNTING = Counting(term=Term(amount=30, unit=TermUnit.WORKING_DAY))
_START = datetime(2026, 2, 9, 9, 15, tzinfo=VIETNAM)
_PAUSES = tuple(
    Pause(
        start=datetime(2026, 3, day, 10, tzinfo=VIETNAM),
        end=datetime(2026, 3, day + 2, 14, tzinfo=VIETNAM),
        policy=PausePolicy.EXTEND,
    )
    for day in (3, 10, 17)
)
_MIB = 1 << 20
_EVERY = 0.1
_BEGUN = datetime(2026, 1, 5, 2, tzinfo=UTC)


@benchmark("due")
async def a_due_date(effort: Effort) -> list[Figure]:
    """Compute a term of 30 working days over Tết, with three pauses, without and with the why."""
    ran = run(_CALENDAR, _COUNTING, _START, _PAUSES)

    def explained() -> None:
        again = run(_CALENDAR, _COUNTING, _START, _PAUSES)
        days = account(_CALENDAR, _COUNTING, _START, _PAUSES, again, deciding(_DECIDED))
        explanation_text(days, _COUNTING, again, "vi")

    alone = _took(effort, lambda: run(_CALENDAR, _COUNTING, _START, ()))
    dated = _took(effort, lambda: run(_CALENDAR, _COUNTING, _START, _PAUSES))
    if ran.due is None:
        raise AssertionError("There must be a date.")
    return [
        Figure(
            name="a due date, a year of holidays, three pauses",
            value=dated * 1e6,
            unit="us",
            target=20,
            at_most=True,
            beside={"no pause": alone * 1e6},
        ),
        Figure(
            name="its whole explanation, day by day, in Vietnamese",
            value=_took(effort, explained) * 1e3,
            unit="ms",
            target=1,
            at_most=True,
        ),
    ]


def _took(effort: Effort, work: Callable[[], object]) -> float:
    """Return the median of some batches, in seconds for one."""
    count = effort.share(2_000)
    times = []
    for _ in range(max(3, effort.rounds)):
        begin = perf_counter()
        for _ in range(count):
            work()
        times.append((perf_counter() - begin) / count)
    return median(times)


@benchmark("recompute")
async def a_late_decision(effort: Effort) -> list[Figure]:
    """Recompute open dossiers of fifteen working days after a day among them is decided off."""
    dossiers = effort.share(10_000)
    with TemporaryDirectory(prefix="hoso-bench-") as folder:
        data = Path(folder) / "data"
        await founded(data)
        await fill(data, Filling(dossiers=dossiers, first=_BEGUN, last=_BEGUN, tell=_at_work))
        async with opened(Settings.read(environment(data)), "bench") as process:
            await process.services.runner.catch_up()
            await process.services.registers.put(_late(), KEEPER)
            await process.services.runner.catch_up()
            took, grown, moved = await _recomputed(process)
    if moved != dossiers:
        raise AssertionError(f"Not all were moved: {moved}")
    return [
        Figure(
            name=f"{dossiers:,} open dossiers recomputed after a late decision",
            value=took,
            unit="s",
            beside={"dossiers a second": dossiers / took, "memory grown by at most, MiB": grown},
        )
    ]


def _at_work(_: int) -> Iterator[Life]:
    """Yield dossiers of fifteen working days that were taken in, and are worked on."""
    life = open_life("1.009994")
    while True:
        yield life


def _late() -> CalendarDecided:
    return CalendarDecided(
        **stamp("late"), id="late", issued=date(2026, 1, 12), off=(date(2026, 1, 20),)
    )


async def _recomputed(process: Process) -> tuple[float, float, int]:
    """Return the seconds, by how much the process grew, and how many dossiers moved."""
    own = psutil.Process()
    before = peak = own.memory_info().rss

    async def watch() -> None:
        nonlocal peak
        while True:
            peak = max(peak, own.memory_info().rss)
            await asyncio.sleep(_EVERY)

    watching = asyncio.create_task(watch())
    begin = perf_counter()
    done = await recompute_open(machine_of(process.services), process.pool)
    took = perf_counter() - begin
    watching.cancel()
    with suppress(asyncio.CancelledError):
        await watching
    return took, (peak - before) / _MIB, done.moved
