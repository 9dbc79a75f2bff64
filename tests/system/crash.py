"""Kills processes at random under load and counts what was lost. `python -m tests.system.crash`."""

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from itertools import islice
from pathlib import Path
from random import Random
from statistics import median
from time import monotonic
from typing import IO, Final

import httpx
from rich.console import Console
from rich.table import Table

from api.main import Process, Settings, audited, opened
from api.operating.catalogue import load_entries
from api.operating.tokens import granted
from domain.rules.tokens import Role
from streams.registers.catalogue_files import COMMUNE, load_catalogue
from tests.system.killing import FAULTS, Scene
from tests.system.load import Acknowledged, Load
from tests.system.service import environment

KILLS_IN_A_LEDGER: Final = 25  # Then a new one, so that checking all of it stays quick.
_RECOVERY: Final = 60.0


Place = tuple[int, str, int]
"""Where an event stands: its position, its dossier, its version."""


@dataclass
class Row:
    """What one kind of fault did, over all its runs."""

    fault: str
    runs: int = 0
    acknowledged: int = 0
    lost: int = 0
    doubled: int = 0
    holes: int = 0
    misordered: int = 0
    chain_differences: int = 0
    rows_different: int = 0
    recovery_s: float = 0.0
    recovery_max_s: float = 0.0
    times: list[float] = field(default_factory=list, repr=False)

    @property
    def bad(self) -> int:
        counts = (self.lost, self.doubled, self.holes, self.misordered)
        return sum(counts) + self.chain_differences + self.rows_different


async def crash(kills: int, seed: int, folder: Path, report: Console) -> list[Row]:
    """Kill that often, check after each kill, and return the counts."""
    chance = Random(seed)
    rows = {fault: Row(fault) for fault in FAULTS}
    faults = _in_turns(chance)
    left = kills
    number = 0
    while left:
        number += 1
        count = min(left, KILLS_IN_A_LEDGER)
        data = folder / f"ledger-{number}"
        with (folder / f"serve-{number}.log").open("wb") as log:
            await _one_ledger(data, list(islice(faults, count)), chance, rows, log)
        left -= count
        report.print(f"{kills - left} of {kills} kills", style="dim")
    for row in rows.values():
        row.recovery_s = round(median(row.times), 2) if row.times else 0.0
        row.recovery_max_s = round(max(row.times, default=0.0), 2)
    return list(rows.values())


def _in_turns(chance: Random) -> Iterator[str]:
    """Yield every fault equally often, in an order by chance."""
    while True:
        yield from chance.sample(list(FAULTS), len(FAULTS))


async def _one_ledger(
    data: Path, faults: Sequence[str], chance: Random, rows: dict[str, Row], log: IO[bytes]
) -> None:
    settings = Settings.read(environment(data))
    async with opened(settings, "crash") as process:
        await load_entries(process, load_catalogue(COMMUNE))
        token = await granted(process, Role.DESK, "H44", timedelta(days=1))
    scene = await asyncio.to_thread(Scene(data, log, chance).start)
    load = Load(scene.service.address, token, Random(chance.random()))
    sending = asyncio.create_task(load.run())
    try:
        for fault in faults:
            await _kill(scene, load, fault, chance.uniform(0.05, 0.8), rows[fault])
            await _check(settings, load.acknowledged, rows[fault])
            if sending.done():
                sending.result()
    finally:
        sending.cancel()
        await asyncio.wait([sending])
        await asyncio.to_thread(scene.stop)


async def _kill(scene: Scene, load: Load, fault: str, after: float, row: Row) -> None:
    load.resume()
    await asyncio.sleep(after)  # The random moment itself.
    killed = monotonic()
    await asyncio.to_thread(FAULTS[fault], scene)
    await _ready(scene.service.address)
    row.times.append(monotonic() - killed)
    row.runs += 1
    await load.pause()
    row.acknowledged += load.newly_acknowledged()


async def _ready(address: str) -> None:
    """Ask until the service is ready by itself; it must be within a minute."""
    until = monotonic() + _RECOVERY
    async with httpx.AsyncClient(base_url=address, timeout=60, trust_env=False) as client:
        while True:
            try:
                if (await client.get("/ready")).status_code == httpx.codes.OK:
                    return
            except httpx.TransportError:
                pass
            if monotonic() > until:
                raise TimeoutError("The service did not recover by itself.")
            await asyncio.sleep(0.02)  # Between two questions to a server that is coming back.


async def _check(settings: Settings, acknowledged: Sequence[Acknowledged], row: Row) -> None:
    """Hold everything that was acknowledged against the whole ledger."""
    async with opened(settings, "crash") as process:
        said = await _events(process)
        row.lost += sum(not _stands(each, said) for each in acknowledged)
        row.doubled += sum(len(places) - 1 for places in said.values())
        row.misordered += misordered(acknowledged)
        highest = await process.pool.fetchval("SELECT max(seq) FROM ledger.event")
        row.holes += highest - await process.pool.fetchval("SELECT count(*) FROM ledger.event")
        await process.services.runner.catch_up()
        compared = await process.builder.rebuild(process.builder.names, switch=False)
        row.rows_different += sum(each.rows_different for each in compared)
    audit = await audited(settings, 1, None)
    row.chain_differences += len(audit.differences)


def _stands(told: Acknowledged, said: Mapping[str, Sequence[Place]]) -> bool:
    """Say whether what was acknowledged is in the ledger, once, where it was said to be."""
    places = said.get(told.source_id, ())
    return len(places) == 1 and all(
        known in (None, place)
        for known, place in zip((told.seq, told.dossier, told.version), places[0], strict=True)
    )


def misordered(acknowledged: Sequence[Acknowledged]) -> int:
    """Count what was first asked for after another was answered, and yet stands before it."""
    answered = sorted(acknowledged, key=lambda each: each.answered)
    count = place = highest = 0
    for each in sorted(acknowledged, key=lambda each: each.asked):
        while answered[place].answered < each.asked:
            highest = max(highest, answered[place].seq)
            place += 1
        count += each.seq < highest
    return count


async def _events(process: Process) -> dict[str, list[Place]]:
    """Return where the events of dossiers stand, by the ids of their messages."""
    records = await process.pool.fetch(
        "SELECT seq, stream_id, version,"
        " convert_from(data, 'UTF8')::jsonb #>> '{meta,source_id}' AS source_id"
        " FROM ledger.event WHERE type LIKE 'dossier.%'"
    )
    said: dict[str, list[Place]] = {}
    for seq, stream, version, name in records:
        said.setdefault(name, []).append((seq, str(stream), version))
    return said


def show(rows: Sequence[Row], report: Console) -> None:
    table = Table(title="Kills under load")
    names = [name for name in asdict(rows[0]) if name != "times"]
    for name in names:
        table.add_column(name.replace("_", " "), justify="right")
    for row in rows:
        table.add_row(*(str(getattr(row, name)) for name in names))
    report.print(table)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--seed", type=int, default=None)
    asked = parser.parse_args(arguments)
    seed = asked.seed if asked.seed is not None else Random().randrange(2**32)
    report = Console(width=120)
    report.print(f"seed {seed}, {asked.kills} kills")
    with tempfile.TemporaryDirectory(prefix="hoso-crash-", ignore_cleanup_errors=True) as folder:
        rows = asyncio.run(crash(asked.kills, seed, Path(folder), report))
    show(rows, report)
    build = Path("build")
    build.mkdir(exist_ok=True)
    figures = [{k: v for k, v in asdict(row).items() if k != "times"} for row in rows]
    (build / "crash.json").write_text(json.dumps(figures, indent=1) + "\n")
    return 1 if any(row.bad for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
