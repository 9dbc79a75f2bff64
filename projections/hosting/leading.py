"""Who moves the views: one process, as long as the connection lives that holds the lock.

That is a matter of economy. That each event counts once rests on the checkpoint, which is compared
before it moves.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

from asyncpg import Connection

from domain.ledger.locks import Lock

Connect = Callable[[], Awaitable[Connection]]
Until = Callable[[Connection], Awaitable[bool]]

_PATIENCE: Final = 5.0  # Seconds in which a healthy database answers.
_ASK_AGAIN: Final = 0.25

_LEAD: Final = f"""
SELECT CASE WHEN pg_try_advisory_xact_lock({Lock.LEAD_THE_VIEWS_FIRST.value})
            THEN pg_try_advisory_lock({Lock.LEAD_THE_VIEWS.value}) ELSE false END
"""
_LEAD_FIRST: Final = f"SELECT pg_try_advisory_lock({Lock.LEAD_THE_VIEWS.value})"
_ANNOUNCE: Final = f"SELECT pg_advisory_lock_shared({Lock.LEAD_THE_VIEWS_FIRST.value})"
_NOBODY_FIRST: Final = f"SELECT pg_try_advisory_xact_lock({Lock.LEAD_THE_VIEWS_FIRST.value})"


async def _never(_: Connection) -> bool:
    return False


class Leadership:
    """The lock of whoever moves the views. `first`: whoever is not gives way to us."""

    def __init__(self, connect: Connect, *, first: bool = False) -> None:
        self._connect = connect
        self._first = first

    @asynccontextmanager
    async def won(
        self, unless: Until = _never, ask_again: float = _ASK_AGAIN
    ) -> AsyncIterator[Connection | None]:
        """Wait for the lock; give the connection that holds it, on which all moves belong.

        None: what was asked `unless` came true before.
        """
        async with self._connected() as connection:
            # Asked again: a query that waited would hold back every vacuum.
            while not await self._wins(connection):
                if await unless(connection):
                    yield None
                    return
                await asyncio.sleep(ask_again)
            yield connection

    async def gives_way(self, connection: Connection) -> bool:
        """Say whether somebody came who does nothing else."""
        return not self._first and not await _asked(connection, _NOBODY_FIRST)

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[Connection]:
        connection = await self._connect()
        try:
            if self._first:
                await connection.execute(_ANNOUNCE)
            yield connection
        finally:
            connection.terminate()

    async def _wins(self, connection: Connection) -> bool:
        return await _asked(connection, _LEAD_FIRST if self._first else _LEAD)


async def _asked(connection: Connection, question: str) -> bool:
    return bool(await connection.fetchval(question, timeout=_PATIENCE))
