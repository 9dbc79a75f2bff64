"""Payloads are read strictly: by the declared types, and nothing else gets through."""

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Literal, cast

import jsonschema_rs
import msgspec
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.dossier.intake import DossierAccepted
from domain.dossier.payments import PaymentRecorded
from domain.dossier.work import StepCompleted
from domain.envelope import said
from domain.errors import InvalidRequest, TimeWithoutOffset
from domain.ledger.stored import EVENTS
from domain.personal import Personal
from streams.wire.examples import EXAMPLES, command_example
from streams.wire.inputs import (
    command_from,
    command_shape,
    event_from,
    fact_shape,
    moment,
    reason_of,
    schema,
)

STEP = "dossier.step-completed.v1"
PAID = "dossier.payment-recorded.v1"
ACCEPTED = "dossier.accepted.v1"
ACCEPTANCE = {"procedure": "P", "channel": "post", "receiving_unit": "U", "competent_unit": "U"}


def step(**more: Any) -> bytes:  # noqa: ANN401  # any JSON value
    return orjson.dumps({"step": "thẩm định", **more})


@pytest.mark.parametrize("topic", EVENTS)
def test_each_type_reads_its_own_example_and_has_a_valid_schema(topic: str) -> None:
    event = event_from(topic, orjson.dumps(EXAMPLES[topic]))
    assert type(event) is EVENTS[topic]
    assert said(event).keys() >= EXAMPLES[topic].keys()
    described = schema(fact_shape(topic))
    jsonschema_rs.meta.validate(described)
    validator = jsonschema_rs.Draft202012Validator(described, validate_formats=True)
    assert validator.is_valid(EXAMPLES[topic])
    assert not validator.is_valid({**EXAMPLES[topic], "unknown": 1})


@pytest.mark.parametrize("topic", EVENTS)
def test_each_required_field_is_required(topic: str) -> None:
    for name in schema(fact_shape(topic)).get("required", ()):
        less = {key: value for key, value in EXAMPLES[topic].items() if key != name}
        with pytest.raises(InvalidRequest, match=name):
            event_from(topic, orjson.dumps(less))


def test_a_command_says_who_says_it() -> None:
    body = command_example("request-supplement")
    command, about = command_from("request-supplement", orjson.dumps(body))
    assert type(command).__name__ == "RequestSupplement"
    assert about == {"actor": body["actor"], "acting_unit": None, "legal_basis": None}
    jsonschema_rs.meta.validate(schema(command_shape("request-supplement")))


def test_an_unknown_type_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="no event that this ledger knows"):
        event_from("dossier.walked.v1", b"{}")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b'{"step":"a","stop":"b"}', "unknown field stop"),
        (b"{}", "missing required field step"),
        (b'{"step":1}', r"Expected str, got int - at \$.step"),
        (b'{"step":null}', "Expected str, got null"),
        (b'{"step":""}', "length >= 1"),
        (step(step="x" * 10_001), "length <= 10000"),
        (b'["step"]', "Expected object, got array"),
        (b'{"step":"a"} {}', "not JSON"),
        (b'{"step":"a"', "not JSON"),
        (b"{step:1}", "not JSON"),
        (b'{"step":NaN}', "not JSON"),
        (b'{"step":"a\\u0000b"}', r"U\+0000"),
        (b'{"step":"a\x00b"}', "not JSON"),
        (b'{"step":"\\ud800"}', "not JSON"),
        (b'{"step":"\\udc00\\ud800"}', "not JSON"),
        (step(deadline="soon"), r"deadline is no RFC 3339 time\."),
        (step(deadline=1_700_000_000), "got int"),
        (step(deadline="1899-12-31T00:00:00Z"), "between the years"),
        (step(deadline="9999-12-31T00:00:00Z"), "between the years"),
    ],
)
def test_a_payload_that_is_not_well_formed_is_refused_and_the_place_named(
    data: bytes, why: str
) -> None:
    with pytest.raises(InvalidRequest, match=why):
        event_from(STEP, data)


@pytest.mark.parametrize("amount", ["-1", "1.0", "true", '"1"', "9" * 30, "1e400", "1e3", "NaN"])
def test_an_amount_is_a_whole_number_that_no_program_rounds(amount: str) -> None:
    with pytest.raises(InvalidRequest):
        event_from(PAID, f'{{"amount":{amount},"channel":"post"}}'.encode())


@pytest.mark.parametrize("amount", [0, 2**53])
def test_the_smallest_and_largest_amount_are_taken(amount: int) -> None:
    event = event_from(PAID, f'{{"amount":{amount},"channel":"post"}}'.encode())
    assert isinstance(event, PaymentRecorded)
    assert event.amount == amount


def test_a_time_without_offset_has_its_own_refusal() -> None:
    with pytest.raises(TimeWithoutOffset, match="deadline"):
        event_from(STEP, step(deadline="2026-03-02T09:15:00"))
    event = event_from(STEP, step(deadline="2026-03-02T09:15:00+07:00"))
    assert isinstance(event, StepCompleted)
    assert event.deadline is not None
    assert event.deadline.utcoffset() == timedelta(hours=7)


def test_unknown_words_and_too_many_parts_are_refused() -> None:
    wrongs: tuple[dict[str, Any], ...] = (
        {"channel": "pigeon"},
        {"owner": {"nickname": "Lan"}},
        {"owner": "Lan"},
        {"components": [{"name": "a", "originals": -1}]},
        {"components": [{"name": "a"}] * 1_001},
        {"procedure_version": 1},
        {"meta": {}},
    )
    for wrong in wrongs:
        with pytest.raises(InvalidRequest):
            event_from(ACCEPTED, orjson.dumps({**ACCEPTANCE, **wrong}))


def test_personal_values_come_in_clear_and_no_refusal_repeats_them() -> None:
    owner = {"name": "Nguyễn Thị Lan", "id_number": "044190001234"}
    event = event_from(ACCEPTED, orjson.dumps({**ACCEPTANCE, "owner": owner}))
    assert isinstance(event, DossierAccepted)
    assert event.owner is not None
    assert event.owner.name == Personal("Nguyễn Thị Lan")
    wrong = {**owner, "phone": ["0912345678"], "kind": "citizen Nguyễn Thị Lan"}
    with pytest.raises(InvalidRequest) as refused:
        event_from(ACCEPTED, orjson.dumps({**ACCEPTANCE, "owner": wrong}))
    assert not any(value in str(refused.value) for value in ("Lan", "0441", "0912"))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(sorted(EXAMPLES)), st.data())
def test_any_json_in_any_field_gives_an_event_or_a_refusal(topic: str, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from([*EXAMPLES[topic], "unknown"]))
    value = data.draw(JSON)
    try:
        body = orjson.dumps({**EXAMPLES[topic], name: value})
    except TypeError:
        return  # What orjson cannot write, no test of this reader can send.
    with suppress(InvalidRequest, TimeWithoutOffset):
        assert type(event_from(topic, body)) is EVENTS[topic]


@pytest.mark.parametrize("text", ["", "soon", "2026-13-02T00:00:00Z", "1", "2026-13-02"])
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest, match="time is no RFC 3339 time"):
        moment(text, "time")


def test_a_backslash_before_u0000_is_no_null() -> None:
    read = cast("StepCompleted", event_from(STEP, rb'{"step":"C:\\u0000dir"}'))
    assert read.step == r"C:\u0000dir"
    with pytest.raises(InvalidRequest, match=r"U\+0000"):
        event_from(STEP, rb'{"step":"C:\\\u0000dir"}')


@pytest.mark.parametrize("digits", ["9999995", "9999999", "999999999", "99999949"])
def test_what_is_finer_than_microseconds_is_cut(digits: str) -> None:
    text = f"2026-03-20T23:59:59.{digits}+07:00"
    assert moment(text, "time").isoformat() == "2026-03-20T23:59:59.999999+07:00"
    said = cast("StepCompleted", event_from(STEP, step(deadline=text)))
    assert said.deadline == moment(text, "deadline")


def test_a_moment_keeps_its_offset() -> None:
    stated = moment("2026-03-02T09:15:00.5+07:00", "time")
    assert stated == datetime.fromisoformat("2026-03-02T09:15:00.500+07:00")
    assert stated.utcoffset() == timedelta(hours=7)
    with pytest.raises(TimeWithoutOffset):
        moment("2026-03-02T09:15:00", "time")
    with pytest.raises(TimeWithoutOffset):
        moment("2026-03-02", "time")


def test_a_plus_that_an_address_lost_is_named() -> None:
    with pytest.raises(InvalidRequest, match=r"write . as %2B"):
        moment("2026-03-02T09:15:00 07:00", "as_of")
    with pytest.raises(InvalidRequest, match=r"RFC 3339 time\.$"):
        moment("next monday", "as_of")


@pytest.mark.parametrize("value", ["pigeon", "An's 'x'", "a - at `$.b`", "x\ny", "'", ""])
def test_a_refused_word_is_not_repeated_but_its_place_is(value: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        event_from(ACCEPTED, orjson.dumps({**ACCEPTANCE, "channel": value}))
    assert str(refused.value) == "Invalid enum value - at $.channel"
    with pytest.raises(msgspec.ValidationError) as top:
        msgspec.convert(value, Literal["1.0"])
    assert reason_of(top.value) == "Invalid enum value"


@pytest.mark.parametrize("name", ["receiving_unit", "procedure"])
@pytest.mark.parametrize(
    "code", ["", "a b", "a/b", "a,b", ".a", "-a", "_a", "a\n", "Ủ", "x" * 65, "a?b"]
)
def test_a_code_of_a_register_is_safe_wherever_it_is_written(name: str, code: str) -> None:
    with pytest.raises(InvalidRequest, match="regex"):
        event_from(ACCEPTED, orjson.dumps({**ACCEPTANCE, name: code}))
    body = {**command_example("request-supplement"), "acting_unit": code}
    with pytest.raises(InvalidRequest, match="regex"):
        command_from("request-supplement", orjson.dumps(body))


@pytest.mark.parametrize("code", ["H44.100.01", "1.004193", "NL.WABO", "a", "x" * 64, "a-b_c"])
def test_codes_in_use_are_codes(code: str) -> None:
    event = event_from(ACCEPTED, orjson.dumps({**ACCEPTANCE, "procedure": code}))
    assert isinstance(event, DossierAccepted)
    assert event.procedure == code


def test_the_version_of_a_procedure_fits_into_four_bytes() -> None:
    example = EXAMPLES["procedure.published.v1"]
    event_from("procedure.published.v1", orjson.dumps({**example, "version": 2**31 - 1}))
    with pytest.raises(InvalidRequest, match="version"):
        event_from("procedure.published.v1", orjson.dumps({**example, "version": 2**31}))


@pytest.mark.parametrize("body", [b"", b" \n"])
def test_an_empty_body_is_told_what_to_send(body: bytes) -> None:
    with pytest.raises(InvalidRequest, match=r"Send a JSON object, \{\} at least"):
        command_from("request-supplement", body)
