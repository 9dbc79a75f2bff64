"""What stands beside the events, claims and outcomes, against the events that it speaks of."""

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

import asyncpg

from domain.ledger.appends import DOSSIER_CODE, Outcome
from domain.rules.codes import Serial, canonical, parse, render
from infra.admission import outcome_of
from infra.audit_claims import codes_of, holders, sendable
from infra.audit_events import (
    IN_CALENDAR,
    UNREADABLE,
    Difference,
    read_event,
)
from infra.audit_subjects import finds_nobody, of_nobody

_OCCURRED: Final = f"CASE WHEN occurred_at {IN_CALENDAR} THEN occurred_at END AS occurred_at"
CLAIMS: Final = f"""
SELECT c.kind, c.value, c.stream_id, c.scope, c.serial, e.version, e.type, e.data, {_OCCURRED}
FROM ledger.claim AS c LEFT JOIN ledger.event AS e ON e.stream_id = c.stream_id AND e.version = 1
WHERE c.ctid >= $1 AND c.ctid < $2
"""  # noqa: S608  # our own words
OUTCOMES: Final = "SELECT scope, key, outcome FROM ledger.append WHERE ctid >= $1 AND ctid < $2"
_OF_STREAMS: Final = f"""
SELECT stream_id, version, type, data, {_OCCURRED}
FROM ledger.event WHERE stream_id = ANY($1::uuid[])
"""  # noqa: S608  # our own words
_HIGHEST: Final = 1 << 31  # No version reaches it, whatever an outcome may say.
_NOWHERE: Final = """
SELECT asked.place
FROM unnest($1::uuid[], $2::bigint[]) WITH ORDINALITY AS asked (stream_id, version, place)
WHERE NOT EXISTS (
  SELECT FROM ledger.event AS e
  WHERE e.stream_id = asked.stream_id AND e.version = asked.version
)
"""


async def check_claims(
    connection: asyncpg.Connection, _ledger_id: UUID, rows: Sequence[asyncpg.Record]
) -> list[Difference]:
    """Look for an event that says what is claimed: mostly the first one, else any."""
    found = [
        Difference(None, _plain(row["stream_id"]), what) for row in rows for what in _misread(row)
    ]
    left = [row for row in rows if not _says(row, row)]
    if not left:
        return found
    said: dict[UUID, set[str]] = {}
    for event in await connection.fetch(_OF_STREAMS, [row["stream_id"] for row in left]):
        said.setdefault(event["stream_id"], set()).update(_said(event))
    return found + [
        Difference(
            None,
            _plain(row["stream_id"]),
            f"no event of the stream says the {row['kind']} {row['value']} that it claims",
        )
        for row in left
        if row["kind"] != DOSSIER_CODE or row["value"] not in said.get(row["stream_id"], ())
    ]


def _misread(claim: asyncpg.Record) -> list[str]:
    """Check the place in a numbering: the one that the code says, or the one it was issued from."""
    scope, number = claim["scope"], claim["serial"]
    if scope is None and number is None:
        agrees = parse(claim["value"]) is None
    else:
        stored = Serial(scope or "", number or 0)
        agrees = stored == parse(claim["value"]) or render(stored) == claim["value"]
    if agrees:
        return []
    return [f"the claim of {claim['value']} is counted as {scope}, {number}"]


def _says(claim: asyncpg.Record, event: asyncpg.Record) -> bool:
    known = claim["kind"] == DOSSIER_CODE and event["version"] is not None
    return known and claim["value"] in _said(event)


def _said(row: asyncpg.Record) -> set[str]:
    event = read_event(row) if row["occurred_at"] is not None else ""
    return set() if isinstance(event, str) else codes_of(event)


def _plain(stream: UUID) -> UUID:
    return UUID(bytes=stream.bytes)


async def check_keys(
    _connection: asyncpg.Connection, _ledger_id: UUID, rows: Sequence[asyncpg.Record]
) -> list[Difference]:
    """Hold the keys of persons against the events of their dossiers."""
    found = ((row, of_nobody(row)) for row in rows)
    return [
        Difference(None, _plain(row["stream_id"]), what) for row, what in found if what is not None
    ]


async def check_lookups(
    _connection: asyncpg.Connection, _ledger_id: UUID, rows: Sequence[asyncpg.Record]
) -> list[Difference]:
    """Hold the look-ups of persons against their keys."""
    found = map(finds_nobody, rows)
    return [Difference(None, None, what) for what in found if what is not None]


async def check_outcomes(
    connection: asyncpg.Connection, _ledger_id: UUID, rows: Sequence[asyncpg.Record]
) -> list[Difference]:
    """Look for the event that an outcome names; whether it agrees is seen from the event."""
    found: list[Difference] = []
    read: list[tuple[str, Outcome]] = []
    for row in rows:
        name = f"the outcome of {row['scope']} {row['key']}"
        try:
            read.append((name, outcome_of(row["outcome"])))
        except UNREADABLE:
            found.append(Difference(None, None, f"{name} cannot be read"))
    told = [(name, outcome) for name, outcome in read if outcome.kind == "recorded"]
    streams = [outcome.stream for _, outcome in told]
    versions = [max(0, min(outcome.version or 0, _HIGHEST)) for _, outcome in told]
    for (place,) in await connection.fetch(_NOWHERE, streams, versions):
        name, outcome = told[place - 1]
        missing = f"{name} says version {outcome.version} of the stream, which does not have it"
        found.append(Difference(outcome.seq, outcome.stream, missing))
    codes = {sendable(canonical(outcome.code)) for _, outcome in read if outcome.code is not None}
    known = await holders(connection, codes)
    for name, outcome in read:
        what = _incoherent(outcome, known)
        if what is not None:
            found.append(Difference(outcome.seq, outcome.stream, f"{name} {what}"))
    return found


def _incoherent(outcome: Outcome, known: Mapping[str, UUID]) -> str | None:
    if outcome.kind != "recorded" and outcome.seq is not None:
        return f"says that nothing was recorded, but at seq {outcome.seq}"
    if outcome.kind == "recorded" and outcome.position != outcome.seq:
        return f"says seq {outcome.seq}, but position {outcome.position}"
    if outcome.code is not None and known.get(sendable(canonical(outcome.code))) != outcome.stream:
        return f"says the dossier code {outcome.code}, which its stream does not claim"
    return None
