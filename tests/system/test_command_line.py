"""The command `hoso` as its users run it: other processes, real servers, exit statuses."""

import base64
import fcntl
import gzip
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from subprocess import PIPE, STDOUT
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import httpx
import pytest

from domain.rules.register import stream_of
from infra.embedded import EmbeddedPostgres
from streams.registers.catalogue_files import COMMUNE
from tests.system.hoso import COMMAND, Hoso, HosoHere
from tests.system.load import AGENCY, DESK, PROCEDURE
from tests.system.service import Service, environment
from tests.system.slow_client import slow_client

pytestmark = [pytest.mark.system, pytest.mark.postgres]

REAL_LOG = Path(__file__).parents[2] / ".." / "shared" / "data" / "receipt.xes.gz"
CATALOGUE = str(COMMUNE)
ACCEPTANCE = {
    "procedure": PROCEDURE,
    "channel": "direct",
    "receiving_unit": DESK,
    "competent_unit": AGENCY,
    "owner": {"name": "Nguyễn Thị Bưởi", "id_kind": "cccd", "id_number": "012345678901"},
}


@pytest.fixture(scope="module")
def hoso(served: Service) -> Hoso:
    """Give the command in a process of its own, on a ledger that knows the catalogue."""
    hoso = Hoso(served.data)
    assert hoso.json("catalogue", "load", CATALOGUE)["recorded"] > 10
    return hoso


@pytest.fixture(scope="module")
def here(hoso: Hoso) -> Hoso:
    """Give the same for what is no different in this process, where starting costs nothing."""
    return HosoHere(hoso.data)


@pytest.fixture(scope="module")
def client(served: Service, hoso: Hoso) -> Iterator[httpx.Client]:
    done = hoso.run("token", "create", "--role", "desk", "--unit", "H44.100", "--expires", "1d")
    assert len(done.stdout.split()) == 1
    headers = {"Authorization": f"Bearer {done.stdout.strip()}"}
    with httpx.Client(
        base_url=served.address, headers=headers, timeout=60, trust_env=False
    ) as client:
        yield client


@pytest.fixture(scope="module")
def accepted(client: httpx.Client) -> dict[str, Any]:
    response = client.post("/v1/dossiers", json=ACCEPTANCE, headers={"Idempotency-Key": "a"})
    assert response.status_code == 201
    body: dict[str, Any] = response.json()
    return body


def test_the_catalogue_again_changes_nothing(here: Hoso) -> None:
    assert here.json("catalogue", "load", "commune")["recorded"] == 0
    shown = here.json("catalogue", "show", "--at", "2026-03-02")
    assert DESK in [unit["code"] for unit in shown["units"]]
    assert PROCEDURE in [procedure["code"] for procedure in shown["procedures"]]


def test_status_names_the_serving_process_and_no_password(hoso: Hoso, served: Service) -> None:
    status = hoso.json("status")
    assert {"role": "serve", "pid": served.pid} in status["processes"]
    assert status["position"] > 0
    assert [view["name"] for view in status["views"]] == [
        "dossier_overview",
        "dossier_sight",
        "dossiers",
        "dossiers_due",
    ]
    assert set(status["views"][0]) == {"name", "position", "lag_events", "lag_seconds"}


def test_dossier_and_history_by_code_and_by_id(here: Hoso, accepted: dict[str, Any]) -> None:
    by_code = here.json("dossier", accepted["code"])
    assert by_code == {**here.json("dossier", accepted["id"]), "position": by_code["position"]}
    assert by_code["status"] == 2
    (item,) = here.json("history", accepted["code"])["items"]
    assert item["data"]["owner"]["name"] == "Nguyễn Thị Bưởi"
    assert here.json("history", accepted["code"], "--known-at", "2020-01-01")["items"] == []
    assert "dossier.accepted.v1" in here.run("history", accepted["code"]).stdout


def test_a_revoked_token_is_refused(here: Hoso, served: Service) -> None:
    token = here.run("token", "create", "--role", "reporter", "--unit", "H44").stdout.strip()
    headers = {"Authorization": f"Bearer {token}"}
    url = f"{served.address}/v1/dossiers"
    with httpx.Client(headers=headers, trust_env=False, timeout=60) as client:
        assert client.get(url).status_code == 200
        mine = here.json("token", "list")[-1]
        assert (mine["role"], mine["state"]) == ("reporter", "valid")
        assert here.json("token", "revoke", mine["id"]) == {"revoked": mine["id"]}
        assert here.json("token", "list")[-1]["state"] == "revoked"
        answers = (client.get(url).status_code for _ in range(100_000))  # Half a second's worth.
        assert next(answer for answer in answers if answer != 200) == 401


def test_an_erased_person_is_erased_everywhere_and_the_audit_still_holds(
    here: Hoso, client: httpx.Client, accepted: dict[str, Any]
) -> None:
    url = f"/v1/dossiers/{accepted['id']}/history"
    assert client.get(url).json()["items"][0]["data"]["owner"]["id_number"] == "012345678901"
    erased = here.json(
        "subject", "erase", "--id-number", "-", "--ground", "Luật 91/2025", given="012345678901\n"
    )
    assert (len(erased["subjects"]), erased["keys"]) == (1, 1)
    (item,) = here.json("history", accepted["code"])["items"]
    assert item["data"]["owner"] == {
        "name": "ERASED",
        "id_kind": "cccd",
        "id_number": "ERASED",
    }
    (named,) = here.json("subject", "list", accepted["code"])
    assert named["erased"] is True
    again = here.json("subject", "erase", named["subject"], "--ground", "Luật 91/2025")
    assert (again["subjects"], again["keys"]) == ([named["subject"]], 0)
    assert here.json("audit")["ok"] is True
    assert "no person" in here.refused(
        "subject", "erase", "--id-number", "012345678901", "--ground", "again"
    )


HALF = """
[[units]]
code = "X1"
name = "Đơn vị mới"

[[procedures]]
code = "9.000001"
version = 1
name = "Thủ tục của đơn vị chưa có"
field = "Hộ tịch"
unit = "X2"
valid_from = 2025-07-01
legal_basis = "Quyết định 1"
"""


def test_a_catalogue_that_names_an_unknown_unit_is_not_half_recorded(
    here: Hoso, tmp_path: Path
) -> None:
    file = tmp_path / "half.toml"
    file.write_text(HALF)
    before = here.json("status")["position"]
    said = here.refused("catalogue", "load", str(file))
    assert "procedure 9.000001" in said
    assert "X2" in said
    assert here.json("status")["position"] == before
    file.write_text(HALF + '[[units]]\ncode = "X2"\nname = "Đơn vị khác"\nparent = "X1"\n')
    assert here.json("catalogue", "load", str(file)) == {"recorded": 3, "unchanged": 0}


def test_an_import_that_stops_reports_what_it_recorded(hoso: Hoso, tmp_path: Path) -> None:
    fact = {
        "specversion": "1.0",
        "source": "urn:test:stops",
        "type": "vn.gov.motcua.dossier.accepted.v1",
        "time": "2026-03-02T09:15:00+07:00",
        "data": {name: ACCEPTANCE[name] for name in ACCEPTANCE if name != "owner"},
    }
    facts = [{**fact, "id": str(n), "subject": str(uuid4())} for n in range(2_000)]
    whole = gzip.compress("".join(json.dumps(each) + "\n" for each in facts).encode())
    cut = tmp_path / "cut.ndjson.gz"
    cut.write_bytes(whole[: len(whole) // 2])
    done = hoso.run("import", str(cut), "--json")
    assert done.returncode == 1
    body = json.loads(done.stdout)
    assert 0 < body["recorded"] == body["read"] < len(facts)
    (line,) = done.stderr.splitlines()
    assert body["stopped"] in line
    assert f"duplicate  {body['recorded']}" in hoso.run("import", str(cut)).stdout


def test_a_rebuild_beside_the_service_finds_no_row_different(here: Hoso) -> None:
    compared = here.json("rebuild", "dossier_overview", "--compare")
    assert compared["rows_different"] == 0
    assert here.json("rebuild", "dossier_overview") == compared


def test_schema_lists_and_describes_every_type(here: Hoso) -> None:
    names = here.json("schema")
    assert "dossier.accepted.v1" in names["events"]
    assert "request-supplement" in names["commands"]
    for name in (*names["events"], *names["commands"]):
        described = here.json("schema", name)
        assert (described["title"], described["additionalProperties"]) == (name, False)
        assert described["examples"][0].keys() <= described["properties"].keys()
    assert here.json("schema", "dossier.accepted")["examples"][0]["procedure"]


def test_what_a_user_gets_wrong_is_one_line(here: Hoso, tmp_path: Path) -> None:
    broken = tmp_path / "broken.toml"
    broken.write_text("[[units]]\ncode = 3\n")
    assert "units, entry 1" in here.refused("catalogue", "load", str(broken))
    assert "nowhere.toml" in here.refused("catalogue", "load", "nowhere.toml")
    assert "no file" in here.refused("import", "nowhere.ndjson")
    assert "no such dossier" in here.refused("dossier", "H44-000000-0000")
    for verb in ("dossier", "history"):
        assert "no such dossier" in here.refused(verb, str(stream_of("unit", DESK)))
    assert "no type" in here.refused("schema", "dossier.invented")
    assert "no unit" in here.refused("token", "create", "--role", "desk", "--unit", "Z99")
    truncated = tmp_path / "log.xes.gz"
    truncated.write_bytes(b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x01\x02")
    assert here.refused("import", str(truncated), "--mapping", "receipt")
    unknown = here.refused("import", str(truncated), "--mapping", "recept")
    assert "no mapping recept" in unknown
    assert "(receipt)" in unknown
    nobody = str(uuid4())
    assert f"no subject {nobody}" in here.refused("subject", "erase", nobody, "--ground", "none")


@pytest.mark.parametrize(
    "words",
    [
        ["nothing"],
        ["token", "create"],
        ["token", "create", "--role", "desk", "--unit", "H44", "--expires", "99999y"],
        ["history"],
        ["serve", "--port", "x"],
        ["audit", "--fast"],
    ],
)
def test_wrong_use_is_status_2(here: Hoso, words: list[str]) -> None:
    done = here.run(*words)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_a_process_of_its_own_says_one_line_and_ends_with_its_status(hoso: Hoso) -> None:
    assert "no file" in hoso.refused("import", "nowhere.ndjson")
    wrong = hoso.run("history")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "Traceback" not in wrong.stderr


def test_every_verb_teaches_itself(here: Hoso) -> None:
    text = here.run("--help").stdout
    verbs = ("serve", "status", "token", "catalogue", "import", "dossier", "history", "audit")
    for verb in (*verbs, "subject", "schema", "migrate", "rebuild", "demo"):
        assert verb in text
        assert "Usage" in here.run(verb, "--help").stdout


async def test_an_audit_says_which_row_was_changed(
    hoso: Hoso, served: Service, accepted: dict[str, Any]
) -> None:
    sockets = json.loads(hoso.run("status", "--json").stdout)["database_url"]
    connection = await asyncpg.connect(sockets, user="postgres")
    try:
        await connection.execute("ALTER TABLE ledger.event DISABLE TRIGGER immutable")
        change = "UPDATE ledger.event SET data = $1 WHERE seq = $2"
        data = await connection.fetchval(
            "SELECT data FROM ledger.event WHERE seq = $1", accepted["seq"]
        )
        await connection.execute(change, data.replace(b"direct", b"online"), accepted["seq"])
        found = hoso.json("audit", status=1)
        assert [each["seq"] for each in found["differences"]] == [accepted["seq"]]
        await connection.execute(change, data, accepted["seq"])
        await connection.execute("ALTER TABLE ledger.event ENABLE ALWAYS TRIGGER immutable")
    finally:
        await connection.close()
    assert hoso.json("audit")["ok"] is True
    assert served.pid


def test_nobody_gets_another_allowance_by_stating_another_address(
    client: httpx.Client, accepted: dict[str, Any]
) -> None:
    url = f"/v1/public/dossiers/{accepted['code']}"
    asked = [{"X-Forwarded-For": f"10.0.{n // 250}.{n % 250}"} for n in range(500)]
    answers = (client.get(url, headers=headers).status_code for headers in asked)
    assert 429 in answers


def test_the_service_recovers_when_its_database_is_killed(
    served: Service, client: httpx.Client
) -> None:
    served.kill_postgres()
    for number in range(1_000):
        key = {"Idempotency-Key": f"after-{number // 1_000}"}
        response = client.post("/v1/dossiers", json=ACCEPTANCE, headers=key)
        if response.status_code == 201:
            break
        assert response.status_code == 503
        assert response.json()["code"] == "busy"
    assert response.status_code == 201


def test_what_was_accepted_is_answered_before_it_ends(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    service = Service(tmp_path_factory.mktemp("data")).start()
    hoso = Hoso(service.data)
    assert hoso.run("catalogue", "load", CATALOGUE).returncode == 0
    token = hoso.run("token", "create", "--role", "desk", "--unit", "H44").stdout.strip()
    with slow_client(service.address, token) as client:
        os.kill(service.pid, signal.SIGTERM)
        output, _ = client.communicate(timeout=60)
    assert output.startswith("HTTP/1.1 201")
    assert service.ended() == 0


@pytest.mark.parametrize(
    "verb", [("serve", "--port=0"), ("serve", "--port=0", "--workers=2"), ("clock",)], ids=" ".join
)
def test_who_is_told_to_end_again_and_again_still_ends_well(
    verb: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory
) -> None:
    data = tmp_path_factory.mktemp("data")
    with subprocess.Popen(
        [*COMMAND, *verb], env=environment(data), stdout=PIPE, stderr=STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("ready")
        while process.poll() is None:
            process.send_signal(signal.SIGTERM)
        assert process.returncode == 0


@pytest.mark.skipif(not REAL_LOG.exists(), reason="the real log is not here")
def test_the_real_log_is_imported_once(here: Hoso, tmp_path: Path) -> None:
    words = ("import", str(REAL_LOG), "--mapping", "receipt", "--refused", str(tmp_path / "no"))
    first = here.json(*words)
    assert (first["read"], first["recorded"], first["refused"]) == (11_340, 11_340, 0)
    assert (first["dossiers"], first["irregular"]) == (1_434, 194)
    assert first["irregular_kinds"] == {"after-end": 180, "before-acceptance": 14}
    again = here.json(*words)
    assert (again["recorded"], again["duplicate"]) == (0, 11_340)
    assert sum(each["rows_different"] for each in here.json("rebuild", "--compare")["views"]) == 0
    assert here.json("audit")["ok"] is True


def test_a_lost_master_key_is_neither_replaced_nor_mistaken(tmp_path: Path) -> None:
    hoso = HosoHere(tmp_path / "data")
    first = [
        subprocess.Popen(
            [*COMMAND, "status"], env=environment(hoso.data), stdout=subprocess.DEVNULL
        )
        for _ in range(3)
    ]
    assert [process.wait(timeout=60) for process in first] == [0, 0, 0]
    with closing(EmbeddedPostgres.start(hoso.data)):  # Once for all that is asked below.
        refuse_any_other_key(hoso)


def refuse_any_other_key(hoso: Hoso) -> None:
    file, kept = hoso.data / "master.key", hoso.data / "kept.key"
    assert file.stat().st_mode & 0o777 == 0o600
    file.rename(kept)
    assert "is gone" in hoso.refused("status")
    assert not file.exists()
    file.touch(0o600)
    file.write_bytes(base64.b64encode(bytes(32)))
    assert "not the one" in hoso.refused("status")
    assert hoso.json("audit")["ok"] is True
    kept.replace(file)
    for mode in (0o640, 0o620, 0o604, 0o660):
        file.chmod(mode)
        assert "chmod 600" in hoso.refused("status")
    file.chmod(0o400)
    assert hoso.run("status").returncode == 0
    assert list(hoso.data.glob(".master.key*")) == []


async def test_a_server_is_migrated_and_audited_without_the_master_key(
    empty_database_url: str, tmp_path: Path
) -> None:
    hoso = Hoso(tmp_path)
    server = {"HOSO_DATABASE_URL": empty_database_url}
    assert "0002_master_key" in hoso.run("migrate", **server).stdout
    assert hoso.run("audit", **server).returncode == 0
    assert "HOSO_MASTER_KEY_FILE" in hoso.refused("status", **server)
    absent = {**server, "HOSO_MASTER_KEY_FILE": str(tmp_path / "absent")}
    assert "does not exist" in hoso.refused("status", **absent)


async def test_an_owner_who_may_not_grant_the_service_role_is_told_so(
    postgres_server: EmbeddedPostgres, tmp_path: Path
) -> None:
    name = f"owner_{uuid4().hex}"
    connection = await asyncpg.connect(postgres_server.url)
    try:
        await connection.execute(f"CREATE ROLE {name} LOGIN")
        await connection.execute(f"CREATE DATABASE {name} OWNER {name}")
        if not await connection.fetchval("SELECT to_regrole('hoso_service') IS NOT NULL"):
            await connection.execute("CREATE ROLE hoso_service NOLOGIN")
        url = urlsplit(postgres_server.url)
        address = url._replace(netloc=f"{name}@", path=f"/{name}").geturl()
        said = Hoso(tmp_path).refused("migrate", HOSO_DATABASE_URL=address)
        assert "WITH ADMIN OPTION" in said
        await connection.execute(f"GRANT hoso_service TO {name} WITH ADMIN OPTION")
        done = Hoso(tmp_path).run("migrate", HOSO_DATABASE_URL=address)
        assert done.returncode == 0, done.stderr
    finally:
        await connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        await connection.execute(f"DROP ROLE IF EXISTS {name}")
        await connection.close()


def test_on_a_server_of_ones_own_it_is_migrated_first(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("server")
    server = EmbeddedPostgres.start(folder / "data", database="elsewhere")
    key = folder / "master.key"
    key.touch(0o600)
    key.write_text(base64.b64encode(bytes(range(32))).decode())
    own = {"HOSO_DATABASE_URL": server.url, "HOSO_MASTER_KEY_FILE": str(key)}
    hoso = Hoso(folder / "own")
    try:
        assert "hoso migrate" in hoso.refused("status", **own)
        assert "0001_ledger" in hoso.run("migrate", **own).stdout
        assert "nothing" in hoso.run("migrate", **own).stdout
        assert hoso.run("catalogue", "load", "commune", **own).returncode == 0
        assert json.loads(hoso.run("status", "--json", **own).stdout)["position"] > 10
    finally:
        server.close()


def test_two_demos_do_not_destroy_each_other(tmp_path: Path) -> None:
    hoso = Hoso(tmp_path)
    folder = tmp_path / "demo"
    with (tmp_path / "demo.lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert "Another demo runs" in hoso.refused("demo")
    assert not folder.exists()
    folder.mkdir()
    (folder / ".hoso-demo").touch()
    with closing(EmbeddedPostgres.start(folder)):
        assert "Another process uses" in hoso.refused("demo")
        assert (folder / "postgres").exists()
