"""`hoso serve --workers 2`: processes that answer as one, whichever of them is asked or dies."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from subprocess import PIPE
from typing import Any
from uuid import uuid4

import httpx
import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.http.workers import rest_before_another
from streams.wire.cloudevents import PREFIX
from tests.looking import examples
from tests.stores import until
from tests.system.hoso import COMMAND, Hoso
from tests.system.load import AGENCY, DESK, PROCEDURE
from tests.system.service import Service, environment
from tests.system.slow_client import slow_client

pytestmark = [pytest.mark.system, pytest.mark.postgres]

COUNT = 2
ACCEPTANCE = {
    "procedure": PROCEDURE,
    "channel": "direct",
    "receiving_unit": DESK,
    "competent_unit": AGENCY,
}
Client = httpx.AsyncClient


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Give a service of two workers that knows the catalogue."""
    service = Service(tmp_path_factory.mktemp("data"), workers=COUNT).start()
    assert Hoso(service.data).run("catalogue", "load", "commune").returncode == 0
    yield service
    pids = service.worker_pids
    assert service.stop() == 0
    assert [pid for pid in pids if psutil.pid_exists(pid)] == []


@pytest.fixture(scope="module")
def hoso(served: Service) -> Hoso:
    return Hoso(served.data)


@pytest.fixture(scope="module")
def desk(hoso: Hoso) -> str:
    return granted(hoso, "desk", "H44.100")


@pytest.fixture
async def clients(served: Service, desk: str) -> AsyncIterator[list[Client]]:
    """Give a client of each worker."""
    async with of_each_worker(served, desk) as clients:
        yield clients


def granted(hoso: Hoso, role: str, unit: str) -> str:
    return hoso.run("token", "create", "--role", role, "--unit", unit).stdout.strip()


@asynccontextmanager
async def of_each_worker(service: Service, token: str = "") -> AsyncIterator[list[Client]]:
    """Open connections until each worker has accepted one; each client keeps the one it has."""
    found: dict[int, Client] = {}
    opened: list[Client] = []
    try:
        while len(found) < COUNT:
            client = client_of(service, token)
            opened.append(client)
            answer = await client.get("/health")
            worker = accepted_by(service, answer)
            found.setdefault(worker, client)
        yield list(found.values())
    finally:
        for client in opened:
            await client.aclose()


def client_of(service: Service, token: str) -> Client:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return Client(base_url=service.address, headers=headers, timeout=60, trust_env=False)


def accepted_by(service: Service, answer: httpx.Response) -> int:
    """Return the worker at the other end of the connection of an answer."""
    ours = answer.extensions["network_stream"].get_extra_info("client_addr")
    (worker,) = (
        pid
        for pid in service.worker_pids
        for each in psutil.Process(pid).net_connections("tcp")
        if each.status == psutil.CONN_ESTABLISHED and each.raddr.port == ours[1]
    )
    return worker


async def accepted(client: Client, key: str | None = None, **changes: str) -> httpx.Response:
    headers = {"Idempotency-Key": key or uuid4().hex}
    return await client.post("/v1/dossiers", json={**ACCEPTANCE, **changes}, headers=headers)


async def body_of(answer: httpx.Response) -> Any:  # noqa: ANN401  # JSON
    assert answer.is_success, answer.text
    return answer.json()


def test_it_says_ready_once_and_status_names_supervisor_and_workers(tmp_path: Path) -> None:
    with subprocess.Popen(
        [*COMMAND, "serve", "--port=0", "--workers=2"],
        env=environment(tmp_path / "data"),
        stdout=PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("ready http://127.0.0.1:")
        processes = Hoso(tmp_path / "data").json("status")["processes"]
        assert {"role": "serve", "pid": process.pid} in processes
        assert [each["role"] for each in processes].count("serve-worker") == COUNT
        process.send_signal(signal.SIGTERM)
        assert process.stdout.read() == ""
    assert process.returncode == 0


async def test_every_worker_gets_some_of_64_connections(served: Service) -> None:
    async with asyncio.timeout(60):
        clients = [client_of(served, "") for _ in range(64)]
        answers = await asyncio.gather(*(client.get("/health") for client in clients))
        sharing = {accepted_by(served, answer) for answer in answers}
        for client in clients:
            await client.aclose()
    assert sharing == set(served.worker_pids)


async def test_what_one_worker_recorded_every_other_one_shows(clients: list[Client]) -> None:
    one, other = clients
    for asked, seen in ((one, other), (other, one)):
        told = await body_of(await accepted(asked))
        found = await body_of(await seen.get(f"/v1/dossiers/{told['id']}"))
        assert (found["code"], found["version"]) == (told["code"], told["version"])
        wanted = {"q": told["code"], "min_position": told["position"], "wait": 30}
        listed = await body_of(await seen.get("/v1/dossiers", params=wanted))
        assert [each["id"] for each in listed["items"]] == [told["id"]]


async def test_one_key_sent_to_two_workers_at_once_is_one_dossier(clients: list[Client]) -> None:
    one, other = clients
    for _ in range(20):
        key = uuid4().hex
        sent = (accepted(one, key), accepted(other, key), accepted(one, key))
        told = [await body_of(answer) for answer in await asyncio.gather(*sent)]
        assert told[0] == told[1] == told[2]


async def test_a_command_is_guarded_whichever_worker_is_asked(clients: list[Client]) -> None:
    one, other = clients
    told = await body_of(await accepted(one))
    url = f"/v1/dossiers/{told['id']}/offer-transfer"
    answers = await asyncio.gather(
        *(
            client.post(
                url,
                json={"to_unit": AGENCY},
                headers={"Idempotency-Key": uuid4().hex, "If-Match": f'"{told["version"]}"'},
            )
            for client in (one, other)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [201, 412]


async def test_an_entry_of_a_register_counts_at_every_worker_at_once(
    served: Service, hoso: Hoso, clients: list[Client]
) -> None:
    keeper = granted(hoso, "administrator", "H44")
    async with of_each_worker(served, keeper) as keepers:
        for keeping in keepers:
            unit = f"H44.100.{uuid4().hex[:8]}"
            entry = {
                "specversion": "1.0",
                "id": uuid4().hex,
                "source": "urn:test:workers",
                "type": f"{PREFIX}unit.registered.v1",
                "time": "2026-01-05T08:00:00+07:00",
                "data": {"code": unit, "name": "Tổ mới", "parent": "H44.100"},
            }
            media = {"Content-Type": "application/cloudevents+json"}
            await body_of(
                await keeping.post("/v1/events", content=json.dumps(entry), headers=media)
            )
            for client in clients:
                await body_of(await accepted(client, competent_unit=unit))


async def test_a_revoked_token_is_refused_by_every_worker(served: Service, hoso: Hoso) -> None:
    token = granted(hoso, "reporter", "H44")
    async with of_each_worker(served, token) as clients:
        for client in clients:
            assert (await client.get("/v1/dossiers")).status_code == 200
        mine = hoso.json("token", "list")[-1]
        hoso.json("token", "revoke", mine["id"])

        async def refused() -> bool:
            answers = [await client.get("/v1/dossiers") for client in clients]
            return {answer.status_code for answer in answers} == {401}

        await until(refused)


async def test_the_allowance_of_an_address_is_one_for_all_workers(
    clients: list[Client],
) -> None:
    one, other = clients
    url = f"/v1/public/dossiers/{(await body_of(await accepted(one)))['code']}"
    assert 429 in [(await one.get(url)).status_code for _ in range(500)]
    assert 429 in [(await other.get(url)).status_code for _ in range(100)]


async def figures(client: Client) -> dict[str, float]:
    lines = (await client.get("/metrics")).text.splitlines()
    return {
        name: float(value)
        for name, value in (line.split() for line in lines if not line.startswith("#"))
    }


async def test_whichever_worker_is_asked_the_figures_are_those_of_all(
    clients: list[Client],
) -> None:
    def appended(found: dict[str, float]) -> float:
        return found["hoso_events_appended_total"]

    before = appended(await figures(clients[0]))
    for client in clients:
        await body_of(await accepted(client))

    async def all_of_them() -> bool:
        found = [appended(await figures(client)) for client in clients]
        return len(set(found)) == 1 and found[0] >= before + COUNT

    await until(all_of_them)


async def test_a_worker_that_is_killed_takes_no_other_with_it(
    served: Service, clients: list[Client]
) -> None:
    one, other = clients
    killed = accepted_by(served, await one.get("/health"))
    kept = accepted_by(served, await other.get("/health"))
    os.kill(killed, signal.SIGKILL)
    await body_of(await accepted(other))

    async def another() -> bool:
        return len(set(served.worker_pids) - {killed}) == COUNT

    await until(another)
    assert kept in served.worker_pids
    async with of_each_worker(served) as again:
        for client in again:
            assert (await client.get("/ready")).status_code == 200


async def test_the_supervisor_is_named_again_after_its_database_was_killed(
    served: Service, hoso: Hoso
) -> None:
    served.kill_postgres()

    async def named() -> bool:
        status = await asyncio.to_thread(hoso.run, "status", "--json")
        wanted = {"role": "serve", "pid": served.pid}
        return status.returncode == 0 and wanted in json.loads(status.stdout)["processes"]

    await until(named)


@pytest.mark.parametrize("killed", ["told to end", "killed"])
def test_what_workers_accepted_is_answered_before_they_end(
    killed: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    service = Service(tmp_path_factory.mktemp("data"), workers=COUNT).start()
    hoso = Hoso(service.data)
    assert hoso.run("catalogue", "load", "commune").returncode == 0
    with slow_client(service.address, granted(hoso, "desk", "H44")) as client:
        workers = [psutil.Process(pid) for pid in service.worker_pids]
        os.kill(service.pid, signal.SIGTERM if killed == "told to end" else signal.SIGKILL)
        output, _ = client.communicate(timeout=60)
    assert output.startswith("HTTP/1.1 201")
    assert service.ended() == (0 if killed == "told to end" else -signal.SIGKILL)
    _, alive = psutil.wait_procs(workers, timeout=60)
    assert alive == []


def test_a_port_that_is_taken_stops_the_start_with_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert "in use" in Hoso(tmp_path).refused("serve", "--port", port, "--workers", "2")


def test_settings_that_allow_no_start_stop_it_with_one_line(tmp_path: Path) -> None:
    said = Hoso(tmp_path).refused("serve", "--workers", "2", HOSO_DATABASE_URL="postgresql:///x")
    assert "HOSO_MASTER_KEY_FILE" in said


def supervised(program: str) -> "subprocess.CompletedProcess[str]":
    """Run two workers of a program until they end by themselves."""
    supervisor = (
        "import asyncio, sys\n"
        "from api.http.counting import shared_memory\n"
        "from api.http.serving import listen\n"
        "from api.http.workers import WorkerFailed, Workers\n"
        "command = (sys.executable, '-c', sys.argv[1])\n"
        "try:\n"
        "    with shared_memory() as memory:\n"
        "        asyncio.run(Workers(command, 2, listen('127.0.0.1', 0), memory).run())\n"
        "except WorkerFailed as failed:\n"
        "    sys.exit(str(failed))\n"
    )
    return subprocess.run(
        [sys.executable, "-c", supervisor, program],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_where_a_worker_cannot_start_none_does() -> None:
    done = supervised("import sys; sys.exit('no')")
    assert (done.returncode, done.stdout) == (1, "")
    assert "A worker did not start" in done.stderr


def test_a_worker_that_dies_again_and_again_is_started_again_and_again() -> None:
    """The third life of each asks the supervisor to end."""
    done = supervised(
        "import os, signal, sys, tempfile\n"
        "lives = os.path.join(tempfile.gettempdir(), f'lives-{os.getppid()}')\n"
        "with open(lives, 'a') as file: file.write('x')\n"
        "print('ready', flush=True)\n"
        "if os.path.getsize(lives) < 6: os.kill(os.getpid(), signal.SIGKILL)\n"
        "os.remove(lives)\n"
        "os.kill(os.getppid(), signal.SIGTERM)\n"
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("ready") == 1


@given(st.integers(0, 10_000))
@settings(max_examples=examples(200))
def test_the_rest_before_another_worker_grows_and_has_an_end(short_lives: int) -> None:
    rest = rest_before_another(short_lives)
    assert 0 <= rest <= rest_before_another(short_lives + 1) <= 30
    assert rest_before_another(0) == 0
    assert rest_before_another(10_000) == 30
