"""What was ever stored decodes for ever, and is written in the same bytes."""

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Literal

import pytest

from domain.dossier.intake import DossierAccepted
from domain.ledger.stored import EVENTS
from domain.personal import Personal, Withheld
from infra.codec import UP_CASTERS, UnknownEvent, decode, encode
from tests.contracts.record import STORED, Stored, restored, stored
from tests.examples import DOSSIER, LAN, MORNING, accepted, lan, submitted
from tests.filled import filled, minimal

FORMER = STORED.with_name("former")  # Bytes of the same version, from before it had more fields.
CASES: list[Literal["filled", "minimal"]] = ["filled", "minimal"]


def read(topic: str, case: str) -> Stored:
    row: Stored = json.loads((STORED / f"{topic}.json").read_text("utf-8"))[case]
    return row


def test_every_stored_name_has_its_file_and_every_file_a_name() -> None:
    files = {file.name.removesuffix(".json") for file in STORED.iterdir()}
    assert files == EVENTS.keys() | UP_CASTERS.keys()


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("topic", EVENTS)
def test_a_stored_event_is_restored_field_by_field(
    topic: str, case: Literal["filled", "minimal"]
) -> None:
    make = {"filled": filled, "minimal": minimal}[case]
    assert restored(read(topic, case)) == make(EVENTS[topic])


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("topic", EVENTS)
def test_a_restored_event_is_written_in_the_same_bytes(topic: str, case: str) -> None:
    row = read(topic, case)
    assert row["type"] == topic
    assert stored(restored(row)) == row


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("file", sorted(FORMER.iterdir()), ids=lambda file: file.stem)
def test_what_was_stored_before_a_type_said_more_is_restored_with_all_that_it_said(
    file: Path, case: str
) -> None:
    row: Stored = json.loads(file.read_text("utf-8"))[case]
    said, again = json.loads(row["data"]), json.loads(stored(restored(row))["data"])
    assert {name: again[name] for name in said} == said


@pytest.mark.parametrize("topic", EVENTS)
def test_a_filled_example_leaves_no_field_at_its_default(topic: str) -> None:
    event = filled(EVENTS[topic])
    for holder in (event, event.meta):
        assert [
            each.name for each in fields(holder) if getattr(holder, each.name) == each.default
        ] == []


@pytest.mark.parametrize("topic", EVENTS)
def test_a_stored_time_is_in_utc(topic: str) -> None:
    event = restored(read(topic, "filled"))
    assert event.timestamp.utcoffset() == MORNING.utcoffset()
    assert event.occurred_at.utcoffset() != event.timestamp.utcoffset()


def test_an_unknown_stored_name_is_said_to_be_unknown() -> None:
    with pytest.raises(UnknownEvent, match=r"dossier\.sold\.v1"):
        decode("dossier.sold.v1", DOSSIER, 1, MORNING, b"{}")


def test_a_personal_value_that_was_not_sealed_is_not_stored() -> None:
    clear = replace(lan(), phone=Personal("0900000001", LAN))
    with pytest.raises(ValueError, match="not sealed"):
        encode(replace(submitted(), owner=clear))


def test_personal_values_come_back_sealed_with_their_subject() -> None:
    event = decode("dossier.accepted.v1", DOSSIER, 1, MORNING, encode(accepted()))
    assert isinstance(event, DossierAccepted)
    assert event.owner is not None
    name = event.owner.name
    assert name is not None
    assert (name.value, name.subject, name.sealed) == (Withheld.SEALED, LAN, b"sealed name")


def test_no_personal_value_is_stored_in_clear() -> None:
    data = encode(accepted())
    assert b"Lan" not in data
    assert b"001190000001" not in data


def test_absent_values_take_no_place() -> None:
    assert b"null" not in encode(minimal(DossierAccepted))
