"""Connections to PostgreSQL under the service role, and what its errors mean for us."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

import asyncpg

SERVICE_ROLE: Final = "hoso_service"
LOST: Final = (
    OSError,
    TimeoutError,
    ssl.SSLError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # A farewell of the server was read, the end of the line not yet.
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.exceptions.CannotConnectNowError,
    asyncpg.exceptions.IdleInTransactionSessionTimeoutError,
    asyncpg.TooManyConnectionsError,
    asyncpg.LockNotAvailableError,  # Somebody has held the head for longer than lock_timeout.
    asyncpg.ReadOnlySQLTransactionError,  # A primary that was made a standby.
)
"""Errors after which the connection is no more, never was, or leads nowhere: connect again."""

BY_KEY: Final = {
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "enable_seqscan": "off",
    "plan_cache_mode": "force_generic_plan",
}
"""Settings of a connection that looks up a few rows by their keys, whatever the tables hold.

Of new tables the server knows no sizes, and plans to read all of them. And it holds a plan for
arrays of any size to be dearer than one for those that it is given: it plans each time anew.
"""

POISON: Final = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.ProgramLimitExceededError,
)
"""SQLSTATE 22, 23 and 54 (too long for an index): something that was sent cannot be stored."""

FULL: Final = (asyncpg.InsufficientResourcesError,)
"""SQLSTATE 53: disk full, out of memory."""

_LOOK_AGAIN: Final = 1.0  # Seconds after which a lost connection is opened again.
_APPLICATIONS: Final = """
SELECT DISTINCT application_name AS name FROM pg_stat_activity
WHERE starts_with(application_name, $1) AND datname = current_database()
"""

Connect = Callable[[], Awaitable[asyncpg.Connection]]


class UnsafeDatabase(Exception):
    """The server does not keep what it says it committed."""


class NotMigrated(Exception):
    """The schema is missing or older than this program."""


class Database:
    """One PostgreSQL database. `restart` brings back a server that is our own, if it is gone."""

    def __init__(
        self,
        url: str,
        application: str,
        restart: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self.url = url
        self._application = application
        self._restart = restart

    async def connect(self, **settings: str) -> asyncpg.Connection:
        """Open a connection of its own under the service role."""
        try:
            return await self._connect(settings)
        except LOST:
            if self._restart is None:
                raise
            await self._restart()
            return await self._connect(settings)

    async def _connect(self, settings: dict[str, str]) -> asyncpg.Connection:
        try:
            return await asyncpg.connect(
                self.url, timeout=10, server_settings={**self._session(), **settings}
            )
        except asyncpg.InvalidParameterValueError as error:
            raise NotMigrated("The server knows no ledger yet: run hoso migrate.") from error
        except asyncpg.InsufficientPrivilegeError as error:
            raise NotMigrated(f"This login is no member of {SERVICE_ROLE}: grant it.") from error

    async def pool(self, size: int) -> asyncpg.Pool:
        """Return a pool for queries. It opens its connections when they are first needed."""
        return await asyncpg.create_pool(
            self.url,
            min_size=0,
            max_size=size,
            timeout=10,
            command_timeout=60,
            server_settings=self._session(),
            connect=self._pooled,
        )

    async def applications(self, prefix: str) -> list[str]:
        """Return the names of the connected applications that begin so."""
        connection = await self.connect()
        try:
            rows = await connection.fetch(_APPLICATIONS, prefix)
        finally:
            await connection.close()
        return [row["name"] for row in rows]

    async def stay(self) -> None:
        """Stay connected until cancelled, again after each loss: `applications` names us."""
        while True:
            lost = asyncio.Event()
            with suppress(*LOST):
                connection = await self.connect()
                connection.add_termination_listener(lambda _, lost=lost: lost.set())
                try:
                    await lost.wait()
                finally:
                    connection.terminate()
            await asyncio.sleep(_LOOK_AGAIN)

    async def _pooled(self, *_: object, **__: object) -> asyncpg.Connection:
        return await self.connect()

    def _session(self) -> dict[str, str]:
        return {
            "application_name": self._application,
            "role": SERVICE_ROLE,
            "timezone": "UTC",
            "jit": "off",
            "idle_in_transaction_session_timeout": "15s",
        }


async def refuse_unsafe(connection: asyncpg.Connection) -> None:
    """Raise UnsafeDatabase where a commit may be lost after it was acknowledged."""
    for name in ("fsync", "synchronous_commit", "full_page_writes"):
        if await connection.fetchval("SELECT current_setting($1)", name) == "off":
            raise UnsafeDatabase(f"The database runs with {name}=off and may lose what it commits.")
