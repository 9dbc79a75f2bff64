"""The ledger, as far as whoever hosts views reads it."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import NamedTuple, Protocol
from uuid import UUID

from asyncpg import Connection

from domain.envelope import LedgerEvent, Recorded
from domain.rules.rule_book import RuleBook
from projections.table import Session


class Entry(Protocol):
    """A row of the ledger, not yet read: it is decoded when it is its turn."""

    @property
    def seq(self) -> int: ...
    @property
    def stream_id(self) -> UUID: ...
    @property
    def version(self) -> int: ...
    @property
    def topic(self) -> str: ...
    @property
    def leaf(self) -> bytes: ...
    def restored(self) -> Recorded[LedgerEvent]:
        """Decode it. Whatever it raises, nobody can read this entry."""
        ...


class Head(NamedTuple):
    """Where a ledger ends: the last position and its leaf; 0 and nothing before the first event."""

    seq: int
    leaf: bytes


class Log(Protocol):
    """The ledger for those who follow it. What it reads, it reads on their own connection."""

    ledger_id: UUID

    async def rules(self) -> RuleBook:
        """Return what the registers say up to the head, at least."""
        ...

    async def head(self, connection: Session) -> tuple[int, bytes]: ...
    async def page(self, connection: Session, after: int, limit: int) -> Sequence[Entry]: ...
    async def streams(
        self, connection: Session, stream_ids: Iterable[UUID], until: int
    ) -> Sequence[Entry]: ...


class Part(Protocol):
    """Some streams of dossiers, as a snapshot shows them. It can be sent to another process."""

    def opened(self) -> AbstractAsyncContextManager[tuple[Log, Connection]]:
        """Open the ledger, and a connection to read the part and to write what follows from it."""
        ...

    def entries(self, connection: Connection) -> AsyncIterator[Sequence[Entry]]:
        """Yield the entries, stream by stream, some thousand at a time.

        All of it is one transaction, which ends with the last of them.
        """
        ...


Parts = Callable[[Connection, int], Awaitable[Sequence[Part]]]
"""Divides the streams that a transaction sees, in about so many parts of one size."""
