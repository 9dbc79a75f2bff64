"""Imports of logs in XES: through a mapping that fits, or not at all."""

import gzip
from pathlib import Path

import pytest

from infra.memory import MemoryStore
from streams.importing.importing import ImportStopped, import_file
from streams.importing.mapping import parse_mapping
from tests.streams.files import (
    MAPPING,
    Replayed,
    counts,
    event,
    imported,
    into,
    log,
    now,
    trace,
    write_gzip,
)

ZONE_ONLY = parse_mapping('source = "s"')


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore(now)


async def test_a_log_registers_what_is_missing_and_records_its_facts(
    store: MemoryStore, tmp_path: Path
) -> None:
    path = write_gzip(
        tmp_path / "any.name",
        log(
            trace("a", event("1"), event("2"), end="2012-01-05T09:00:00+01:00"),
            trace("b", event("3", "2011-12-31T09:00:00+01:00"), channel="Fax"),
            trace("c", event("4"), event("5", "soon"), end="2012-01-01T10:00:00+01:00"),
        ),
    )
    counting = Replayed(store)
    report = await import_file(path, parse_mapping(MAPPING), into(store), irregularities=counting)
    assert counts(report) == (10, 8, 0, 2, 3)
    assert report.irregular == {"stranger": 1, "after-end": 1}
    assert counting.irregular == 2
    again, _ = await imported(store, path, parse_mapping(MAPPING))
    assert counts(again) == (10, 0, 8, 2, 3)
    assert len(store.rows) == 3 + 8


async def test_what_is_registered_already_stays_as_it_is(
    store: MemoryStore, tmp_path: Path
) -> None:
    path = write_gzip(tmp_path / "log.xes", log(trace("a")))
    await imported(store, path, parse_mapping(MAPPING))
    renamed = MAPPING.replace('"Works"', '"Roads"').replace('"Permit"', '"Licence"')
    report, _ = await imported(store, path, parse_mapping(renamed))
    assert (counts(report), len(store.rows)) == ((1, 0, 1, 0, 1), 4)


async def test_a_mapping_that_does_not_fit_the_log_records_nothing(
    store: MemoryStore, tmp_path: Path
) -> None:
    path = write_gzip(tmp_path / "log.xes.gz", log(trace("a", event("1"))))
    for wrong in (
        MAPPING.replace('"start"', '"begin"'),
        MAPPING.replace('"org:resource"', '"org:officer"'),
    ):
        with pytest.raises(ImportStopped, match=r"begin|org:officer") as stopped:
            await imported(store, path, parse_mapping(wrong))
        assert stopped.value.code == "mapping-does-not-fit"
        assert counts(stopped.value.report) == (0, 0, 0, 0, 0)
    undeclared = write_gzip(tmp_path / "end.xes.gz", log(trace("a"), declared=""))
    with pytest.raises(ImportStopped, match="'end'"):
        await imported(store, undeclared, parse_mapping(MAPPING))
    assert store.rows == []


async def test_a_unit_that_nobody_registers_is_refused_before_anything(
    store: MemoryStore, tmp_path: Path
) -> None:
    path = write_gzip(tmp_path / "log.xes", log(trace("a")))
    with pytest.raises(ImportStopped, match="There is no unit V") as stopped:
        await imported(store, path, parse_mapping(MAPPING.replace('parent = "U"', 'parent = "V"')))
    assert (stopped.value.code, store.rows) == ("invalid-mapping", [])


async def test_a_log_needs_a_mapping(store: MemoryStore, tmp_path: Path) -> None:
    path = write_gzip(tmp_path / "log.xes", log(trace("a")))
    for mapping in (None, ZONE_ONLY):
        with pytest.raises(ImportStopped) as stopped:
            await imported(store, path, mapping)
        assert stopped.value.code == "invalid-mapping"


async def test_of_a_cut_log_the_whole_traces_stand_and_the_rest_comes_later(
    store: MemoryStore, tmp_path: Path
) -> None:
    names = [f"case-{n * n}" for n in range(400)]
    whole = gzip.compress(log(*(trace(name, event(f"e-{name}")) for name in names)).encode())
    path = tmp_path / "log.xes.gz"
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ImportStopped) as stopped:
        await imported(store, path, parse_mapping(MAPPING))
    report = stopped.value.report
    assert stopped.value.code == "truncated-file"
    assert 0 < report.dossiers < 400
    assert report.recorded == 2 * report.dossiers == len(store.rows) - 3
    path.write_bytes(whole)
    again, _ = await imported(store, path, parse_mapping(MAPPING))
    assert counts(again) == (800, 800 - report.recorded, report.recorded, 0, 400)
