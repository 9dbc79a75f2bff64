"""The import of a million events, and what the process takes meanwhile."""

import json
import subprocess
import sys
from asyncio import to_thread
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread
from time import perf_counter
from typing import Any

import orjson
import psutil

from api.main import Settings, opened
from api.operating.catalogue import load_entries
from streams.registers.catalogue_files import COMMUNE, load_catalogue
from tests.benchmarks.measuring import Effort, Figure, benchmark
from tests.system.service import environment

_MIB = 1 << 20
_EVERY = 0.25


@benchmark("import")
async def a_million_events(effort: Effort) -> list[Figure]:
    """`hoso import` of CloudEvents, one a line, ten for each dossier."""
    count = effort.share(1_000_000) // 10 * 10
    with TemporaryDirectory(prefix="hoso-bench-") as folder:
        data, file = Path(folder) / "data", Path(folder) / "events.ndjson"
        async with opened(Settings.read(environment(data)), "bench") as process:
            await load_entries(process, load_catalogue(COMMUNE))
        with file.open("wb") as out:
            out.writelines(orjson.dumps(each) + b"\n" for each in _events(count))
        took, peak, half, report = await to_thread(_import, file, data)
    if report["recorded"] != count:
        raise AssertionError(f"not all was recorded: {report}")
    return [
        Figure(name=f"import of {count:,} events", value=count / took, unit="events/s"),
        Figure(
            name="memory of the importing process, peak",
            value=peak,
            unit="MiB",
            target=250,
            at_most=True,
            beside={"at half of the time": half},
        ),
    ]


def _events(count: int) -> Iterator[dict[str, Any]]:
    start = datetime.now(UTC) - timedelta(days=30)
    accepted = {
        "procedure": "2.000815",
        "channel": "direct",
        "receiving_unit": "H44.100.01",
        "competent_unit": "H44.100.02",
    }
    for number in range(count):
        dossier, place = divmod(number, 10)
        yield {
            "specversion": "1.0",
            "id": str(number),
            "source": "urn:bench",
            "type": f"vn.gov.motcua.dossier.{'step-completed' if place else 'accepted'}.v1",
            "subject": f"code:BENCH-{dossier}",
            "time": (start + timedelta(seconds=dossier, minutes=place)).isoformat(),
            "data": {"step": f"Bước {place}"} if place else accepted,
        }


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
