"""Imports: every row stands alone, nothing is lost or doubled, the same file again adds nothing."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from domain.envelope import UnitCode
from domain.errors import Busy
from domain.ledger.appends import Answer, Append
from infra.memory import MemoryStore
from streams.importing.importing import ImportReport, ImportStopped, import_file
from streams.importing.mapping import parse_mapping
from streams.importing.refusals import RefusedFile
from tests.streams.files import (
    MAPPING,
    PROCEDURE,
    UNIT,
    Refused,
    accepted,
    cloud_event,
    counts,
    imported,
    into,
    log,
    now,
    step,
    trace,
    write_gzip,
    write_lines,
)

ZONE_ONLY = parse_mapping('source = "s"\nzone = "Asia/Ho_Chi_Minh"')


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore(now)


async def lines_imported(
    store: MemoryStore, path: Path, rows: Sequence[dict[str, Any] | str]
) -> dict[str | None, str]:
    """Import rows after the registers that they need; return the codes of the refused ones."""
    file = write_lines(path / "rows.ndjson", [UNIT, PROCEDURE, *rows])
    return (await imported(store, file))[1].codes


async def test_lines_register_and_record_and_again_add_nothing(
    store: MemoryStore, tmp_path: Path
) -> None:
    rows = [UNIT, PROCEDURE, accepted("a"), step("a", "1"), accepted("b"), step("a", "2")]
    path = write_lines(tmp_path / "rows.ndjson", rows)
    first, _ = await imported(store, path)
    assert (counts(first), first.position) == ((6, 6, 0, 0, 2), len(store.rows))
    again, _ = await imported(store, path)
    assert (counts(again), again.position) == ((6, 0, 6, 0, 2), first.position)
    assert len(store.rows) == 6


async def test_a_file_that_comes_again_reverts_no_later_renaming(
    store: MemoryStore, tmp_path: Path
) -> None:
    """An entry is the same through every door: told once, under its identity."""
    renamed = cloud_event("renamed", "unit.registered.v1", {"code": "U", "name": "Phường"})
    old = write_lines(tmp_path / "old.ndjson", [UNIT, PROCEDURE])
    await imported(store, old)
    await imported(store, write_lines(tmp_path / "new.ndjson", [renamed]))
    report, _ = await imported(store, old)
    assert counts(report) == (2, 0, 2, 0, 0)
    await store.read()
    assert store.rules.units[UnitCode("U")].unit.name == "Phường"


async def test_a_bad_row_spoils_no_other(store: MemoryStore, tmp_path: Path) -> None:
    future = {"time": "2027-01-01T00:00:00+07:00"}
    codes = await lines_imported(
        store,
        tmp_path,
        [
            accepted("a"),
            "{",
            '{"id": "no-event"}',
            '{"id": "\\ud800"}',
            "[" * 100_000,
            '{"data":' * 100_000,
            step("a", "future", **future),
            step("a", "elsewhere", data={"step": "x", "unit": "V"}),
            step("a", "field", data={"step": "x", "stop": "y"}),
            step("a", "naive", time="2026-03-02T09:15:00"),
            step("a", "nul", data={"step": "a\0b"}),
            step("a", "subject", subject="somebody"),
            step("a", "code", subject="code:a/b"),
            step("a", "version", expectedversion=7),
            step("a", "type", type="vn.gov.motcua.dossier.walked.v1"),
            step("a", "token", type="vn.gov.motcua.token.granted.v1", data={}),
            accepted("c", id="unpublished", data={**accepted("c")["data"], "procedure": "Q"}),
            step("a", "good"),
        ],
    )
    bad = "invalid-request"
    assert codes == {
        None: bad,
        "no-event": bad,
        "future": "time-in-future",
        "elsewhere": "unknown-unit",
        "field": bad,
        "naive": "time-without-offset",
        "nul": bad,
        "subject": bad,
        "code": bad,
        "version": "stale-version",
        "type": bad,
        "token": bad,
        "unpublished": "unknown-procedure",
    }
    assert len(store.rows) == 4


async def test_a_line_that_is_not_utf8_is_refused(store: MemoryStore, tmp_path: Path) -> None:
    path = tmp_path / "rows.ndjson"
    good = [json.dumps(row).encode() for row in (UNIT, PROCEDURE, accepted("a"))]
    path.write_bytes(b"\n".join([*good, good[2].replace(b'"direct"', b'"\xff"')]))
    report, refused = await imported(store, path)
    assert counts(report) == (4, 3, 0, 1, 1)
    assert "UTF-8" in refused.rows[0].reason


async def test_the_same_identity_with_other_content_is_refused(
    store: MemoryStore, tmp_path: Path
) -> None:
    rows = [accepted("a"), step("a", "1"), step("a", "1", data={"step": "other"})]
    assert await lines_imported(store, tmp_path, rows) == {"1": "key-reused"}


async def test_a_bad_register_entry_is_refused(store: MemoryStore, tmp_path: Path) -> None:
    orphan = {**UNIT, "id": "orphan", "data": {"code": "W", "name": "W", "parent": "V"}}
    nowhere = {**UNIT, "id": "nowhere", "data": {"code": "W", "name": "W", "zone": "No/Where"}}
    other = {**PROCEDURE, "id": "other", "data": {**PROCEDURE["data"], "name": "other"}}
    codes = await lines_imported(store, tmp_path, [orphan, nowhere, other])
    assert codes == {
        "orphan": "unknown-unit",
        "nowhere": "invalid-request",
        "other": "invalid-request",
    }


async def test_the_zone_of_a_mapping_decides_times_without_offset(
    store: MemoryStore, tmp_path: Path
) -> None:
    due = {**accepted("a")["data"], "due": "2026-03-09T09:15:00"}
    rows = [UNIT, PROCEDURE, accepted("a", time="2026-03-02T09:15:00", data=due)]
    path = write_lines(tmp_path / "rows.ndjson", rows)
    report, _ = await imported(store, path, ZONE_ONLY)
    assert report.recorded == 3
    assert store.rows[-1].occurred_at.isoformat() == "2026-03-02T02:15:00+00:00"
    assert b'"due":"2026-03-09T09:15:00+07:00"' in store.rows[-1].data


async def test_the_facts_of_a_dossier_keep_the_order_of_the_file(
    store: MemoryStore, tmp_path: Path
) -> None:
    codes = [str(n % 7) for n in range(300)]
    rows = [step(code, f"{n}", time="2026-03-03T09:15:00+07:00") for n, code in enumerate(codes)]
    assert await lines_imported(store, tmp_path, [accepted(c) for c in set(codes)] + rows) == {}
    found: dict[object, list[int]] = {}
    for row in store.rows:
        if row.topic == "dossier.step-completed.v1":
            found.setdefault(row.stream_id, []).append(int(json.loads(row.data)["step"]))
    assert all(steps == sorted(steps) for steps in found.values())


async def test_refused_rows_are_written_for_their_owner_only(
    store: MemoryStore, tmp_path: Path
) -> None:
    path = write_lines(tmp_path / "rows.ndjson", ["{", "Đỗ" * 3_000])
    out = tmp_path / "refused.ndjson"
    out.write_text("what was there before")
    out.chmod(0o644)
    with RefusedFile(out) as refused:
        await import_file(path, None, into(store), refused=refused)
    assert out.stat().st_mode & 0o777 == 0o600
    first, second = map(json.loads, out.read_text("utf-8").splitlines())
    assert (first["row"], first["id"], first["code"], first["raw"]) == (
        1,
        None,
        "invalid-request",
        "{",
    )
    assert (second["row"], second["raw"]) == (2, ("Đỗ" * 1_000))


async def test_progress_reaches_the_end_of_the_file(store: MemoryStore, tmp_path: Path) -> None:
    path = write_gzip(tmp_path / "log.xes.gz", log(*(trace(f"c{n}") for n in range(900))))
    told: list[tuple[int, int, int]] = []
    await import_file(
        path, parse_mapping(MAPPING), into(store), progress=lambda *each: told.append(each)
    )
    size = path.stat().st_size
    assert told == sorted(told)
    assert told[-1] == (size, size, 900)


class BusyStore(MemoryStore):
    """Is busy a number of times before each append it takes."""

    busy = 0
    left = 0

    async def append(self, append: Append) -> Answer:
        if self.left:
            self.left -= 1
            raise Busy
        self.left = self.busy
        return await super().append(append)


async def test_a_busy_ledger_is_asked_again(tmp_path: Path) -> None:
    store, paused = BusyStore(now), list[float]()
    store.busy = store.left = 3

    async def pause(seconds: float) -> None:
        paused.append(seconds)

    path = write_lines(tmp_path / "rows.ndjson", [UNIT, PROCEDURE, accepted("a"), step("a", "1")])
    report = await import_file(path, None, into(store), pause=pause)
    assert counts(report) == (4, 4, 0, 0, 1)
    assert paused == [0.05, 0.1, 0.2] * 4


async def test_a_ledger_that_stays_busy_ends_the_import_and_refuses_no_row(tmp_path: Path) -> None:
    store, refused = BusyStore(now), Refused()
    path = write_lines(tmp_path / "rows.ndjson", [UNIT, PROCEDURE])
    await imported(store, path)
    store.left = 10**9

    async def pause(_: float) -> None: ...

    path = write_lines(tmp_path / "facts.ndjson", [accepted(f"{n}") for n in range(50)])
    with pytest.raises(Busy):
        await import_file(path, None, into(store), refused=refused, pause=pause)
    assert refused.rows == []


async def test_a_row_that_is_too_long_is_refused(
    store: MemoryStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.importing.files.LONGEST_LINE", 2_000)
    long = step("a", "long", data={"step": "x" * 9_000})
    assert await lines_imported(store, tmp_path, [accepted("a"), long, step("a", "1")]) == {
        None: "too-large"
    }
    assert len(store.rows) == 4


async def test_a_sender_acts_only_for_its_units(store: MemoryStore, tmp_path: Path) -> None:
    other = {**UNIT, "id": "other", "data": {"code": "V", "name": "Khác"}}
    await imported(store, write_lines(tmp_path / "registers.ndjson", [UNIT, other, PROCEDURE]))
    limited = into(store)
    unit = UnitCode("V")
    sender = replace(limited.sender, unit=unit, scope=frozenset({unit}))
    path = write_lines(tmp_path / "facts.ndjson", [accepted("a"), step("a", "1", actingunit="V")])
    refused = Refused()
    await import_file(path, None, replace(limited, sender=sender), refused=refused)
    assert refused.codes == {"accepted-a": "forbidden"}


async def test_an_empty_file_is_no_mistake(store: MemoryStore, tmp_path: Path) -> None:
    path = write_lines(tmp_path / "rows.ndjson", [])
    assert (await imported(store, path))[0] == ImportReport()


async def test_a_file_that_is_not_there_is_one_clear_error(
    store: MemoryStore, tmp_path: Path
) -> None:
    with pytest.raises(ImportStopped) as stopped:
        await imported(store, tmp_path / "nothing")
    assert stopped.value.code == "unreadable-file"
