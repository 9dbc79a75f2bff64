"""What a batch of appends reads and writes: the statements, their arguments and their rows."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import asyncpg

from domain.errors import Busy
from domain.evidence.leaves import micros
from domain.ledger.appends import Append
from infra.admission import Judgement, Prepared, Snapshot, outcome_bytes, outcome_of
from infra.new_keys import KeyRow, LookupRow, Standing

SKEW: Final = timedelta(seconds=5)
_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)  # PostgreSQL's.

# With any other isolation the next statement would not see what was committed before the lock.
LOCK_HEAD: Final = "BEGIN ISOLATION LEVEL READ COMMITTED; SELECT FROM ledger.head FOR UPDATE"

READ: Final = """
SELECT head.ledger_id, last.seq, last.recorded_at,
  (SELECT max(seq) FROM ledger.event WHERE type NOT LIKE 'dossier.%'),
  (SELECT array_agg((stream_id, version, leaf))
     FROM ledger.stream WHERE stream_id = ANY($1::uuid[])),
  (SELECT array_agg((a.scope, a.key, a.digest, a.outcome))
     FROM unnest($2::text[], $3::text[]) AS asked (scope, key)
     JOIN ledger.append a USING (scope, key)),
  (SELECT array_agg((c.kind, c.value, c.stream_id))
     FROM unnest($4::text[], $5::text[]) AS asked (kind, value)
     JOIN ledger.claim c USING (kind, value)),
  (SELECT array_agg((asked.scope, last.serial, given.serials))
     FROM unnest($6::text[]) AS asked (scope)
     CROSS JOIN LATERAL (SELECT coalesce(max(serial), 0) AS serial FROM ledger.claim c
                          WHERE c.scope = asked.scope AND c.issued) AS last
     CROSS JOIN LATERAL (SELECT string_agg(serial::text, ' ') AS serials FROM
                          (SELECT serial FROM ledger.claim c WHERE c.scope = asked.scope
                              AND NOT c.issued AND c.serial > last.serial
                            ORDER BY serial LIMIT 1000) AS next) AS given),
  (SELECT array_agg((k.subject, k.stream_id, k.wrapped))
     FROM unnest($7::uuid[], $8::uuid[]) AS asked (subject, stream_id)
     JOIN ledger.subject_key k USING (subject, stream_id)),
  (SELECT array_agg((l.kind, l.hash, l.subject))
     FROM unnest($9::text[], $10::bytea[]) AS asked (kind, hash)
     JOIN ledger.lookup l USING (kind, hash))
FROM ledger.head AS head
LEFT JOIN LATERAL (SELECT seq, recorded_at FROM ledger.event ORDER BY seq DESC LIMIT 1) AS last
  ON true
"""

# Rows travel as arrays of the tables' own row types: asyncpg encodes a tuple faster than columns.
WRITE: Final = """
WITH events AS (
  INSERT INTO ledger.event SELECT * FROM unnest($1::ledger.event[])
), streams AS (
  INSERT INTO ledger.stream SELECT * FROM unnest($2::ledger.stream[])
  ON CONFLICT (stream_id) DO UPDATE SET version = excluded.version, leaf = excluded.leaf
), claims AS (
  INSERT INTO ledger.claim SELECT * FROM unnest($3::ledger.claim[])
), keys AS (
  INSERT INTO ledger.subject_key SELECT * FROM unnest($5::ledger.subject_key[])
), lookups AS (
  INSERT INTO ledger.lookup SELECT * FROM unnest($6::ledger.lookup[])
)
INSERT INTO ledger.append SELECT * FROM unnest($4::ledger.append[])
"""


class ClockBehind(Busy):
    """The ledger's last time lies ahead of this machine's clock: one of the two is wrong."""

    def __init__(self, ahead: timedelta) -> None:
        super().__init__(f"The ledger is {ahead.total_seconds():.1f} s ahead of this clock.")


async def use_micros(connection: asyncpg.Connection) -> None:
    """Let times travel as integers on a connection: cheaper than what the driver does."""
    await connection.set_type_codec(
        "timestamptz",
        schema="pg_catalog",
        encoder=_encoded_time,
        decoder=_decoded_time,
        format="tuple",
    )


def questions(batch: Sequence[Prepared]) -> tuple[Any, ...]:
    """Return what `READ` takes: all that the appends of a batch have to be held against."""
    appends = [prepared.append for prepared in batch]
    sealed = [each.new_keys for each in batch if each.new_keys is not None]
    owners = {owner for new in sealed for owner in new.keys}
    hashes = {(row.kind, row.hash) for new in sealed for row in new.lookups}
    erasures = {stream for new in sealed for stream in new.erasures()}
    keys = [append.key for append in appends if append.key is not None]
    claims = [claim for append in appends for claim in append.claims]
    return (
        list(_streams(appends) | erasures),
        [key.scope for key in keys],
        [key.key for key in keys],
        [claim.kind for claim in claims],
        [claim.value for claim in claims],
        list({append.issue for append in appends if append.issue is not None}),
        [subject for subject, _ in owners],
        [stream for _, stream in owners],
        [kind for kind, _ in hashes],
        [digest for _, digest in hashes],
    )


def _encoded_time(moment: datetime) -> tuple[int]:
    return (micros(moment) - micros(_EPOCH),)


def _decoded_time(value: tuple[int]) -> datetime:
    return _EPOCH + timedelta(microseconds=value[0])


def _streams(appends: Iterable[Append]) -> set[UUID]:
    written = {write.stream for append in appends for write in append.writes}
    return written.union(pin.stream for append in appends for pin in append.unchanged)


def snapshot_of(row: asyncpg.Record, now: datetime) -> Snapshot:
    """Return what `READ` found. Raises ClockBehind."""
    ledger_id, seq, recorded_at, registers, streams, keys, claims, serials, *sealing = row
    subject_keys, lookups = sealing
    last = recorded_at or datetime.fromtimestamp(0, UTC)
    if last - now > SKEW:
        raise ClockBehind(last - now)
    return Snapshot(
        ledger_id=UUID(bytes=ledger_id.bytes),
        seq=seq or 0,
        registers=registers or 0,
        recorded_at=max(now, last),
        streams={stream: (version, leaf) for stream, version, leaf in streams or ()},
        keys={(s, k): (digest, outcome_of(o)) for s, k, digest, o in keys or ()},
        claims={(kind, value): stream for kind, value, stream in claims or ()},
        serials={scope: serial for scope, serial, _ in serials or ()},
        given={scope: set(map(int, (taken or "").split())) for scope, _, taken in serials or ()},
        sealing=Standing.of(
            (KeyRow(*row) for row in subject_keys or ()), (LookupRow(*row) for row in lookups or ())
        ),
    )


def rows(judgement: Judgement) -> tuple[Sequence[tuple[object, ...]], ...]:
    """Return what `WRITE` takes: the new rows of event, stream, claim, append, key and look-up."""
    return (
        judgement.events,
        [(stream, *head) for stream, head in judgement.streams.items()],
        [
            (
                *(row.kind, row.value, row.stream_id),
                *((s.scope, s.number) if s else (None, None)),
                row.issued,
            )
            for row in judgement.claims
            for s in (row.serial,)
        ],
        [(key.scope, key.key, key.digest, outcome_bytes(o)) for key, o in judgement.keys],
        judgement.subject_keys,
        judgement.lookups,
    )
