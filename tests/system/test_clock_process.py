"""`hoso clock` as a process: it is killed, asked to end, and run once from a timetable."""

import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest

from api.main import Process, now, opened
from api.operating.registers import KEEPER, load_entries
from domain.dossier.chapter import DossierCommand
from domain.dossier.intake import AcceptDossier
from domain.dossier.supplements import RequestSupplement
from domain.dossier.work import StartStep
from domain.envelope import ProcedureCode, UnitCode
from domain.ledger.access import Sender
from domain.ledger.commands import Order
from domain.rules.procedures import Channel
from domain.rules.tokens import Role
from infra.settings import Settings
from streams.registers.catalogue_files import COMMUNE, load_catalogue
from tests.examples import calendar_decided
from tests.stores import key, until
from tests.system.load import AGENCY, DESK, PROCEDURE
from tests.system.service import Service, environment

pytestmark = [pytest.mark.system, pytest.mark.postgres]

HOSO = (sys.executable, "-c", "from api.terminal.command_line import run; run()")
HOME = ZoneInfo("Asia/Ho_Chi_Minh")
PAIR = ["SupplementExpired", "DossierStopped"]
CLERK = Sender(principal="clerk", role=Role.DESK, unit=None, scope=frozenset())


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[Process]:
    """Give a ledger in a folder of its own, which knows the working days of today."""
    async with opened(Settings.read(environment(tmp_path)), "test") as process:
        await load_entries(process, load_catalogue(COMMUNE))
        years = (now().year, now().year + 1)
        await decide(process, "these years", *(date(year, 1, 1) for year in years))
        yield process


async def decide(ledger: Process, named: str, *off: date) -> None:
    await ledger.services.registers.put(calendar_decided(named, off=off), KEEPER)


async def order(ledger: Process, dossier: UUID, version: int, command: DossierCommand) -> datetime:
    sent = Order(
        command=command,
        dossier=dossier,
        expected=version,
        sender=CLERK,
        key=key(),
        acting_unit=UnitCode(DESK),
    )
    outcome = (await ledger.services.ledger.execute(sent)).outcome
    assert outcome.problem is None, outcome.problem
    return outcome.due or now()


async def accepted(ledger: Process) -> tuple[UUID, datetime]:
    dossier = uuid4()
    command = AcceptDossier(
        procedure=ProcedureCode(PROCEDURE),
        channel=Channel.DIRECT,
        receiving_unit=UnitCode(DESK),
        competent_unit=UnitCode(AGENCY),
    )
    return dossier, await order(ledger, dossier, 0, command)


async def asked(ledger: Process, answer_by: datetime) -> UUID:
    dossier, _ = await accepted(ledger)
    await order(ledger, dossier, 1, StartStep(step="Thẩm định"))
    request = RequestSupplement(reason="Thiếu bản vẽ.", answer_by=answer_by)
    await order(ledger, dossier, 2, request)
    return dossier


async def kinds(ledger: Process, dossier: UUID, after: int) -> list[str]:
    events = await ledger.log.streams([dossier])
    return [type(each.event).__name__ for each in events[after:]]


async def all_stopped(ledger: Process, dossiers: list[UUID]) -> bool:
    return [await kinds(ledger, dossier, 3) for dossier in dossiers] == [PAIR] * len(dossiers)


@contextmanager
def clock_process(data: Path) -> Iterator["subprocess.Popen[str]"]:
    """Start `hoso clock` and wait until it is ready; kill what is left of it."""
    process = subprocess.Popen(
        [*HOSO, "clock"],
        env=environment(data),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            assert process.stderr is not None
            assert process.stderr.readline() == "ready\n"
            yield process
        finally:
            process.kill()


def hoso(data: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*HOSO, *words],
        env=environment(data),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


async def test_a_clock_that_is_killed_is_followed_by_one_that_finishes_its_work(
    ledger: Process, tmp_path: Path
) -> None:
    with clock_process(tmp_path) as clock:
        due = now() + timedelta(seconds=3)
        dossiers = [await asked(ledger, due) for _ in range(40)]
        head = await ledger.log.head()

        async def has_begun() -> bool:
            return await ledger.log.head() > head

        await until(has_begun)
        assert now() > due
        clock.kill()
    with clock_process(tmp_path) as clock:
        await until(lambda: all_stopped(ledger, dossiers))
        status = json.loads(hoso(tmp_path, "status", "--json").stdout)
        assert {"role": "clock", "pid": clock.pid} in status["processes"]
        clock.send_signal(signal.SIGTERM)
        printed, _ = clock.communicate(timeout=30)
        assert (clock.returncode, printed) == (0, "")
    assert await all_stopped(ledger, dossiers)


async def test_run_once_it_says_what_it_did_and_the_next_time_there_is_nothing(
    ledger: Process, tmp_path: Path
) -> None:
    (dossier, due), (other, _) = [await accepted(ledger) for _ in range(2)]
    await decide(ledger, "late", due.astimezone(HOME).date())
    done = hoso(tmp_path, "clock", "--once", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "timed_out": 0,
        "expired": 0,
        "recomputed": {"examined": 2, "moved": 2, "unchanged": 0, "failed": 0},
    }
    assert await kinds(ledger, dossier, 1) == ["DueDateRecomputed"]
    assert await kinds(ledger, other, 1) == ["DueDateRecomputed"]
    again = json.loads(hoso(tmp_path, "clock", "--once", "--json").stdout)
    assert again["recomputed"]["examined"] == 0
    shown = hoso(tmp_path, "clock", "--once")
    assert shown.returncode == 0
    assert "recomputed: moved" in shown.stdout


def test_json_is_for_one_pass(tmp_path: Path) -> None:
    assert hoso(tmp_path, "clock", "--json").returncode == 2


async def test_a_served_ledger_has_a_clock_of_its_own(ledger: Process, tmp_path: Path) -> None:
    with (tmp_path / "serve.log").open("wb") as log:
        service = Service(tmp_path).start(log)
    try:
        dossiers = [await asked(ledger, now() + timedelta(seconds=1))]
        await until(lambda: all_stopped(ledger, dossiers))
        with clock_process(tmp_path) as beside:
            _, due = await accepted(ledger)
            await decide(ledger, "late", due.astimezone(HOME).date())
            beside.send_signal(signal.SIGTERM)
            assert beside.wait(timeout=30) == 0
    finally:
        assert service.stop() == 0
