"""A ledger that an earlier release filled is opened, migrated, audited and read by this one.

Each folder of `ledgers` is named by the month of its release: the rows as `pg_dump` wrote them, the
master key, and what that release answered. The one of 2026-11 holds a week of a made-up commune
with late and irregular facts, a pause that is still open, a correction, a stored refusal, an
erasure, and a closure that was decided late.
"""

import asyncio
import gzip
import json
import shutil
from pathlib import Path
from typing import Any, Final

import asyncpg
import pytest

from tests.system.hoso import HosoHere

LEDGERS: Final = sorted(Path(__file__).with_name("ledgers").iterdir())
ROLE: Final = """
DO $$ BEGIN CREATE ROLE hoso_service NOLOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$
"""


class Former(HosoHere):
    """The command `hoso` on a ledger of an earlier release, and what that one answered."""

    def __init__(self, folder: Path, data: Path, url: str) -> None:
        super().__init__(data)
        self._url = url
        self._key = data / "master.key"
        shutil.copyfile(folder / "master.key", self._key)
        self._key.chmod(0o600)
        self.answered: dict[str, Any] = json.loads(unzipped(folder / "answers.json.gz"))

    def run(self, *words: str, given: str = "", **settings: str) -> Any:  # noqa: ANN401  # as its parent
        there = {"HOSO_DATABASE_URL": self._url, "HOSO_MASTER_KEY_FILE": str(self._key)}
        return super().run(*words, given=given, **there, **settings)


@pytest.fixture(params=LEDGERS, ids=lambda folder: folder.name)
def former(request: pytest.FixtureRequest, tmp_path: Path, empty_database_url: str) -> Former:
    """Give a ledger as the release left it, not yet migrated by this one."""
    asyncio.run(restored(empty_database_url, unzipped(request.param / "ledger.sql.gz")))
    return Former(request.param, tmp_path, empty_database_url)


def unzipped(file: Path) -> str:
    return gzip.decompress(file.read_bytes()).decode()


async def restored(url: str, dump: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(ROLE)
        await connection.execute(dump)
    finally:
        await connection.close()


def test_a_former_ledger_is_migrated_and_proves_that_nothing_was_changed(former: Former) -> None:
    former.json("migrate")
    audited = former.json("audit")
    assert audited["ok"], audited["differences"]
    assert audited["events"] == former.answered["position"]


def test_a_former_ledger_answers_what_it_answered(former: Former) -> None:
    former.json("migrate")
    answered = former.answered
    for told in answered["dossiers"]:
        found = former.json("dossier", told["id"])
        del found["position"]
        assert worded(found) == worded(told)
    for dossier, history in answered["histories"].items():
        # What ships with a newer release may have been recorded when it was opened.
        assert former.json("history", dossier)["items"] == history["items"]
    for dossier, dates in answered["due_dates"].items():
        found = former.json("explain", dossier, "--at", answered["at"])
        assert {**found, "position": None} == {**dates, "position": None}


def worded(body: dict[str, Any]) -> dict[str, Any]:
    """Return a dossier without the words of its findings: they may be mended, their kinds not."""
    findings = [(each["kind"], each["events"]) for each in body["irregularities"]]
    return {**body, "irregularities": findings}


def test_a_former_erasure_stays_one(former: Former) -> None:
    former.json("migrate")
    for dossier in former.answered["erased"]:
        first = former.json("history", dossier)["items"][0]
        assert set(first["data"]["owner"].values()) == {"citizen", "CCCD", "ERASED"}


def test_a_former_ledger_has_its_lists_built_again(former: Former) -> None:
    former.json("migrate")
    former.json("rebuild", "dossier_overview")
    compared = former.json("rebuild", "dossier_overview", "--compare")
    assert (compared["rows"], compared["rows_different"]) == (len(former.answered["dossiers"]), 0)
