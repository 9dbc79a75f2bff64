"""Envelopes: CloudEvents 1.0, read strictly; id and source are the identity of what they say."""

from typing import Any
from uuid import UUID

import orjson
import pytest

from domain.envelope import VIETNAM, TimePrecision
from domain.errors import InvalidRequest, TimeWithoutOffset
from domain.ledger.appends import Key
from domain.ledger.messages import Fact
from domain.rules.units import UnitRegistered
from streams.wire.cloudevents import (
    MAX_BATCH,
    claimed_id,
    entry_of,
    fact_of,
    named,
    read_batch,
    read_envelope,
    stored_name,
)
from streams.wire.examples import BATCH, EVENT
from streams.wire.sameness import FORM
from tests.streams.files import COMMAND_LINE, digest, step

STEP = step("H44-1", "e-1")


def body(**more: Any) -> bytes:  # noqa: ANN401  # any JSON value
    return orjson.dumps({k: v for k, v in {**STEP, **more}.items() if v is not ...})


def fact(content: bytes) -> Fact:
    return fact_of(read_envelope(content), COMMAND_LINE, digest)


def test_the_shipped_examples_are_facts() -> None:
    for example in (EVENT, *BATCH):
        assert fact(orjson.dumps(example)).source_id == example["id"]


def test_an_envelope_says_everything_about_its_fact() -> None:
    said = fact(
        body(
            expectedversion=3,
            timeprecision="minute",
            actor="An",
            actingunit="U.1",
            legalbasis="NĐ 61",
            datacontenttype="application/json",
            traceparent="kept by nobody",
        )
    )
    assert (said.source, said.source_id, said.code, said.dossier) == (
        "elsewhere",
        "e-1",
        "H44-1",
        None,
    )
    assert said.stated.isoformat() == "2026-03-03T09:15:00+07:00"
    assert (said.expected, said.precision) == (3, TimePrecision.MINUTE)
    assert (said.actor, said.acting_unit, said.legal_basis) == ("An", "U.1", "NĐ 61")
    assert said.sender is COMMAND_LINE


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"specversion": "0.3"}, "specversion"),
        ({"specversion": ...}, "missing required field specversion"),
        ({"id": ""}, "id"),
        ({"id": "x" * 501}, "id"),
        ({"id": 7}, "Expected str, got int"),
        ({"id": "a\nb"}, "regex"),
        ({"id": "a\n"}, "regex"),
        ({"actingunit": "U,1"}, "actingunit"),
        ({"source": ...}, "source"),
        ({"type": "com.example.step"}, "type begins with"),
        ({"type": "vn.gov.motcua.dossier.walked.v1"}, "no event that this ledger knows"),
        ({"type": "vn.gov.motcua.unit.registered.v1"}, "keepers"),
        ({"time": "yesterday"}, "RFC 3339"),
        ({"time": ...}, "time"),
        ({"subject": ...}, "UUID or code:"),
        ({"subject": "H44-1"}, "UUID or code:"),
        ({"data": ...}, "data"),
        ({"data": []}, "Expected object, got array"),
        ({"datacontenttype": "text/xml"}, "datacontenttype"),
        ({"expectedversion": -1}, "expectedversion"),
        ({"expectedversion": 2**31}, "expectedversion"),
        ({"timeprecision": "year"}, "timeprecision"),
        ({"actingUnit": "U"}, "a-z and 0-9"),
        ({"acting_unit": "U"}, "a-z and 0-9"),
    ],
)
def test_an_envelope_that_is_not_well_formed_is_refused(more: dict[str, Any], why: str) -> None:
    with pytest.raises(InvalidRequest, match=why):
        fact(body(**more))


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff", b'{"id":"a\\u0000"}'])
def test_what_is_no_envelope_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidRequest):
        read_envelope(content)


def test_a_time_needs_its_offset() -> None:
    with pytest.raises(TimeWithoutOffset):
        fact(body(time="2026-03-02T09:15:00"))

    with pytest.raises(TimeWithoutOffset):
        fact(body(time="2026-03-02"))


def test_an_entry_of_a_register_is_a_notice_with_all_that_the_envelope_says() -> None:
    said = {"code": "U.1", "name": "Xã"}
    more = {"expectedversion": 0, "timeprecision": "day", "actor": "An", "actingunit": "U"}
    event = read_envelope(body(type="vn.gov.motcua.unit.registered.v1", data=said, **more))
    notice = entry_of(event, COMMAND_LINE, digest)
    assert isinstance(notice.event, UnitRegistered)
    assert (notice.event.code, notice.source, notice.source_id) == ("U.1", "elsewhere", "e-1")
    assert notice.stated.isoformat() == "2026-03-03T09:15:00+07:00"
    assert (notice.expected, notice.precision) == (0, TimePrecision.DAY)
    assert (notice.actor, notice.acting_unit) == ("An", "U")
    assert notice.key.name == ("source:elsewhere", "e-1")


@pytest.mark.parametrize("topic", ["token.granted", "subject.erased", "dossier.step-completed"])
def test_tokens_erasures_and_facts_are_no_notices(topic: str) -> None:
    event = read_envelope(body(type=f"vn.gov.motcua.{topic}.v1"))
    with pytest.raises(InvalidRequest, match="No register"):
        entry_of(event, COMMAND_LINE, digest)


def key(content: bytes, stream: int = 1) -> Key:
    said = fact(content)
    return said.key.of(said.said(UUID(int=stream), None, VIETNAM))


def test_the_identity_is_id_and_source_and_the_digest_covers_what_is_said() -> None:
    first = key(body())
    assert first.name == ("source:elsewhere", "e-1")
    for other in (
        {"data": {"step": "other"}},
        {"data": {"step": "e-1", "officer": "An"}},
        {"type": "vn.gov.motcua.dossier.step-started.v1"},
        {"time": "2026-03-03T09:15:00.000001+07:00"},
        {"timeprecision": "day"},
        {"actor": "An"},
        {"actingunit": "U"},
        {"legalbasis": "NĐ 61"},
    ):
        changed = key(body(**other))
        assert changed.name == first.name
        assert changed.digest != first.digest
    assert key(body(), stream=2).digest != first.digest


@pytest.mark.parametrize(
    "other",
    [
        {"data": {"officer": None, "step": "e-1"}},
        {"time": "2026-03-03T02:15:00.000Z"},
        {"time": "2026-03-03T02:15:00.0000009Z"},
        {"subject": str(UUID(int=1))},
        {"expectedversion": 0},
        {"datacontenttype": "application/json"},
        {"foo": "x"},
    ],
)
def test_what_is_written_differently_is_the_same(other: dict[str, Any]) -> None:
    assert key(body(**other)) == key(body())


def test_a_day_is_the_same_whatever_hour_and_offset_it_is_written_with() -> None:
    days = ("2026-03-03T00:00:00+07:00", "2026-03-02T17:00:00.000Z", "2026-03-03T23:59:59+07:00")
    assert len({key(body(time=day, timeprecision="day")).digest for day in days}) == 1


def test_the_form_of_a_digest_is_said_in_front_of_it() -> None:
    assert key(body()).digest[:1] == FORM


def test_a_subject_names_a_dossier_by_uuid_or_code() -> None:
    dossier = UUID(int=7)
    assert named(str(dossier)).dossier == dossier
    assert named("code:H44.100-260302-0001").code == "H44.100-260302-0001"


def test_a_batch_is_cut_into_items_that_stand_alone() -> None:
    assert read_batch(b'[{"id": "a"}, 1, null]') == [b'{"id": "a"}', b"1", b"null"]
    for wrong in (b"{}", b"[", b""):
        with pytest.raises(InvalidRequest, match="JSON array"):
            read_batch(wrong)
    with pytest.raises(InvalidRequest, match="at most"):
        read_batch(b"[" + b"1," * MAX_BATCH + b"1]")


def test_a_broken_item_is_still_named() -> None:
    assert claimed_id(b'{"id": "a", "data": 7}') == "a"
    for nameless in (b"{", b"[]", b'{"id": 7}'):
        assert claimed_id(nameless) is None


def test_the_stored_name_is_the_type_without_its_prefix() -> None:
    assert stored_name(read_envelope(body())) == "dossier.step-completed.v1"
