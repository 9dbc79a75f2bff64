"""What only shows in the tables as a whole: the order of seq, and the head of each stream."""

from typing import Final
from uuid import UUID

import asyncpg

from infra.audit_events import Difference

_HEADS: Final = """
SELECT coalesce(e.stream_id, h.stream_id) AS stream_id, e.held, e.versions, e.last,
  h.version, h.category, h.leaf, l.seq, l.leaf AS last_leaf, split_part(l.type, '.', 1) AS said
FROM (
  SELECT stream_id, max(version) AS last, count(*) AS held, count(DISTINCT version) AS versions
  FROM ledger.event GROUP BY stream_id
) AS e
FULL JOIN ledger.stream AS h ON h.stream_id = e.stream_id
LEFT JOIN ledger.event AS l ON l.stream_id = e.stream_id AND l.version = e.last
WHERE (h.version, h.category, h.leaf) IS DISTINCT FROM (e.last, split_part(l.type, '.', 1), l.leaf)
  OR e.held <> e.versions
"""
_ORDER: Final = """
SELECT seq, before, recorded_at < recorded_before AS earlier FROM (
  SELECT seq, recorded_at, greatest(lag(seq) OVER by_seq, 0) AS before,
    lag(recorded_at) OVER by_seq AS recorded_before
  FROM ledger.event WINDOW by_seq AS (ORDER BY seq)
) AS pairs
WHERE CASE WHEN seq < 1 THEN true ELSE before <> seq - 1 END OR recorded_at < recorded_before
"""


async def check_whole(holder: asyncpg.Connection) -> list[Difference]:
    """Check what only shows in a table as a whole. Only what differs leaves the server."""
    found = [
        Difference(seq, None, what)
        for row in await holder.fetch(_ORDER)
        for seq, what in _out_of_order(row["seq"], row["before"], earlier=row["earlier"])
    ]
    for row in await holder.fetch(_HEADS):
        stream = UUID(bytes=row["stream_id"].bytes)
        found += [Difference(row["seq"], stream, what) for what in _other_head(row)]
    return found


def _out_of_order(seq: int, before: int, *, earlier: bool | None) -> list[tuple[int, str]]:
    found = []
    if seq < 1:
        found.append((seq, "seq is below 1"))
    elif seq == before:
        found.append((seq, "seq is there twice"))
    elif seq > before + 1:
        last = f" up to seq {seq - 1}" if seq > before + 2 else ""
        found.append((before + 1, f"no event has this seq{last}"))
    if earlier:
        found.append((seq, f"recorded_at is before that of seq {before}"))
    return found


def _other_head(row: asyncpg.Record) -> list[str]:
    if row["version"] is None:
        return ["the stream has events, but no row in ledger.stream"]
    if row["held"] is None:
        return [f"ledger.stream has version {row['version']} of a stream without events"]
    found = []
    if row["held"] != row["versions"]:
        found.append("a version of the stream is there twice")
    if row["category"] != row["said"]:
        found.append(f"ledger.stream has category {row['category']}, the events {row['said']}")
    if row["version"] != row["last"]:
        found.append(f"ledger.stream has version {row['version']}, the events {row['last']}")
    elif row["leaf"] != row["last_leaf"]:
        stored, last = row["leaf"].hex(), row["last_leaf"].hex()
        found.append(f"ledger.stream has leaf {stored}, the last event {last}")
    return found
