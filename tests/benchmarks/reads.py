"""Reading: one history, many dossiers, and how fast read models are built again."""

from asyncio import to_thread
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from time import perf_counter

from api.main import Process, Settings, opened
from api.operating.catalogue import load_entries
from api.operating.tokens import granted
from domain.dossier.evolve import fold
from domain.dossier.history import effective_history
from domain.rules.rule_book import RuleBook
from domain.rules.tokens import Role
from streams.registers.catalogue_files import COMMUNE, load_catalogue, parse_catalogue
from tests.benchmarks.bulk import Filling, dossier_id, fill, history
from tests.benchmarks.client import Caller, callers, get, rush
from tests.benchmarks.measuring import Effort, Figure, benchmark
from tests.benchmarks.sending import Questions
from tests.system.service import Service, environment

COMMUNES = 200


@benchmark("history")
async def history_of_a_hundred(effort: Effort) -> list[Figure]:
    """Interpret a dossier of 100 events, in this process, without reading it."""
    events = history(100)
    stream, rules = dossier_id(0), RuleBook()
    return [
        Figure(
            name="effective history of 100 events",
            value=_took(effort, lambda: effective_history(events)),
            unit="ms",
            target=2,
            at_most=True,
            beside={
                "with its state": _took(
                    effort, lambda: fold(stream, effective_history(events), rules)
                )
            },
        )
    ]


def _took(effort: Effort, work: Callable[[], object]) -> float:
    times = []
    for _ in range(effort.share(500)):
        begin = perf_counter()
        work()
        times.append(perf_counter() - begin)
    return median(times) * 1000


@benchmark("rebuild")
async def rebuild_rate(effort: Effort) -> list[Figure]:
    """Build a read model from the first event on, dossiers of ten events in turn."""
    dossiers = effort.share(30_000)
    with TemporaryDirectory(prefix="hoso-bench-") as folder:
        settings = Settings.read(environment(Path(folder) / "data"))
        async with opened(settings, "bench") as process:
            await load_entries(process, load_catalogue(COMMUNE))
            desks = ("H44.100.01", "H44.100.02")
            filling = Filling(dossiers=dossiers, events_each=10, desks=desks)
            position = await fill(process.database.url, filling)
            begin = perf_counter()
            await process.services.runner.catch_up()
            caught_up = position / (perf_counter() - begin)
            begin = perf_counter()
            done = await process.builder.rebuild(process.builder.names, switch=False)
            rebuilt = position / (perf_counter() - begin)
    if any(each.rows_different for each in done):
        raise AssertionError("The rebuild differs from what it was compared with.")
    return [
        Figure(
            name=f"rebuild of all views, {position:,} events",
            value=rebuilt,
            unit="events/s",
            target=50_000,
            beside={"the first build, not compared": caught_up},
        )
    ]


@benchmark("million")
async def a_million_dossiers(effort: Effort) -> list[Figure]:
    """Latencies over HTTP with a million dossiers (one event each; 10,000 have ten)."""
    dossiers = effort.share(1_000_000)
    with TemporaryDirectory(prefix="hoso-bench-") as folder:
        data = Path(folder) / "data"
        async with opened(Settings.read(environment(data)), "bench") as process:
            tokens = await _filled(process, dossiers)
        service = await to_thread(Service(data).start)
        try:
            async with callers(service.address, 1) as made:
                found = {
                    name: await _latency(made, effort, paths, token)
                    for name, (paths, token) in _questions(dossiers, tokens).items()
                }
        finally:
            await to_thread(service.stop)
    limits = {"history": 10.0, "list": 50.0}
    return [
        Figure(
            name=f"{name}, {dossiers:,} dossiers, p95",
            value=p95,
            unit="ms",
            target=limits[name.split()[0].rstrip(",")],
            at_most=True,
            beside={"p50": p50},
        )
        for name, (p50, p95) in found.items()
    ]


async def _filled(process: Process, dossiers: int) -> Mapping[str, str]:
    await load_entries(process, load_catalogue(COMMUNE))
    codes = [f"H44.{number}" for number in range(200, 200 + COMMUNES)]
    units = "".join(
        f'[[units]]\ncode = "{code}"\nname = "Xã {code}"\nparent = "H44"\n' for code in codes
    )
    await load_entries(process, parse_catalogue(units))
    ten = min(dossiers // 2, 10_000)
    await fill(process.database.url, Filling(dossiers=ten, events_each=10, desks=codes))
    rest = Filling(dossiers=dossiers - ten, events_each=1, desks=codes, first=ten)
    await fill(process.database.url, rest)
    await process.services.runner.catch_up()
    year = timedelta(days=365)
    return {
        "province": await granted(process, Role.INSPECTOR, "H44", year),
        "commune": await granted(process, Role.DESK, "H44.300", year),
    }


def _questions(
    dossiers: int, tokens: Mapping[str, str]
) -> Mapping[str, tuple[Callable[[int], str], str]]:
    """Return what is asked: a path for each turn, and by whom."""
    whole, own = tokens["province"], tokens["commune"]
    return {
        "history of ten events": (
            lambda n: f"/v1/dossiers/{dossier_id(n * 7 % (dossiers // 100))}/history",
            whole,
        ),
        "list, whole province": (lambda _: "/v1/dossiers?limit=50", whole),
        "list, one commune": (lambda _: "/v1/dossiers?limit=50", own),
        "list, one commune of a province": (
            lambda n: f"/v1/dossiers?unit=H44.{200 + n % 200}",
            whole,
        ),
        "list, by status": (lambda n: f"/v1/dossiers?status={(2, 4, 9)[n % 3]}", whole),
        "list, by code": (lambda n: f"/v1/dossiers?q=H44.{200 + n % 200}-260105-0", whole),
        "list, by words": (
            lambda n: ("/v1/dossiers?q=ban%20sao", "/v1/dossiers?q=xa%20h44.3")[n % 2],
            own,
        ),
    }


async def _latency(
    made: list[Caller], effort: Effort, path: Callable[[int], str], token: str
) -> tuple[float, float]:
    turns = range(effort.share(300) + 10)
    questions = Questions([get(path(turn), token) for turn in turns])
    await rush(made, questions)
    times = [1_000 * each for each in questions.took[10:] or questions.took]
    return median(times), quantiles(times, n=20)[18]
