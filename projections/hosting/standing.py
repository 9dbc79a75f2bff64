"""How far the views are, for any process: read from their checkpoints, without a lock."""

import asyncio
import logging
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Final

from asyncpg import Pool

from projections.hosting.tables import Progress
from projections.tasks import end

_log = logging.getLogger(__name__)

_LOOK_AGAIN: Final = 0.01  # Seconds; only while somebody waits.

_PROGRESS: Final = """
SELECT name, table_name, min(seq) AS seq, min(updated_at) AS updated_at, max(halted) AS halted
FROM views.checkpoint WHERE table_name = ANY($1::text[]) GROUP BY 1, 2 ORDER BY 1
"""
_POSITION: Final = """
SELECT CASE WHEN count(*) = cardinality($1::text[]) THEN min(seq) ELSE 0 END
FROM views.checkpoint WHERE table_name = ANY($1::text[])
"""


class Standing:
    """The positions of the tables of this program's views."""

    def __init__(self, pool: Pool, tables: Collection[str]) -> None:
        self._pool = pool
        self._tables = list(tables)
        self._hurry: Callable[[], None] = lambda: None
        self._known = 0
        self._waiting = 0
        self._looking: asyncio.Task[None] | None = None
        self._moved = asyncio.Condition()
        self._look = asyncio.Event()

    def tell(self, hurry: Callable[[], None]) -> None:
        """Say to a host in this process that somebody waits."""
        self._hurry = hurry

    async def close(self) -> None:
        await end(self._looking)

    async def position(self) -> int:
        """Return the position that every view shows; 0 as long as one is being built."""
        position: int = await self._pool.fetchval(_POSITION, self._tables)
        return position

    async def progress(self) -> list[Progress]:
        """Return how far each view is, as the database says."""
        rows = await self._pool.fetch(_PROGRESS, self._tables)
        return [Progress(*row) for row in rows]

    async def halted(self) -> list[str]:
        """Return why views do not go on, wherever they are moved."""
        return sorted({each.halted for each in await self.progress() if each.halted is not None})

    def moved(self) -> None:
        """Look now: a host in this process has moved the views."""
        self._look.set()

    async def reached(self, position: int, seconds: float) -> bool:
        """Wait until every view shows a position; False if it takes longer."""
        if self._known >= position or await self._looked() >= position:
            return True
        self._hurry()
        self._waiting += 1
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._keep_looking(), name="views awaited")
        try:
            async with asyncio.timeout(seconds), self._moved:
                await self._moved.wait_for(lambda: self._known >= position)
        except TimeoutError:
            return False
        finally:
            self._waiting -= 1
        return True

    async def _looked(self) -> int:
        self._known = await self.position()
        async with self._moved:
            self._moved.notify_all()
        return self._known

    async def _keep_looking(self) -> None:
        """Read the checkpoints for all who wait, as long as anybody does."""
        while self._waiting:
            self._look.clear()
            try:
                await self._looked()
            except Exception as error:  # noqa: BLE001  # the edge: the database may be away.
                _log.warning("nobody knows how far the views are: %s", error)
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_AGAIN):
                    await self._look.wait()
