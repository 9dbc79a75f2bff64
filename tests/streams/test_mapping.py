"""Mappings: each wrong key is named, and a trace reads as facts in their legal order."""

from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import orjson
import pytest

from domain.errors import DomainError
from domain.rules.procedures import ProcedurePublished
from domain.rules.units import UnitRegistered
from streams.importing.mapped import rows_of_trace
from streams.importing.mapping import (
    SHIPPED,
    FileMapping,
    MappingDoesNotFit,
    MappingInvalid,
    load_mapping,
    parse_mapping,
)
from streams.importing.rows import Row
from streams.importing.xes import Attributes, Trace
from tests.streams.files import MAPPING

PLUS1 = timezone(timedelta(hours=1))


def at(day: int, hour: int = 9) -> datetime:
    return datetime(2012, 1, day, hour, tzinfo=PLUS1)


def whole(**said: str | datetime | date) -> Attributes:
    return {"concept:name": "c-1", "channel": "Web", "start": at(1), "due": at(20), **said}


def happened(name: str, when: datetime | date | str = at(2), **said: str) -> Attributes:  # noqa: B008  # a constant
    return {
        "concept:instance": name,
        "time:timestamp": when,
        "concept:name": "check",
        "org:resource": "An",
        **said,
    }


def told(trace: Trace, mapping: str = MAPPING) -> list[Row]:
    return rows_of_trace(trace, parse_mapping(mapping).of_log, 10)


def data(row: Row) -> dict[str, object]:
    read: dict[str, object] = orjson.loads(bytes(row.event.data))
    return read


def code(row: Row) -> str | None:
    return row.said.code if isinstance(row.said, DomainError) else None


def test_a_trace_is_an_acceptance_its_events_and_an_end() -> None:
    rows = told(Trace(1, whole(end=at(3), who="Binh"), [happened("e1")]))
    assert [(row.number, row.id, row.event.type) for row in rows] == [
        (11, "c-1/accepted", "vn.gov.motcua.dossier.accepted.v1"),
        (12, "e1", "vn.gov.motcua.dossier.step-completed.v1"),
        (13, "c-1/result-at-desk", "vn.gov.motcua.dossier.result-at-desk.v1"),
    ]
    accepted, step, end = rows
    assert data(accepted) == {
        "procedure": "P",
        "channel": "online",
        "receiving_unit": "U",
        "competent_unit": "U.1",
        "due": "2012-01-20T09:00:00+01:00",
    }
    assert (accepted.event.actor, accepted.event.actingunit) == ("Binh", "U")
    assert data(step) == {"step": "check", "officer": "An", "unit": "U.1"}
    assert data(end) == {"unit": "U.1"}
    assert {row.event.subject for row in rows} == {"code:c-1"}
    assert {row.event.source for row in rows} == {"log"}


def test_the_facts_come_in_legal_order_with_acceptance_first_and_end_last() -> None:
    events = [happened("late", at(9)), happened("b", at(1)), happened("a", at(1))]
    rows = told(Trace(1, whole(end=at(1)), events))
    assert [row.id for row in rows] == ["c-1/accepted", "b", "a", "c-1/result-at-desk", "late"]


def test_a_time_keeps_its_offset_and_else_gets_that_of_the_zone() -> None:
    stated = datetime(2012, 7, 1, 9, tzinfo=timezone(timedelta(hours=7)))
    naive = datetime(2012, 7, 1, 23)  # noqa: DTZ001  # what the log states
    rows = told(Trace(1, whole(start=stated, due=naive), [happened("e", date(2012, 8, 1))]))
    assert rows[0].event.time == "2012-07-01T09:00:00+07:00"
    assert data(rows[0])["due"] == "2012-07-01T23:00:00+02:00"
    assert (rows[1].event.time, rows[1].event.timeprecision) == ("2012-08-01T00:00:00+02:00", "day")


@pytest.mark.parametrize(
    ("attributes", "why"),
    [
        (whole(channel="Fax"), "no value for this channel"),
        (whole(start="soon"), "start is no time"),
        (whole(due="later"), "due is no time"),
        (whole(start=datetime(1, 1, 1, tzinfo=PLUS1)), "between the years"),
        ({"concept:name": "c-1", "channel": "Web"}, "start is missing"),
    ],
)
def test_what_cannot_be_read_is_refused_alone(attributes: Attributes, why: str) -> None:
    rows = told(Trace(1, attributes, [happened("e1")]))
    assert [(row.id, code(row)) for row in rows] == [
        ("c-1/accepted", "invalid-request"),
        ("e1", None),
    ]
    assert why in str(rows[0].said)


def test_an_event_without_identity_is_refused() -> None:
    (refused, accepted) = told(Trace(1, whole(), [happened("")]))
    assert (refused.id, code(refused), accepted.id) == (None, "invalid-request", "c-1/accepted")
    assert str(refused.said) == "The event has no concept:instance."


def test_a_trace_without_a_code_is_refused_entirely() -> None:
    rows = told(Trace(1, {"start": at(1), "channel": "Web"}, [happened("e1")]))
    assert {code(row) for row in rows} == {"invalid-request"}


def test_activities_may_be_other_events_with_constants() -> None:
    more = """
[activities.types]
"ask" = "supplement-requested"
"go" = "assigned"
[constants.supplement-requested]
reason = "as in the log"
items = ["plan"]
"""
    _, ask, go = told(
        Trace(
            1,
            whole(),
            [happened("1", **{"concept:name": "ask"}), happened("2", **{"concept:name": "go"})],
        ),
        MAPPING + more,
    )
    assert data(ask) == {"reason": "as in the log", "items": ["plan"], "officer": "An"}
    assert data(go) == {"officer": "An", "unit": "U.1"}


def test_the_unit_of_an_event_may_be_mapped() -> None:
    unit = 'unit = { attribute = "group", values = { A = "U" }, default = "U.1" }\n'
    _, first, second = told(
        Trace(1, whole(), [happened("1", group="A"), happened("2")]), MAPPING + unit
    )
    assert (first.event.actingunit, data(first)["unit"]) == ("U", "U")
    assert second.event.actingunit == "U.1"


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        (
            'officer = "org:resource"',
            'officers = "org:resource"',
            "unknown field officers - at $.event",
        ),
        ('id = "concept:instance"', "", "missing required field id - at $.event"),
        ('id = "concept:instance"', "id = 1", "Expected str, got int - at $.event.id"),
        ('zone = "Europe/Amsterdam"', 'zone = "Europe/Nowhere"', "no time zone Europe/Nowhere"),
        ('zone = "Europe/Amsterdam"', 'zone = "/etc/passwd"', "no time zone"),
        ('name = "Works"', 'nam = "Works"', "units, entry 2 (U.1)"),
        ('name = "Works"', 'name = "Works"\nzone = "Mars/Base"', "no time zone Mars/Base"),
        ("amount = 5", "amount = -5", "procedures, entry 1 (P)"),
        ('parent = "U"', 'parent = "U.1"', "in a ring"),
        ('code = "U.1"', 'code = "U"', "stated twice"),
        ("[dossier]", "[dossier", "not TOML"),
        ('[dossier]\ncode = "concept:name"', "", "needs both"),
        ("[end]", '[activities]\ndefault = "walked"\n[end]', "no event type walked"),
        ("[end]", '[activities]\ndefault = "stopped"\n[end]', "stopped needs reason"),
        ("[end]", "[constants.accepted]\nowners = 1\n[end]", "accepted has no field owners"),
        ("[end]", "[constants.unit-registered]\n[end]", "no event type unit-registered"),
    ],
)
def test_a_wrong_mapping_names_its_key(before: str, after: str, why: str) -> None:
    assert before in MAPPING
    with pytest.raises(MappingInvalid) as refused:
        parse_mapping(MAPPING.replace(before, after))
    assert why in str(refused.value)
    assert refused.value.code == "invalid-mapping"


def test_a_mapping_that_is_no_text_or_not_there_is_refused(tmp_path: Path) -> None:
    (tmp_path / "m.toml").write_bytes(b'source = "\xff"')
    for name in ("m.toml", "nothing.toml"):
        with pytest.raises(MappingInvalid):
            load_mapping(tmp_path / name)


def test_attributes_that_the_log_has_not_are_named() -> None:
    log = parse_mapping(MAPPING).of_log
    of_trace, of_event = log.attributes_of_traces(), log.attributes_of_events()
    log.refuse_misfit(of_trace, of_event)
    log.refuse_misfit(of_trace, None)
    with pytest.raises(MappingDoesNotFit, match="'due', 'org:resource'"):
        log.refuse_misfit(of_trace - {"due"}, of_event - {"org:resource"})


def test_a_mapping_for_lines_needs_no_log() -> None:
    mapping = parse_mapping('source = "s"')
    assert mapping.zone.key == "Asia/Ho_Chi_Minh"
    with pytest.raises(MappingInvalid, match="no \\[dossier\\] and \\[event\\]"):
        _ = mapping.of_log


def test_the_shipped_mapping_reads() -> None:
    mapping: FileMapping = load_mapping(SHIPPED / "receipt.toml")
    codes = [
        e.code for e in mapping.registers if isinstance(e, UnitRegistered | ProcedurePublished)
    ]
    assert codes == ["NL.GEMEENTE", *(f"NL.GEMEENTE.{n}" for n in range(1, 5)), "NL.WABO"]
    assert mapping.of_log.zone.key == "Europe/Amsterdam"
