"""Reading: one history, many dossiers, and how fast read models are built again."""

import json
from asyncio import to_thread
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from shutil import rmtree
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Final, cast

from api.main import Settings, opened
from domain.dossier.events import DossierEvent
from domain.dossier.evolve import fold
from domain.dossier.history import effective_history
from domain.envelope import Recorded
from domain.evidence.leaves import NO_LEAF
from infra.codec import decode
from projections.hosting import tables
from streams.registers.catalogue_files import COMMUNE, load_catalogue
from tests.benchmarks.bulk import fill, lately
from tests.benchmarks.client import Caller, callers, get, rush
from tests.benchmarks.lives import COMMUNES, PROVINCE, SKEWED, long_life
from tests.benchmarks.measuring import Effort, Figure, benchmark, say
from tests.benchmarks.processes import joined, serving
from tests.benchmarks.province import Tokens, founded
from tests.benchmarks.sending import Questions
from tests.benchmarks.stored_lives import Storing, dossier_id
from tests.examples import own_rule_book
from tests.system.service import environment

_KEPT: Final = Path("build/million")
_ASKED: Final = 300
_WARM: Final = 10
_LIMITS: Final = {"history": (10.0, None), "list": (50.0, 15.0)}


@benchmark("history")
async def history_of_a_hundred(effort: Effort) -> list[Figure]:
    """Interpret a dossier of 100 events, in this process, without reading it."""
    stream, rules = dossier_id(0), own_rule_book(*load_catalogue(COMMUNE))
    events = list(_recorded(Storing(rules), 100))
    return [
        Figure(
            name="effective history of 100 events",
            value=_took(effort, lambda: effective_history(events, rules.units)),
            unit="ms",
            target=2,
            at_most=True,
            beside={
                "with its state": _took(
                    effort, lambda: fold(stream, effective_history(events, rules.units), rules)
                )
            },
        )
    ]


def _recorded(storing: Storing, count: int) -> Iterator[Recorded[DossierEvent]]:
    """Yield the events of a dossier as they are read from a store."""
    start = datetime(2026, 1, 5, 2, tzinfo=UTC)
    for seq, each in enumerate(storing.stored(long_life(count), 0, start, datetime.now(UTC)), 1):
        event = decode(each.topic, each.stream, each.version, each.occurred_at, each.data)
        yield Recorded(seq, each.occurred_at, NO_LEAF, cast("DossierEvent", event))


def _took(effort: Effort, work: Callable[[], object]) -> float:
    times = []
    for _ in range(effort.share(500)):
        begin = perf_counter()
        work()
        times.append(perf_counter() - begin)
    return median(times) * 1000


@benchmark("rebuild")
async def rebuild_rate(effort: Effort) -> list[Figure]:
    """Build all views from the first event on: lives told among each other, pauses in them."""
    with TemporaryDirectory(prefix="hoso-bench-") as folder:
        data = Path(folder) / "data"
        await founded(data)
        position = await fill(data, lately(effort.share(30_000)))
        async with opened(Settings.read(environment(data)), "bench") as process:
            begin = perf_counter()
            await process.services.runner.catch_up()
            caught_up = position / (perf_counter() - begin)
            rates = []
            for _ in range(min(effort.rounds, 3)):
                begin = perf_counter()
                done = await process.builder.rebuild(process.builder.names, switch=False)
                rates.append(position / (perf_counter() - begin))
                if any(each.rows_different for each in done):
                    raise AssertionError("The rebuild differs from what it was compared with.")
    return [
        Figure(
            name=f"rebuild of all views, {position:,} events, pauses among them",
            value=median(rates),
            unit="events/s",
            target=50_000,
            aim=100_000,
            beside={"in the order of the ledger, as a runner catches up": caught_up},
        )
    ]


@benchmark("million")
async def a_million_dossiers(effort: Effort) -> list[Figure]:
    """Latencies over HTTP with a million dossiers of ten events, skewed over the communes."""
    dossiers = effort.share(1_000_000)
    data, tokens = await _kept(dossiers)
    async with joined(data, tokens) as ledger, serving(ledger) as target:
        await ledger.caught_up()
        async with callers(target.address, 1) as made:
            found = {
                name: await _latency(made, path, token)
                for name, (path, token) in _questions(dossiers, tokens).items()
            }
    return [
        Figure(
            name=f"{name}, {dossiers:,} dossiers, p95",
            value=p95,
            unit="ms",
            target=_LIMITS[name.split()[0].rstrip(",")][0],
            aim=_LIMITS[name.split()[0].rstrip(",")][1],
            at_most=True,
            beside={"p50": p50},
        )
        for name, (p50, p95) in found.items()
    ]


async def _kept(dossiers: int) -> tuple[Path, Tokens]:
    """Return a ledger of so many lives in the last 300 days, made once and kept."""
    folder = _KEPT / str(dossiers)
    data, made = folder / "data", folder / "tokens.json"
    if not made.exists():
        await to_thread(rmtree, folder, ignore_errors=True)
        folder.mkdir(parents=True)
        say(f"making {dossiers:,} dossiers, once; they stay in {folder}")
        tokens = await founded(data)
        begin = perf_counter()
        position = await fill(data, lately(dossiers, days=300))
        say(f"{position:,} events filled in {perf_counter() - begin:,.0f} s")
        async with opened(Settings.read(environment(data)), "bench") as process:
            begin = perf_counter()
            async with process.pool.acquire() as connection:
                for table in await tables.all_of(connection, process.builder.names):
                    await connection.execute(f"DROP TABLE views.{table} CASCADE")
            await process.builder.build_missing()
            say(f"views built in {perf_counter() - begin:,.0f} s")
        made.write_text(json.dumps(asdict(tokens)), "utf-8")
    return data, Tokens(**json.loads(made.read_text("utf-8")))


def _questions(dossiers: int, tokens: Tokens) -> Mapping[str, tuple[Callable[[], str], str]]:
    """Return what is asked: how a path is made, and by whom."""
    chance = Random(7)
    whole = tokens.province
    busiest, quietest = COMMUNES[0].code, COMMUNES[-1].code

    def commune() -> str:
        return chance.choices(COMMUNES, cum_weights=SKEWED)[0].code

    def of(path: str) -> Callable[[], str]:
        return lambda: path

    lists = {
        "whole province": (of("/v1/dossiers?limit=50"), whole),
        "by the busiest commune": (of("/v1/dossiers?limit=50"), tokens.desks[busiest]),
        "by the quietest commune": (of("/v1/dossiers?limit=50"), tokens.desks[quietest]),
        "a neighbour's by the busiest": (
            of(f"/v1/dossiers?unit={COMMUNES[1].code}"),
            tokens.desks[busiest],
        ),
        "one commune of the province": (lambda: f"/v1/dossiers?unit={commune()}", whole),
        "the quietest of the province": (of(f"/v1/dossiers?unit={quietest}"), whole),
        "a commune's of a status": (
            lambda: f"/v1/dossiers?unit={commune()}&status={chance.choice((2, 4, 9, 10))}",
            whole,
        ),
        "by status": (lambda: f"/v1/dossiers?status={chance.choice((2, 4, 9, 10))}", whole),
        "irregular": (of("/v1/dossiers?irregular=true"), whole),
        "by the beginning of a code": (lambda: f"/v1/dossiers?q={commune()}-26", whole),
        "by the end of a code": (
            lambda: f"/v1/dossiers?q=-{chance.randrange(dossiers):07d}",
            whole,
        ),
        "by words": (lambda: chance.choice(_WORDS), tokens.desks[busiest]),
    }
    return {
        "history of ten events": (
            lambda: f"/v1/dossiers/{dossier_id(chance.randrange(dossiers))}/history",
            whole,
        ),
        **{f"list, {name}": asked for name, asked in lists.items()},
    }


_WORDS: Final = (
    "/v1/dossiers?q=ban%20sao",
    f"/v1/dossiers?q=xa%20so%20{PROVINCE}.3",
    "/v1/dossiers?q=khai%20sinh",
)


async def _latency(made: list[Caller], path: Callable[[], str], token: str) -> tuple[float, float]:
    questions = Questions([get(path(), token) for _ in range(_ASKED + _WARM)])
    await rush(made, questions)
    times = [1_000 * each for each in questions.took[_WARM:]]
    return median(times), quantiles(times, n=20)[18]
