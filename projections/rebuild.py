"""Builds a read model again beside the one in use, compares the two, and switches."""

from collections.abc import Callable
from dataclasses import dataclass

from asyncpg import Pool

from projections.runner import Log, Projector, ReadModel, Session, make, table_of

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
        await connection.execute("SELECT pg_advisory_xact_lock(7166832)")
        await _drop(connection, shadow)
        await make(connection, model, shadow, log.ledger_id)
    builder = Projector(pool, log, model, shadow)
    done = 0
    while count := await builder.step(_REBUILD_BATCH):
        done += count
        progress(done)
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock(7166832)")
        position = await _level(connection, builder, Projector(pool, log, model, table))
        different = await _different(connection, table, shadow)
        rows = await connection.fetchval(f"SELECT count(*) FROM views.{shadow}")  # noqa: S608  # our own name
        if switch:
            await _switch(connection, model.NAME, table, shadow)
        else:
            await _drop(connection, shadow)
    return Rebuilt(view=model.NAME, rows=rows, rows_different=different, events=position)


async def _level(connection: Session, builder: Projector, current: Projector) -> int:
    """Bring both tables to one position; the locked checkpoints hold every other worker off."""
    query = "SELECT seq FROM views.checkpoint WHERE table_name = $1 FOR UPDATE"
    target: int = await connection.fetchval(query, current.table)
    reached: int = await connection.fetchval(query, builder.table)
    while reached < target:
        reached += await builder.step_in(connection, min(target - reached, _REBUILD_BATCH))
    while target < reached:
        target += await current.step_in(connection, min(reached - target, _REBUILD_BATCH))
    return target


async def _different(connection: Session, table: str, shadow: str) -> int:
    count = await connection.fetchval(
        f"SELECT count(*) FROM views.{table} AS a FULL JOIN views.{shadow} AS b"  # noqa: S608  # our own names
        " USING (dossier_id) WHERE a IS DISTINCT FROM b"
    )
    return int(count)


async def _switch(connection: Session, name: str, table: str, shadow: str) -> None:
    await connection.execute(f"CREATE OR REPLACE VIEW views.{name} AS SELECT * FROM views.{shadow}")  # noqa: S608  # our own names
    await connection.execute(f"DROP TABLE views.{table}")
    await connection.execute(f"ALTER TABLE views.{shadow} RENAME TO {table}")
    await connection.execute("DELETE FROM views.checkpoint WHERE table_name = $1", table)
    await connection.execute(
        "UPDATE views.checkpoint SET table_name = $1 WHERE table_name = $2", table, shadow
    )


async def _drop(connection: Session, table: str) -> None:
    await connection.execute(f"DROP TABLE IF EXISTS views.{table}")
    await connection.execute("DELETE FROM views.checkpoint WHERE table_name = $1", table)


def models_by_name(models: tuple[ReadModel, ...]) -> dict[str, ReadModel]:
    return {model.NAME: model for model in models}
