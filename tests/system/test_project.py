"""`hoso project` as a process: while it runs, who serves leaves the read models to it."""

import json
import signal
from base64 import b64encode
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from domain.ledger.locks import Lock
from tests.conftest import OpenStore
from tests.stores import PATIENCE, appending, step, until
from tests.system.hoso import Hoso, beside
from tests.system.service import Service

pytestmark = [pytest.mark.system, pytest.mark.postgres]

_LEADER = """
SELECT application_name FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE locktype = 'advisory' AND granted AND pg_locks.objid = $1 AND datname = current_database()
"""


@pytest.fixture
def server(database_url: str, tmp_path: Path) -> dict[str, str]:
    """Give the settings by which any process opens this test's ledger."""
    key = tmp_path / "master.key"
    key.touch(0o600)
    key.write_text(b64encode(bytes(32)).decode())
    return {"HOSO_DATABASE_URL": database_url, "HOSO_MASTER_KEY_FILE": str(key)}


async def test_who_serves_leaves_the_views_to_it_and_takes_them_back(
    open_store: OpenStore, owner: asyncpg.Connection, server: dict[str, str], tmp_path: Path
) -> None:
    async def leads(name: str) -> bool:
        return bool(await owner.fetchval(_LEADER, Lock.LEAD_THE_VIEWS.value) == name)

    async def all_shown() -> bool:
        status = json.loads(Hoso(tmp_path).run("status", "--json", **server).stdout)
        return all(view["position"] == status["position"] for view in status["views"])

    with (tmp_path / "serve.log").open("wb") as log:
        service = Service(tmp_path, extra=server).start(log)
    serving = f"hoso serve {service.pid}"
    try:
        await until(lambda: leads(serving))
        async with open_store() as desk:
            with beside("project", tmp_path, **server) as first:
                await until(lambda: leads(f"hoso project {first.pid}"))
                await desk.store.append(appending(step(uuid4())))
                await until(all_shown)
                status = json.loads(Hoso(tmp_path).run("status", "--json", **server).stdout)
                assert {"role": "project", "pid": first.pid} in status["processes"]
                first.kill()
            await until(lambda: leads(serving))
            await desk.store.append(appending(step(uuid4())))
            await until(all_shown)
            with beside("project", tmp_path, **server) as second:
                await until(lambda: leads(f"hoso project {second.pid}"))
                second.send_signal(signal.SIGTERM)
                printed, _ = second.communicate(timeout=PATIENCE)
                assert (second.returncode, printed) == (0, "")
            await until(lambda: leads(serving))
    finally:
        assert service.stop() == 0
