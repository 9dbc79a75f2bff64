"""What is done without being asked: commands under keys that follow from what they are about."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Final, TypeVar
from uuid import UUID

from domain.dossier.chapter import DossierCommand
from domain.dossier.state import Dossier
from domain.envelope import UnitCode
from domain.errors import UnitEnded
from domain.ledger.access import Sender
from domain.ledger.appends import Now, Question, Store
from domain.ledger.commands import Ledger, Order
from domain.ledger.recording import Result
from domain.ledger.sameness import Digest, Identity
from domain.rules.tokens import Role

NAME: Final = "clock"
_AT_ONCE: Final = 16  # So many share a commit; no desk waits long behind them.

A = TypeVar("A")
B = TypeVar("B")


@dataclass(frozen=True, kw_only=True)
class Machine:
    """The ledger's own hand: it acts for the unit whose business a dossier is."""

    store: Store
    ledger: Ledger
    digest: Digest
    now: Now

    async def send(self, command: DossierCommand, dossier: Dossier, key: str) -> Result:
        """Carry out a command on a dossier at the version that was read, once for each key.

        What was refused under the key is tried again once the dossier has changed: the reason may
        be gone. Raises StaleVersion where it changed just now, UnitEnded where nobody is left.
        """
        result = await self._execute(command, dossier, key)
        if result.repeated and result.outcome.kind == "refused":
            result = await self._execute(command, dossier, f"{key}/{dossier.version}")
        return result

    async def read(self, dossier: UUID) -> Dossier:
        """Return the dossier as the ledger has it now."""
        reading = await self.store.read(Question(stream=dossier))
        return reading.dossier.state(dossier, self.store.rules)

    async def _execute(self, command: DossierCommand, dossier: Dossier, key: str) -> Result:
        order = Order(
            command=command,
            dossier=dossier.id,
            expected=dossier.version,
            sender=Sender.machine(NAME, Role.DESK, self.store.rules),
            key=Identity(scope=NAME, key=key, digest=lambda _: self.digest((command.NAME, key))),
            acting_unit=self._acting_unit(dossier),
        )
        return await self.ledger.execute(order)

    def _acting_unit(self, dossier: Dossier) -> UnitCode:
        """Return the competent unit; where it ended, another one of the dossier or one above."""
        rules, now = self.store.rules, self.now()
        theirs = (
            dossier.competent_unit,
            dossier.custodian_unit,
            dossier.receiving_unit,
            dossier.returning_unit,
        )
        units = [unit for unit in theirs if unit is not None]
        above = [each for unit in units for each in rules.line(unit)]
        for unit in (*units, *above):
            entry = rules.units.get(unit)
            if entry is not None and (entry.ended_at is None or entry.ended_at > now):
                return unit
        raise UnitEnded(units[0] if units else "")


async def at_once(work: Callable[[A], Awaitable[B]], items: Iterable[A]) -> list[B]:
    """Do the work on all items, a bounded number at once; raise its first error when all ended."""
    gate = asyncio.Semaphore(_AT_ONCE)

    async def gated(item: A) -> B:
        async with gate:
            return await work(item)

    done = await asyncio.gather(*map(gated, items), return_exceptions=True)
    for each in done:
        if isinstance(each, BaseException):
            raise each
    return [each for each in done if not isinstance(each, BaseException)]
