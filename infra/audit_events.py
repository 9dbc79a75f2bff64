"""Events against each other: leaves, chains, places; and against what they say of other tables."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import asyncpg
import msgspec

from domain.envelope import LedgerEvent, category
from domain.evidence.leaves import NO_LEAF, entry, leaf_hash
from infra.admission import outcome_of
from infra.audit_claims import sendable, unclaimed
from infra.audit_subjects import keyless
from infra.codec import UnknownEvent, decode

UNREADABLE: Final = (msgspec.DecodeError, ValueError, KeyError, TypeError, RecursionError)

IN_CALENDAR: Final = "BETWEEN '0001-01-02 00:00Z'::timestamptz AND '9999-12-30 00:00Z'"
"""PostgreSQL has times that no datetime has; the ledger has none of them."""

_ROWS: Final = f"""
SELECT e.seq, e.stream_id, e.version, e.type, e.data, e.leaf,
  CASE WHEN e.occurred_at {IN_CALENDAR} THEN e.occurred_at END AS occurred_at,
  CASE WHEN e.recorded_at {IN_CALENDAR} THEN e.recorded_at END AS recorded_at,
  p.seq AS before_seq, p.type AS before_type, p.leaf AS before_leaf
FROM ledger.event AS e
LEFT JOIN LATERAL (
  SELECT seq, type, leaf FROM ledger.event
  WHERE stream_id = e.stream_id AND version = e.version - 1::bigint LIMIT 1
) AS p ON true
"""  # noqa: S608  # our own words
EVENTS: Final = f"{_ROWS} WHERE e.ctid >= $1 AND e.ctid < $2"
_BY_SEQ: Final = f"{_ROWS} WHERE e.seq = ANY($1::bigint[])"
_OUTCOMES_OF: Final = """
SELECT asked.place, a.outcome
FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS asked (scope, key, place)
JOIN ledger.append AS a USING (scope, key)
"""


@dataclass(frozen=True, slots=True)
class Difference:
    """What is not as it was recorded, and where, as far as that can be named."""

    seq: int | None
    stream: UUID | None
    what: str


async def check_events(
    connection: asyncpg.Connection, ledger_id: UUID, rows: Sequence[asyncpg.Record]
) -> list[Difference]:
    found: list[Difference] = []
    broken: list[asyncpg.Record] = []
    read: list[tuple[asyncpg.Record, LedgerEvent]] = []
    for row in rows:
        found += [_at(row, what) for what in _misplaced(row)]
        if row["occurred_at"] is None or row["recorded_at"] is None:
            found.append(_at(row, "occurred_at or recorded_at lies outside of the calendar"))
            continue
        previous = _leaf_before(row)
        if previous is not None and _leaf(ledger_id, row, previous) != row["leaf"]:
            broken.append(row)
        event = read_event(row)
        if isinstance(event, str):
            found.append(_at(row, event))
        else:
            read.append((row, event))
    return [
        *found,
        *await _explained(connection, ledger_id, broken),
        *[_at(row, what) for row, what in await unclaimed(connection, read)],
        *[_at(row, what) for row, what in await keyless(connection, read)],
        *await _unanswered(connection, read),
    ]


def _at(row: asyncpg.Record, what: str) -> Difference:
    return Difference(row["seq"], UUID(bytes=row["stream_id"].bytes), what)


def _misplaced(row: asyncpg.Record) -> list[str]:
    version: int = row["version"]
    before = version - 1
    if version < 1:
        return [f"version {version} is below 1"]
    if version == 1:
        return []
    if row["before_seq"] is None:
        return [f"version {version} follows no version {before}: the stream has none"]
    what = []
    if row["before_seq"] > row["seq"]:
        what.append(f"version {version} stands before version {before}: seq {row['before_seq']}")
    if category(row["type"]) != category(row["before_type"]):
        what.append(f"{row['type']} does not belong to a stream with {row['before_type']}")
    return what


def _leaf_before(row: asyncpg.Record) -> bytes | None:
    """Return the stored leaf that an event follows; None if there is none to compute from."""
    before: bytes | None = row["before_leaf"]
    return NO_LEAF if row["version"] == 1 else before


def _leaf(ledger_id: UUID, row: asyncpg.Record, previous: bytes) -> bytes:
    return leaf_hash(
        entry(
            ledger_id,
            row["stream_id"],
            row["version"],
            previous,
            row["type"],
            row["occurred_at"],
            row["recorded_at"],
            row["data"],
        )
    )


def read_event(row: asyncpg.Record) -> LedgerEvent | str:
    """Return an event, or why it cannot be read."""
    try:
        return decode(
            row["type"], row["stream_id"], row["version"], row["occurred_at"], row["data"]
        )
    except UnknownEvent:
        return f"the stored name {row['type']} is unknown"
    except UNREADABLE:
        return f"its data cannot be read as {row['type']}"


async def _explained(
    connection: asyncpg.Connection, ledger_id: UUID, broken: Sequence[asyncpg.Record]
) -> list[Difference]:
    """Tell a row that was changed from one that follows a leaf that was changed."""
    if not broken:
        return []
    seqs = [row["before_seq"] for row in broken]
    befores = await connection.fetch(_BY_SEQ, seqs)
    said = {row["seq"]: _leaf_said(ledger_id, row) for row in befores}
    found = []
    for row in broken:
        before = said.get(row["before_seq"])
        stored, computed = row["leaf"], _leaf(ledger_id, row, _leaf_before(row) or NO_LEAF)
        if before is not None and _leaf(ledger_id, row, before) == stored:
            before_it = row["version"] - 1
            what = f"its leaf follows what version {before_it} says, not the leaf stored there"
        else:
            what = f"leaf {stored.hex()} is stored, {computed.hex()} was computed"
        found.append(_at(row, what))
    return found


def _leaf_said(ledger_id: UUID, row: asyncpg.Record) -> bytes | None:
    previous = _leaf_before(row)
    if previous is None or row["occurred_at"] is None or row["recorded_at"] is None:
        return None
    return _leaf(ledger_id, row, previous)


async def _unanswered(
    connection: asyncpg.Connection, read: Sequence[tuple[asyncpg.Record, LedgerEvent]]
) -> list[Difference]:
    """Hold events against the outcomes of the appends that they came in with."""
    left = [(row, _keys(row, event), "no outcome says that it was recorded") for row, event in read]
    found = []
    while left:
        found += [_at(row, what) for row, keys, what in left if not keys]
        left = [each for each in left if each[1]]
        scopes, names = [keys[0][0] for _, keys, _ in left], [keys[0][1] for _, keys, _ in left]
        answers = await connection.fetch(_OUTCOMES_OF, scopes, names)
        whats = {place: _contradicted(left[place - 1][0], data) for place, data in answers}
        left = [
            (row, keys[1:], whats.get(place) or what)
            for place, (row, keys, what) in enumerate(left, 1)
            if whats.get(place, what) is not None
        ]
    return found


def _contradicted(row: asyncpg.Record, data: bytes) -> str | None:
    """Say what an outcome says instead. It names the last one of the events that came together."""
    try:
        outcome = outcome_of(data)
    except UNREADABLE:
        return None  # Found where the outcomes are read.
    if outcome.seq is None or outcome.version is None or outcome.kind != "recorded":
        return f"its outcome says {outcome.kind}"
    behind = outcome.version - row["version"]
    if behind >= 0 and outcome.seq - row["seq"] == behind and outcome.stream == row["stream_id"]:
        return None
    return f"its outcome says seq {outcome.seq}, version {outcome.version} of {outcome.stream}"


def _keys(row: asyncpg.Record, event: LedgerEvent) -> list[tuple[str, str]]:
    """Return the keys under which an event may have come in, the likeliest first."""
    if category(row["type"]) != "dossier":
        own = f"{row['stream_id']}/{row['version']}"  # By the command line; else over HTTP.
        sent = f"source:{sendable(event.meta.source)}", sendable(event.meta.source_id)
        return [("register", own), sent]
    source, name = sendable(event.meta.source), sendable(event.meta.source_id)
    fact, command = (f"source:{source}", name), (source, name)
    further = (source, name.rpartition(" ")[0])  # The second event of a command.
    if event.meta.source == event.meta.principal:
        return [command, further, fact]
    return [fact, command, further]
