"""The one clock: what time brings about becomes commands, each with one effect."""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Final
from uuid import UUID

from asyncpg import Connection, Pool

from domain.dossier.chapter import DossierCommand
from domain.dossier.state import Dossier, PauseKind
from domain.dossier.supplements import ExpireSupplement
from domain.dossier.transfers import TimeOutTransfer
from domain.errors import Busy, DomainError, StaleVersion
from domain.ledger.locks import Lock
from projections.due import LATENESS, Due, supplements_to_expire, transfers_to_time_out
from projections.tasks import end
from streams.time.acting import Machine, at_once
from streams.time.recomputing import Recomputed, newest_versions, recompute_open

_log = logging.getLogger(__name__)

_PAGE: Final = 500
_PATIENCE: Final = 5.0  # Seconds in which a healthy database answers that it is there.
_LOOK_AGAIN: Final = timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Ticked:
    """How much a tick made happen. What had happened before, or no longer may, is not counted."""

    timed_out: int = 0
    expired: int = 0
    recomputed: Recomputed = field(default_factory=Recomputed)


@dataclass(frozen=True, slots=True)
class _Wanted:
    command: DossierCommand
    key: str


class LeadershipLost(ConnectionError):
    """The connection that holds the lock is gone: another clock may act now."""


def _timeout(dossier: Dossier) -> _Wanted | None:
    offer = dossier.offer
    if offer is None:
        return None
    command = TimeOutTransfer(transfer_id=offer.transfer_id)
    return _Wanted(command, f"transfer-timed-out/{offer.by}")


def _expiry(dossier: Dossier) -> _Wanted | None:
    for each in dossier.clock.interruptions if dossier.clock is not None else ():
        if each.kind is PauseKind.SUPPLEMENT and each.end is None:
            return _Wanted(ExpireSupplement(), f"supplement-expired/{each.by}")
    return None


class Timekeeper:
    """Acts on what is due, as long as it holds the lock; another clock waits to take over.

    Who leads is a matter of economy. That everything has one effect rests on the keys, on the
    version that each command expects and on the decision, which looks again. `connect` opens a
    connection for the lock alone; `caught_up` waits until the overview shows a position.
    """

    def __init__(
        self,
        machine: Machine,
        pool: Pool,
        connect: Callable[[], Awaitable[Connection]],
        caught_up: Callable[[int], Awaitable[bool]],
        *,
        interval: float = 1.0,
    ) -> None:
        self._machine = machine
        self._pool = pool
        self._connect = connect
        self._caught_up = caught_up
        self._interval = interval
        self._task: asyncio.Task[None] | None = None
        self._closing = False
        self._trouble: str | None = None
        self._written = 0
        self._answered: dict[UUID, tuple[int, int]] = {}
        self._why: Counter[str] = Counter()
        self._newest: dict[str, int] | None = None
        self._looked: datetime | None = None
        self._failed_at: datetime | None = None
        self.leading = False

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="clock")

    async def close(self) -> None:
        """Stop; what was sent is answered by the ledger, and another clock may lead."""
        self._closing = True
        await end(self._task)

    async def tick(self) -> Ticked:
        """Do everything that is due now, lock or no lock. Raises Busy where the ledger is.

        Nothing is done while the overview does not show what this clock did and what it knows.
        """
        await self._machine.store.read()
        position = max(self._written, self._machine.store.rules.position)
        if not await self._caught_up(position):
            _log.warning("the clock waits: the overview does not show position %d yet", position)
            return Ticked()
        now = self._machine.now()
        before, self._answered = self._answered, {}
        expired = await self._all(supplements_to_expire, _expiry, now, before)
        timed_out = await self._all(transfers_to_time_out, _timeout, now, before)
        for reason, count in self._why.items():
            _log.warning(
                "%d dossiers stay as they are though their time is over: %s", count, reason
            )
        self._why.clear()
        return Ticked(timed_out=timed_out, expired=expired, recomputed=await self._recomputed(now))

    async def _all(
        self,
        due: Callable[[Pool, datetime, Due | None, int], Awaitable[list[Due]]],
        wanted: Callable[[Dossier], _Wanted | None],
        now: datetime,
        before: dict[UUID, tuple[int, int]],
    ) -> int:
        done = 0
        page: list[Due] = []
        while page := await due(self._pool, now, page[-1] if page else None, _PAGE):
            one = partial(self._one, wanted, before)
            done += sum(await at_once(one, (each.dossier for each in page)))
        return done

    async def _one(
        self,
        wanted: Callable[[Dossier], _Wanted | None],
        before: dict[UUID, tuple[int, int]],
        dossier: Dossier,
    ) -> bool:
        """Send what is due of a dossier, and say whether it is news.

        What was answered is not asked again until the dossier or the registers change.
        """
        known = dossier.version, self._machine.store.rules.position
        what = wanted(dossier)
        if what is None or before.get(dossier.id) == known:
            self._answered[dossier.id] = known
            return False
        try:
            result = await self._machine.send(what.command, dossier, what.key)
        except StaleVersion:
            return False  # It changed just now: the next tick looks again.
        except Busy:
            raise
        except DomainError as refused:
            self._why[str(refused)] += 1
            self._answered[dossier.id] = known
            return False
        except Exception as error:  # noqa: BLE001  # the edge: one dossier stops no other
            _log.error("%s: %s failed", dossier.id, what.command.NAME, exc_info=error)
            self._answered[dossier.id] = known
            return False
        self._answered[dossier.id] = known
        self._written = max(self._written, result.outcome.position)
        if result.outcome.problem is not None:
            _log.info("%s: %s", dossier.id, result.outcome.problem.detail)
        return result.outcome.kind == "recorded" and not result.repeated

    async def _recomputed(self, now: datetime) -> Recomputed:
        """Recompute all when a calendar was decided; now and then what facts may have moved since.

        What failed is tried again after a while.
        """
        newest = newest_versions(self._machine.store.rules)
        again = self._failed_at is not None and now >= self._failed_at + LATENESS
        since: datetime | None = None
        if newest == self._newest and self._looked is not None and not again:
            if now < self._looked + _LOOK_AGAIN:
                return Recomputed()
            since = self._looked - LATENESS
        done = await recompute_open(self._machine, self._pool, told_since=since)
        self._newest, self._looked = newest, now
        if since is None:
            self._failed_at = now if done.failed else None
        return done

    async def _run(self) -> None:
        while not self._closing:
            try:
                await self._lead()
            except Exception as error:  # noqa: BLE001  # the edge: a clock never ends its process
                self._say(error)
            await asyncio.sleep(self._interval)

    async def _lead(self) -> None:
        """Act while this process holds the lock. The lock lives as long as its connection."""
        connection = await self._connect()
        try:
            await self._win(connection)
            self.leading = True
            while True:
                await connection.fetchval("SELECT 1", timeout=_PATIENCE)
                await self._while_leading(connection)
                self._trouble = None
                await asyncio.sleep(self._interval)
        finally:
            self.leading = False
            connection.terminate()

    async def _win(self, connection: Connection) -> None:
        """Wait for the lock by asking again: a query that waited would hold back every vacuum."""
        asked = "SELECT pg_try_advisory_lock($1)"
        while not await connection.fetchval(asked, Lock.KEEP_THE_TIME, timeout=_PATIENCE):  # noqa: ASYNC110  # no event of ours
            await asyncio.sleep(self._interval)

    async def _while_leading(self, connection: Connection) -> None:
        """Tick, and stop in the midst of it when the lock is lost. Raises LeadershipLost."""
        ticking = asyncio.create_task(self.tick(), name="tick")

        def lost(_: object) -> None:
            ticking.cancel()

        connection.add_termination_listener(lost)
        try:
            await ticking
        except asyncio.CancelledError:
            if self._closing or not connection.is_closed():
                raise
            raise LeadershipLost("The clock's own connection was lost.") from None
        finally:
            connection.remove_termination_listener(lost)

    def _say(self, error: Exception) -> None:
        """Log a trouble once, not at every attempt: the database may be away for long."""
        trouble = f"{type(error).__name__}: {error}"
        if trouble != self._trouble:
            _log.error("the clock waits: %s", trouble, exc_info=error)
        self._trouble = trouble
