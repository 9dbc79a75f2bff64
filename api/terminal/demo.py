"""`hoso demo`: the whole ledger at work, start to end, in a folder of its own."""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
from msgspec import UNSET
from msgspec.structs import asdict

from api import main
from api.http.events import BATCH
from api.main import Process, Settings, opened
from api.operating.catalogue import load_catalogue
from api.operating.keeping import KEEPER
from api.operating.ledger import Imported, audited, history_of, import_into, status_of
from api.operating.tokens import granted
from api.terminal.console import carry_out, fail, notes, out, print_pairs, print_table
from api.terminal.dossiers import print_history
from api.terminal.explain import explained_by
from domain.deadlines.decided import days_of
from domain.deadlines.law import TermUnit
from domain.dossier.status import BY_PORTAL_CODE, SHOWN
from domain.envelope import VIETNAM
from domain.rules.procedures import ProcedurePublished
from domain.rules.rule_book import CALENDAR
from domain.rules.tokens import Role
from streams.registers.catalogue_files import COMMUNE
from streams.registers.catalogue_files import load_catalogue as read_catalogue
from streams.registers.holiday_proposals import VERIFIED, proposal
from streams.simulation import Commune, as_sent, week

_MARK = ".hoso-demo"
_DESK, _AGENCIES = "H44.100.01", ("H44.100.02", "H44.100.03")
_START = 60.0


def show_all(log: Path | None) -> None:
    """Run the demo. Everything that it starts, it stops."""
    settings = main.read_settings()
    with _alone(settings.data):
        _show_all(_fresh(settings), log)


@contextmanager
def _alone(data: Path) -> Iterator[None]:
    """Keep every other demo of a data folder out: it would empty this one's."""
    data.mkdir(parents=True, exist_ok=True)
    with (data / "demo.lock").open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            fail(f"Another demo runs in {data}: wait for it, or set HOSO_DATA to another folder.")
        yield


def _show_all(settings: Settings, log: Path | None) -> None:
    loaded = carry_out(lambda: load_catalogue(settings, COMMUNE))
    entries = read_catalogue(COMMUNE)
    published = [each for each in entries if isinstance(each, ProcedurePublished)]
    procedures = {
        str(each.code): each.term.amount
        for each in published
        if each.term is not None and each.term.unit is TermUnit.WORKING_DAY
    }
    _title("1. A commune's catalogue")
    out.print(f"{loaded['recorded']} entries recorded: units, procedures, an office policy.")
    commune = Commune(_DESK, _AGENCIES, procedures)
    tokens = carry_out(lambda: _tokens(settings))
    with _service(settings) as address:
        out.print(f"The service answers at {address}")
        irregular = _week(address, tokens, commune)
        _commands(address, tokens, commune)
        if log is not None:
            _real_log(settings, log)
        carry_out(lambda: _look(settings, irregular))
    _audit(settings)
    _next(settings, log)


def _title(text: str) -> None:
    out.print(f"\n[bold cyan]{text}[/]")


def _fresh(settings: Settings) -> Settings:
    """Return settings with an empty folder of the demo's own; only one that it made is emptied."""
    folder = settings.data / "demo"
    if folder.exists():
        if not (folder / _MARK).exists():
            fail(f"{folder} was not made by the demo; move it away.")
        if main.is_used(folder):
            fail(f"Another process uses {folder}: end it, or set HOSO_DATA to another folder.")
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    (folder / _MARK).touch()
    return replace(settings, data=folder, database_url=None, master_key_file=folder / "master.key")


async def _tokens(settings: Settings) -> dict[str, str]:
    async with opened(settings, "demo") as process:
        await _decide_years(process, datetime.now(VIETNAM).date())
        month = timedelta(days=30)
        return {
            "desk": await granted(process, Role.DESK, "H44.100", month),
            "inspector": await granted(process, Role.INSPECTOR, "H44", month),
        }


async def _decide_years(process: Process, today: date) -> None:
    """Confirm what a library proposes for this year and the next, where nobody has decided them.

    A real office waits for the decision; the demo must have dates at the end of a year too.
    """
    services = process.services
    for year in (today.year, today.year + 1):
        known = any(
            day.year == year
            for each in services.store.rules.calendars.get(CALENDAR, ())
            if not each.proposal
            for day in days_of(each)
        )
        if not known and year in VERIFIED:
            await services.registers.put(replace(proposal(year, today), proposal=False), KEEPER)


@contextmanager
def _service(settings: Settings) -> Iterator[str]:
    """Run `hoso serve` on a free port; stop it at the end."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("HOSO_")}
    command = [
        sys.executable,
        "-c",
        "from api.terminal.command_line import run; run()",
        "serve",
        "--port=0",
    ]
    process = subprocess.Popen(  # noqa: S603  # our own program
        command,
        env={**environ, "HOSO_DATA": str(settings.data)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        line = process.stdout.readline() if process.stdout else ""
        if not line.startswith("ready "):
            fail("The service did not start; what it said stands above.")
        yield line.split()[1]
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=_START)


def _client(address: str, token: str) -> httpx.Client:
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.Client(base_url=address, headers=headers, timeout=30, trust_env=False)


def _week(address: str, tokens: dict[str, str], commune: Commune) -> list[dict[str, Any]]:
    """Send the week as a bad network would; return the dossiers that are irregular."""
    _title("2. A week at the desk, sent over a bad network: twice, late and out of order")
    today = datetime.now(VIETNAM)
    monday = today - timedelta(days=today.weekday() + 14)
    counts: Counter[str] = Counter()
    position = 0
    with _client(address, tokens["desk"]) as client:
        for batch in as_sent(week(monday, commune)):
            response = client.post("/v1/events", json=batch, headers={"Content-Type": BATCH})
            response.raise_for_status()
            answer = response.json()
            position = answer["position"]
            counts.update(item["outcome"] for item in answer["items"])
        print_pairs(dict(counts))
        if counts["refused"]:
            fail("The service refused facts of the week.")
        asked = {"irregular": "true", "min_position": str(position)}
        listed = client.get("/v1/dossiers", params=asked)
        everything = client.get("/v1/dossiers", params={"limit": "200"}).json()["items"]
    rows = [
        [status, count] for status, count in sorted(Counter(_label(d) for d in everything).items())
    ]
    print_table(f"{len(everything)} dossiers by status", ["status", "dossiers"], rows)
    return list(listed.json()["items"])


def _label(body: dict[str, Any]) -> str:
    return f"{body['status']:>2} {SHOWN[BY_PORTAL_CODE[body['status']]].label}"


def _commands(address: str, tokens: dict[str, str], commune: Commune) -> None:
    _title("3. Commands are guarded, and safe to repeat")
    body = {
        "procedure": next(iter(commune.procedures)),
        "channel": "direct",
        "receiving_unit": commune.desk,
        "competent_unit": commune.agencies[0],
    }
    with _client(address, tokens["desk"]) as client:
        key = {"Idempotency-Key": "demo-accept-1"}
        first = client.post("/v1/dossiers", json=body, headers=key).json()
        again = client.post("/v1/dossiers", json=body, headers=key).json()
        out.print(
            f"accepted {first['code']}, due {_when(first['due'])}; sent again: {again['code']}"
        )
        headers = {"Idempotency-Key": "demo-return-1", "If-Match": '"1"'}
        url = f"/v1/dossiers/{first['id']}/return-result"
        refused = client.post(url, json={}, headers=headers).json()
        out.print(f"return-result is refused: {refused['code']}: {refused['detail']}")
        public = client.get(f"/v1/public/dossiers/{first['code']}").json()
        out.print(f"anybody with the code sees only: {public}", markup=False)


def _when(text: str | None) -> str:
    return (
        datetime.fromisoformat(text).astimezone(VIETNAM).strftime("%d/%m/%Y %H:%M") if text else "-"
    )


def _real_log(settings: Settings, log: Path) -> None:
    _title(f"4. A real log: {log.name}")

    async def work() -> Imported:
        async with opened(settings, "import") as process:
            return await import_into(process, log, Path("receipt"), None, lambda _done: None)

    done = carry_out(work)
    kinds = done.irregular_kinds if done.irregular_kinds is not UNSET else {}
    print_pairs({**asdict(done), "irregular_kinds": None})
    print_table("Irregular events", ["kind", "how many"], kinds.items())


async def _look(settings: Settings, irregular: list[dict[str, Any]]) -> None:
    async with opened(settings, "demo") as process:
        await process.services.runner.catch_up()
        kinds = await process.services.overview.irregular_kinds()
        _title("5. What does not fit is recorded, and said to be irregular")
        print_table("Irregular events in the ledger", ["kind", "how many"], kinds.items())
        if irregular:
            chosen = irregular[0]
            _title("6. One full history")
            for each in chosen["irregularities"]:
                out.print(f"irregular: {each['kind']}: {each['why']}", markup=False)
            print_history(await history_of(process, str(UUID(chosen["id"]))))
        await _due_date(process)
        state = await status_of(process)
        views = ", ".join(f"{each.name} at {each.position}" for each in state.views)
        out.print(f"\nposition {state.position}, views: {views}", markup=False)


async def _due_date(process: Process) -> None:
    paused = await process.services.overview.first_paused()
    if paused is not None:
        _title("7. A due date, day by day")
        found = await explained_by(process, str(paused))
        for line in found.text.vi:
            out.print(f"  {line}", markup=False)


def _audit(settings: Settings) -> None:
    _title("8. Audit: every leaf and chain, recomputed from the rows")
    found = carry_out(lambda: audited(settings, None, None))
    out.print(
        f"{found.events} events in {found.streams} streams, differences: {len(found.differences)}"
    )
    if not found.ok:
        fail("The audit found differences.")


def _next(settings: Settings, log: Path | None) -> None:
    _title("Everything is stopped. What to try next")
    folder = f"HOSO_DATA={settings.data}"
    out.print(
        f"  {folder} hoso serve               # documentation at http://127.0.0.1:8080/schema",
        markup=False,
    )
    out.print(f"  {folder} hoso token create --role inspector --unit H44", markup=False)
    out.print(f"  {folder} hoso rebuild --compare", markup=False)
    out.print("  hoso --help")
    if log is None:
        out.print("  make demo LOG=<a XES log>        # imports a real log too", markup=False)
    notes.file.flush()
