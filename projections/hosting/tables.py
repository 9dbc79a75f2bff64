"""The tables of views: their versions, the public names that show them, and their checkpoints.

A checkpoint says up to which position of which ledger a table shows a share of the streams. There
is one share, of all streams.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from asyncpg import LockNotAvailableError

from domain.ledger.locks import Lock
from projections.hosting.log import Head
from projections.table import Session, Table

ALL: Final = 0
"""The share that holds every stream."""

LOCK_TABLES: Final = f"SELECT pg_advisory_xact_lock({Lock.CHANGE_A_READ_MODEL.value})"
"""Held by whoever makes, switches or drops the table of a view."""

_MADE: Final = """
CREATE TABLE IF NOT EXISTS views.checkpoint (
    table_name text NOT NULL, share int NOT NULL DEFAULT 0, name text NOT NULL,
    ledger_id uuid NOT NULL, seq bigint NOT NULL, leaf bytea NOT NULL,
    shown boolean NOT NULL DEFAULT false, halted text,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (table_name, share)
)
"""
_KNOWS_SHARES: Final = """
SELECT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'views.checkpoint'::regclass
               AND attname = 'share' AND NOT attisdropped)
"""
# Of the release before there were shares. What its public names show is shown.
_ADOPTED: Final = """
ALTER TABLE views.checkpoint ADD COLUMN share int NOT NULL DEFAULT 0,
    ADD COLUMN shown boolean NOT NULL DEFAULT false, ADD COLUMN halted text,
    DROP CONSTRAINT checkpoint_pkey, ADD PRIMARY KEY (table_name, share);
UPDATE views.checkpoint SET shown = true WHERE (name, table_name) IN (
    SELECT view_name, table_name FROM information_schema.view_table_usage
    WHERE view_schema = 'views'
)
"""

_STANDS: Final = """
SELECT table_name, ledger_id, seq, leaf FROM views.checkpoint
WHERE table_name = ANY($1::text[]) AND share = $2 ORDER BY table_name
"""


class ProjectionHalted(Exception):
    """The views cannot go on, and nobody may silently: somebody has to look."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Up to which position of which ledger tables show it."""

    ledger_id: UUID
    seq: int
    leaf: bytes


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a view is, as the database says; `halted` says why it does not go on."""

    name: str
    table: str
    position: int
    updated_at: datetime
    halted: str | None


async def prepare(connection: Session) -> None:
    """Make the table of checkpoints, or bring that of a former release up. Under the lock."""
    await connection.execute(_MADE)
    if not await connection.fetchval(_KNOWS_SHARES):
        await connection.execute(_ADOPTED)


async def make(
    connection: Session, table: Table[Any], name: str, ledger_id: UUID, at: Head
) -> None:
    """Make an empty table without indexes, that shows a ledger up to a position."""
    await connection.execute(table.ddl(name))
    await connection.execute(
        "INSERT INTO views.checkpoint (table_name, share, name, ledger_id, seq, leaf)"
        " VALUES ($1, $2, $3, $4, $5, $6)",
        name,
        ALL,
        table.name,
        ledger_id,
        *at,
    )


async def missing(connection: Session, tables: Iterable[str]) -> set[str]:
    """Return which tables are not there, or have no checkpoint."""
    asked = list(tables)
    there = await connection.fetch(
        "SELECT table_name FROM views.checkpoint WHERE table_name = ANY($1::text[])"
        " AND to_regclass('views.' || table_name) IS NOT NULL",
        asked,
    )
    return set(asked) - {row[0] for row in there}


async def shown(connection: Session, name: str) -> str | None:
    """Return the table that a public name shows; None if there is no such name yet."""
    table: str | None = await connection.fetchval(
        "SELECT table_name FROM information_schema.view_table_usage"
        " WHERE view_schema = 'views' AND view_name = $1",
        name,
    )
    return table


async def show(connection: Session, name: str, table: str) -> None:
    """Let a public name show a table, whose columns may be others than before. Readers wait."""
    await connection.execute(
        f"DROP VIEW IF EXISTS views.{name};"  # noqa: S608  # our own names
        f" CREATE VIEW views.{name} AS SELECT * FROM views.{table}"
    )
    await connection.execute(
        "UPDATE views.checkpoint SET shown = (table_name = $2) WHERE name = $1", name, table
    )


async def keep_readers_out(connection: Session, names: Iterable[str]) -> None:
    """Lock what public names show, until the transaction ends.

    A reader locks several tables, in an order that is its own: we give up and ask again before
    anybody could be told of a deadlock.
    """
    there = await connection.fetch(
        "SELECT name FROM unnest($1::text[]) AS asked (name)"
        " WHERE to_regclass('views.' || name) IS NOT NULL ORDER BY 1",
        list(names),
    )
    named = ", ".join(f"views.{row[0]}" for row in there)
    locked = not named
    while not locked:
        with suppress(LockNotAvailableError):
            async with connection.transaction():
                await connection.execute(
                    f"SET LOCAL lock_timeout = '200ms'; LOCK TABLE {named};"
                    " SET LOCAL lock_timeout = 0"
                )
            locked = True


async def drop(connection: Session, table: str) -> None:
    # The checkpoint first: whoever moves a table locks it before it touches the rows.
    await connection.execute("DELETE FROM views.checkpoint WHERE table_name = $1", table)
    await connection.execute(f"DROP TABLE IF EXISTS views.{table}")


async def all_of(connection: Session, names: Iterable[str]) -> list[str]:
    """Return every table that stands under some names: of any version, shown or not."""
    rows = await connection.fetch(
        "SELECT DISTINCT table_name FROM views.checkpoint WHERE name = ANY($1::text[])",
        list(names),
    )
    return [row[0] for row in rows]


async def switch(connection: Session, name: str, table: str, built: str) -> None:
    """Let a table that was built beside take the place of all that stand under a name."""
    await show(connection, name, built)
    await connection.execute(f"DROP TABLE IF EXISTS views.{table}")
    await connection.execute(f"ALTER TABLE views.{built} RENAME TO {table}")
    # The row stays the same one: whoever waits for its lock finds it, and goes on.
    await connection.execute(
        "INSERT INTO views.checkpoint (table_name, share, name, ledger_id, seq, leaf)"
        " SELECT $1, share, name, ledger_id, seq, leaf FROM views.checkpoint WHERE table_name = $2"
        " ON CONFLICT (table_name, share) DO UPDATE SET ledger_id = excluded.ledger_id,"
        " seq = excluded.seq, leaf = excluded.leaf, halted = NULL, updated_at = now()",
        table,
        built,
    )
    await connection.execute(
        "UPDATE views.checkpoint SET shown = (table_name = $2) WHERE name = $1", name, table
    )
    for other in await all_of(connection, [name]):
        if other != table:
            await drop(connection, other)


async def hold(connection: Session, names: Iterable[str]) -> None:
    """Keep everybody else from moving any table that stands under some names."""
    await connection.fetch(
        "SELECT FROM views.checkpoint WHERE name = ANY($1::text[]) ORDER BY table_name FOR UPDATE",
        list(names),
    )


async def checkpoint(
    connection: Session, tables: Sequence[str], *, locked: bool = True
) -> Checkpoint:
    """Return where some tables stand, and hold them there. Raises ProjectionHalted.

    They stand together: what is shown of a dossier follows from its fold at the same position.
    """
    query = f"{_STANDS} FOR UPDATE" if locked else _STANDS
    rows = await connection.fetch(query, tables, ALL)
    gone = set(tables) - {row["table_name"] for row in rows}
    if gone:
        raise ProjectionHalted(f"The checkpoint of {min(gone)} is gone.")
    stand = {(row["ledger_id"], row["seq"], row["leaf"]) for row in rows}
    if len(stand) > 1:
        where = ", ".join(f"{row['table_name']} at {row['seq']}" for row in rows)
        raise ProjectionHalted(f"The views do not stand together ({where}). Run: hoso rebuild")
    ledger_id, seq, leaf = stand.pop()
    return Checkpoint(UUID(bytes=ledger_id.bytes), seq, leaf)


async def move(connection: Session, tables: Sequence[str], to: Head) -> None:
    """Say that tables show a later position. In the transaction that wrote their rows."""
    await connection.execute(
        "UPDATE views.checkpoint SET seq = $3, leaf = $4, halted = NULL, updated_at = now()"
        " WHERE table_name = ANY($1::text[]) AND share = $2",
        tables,
        ALL,
        *to,
    )


async def halt(connection: Session, tables: Sequence[str], why: str | None) -> None:
    """Say to every process why tables do not go on; None: they do."""
    await connection.execute(
        "UPDATE views.checkpoint SET halted = $3 WHERE table_name = ANY($1::text[])"
        " AND share = $2 AND halted IS DISTINCT FROM $3",
        tables,
        ALL,
        why,
    )
