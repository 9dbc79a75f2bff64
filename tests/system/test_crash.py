import asyncio
from pathlib import Path

import pytest
from rich.console import Console

from tests.system.crash import crash, misordered
from tests.system.load import Acknowledged

KILLS, SEED = 10, 20260302

pytestmark = [pytest.mark.system, pytest.mark.postgres]


def acknowledged(seq: int, asked: float, answered: float) -> Acknowledged:
    return Acknowledged(str(seq), "d", seq, seq, asked, answered)


def test_what_is_asked_after_an_answer_and_stands_before_it_is_counted() -> None:
    first, beside = acknowledged(5, 0.0, 1.0), acknowledged(3, 0.5, 2.0)
    assert misordered([first, beside, acknowledged(6, 1.5, 3.0)]) == 0
    assert misordered([first, beside, acknowledged(4, 1.5, 3.0)]) == 1


def test_nothing_acknowledged_is_lost_or_doubled_over_ten_kills(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("crash")
    rows = asyncio.run(crash(KILLS, SEED, Path(folder), Console(quiet=True)))
    assert sum(row.runs for row in rows) == KILLS
    assert all(row.runs for row in rows)
    assert sum(row.acknowledged for row in rows) > 0
    assert [row for row in rows if row.bad] == []
