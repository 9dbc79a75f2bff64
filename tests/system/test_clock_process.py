"""`hoso clock` as a process: it is killed, asked to end, and run once from a timetable."""

import json
import signal
from base64 import b64encode
from collections.abc import AsyncIterator
from datetime import date, datetime
from functools import partial
from pathlib import Path
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest

from api.main import Process, now, opened
from api.operating.catalogue import load_entries
from api.operating.keeping import KEEPER
from domain.dossier.chapter import DossierCommand
from domain.dossier.intake import AcceptDossier
from domain.envelope import ProcedureCode, UnitCode
from domain.ledger.access import Sender
from domain.ledger.commands import Order
from domain.rules.procedures import Channel
from domain.rules.tokens import Role
from infra.settings import Settings
from streams.registers.catalogue_files import COMMUNE, load_catalogue
from tests.conftest import OpenStore
from tests.examples import calendar_decided, identity
from tests.stores import PATIENCE, until
from tests.streams.ticking import DAY, HOUR, Time, office
from tests.system.hoso import Hoso, HosoHere, beside
from tests.system.load import AGENCY, DESK, PROCEDURE
from tests.system.service import Service, environment

pytestmark = [pytest.mark.system, pytest.mark.postgres]

HOME = ZoneInfo("Asia/Ho_Chi_Minh")
PAIR = ["SupplementExpired", "DossierStopped"]
CLERK = Sender(principal="clerk", role=Role.DESK, unit=None, scope=frozenset())


@pytest.fixture
def server(database_url: str, tmp_path: Path) -> dict[str, str]:
    """Give the settings by which any process opens this test's ledger."""
    key = tmp_path / "master.key"
    key.touch(0o600)
    key.write_text(b64encode(bytes(32)).decode())
    return {"HOSO_DATABASE_URL": database_url, "HOSO_MASTER_KEY_FILE": str(key)}


@pytest.fixture
async def overdue(open_store: OpenStore) -> list[UUID]:
    """Give dossiers whose applicants had time until yesterday to answer, as was told before that.

    It is the past of the ledger: ask for it before anything is recorded today.
    """
    yesterday = now() - DAY
    async with office(open_store, Time(yesterday - HOUR)) as then:
        return [await then.asked(yesterday) for _ in range(40)]


@pytest.fixture
async def ledger(server: dict[str, str], tmp_path: Path) -> AsyncIterator[Process]:
    """Give the ledger as this process opens it; it knows the working days of today."""
    async with opened(Settings.read({**environment(tmp_path), **server}), "test") as process:
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
        key=identity(uuid4().hex, "token:clerk"),
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


async def kinds(ledger: Process, dossier: UUID, after: int) -> list[str]:
    events = await ledger.log.streams([dossier])
    return [type(each.event).__name__ for each in events[after:]]


async def all_stopped(ledger: Process, dossiers: list[UUID]) -> bool:
    return [await kinds(ledger, dossier, 3) for dossier in dossiers] == [PAIR] * len(dossiers)


async def any_stopped(ledger: Process, dossiers: list[UUID]) -> bool:
    return any([await kinds(ledger, dossier, 3) for dossier in dossiers])


async def test_a_clock_that_is_killed_is_followed_by_one_that_finishes_its_work(
    overdue: list[UUID], ledger: Process, server: dict[str, str], tmp_path: Path
) -> None:
    with beside("clock", tmp_path, **server) as clock:
        await until(lambda: any_stopped(ledger, overdue))
        clock.kill()
    with beside("clock", tmp_path, **server) as clock:
        await until(lambda: all_stopped(ledger, overdue))
        status = json.loads(Hoso(tmp_path).run("status", "--json", **server).stdout)
        assert {"role": "clock", "pid": clock.pid} in status["processes"]
        clock.send_signal(signal.SIGTERM)
        printed, _ = clock.communicate(timeout=PATIENCE)
        assert (clock.returncode, printed) == (0, "")
    assert await all_stopped(ledger, overdue)


async def test_run_once_it_says_what_it_did_and_the_next_time_there_is_nothing(
    ledger: Process, server: dict[str, str], tmp_path: Path
) -> None:
    hoso = partial(Hoso(tmp_path).run, "clock", "--once", **server)
    (dossier, due), (other, _) = [await accepted(ledger) for _ in range(2)]
    await decide(ledger, "late", due.astimezone(HOME).date())
    done = hoso("--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "timed_out": 0,
        "expired": 0,
        "recomputed": {"examined": 2, "moved": 2, "unchanged": 0, "failed": 0},
    }
    assert await kinds(ledger, dossier, 1) == ["DueDateRecomputed"]
    assert await kinds(ledger, other, 1) == ["DueDateRecomputed"]
    again = json.loads(hoso("--json").stdout)
    assert again["recomputed"]["examined"] == 0
    shown = hoso()
    assert shown.returncode == 0
    assert "recomputed: moved" in shown.stdout


def test_json_is_for_one_pass(tmp_path: Path) -> None:
    assert HosoHere(tmp_path).run("clock", "--json").returncode == 2


async def test_a_served_ledger_has_a_clock_of_its_own(
    overdue: list[UUID], ledger: Process, server: dict[str, str], tmp_path: Path
) -> None:
    with (tmp_path / "serve.log").open("wb") as log:
        service = Service(tmp_path, extra=server).start(log)
    try:
        await until(lambda: all_stopped(ledger, overdue))
        with beside("clock", tmp_path, **server) as other:
            _, due = await accepted(ledger)
            await decide(ledger, "late", due.astimezone(HOME).date())
            other.send_signal(signal.SIGTERM)
            assert other.wait(timeout=PATIENCE) == 0
    finally:
        assert service.stop() == 0
