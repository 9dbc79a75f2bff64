"""Builds a read model again beside the one in use, compares the two, and switches."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from asyncpg import Pool

from projections.runner import (
    LOCK_READ_MODELS,
    Log,
    ProjectionHalted,
    Projector,
    ReadModel,
    Session,
    drop,
    make,
    show,
    shown,
    table_of,
)

_REBUILD_BATCH = 10_000


@dataclass(frozen=True, slots=True)
class Rebuilt:
    view: str
    rows: int
    rows_different: int
    events: int


async def rebuild(
    pool: Pool,
    log: Log,
    model: ReadModel,
    *,
    switch: bool,
    progress: Callable[[int], None] = lambda _done: None,
) -> Rebuilt:
    """Build a shadow from the first event on, compare, and take its place in one transaction.

    Readers see the old rows until then. Without `switch` the shadow is dropped again.
    """
    table, shadow = table_of(model), f"{table_of(model)}_shadow"
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(LOCK_READ_MODELS)
        await drop(connection, shadow)
        await make(connection, model, shadow, log.ledger_id)
    builder = Projector(pool, log, model, shadow)
    done = 0
    while count := await builder.step(_REBUILD_BATCH):
        done += count
        progress(done)
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(LOCK_READ_MODELS)
        position = await _level(connection, builder, Projector(pool, log, model, table))
        different = await _different(connection, table, shadow)
        rows = await connection.fetchval(f"SELECT count(*) FROM views.{shadow}")  # noqa: S608  # our own name
        if switch:
            await _switch(connection, model.NAME, table, shadow)
        else:
            await drop(connection, shadow)
    return Rebuilt(view=model.NAME, rows=rows, rows_different=different, events=position)


async def _level(connection: Session, builder: Projector, current: Projector) -> int:
    """Bring both tables to one position; the locked checkpoints hold every other worker off.

    A table that halted stays where it is: to replace it is what a rebuild may be for.
    """
    query = "SELECT seq FROM views.checkpoint WHERE table_name = $1 FOR UPDATE"
    target: int = await connection.fetchval(query, current.table) or 0
    reached: int = await connection.fetchval(query, builder.table) or 0
    while reached < target:
        count = await builder.step_in(connection, min(target - reached, _REBUILD_BATCH))
        if count == 0:
            return reached  # The ledger ends before it.
        reached += count
    with suppress(ProjectionHalted):
        while target < reached:
            target += await current.step_in(connection, min(reached - target, _REBUILD_BATCH))
    return reached


async def _different(connection: Session, table: str, shadow: str) -> int:
    count = await connection.fetchval(
        f"SELECT count(*) FROM views.{table} AS a FULL JOIN views.{shadow} AS b"  # noqa: S608  # our own names
        " USING (dossier_id) WHERE a IS DISTINCT FROM b"
    )
    return int(count)


async def _switch(connection: Session, name: str, table: str, shadow: str) -> None:
    other = await shown(connection, name)
    await show(connection, name, shadow)
    if other is not None and other != table:
        await drop(connection, other)  # Another version's, of which this one takes the place.
    await connection.execute(f"DROP TABLE views.{table}")
    await connection.execute(f"ALTER TABLE views.{shadow} RENAME TO {table}")
    # The row stays the same one: a worker that waits for its lock finds it, and goes on.
    await connection.execute(
        "INSERT INTO views.checkpoint (table_name, name, ledger_id, seq, leaf)"
        " SELECT $1, name, ledger_id, seq, leaf FROM views.checkpoint WHERE table_name = $2"
        " ON CONFLICT (table_name) DO UPDATE SET ledger_id = excluded.ledger_id,"
        " seq = excluded.seq, leaf = excluded.leaf, updated_at = now()",
        table,
        shadow,
    )
    await connection.execute("DELETE FROM views.checkpoint WHERE table_name = $1", shadow)
