"""The published test vectors, against the code and against a second implementation of the page."""

import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import TypedDict
from uuid import UUID

import pytest

from domain.evidence.leaves import NO_LEAF, entry, leaf_hash, micros
from tests.examples import DOSSIER, LEDGER, MORNING

ROOT = Path(__file__).parents[2]
OTHER = UUID(int=7)


class Vector(TypedDict):
    note: str
    ledger_id: str
    stream_id: str
    version: int
    previous_leaf: str
    type: str
    occurred_at: str
    recorded_at: str
    data: str
    entry: str
    leaf: str


VECTORS: list[Vector] = json.loads((ROOT / "docs/leaf-vectors.json").read_text("utf-8"))["vectors"]
NOTES = [vector["note"] for vector in VECTORS]


def by_the_code(vector: Vector) -> bytes:
    return entry(
        UUID(vector["ledger_id"]),
        UUID(vector["stream_id"]),
        vector["version"],
        bytes.fromhex(vector["previous_leaf"]),
        vector["type"],
        datetime.fromisoformat(vector["occurred_at"]),
        datetime.fromisoformat(vector["recorded_at"]),
        bytes.fromhex(vector["data"]),
    )


def by_the_page(vector: Vector) -> bytes:
    """Write an entry as docs/leaf.md says, sharing nothing with the code."""
    return b"".join(
        (
            b"\x01",
            _sized(bytes.fromhex(vector["ledger_id"].replace("-", ""))),
            _sized(bytes.fromhex(vector["stream_id"].replace("-", ""))),
            _number(vector["version"]),
            _sized(bytes.fromhex(vector["previous_leaf"])),
            _sized(vector["type"].encode("utf-8")),
            _number(_microseconds(vector["occurred_at"])),
            _number(_microseconds(vector["recorded_at"])),
            _sized(sha256(bytes.fromhex(vector["data"])).digest()),
        )
    )


def _sized(part: bytes) -> bytes:
    return len(part).to_bytes(4, "big") + part


def _number(value: int) -> bytes:
    return value.to_bytes(8, "big", signed=True)


def _microseconds(text: str) -> int:
    day, _, clock = text.removesuffix("Z").partition("T")
    whole, _, fraction = clock.partition(".")
    hours, minutes, seconds = map(int, whole.split(":"))
    days = datetime.fromisoformat(day).toordinal() - datetime(1970, 1, 1).toordinal()  # noqa: DTZ001  # a date
    return ((days * 24 + hours) * 60 + minutes) * 60_000_000 + seconds * 1_000_000 + int(fraction)


@pytest.mark.parametrize("vector", VECTORS, ids=NOTES)
def test_the_code_gives_the_published_bytes(vector: Vector) -> None:
    written = by_the_code(vector)
    assert (written.hex(), leaf_hash(written).hex()) == (vector["entry"], vector["leaf"])


@pytest.mark.parametrize("vector", VECTORS, ids=NOTES)
def test_the_page_gives_the_published_bytes(vector: Vector) -> None:
    written = by_the_page(vector)
    leaf = sha256(b"\x00" + written).hexdigest()
    assert (written.hex(), leaf) == (vector["entry"], vector["leaf"])


def test_the_first_three_vectors_are_a_chain() -> None:
    first, second, third = VECTORS[:3]
    assert first["previous_leaf"] == NO_LEAF.hex()
    assert second["previous_leaf"] == first["leaf"]
    assert third["previous_leaf"] == second["leaf"]


def test_an_entry_is_as_long_as_the_page_says() -> None:
    assert [len(by_the_code(vector)) - len(vector["type"].encode()) for vector in VECTORS] == [
        141
    ] * len(VECTORS)


def leaf(
    *,
    ledger: UUID = LEDGER,
    stream: UUID = DOSSIER,
    version: int = 1,
    previous: bytes = NO_LEAF,
    topic: str = "dossier.accepted.v1",
    occurred_at: datetime = MORNING,
    recorded_at: datetime = MORNING,
    data: bytes = b"{}",
) -> bytes:
    return leaf_hash(
        entry(ledger, stream, version, previous, topic, occurred_at, recorded_at, data)
    )


def test_whatever_is_changed_changes_the_leaf() -> None:
    a_little_later = MORNING + timedelta.resolution
    changed = [
        leaf(),
        leaf(ledger=OTHER),
        leaf(stream=OTHER),
        leaf(version=2),
        leaf(previous=leaf()),
        leaf(topic="dossier.accepted.v2"),
        leaf(occurred_at=a_little_later),
        leaf(recorded_at=a_little_later),
        leaf(data=b"{} "),
    ]
    assert len(set(changed)) == len(changed)


def test_the_same_moment_in_another_offset_is_the_same_leaf() -> None:
    assert leaf(occurred_at=MORNING.astimezone()) == leaf()


def test_microseconds_are_exact_from_the_first_to_the_last_year() -> None:
    assert micros(datetime(1970, 1, 1, tzinfo=UTC) - timedelta.resolution) == -1
    assert micros(datetime.min.replace(tzinfo=UTC)) == -62_135_596_800_000_000
    assert micros(datetime.max.replace(tzinfo=UTC)) == 253_402_300_799_999_999
