"""Record the stored bytes of each event type that has none: `python -m tests.contracts.record`.

A file that exists is never written again: what is released must decode for ever.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TypedDict
from uuid import UUID

from domain.envelope import LedgerEvent
from domain.ledger.stored import EVENTS
from infra.codec import decode, encode
from tests.filled import filled, minimal

STORED = Path(__file__).with_name("stored")


class Stored(TypedDict):
    """A row of the ledger's events as text; `data` are the exact bytes, in UTF-8."""

    type: str
    stream_id: str
    version: int
    occurred_at: str
    data: str


def stored(event: LedgerEvent) -> Stored:
    return {
        "type": event.TOPIC,
        "stream_id": str(event.originator_id),
        "version": event.originator_version,
        "occurred_at": event.timestamp.astimezone(UTC).isoformat(timespec="microseconds"),
        "data": encode(event).decode(),
    }


def restored(row: Stored) -> LedgerEvent:
    return decode(
        row["type"],
        UUID(row["stream_id"]),
        row["version"],
        datetime.fromisoformat(row["occurred_at"]),
        row["data"].encode(),
    )


def record() -> None:
    """Write what is missing."""
    STORED.mkdir(exist_ok=True)
    for topic, kind in EVENTS.items():
        file = STORED / f"{topic}.json"
        if not file.exists():
            rows = {"filled": stored(filled(kind)), "minimal": stored(minimal(kind))}
            file.write_text(json.dumps(rows, ensure_ascii=False, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    record()
