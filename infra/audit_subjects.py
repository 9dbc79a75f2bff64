"""Persons: who an event names has a key, or was erased; a key is of somebody its dossier names."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import asyncpg

from domain.envelope import LedgerEvent
from domain.personal import Personal
from infra.codec import personal_places

LOOKED_UP: Final = {"id_number": "an identity number", "phone": "a phone"}
"""The kinds of look-ups, by the fields that they find a person by."""

KEYS: Final = """
SELECT k.subject, k.stream_id, EXISTS (
  SELECT FROM ledger.event AS e WHERE e.stream_id = k.stream_id
    AND position(convert_to(k.subject::text, 'UTF8') IN e.data) > 0
) AS is_named
FROM ledger.subject_key AS k WHERE k.ctid >= $1 AND k.ctid < $2
"""
LOOKUPS: Final = """
SELECT l.kind, l.subject, EXISTS (
  SELECT FROM ledger.subject_key AS k WHERE k.subject = l.subject
) AS has_key
FROM ledger.lookup AS l WHERE l.ctid >= $1 AND l.ctid < $2
"""
_WITH_KEY: Final = """
SELECT k.subject, k.stream_id FROM unnest($1::uuid[], $2::uuid[]) AS asked (subject, stream_id)
JOIN ledger.subject_key AS k USING (subject, stream_id)
"""
_FOUND: Final = "SELECT DISTINCT kind, subject FROM ledger.lookup WHERE subject = ANY($1::uuid[])"
_ERASED: Final = """
SELECT said.subject FROM (
  SELECT (convert_from(data, 'UTF8')::jsonb ->> 'subject')::uuid AS subject
  FROM ledger.event WHERE type = 'subject.erased.v1'
) AS said WHERE said.subject = ANY($1::uuid[])
"""

Read = Sequence[tuple[asyncpg.Record, LedgerEvent]]


async def keyless(connection: asyncpg.Connection, read: Read) -> list[tuple[asyncpg.Record, str]]:
    """Return the events that name somebody who has no key or no look-up, and was not erased."""
    named = [(row, kind, subject) for row, event in read for kind, subject in _named(event)]
    if not named:
        return []
    owners = {(subject, _plain(row["stream_id"])) for row, _, subject in named}
    subjects = list({subject for subject, _ in owners})
    with_key = await connection.fetch(_WITH_KEY, *map(list, zip(*owners, strict=True)))
    keys = {(_plain(subject), _plain(stream)) for subject, stream in with_key}
    found = {(kind, _plain(who)) for kind, who in await connection.fetch(_FOUND, subjects)}
    erased = {_plain(row[0]) for row in await connection.fetch(_ERASED, subjects)}
    amiss: dict[tuple[int, str], tuple[asyncpg.Record, str]] = {}
    for row, kind, subject in named:
        if subject in erased:
            continue
        if (subject, _plain(row["stream_id"])) not in keys:
            what = f"the key of the subject {subject} that it names is gone, without an erasure"
        elif kind in LOOKED_UP and (kind, subject) not in found:
            what = f"no look-up finds the subject {subject} by {LOOKED_UP[kind]}"
        else:
            continue
        amiss.setdefault((row["seq"], what), (row, what))
    return list(amiss.values())


def of_nobody(row: asyncpg.Record) -> str | None:
    """Return what is wrong with a key whose subject no event of its dossier names."""
    if row["is_named"]:
        return None
    return f"a key is of the subject {row['subject']}, whom it names not"


def finds_nobody(row: asyncpg.Record) -> str | None:
    """Return what is wrong with a look-up whose subject has no key in any dossier."""
    if row["has_key"]:
        return None
    return f"a look-up by {row['kind']} finds the subject {row['subject']}, who has no key"


def _named(event: LedgerEvent) -> set[tuple[str, UUID]]:
    """Return whom an event names, each with the field that says so."""
    named: set[tuple[str, UUID]] = set()
    for name, inner in personal_places(event):
        holder = getattr(event, name)
        value = holder if inner is None or holder is None else getattr(holder, inner)
        if isinstance(value, Personal) and value.subject is not None:
            named.add((inner or name, value.subject))
    return named


def _plain(subject: UUID) -> UUID:
    return UUID(bytes=subject.bytes)
