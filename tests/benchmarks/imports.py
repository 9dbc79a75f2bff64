"""The import of a million events, and what the process takes meanwhile."""

import json
import subprocess
import sys
from asyncio import to_thread
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread
from time import perf_counter
from typing import Any

import psutil

from tests.benchmarks.lives import lives
from tests.benchmarks.measuring import Effort, Figure, benchmark
from tests.benchmarks.province import founded
from tests.benchmarks.sending import interleaved
from tests.system.service import environment

_MIB = 1 << 20
_EVERY = 0.25


@benchmark("import")
async def a_million_events(effort: Effort) -> list[Figure]:
    """`hoso import` of CloudEvents, one a line, of lives as a source tells them: interleaved.

    The whole command: at its end the views have it all, since it says what is irregular.
    """
    count = effort.share(1_000_000)
    with TemporaryDirectory(prefix="hoso-bench-") as folder:
        data, file = Path(folder) / "data", Path(folder) / "events.ndjson"
        await founded(data)
        with file.open("wb") as out:
            out.writelines(each + b"\n" for each in islice(interleaved(lives(4)), count))
        took, peak, half, report = await to_thread(_import, file, data)
    if report["recorded"] != count:
        raise AssertionError(f"not all was recorded: {report}")
    return [
        Figure(
            name=f"import of {count:,} events, the whole command",
            value=count / took,
            unit="events/s",
            target=8_000,
            aim=20_000,
        ),
        Figure(
            name="memory of the importing process, peak",
            value=peak,
            unit="MiB",
            target=250,
            at_most=True,
            beside={"at half of the time": half},
        ),
    ]


def _import(file: Path, data: Path) -> tuple[float, float, float, dict[str, Any]]:
    """Return seconds, peak and mid-way memory in MiB, and what the command reported."""
    command = [sys.executable, "-c", "from api.terminal.command_line import run; run()", "import"]
    begin = perf_counter()
    process = subprocess.Popen(
        [*command, str(file), "--json"], env=environment(data), stdout=subprocess.PIPE
    )
    sizes: list[float] = []
    ended = Event()
    watcher = Thread(target=_watch, args=(process.pid, sizes, ended))
    watcher.start()
    output, _ = process.communicate()
    took = perf_counter() - begin
    ended.set()
    watcher.join()
    if process.returncode:
        raise RuntimeError(f"hoso import ended with {process.returncode}")
    return took, max(sizes), sizes[len(sizes) // 2], json.loads(output)


def _watch(pid: int, sizes: list[float], ended: Event) -> None:
    process = psutil.Process(pid)
    while not ended.wait(_EVERY):
        try:
            sizes.append(process.memory_info().rss / _MIB)
        except psutil.NoSuchProcess:
            return
