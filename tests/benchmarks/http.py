"""Commands and facts through HTTP, beside a bare validated POST on the same kind of server."""

import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

import orjson

from api.main import Settings, opened
from api.operating.catalogue import load_entries
from api.operating.tokens import granted
from domain.rules.tokens import Role
from streams.registers.catalogue_files import COMMUNE, load_catalogue
from tests.benchmarks.client import at_a_rate, at_full_speed, closing_all, connections, post
from tests.benchmarks.measuring import Effort, Figure, alternate, benchmark
from tests.system.service import Service, environment, free_port

DESK, AGENCY, PROCEDURE = "H44.100.01", "H44.100.02", "2.000815"
CALLERS = 64
RATE = 1_000.0
COMMAND: dict[str, Any] = {
    "procedure": PROCEDURE,
    "channel": "direct",
    "receiving_unit": DESK,
    "competent_unit": AGENCY,
}
OWNER = {"name": "Nguyễn Văn A", "phone": "0912345678", "address": "Thôn 1"}
_numbers = count()


@dataclass(frozen=True)
class Target:
    """A server under load, and the token it takes."""

    address: str
    token: str

    @property
    def host(self) -> tuple[str, int]:
        parts = urlsplit(self.address)
        return parts.hostname or "127.0.0.1", parts.port or 80

    def commands(self, number: int, body: dict[str, Any]) -> list[bytes]:
        """Return so many acceptances, each under a key of its own."""
        content = orjson.dumps(body)
        return [
            post(
                "/v1/dossiers",
                content,
                {
                    "Authorization": f"Bearer {self.token}",
                    "Idempotency-Key": f"bench-{next(_numbers)}",
                },
            )
            for _ in range(number)
        ]

    def batches(self, number: int, size: int) -> list[bytes]:
        at = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
        return [
            post("/v1/events", orjson.dumps([_fact(at) for _ in range(size)]), self._batch())
            for _ in range(number)
        ]

    def _batch(self) -> dict[str, str]:
        media = "application/cloudevents-batch+json"
        return {"Authorization": f"Bearer {self.token}", "Content-Type": media}


def _fact(at: str) -> dict[str, Any]:
    number = next(_numbers)
    return {
        "specversion": "1.0",
        "id": f"{number}",
        "source": "urn:bench",
        "type": "vn.gov.motcua.dossier.step-completed.v1",
        "subject": f"code:BENCH-{number // 10}",
        "time": at,
        "data": {"step": "Thẩm định"},
    }


@asynccontextmanager
async def served() -> AsyncIterator[Target]:
    """Start a real service on a new ledger with the shipped catalogue."""
    with TemporaryDirectory(prefix="hoso-bench-") as folder:
        data = Path(folder) / "data"
        async with opened(Settings.read(environment(data)), "bench") as process:
            await load_entries(process, load_catalogue(COMMUNE))
            token = await granted(process, Role.DESK, "H44", timedelta(days=1))
        service = Service(data).start()
        try:
            yield Target(service.address, token)
        finally:
            service.stop()


@contextmanager
def bare() -> Iterator[Target]:
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.bare", str(port)],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        if process.stdout is None or not process.stdout.readline().startswith("ready"):
            raise RuntimeError("The bare server did not start.")
        yield Target(f"http://127.0.0.1:{port}", "none")
    finally:
        process.terminate()
        process.wait(timeout=30)


@benchmark("http")
async def http(effort: Effort) -> list[Figure]:
    """One command each, 64 callers, the load generator beside it on the same cores."""
    many = effort.share(4_000)
    async with served() as ours:
        with bare() as nothing:
            await _full_speed(ours, ours.commands(effort.share(1_000), COMMAND))

            async def commands() -> float:
                return await _full_speed(ours, ours.commands(many, COMMAND))

            async def with_owner() -> float:
                body = {**COMMAND, "owner": OWNER}
                return await _full_speed(ours, ours.commands(many, body))

            async def bare_posts() -> float:
                return await _full_speed(nothing, nothing.commands(many, COMMAND))

            found = await alternate(
                effort.rounds,
                {"bare": bare_posts, "commands": commands, "with owner": with_owner},
            )
        batches = await _full_speed(ours, ours.batches(effort.share(60), 100), expected=200)
        requests = ours.commands(effort.share(10_000), COMMAND)
        async with _connected(ours) as to_ours:
            p50, p99 = await at_a_rate(to_ours, requests, 201, RATE)
    beside = {"bare POST": found["bare"]}
    return [
        Figure(
            name="commands through HTTP, 64 callers",
            value=found["commands"],
            unit="/s",
            beside=beside,
        ),
        Figure(
            name="the same as a share of a bare POST",
            value=100 * found["commands"] / found["bare"],
            unit="%",
            target=50,
        ),
        Figure(
            name="commands with personal values",
            value=found["with owner"],
            unit="/s",
            beside=beside,
        ),
        Figure(name="facts in batches of 100", value=batches * 100, unit="events/s"),
        Figure(name="command at 1,000/s, p50", value=p50, unit="ms"),
        Figure(name="command at 1,000/s, p99", value=p99, unit="ms", target=25, at_most=True),
    ]


async def _full_speed(target: Target, requests: list[bytes], expected: int = 201) -> float:
    async with _connected(target) as opened:
        return await at_full_speed(opened, requests, expected)


@asynccontextmanager
async def _connected(target: Target) -> AsyncIterator[list[Any]]:
    with closing_all(await connections(*target.host, CALLERS)) as made:
        yield made
