import asyncio
from pathlib import Path

import pytest
from rich.console import Console

from tests.system.crash import crash

KILLS, SEED = 10, 20260302

pytestmark = [pytest.mark.system, pytest.mark.postgres]


def test_nothing_acknowledged_is_lost_or_doubled_over_ten_kills(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("crash")
    rows = asyncio.run(crash(KILLS, SEED, Path(folder), Console(quiet=True)))
    assert sum(row.runs for row in rows) == KILLS
    assert all(row.runs for row in rows)
    assert sum(row.acknowledged for row in rows) > 0
    assert [row for row in rows if row.bad] == []
