"""A ledger whose time the tests set, dossiers in it, and clocks that act on them."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

from domain.dossier.chapter import DossierCommand
from domain.dossier.events import DossierEvent
from domain.dossier.evolve import replay
from domain.dossier.intake import AcceptDossier
from domain.dossier.state import Dossier
from domain.dossier.supplements import RequestSupplement
from domain.dossier.transfers import OfferTransfer
from domain.dossier.work import StartStep
from domain.envelope import Recorded, UnitCode
from domain.ledger.access import Sender
from domain.ledger.appends import Question
from domain.ledger.commands import Ledger, Order
from domain.ledger.recording import Result
from domain.rules.procedures import Channel
from domain.rules.register import RegisterEvent
from domain.rules.tokens import Role
from projections.hosting.runner import Runner
from streams.time.acting import Machine
from streams.time.timekeeper import Timekeeper
from streams.wire.sameness import digesting
from tests.conftest import OpenStore
from tests.examples import (
    AGENCY,
    DESK,
    HOUR,
    MORNING,
    PROCEDURE,
    calendar_decided,
    identity,
    meta,
    registers,
)
from tests.projections.telling import hosted, tell
from tests.stores import MASTER, Opened

DAY: Final = timedelta(days=1)
SECOND: Final = timedelta(seconds=1)
CLERK: Final = Sender(principal="clerk", role=Role.DESK, unit=None, scope=frozenset())


class Time:
    """What time it is for everybody in a test."""

    def __init__(self, at: datetime = MORNING) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def reach(self, moment: datetime) -> None:
        assert moment >= self.at
        self.at = moment


@dataclass(frozen=True)
class Office:
    """One process on the ledger: its store, its read model, its clerks and its clock."""

    process: Opened
    time: Time
    runner: Runner

    @property
    def ledger(self) -> Ledger:
        return Ledger(self.process.store, self.time)

    @property
    def machine(self) -> Machine:
        return Machine(
            store=self.process.store,
            ledger=self.ledger,
            digest=digesting(MASTER.content_digest),
            now=self.time,
        )

    def clock(self, *, stale: bool = False) -> Timekeeper:
        """Return a clock of this process; a stale one looks at the overview as it is."""

        async def caught_up(_: int) -> bool:
            if not stale:
                await self.runner.catch_up()
            return True

        connect = self.process.database.connect
        return Timekeeper(self.machine, self.process.pool, connect, caught_up, interval=0.01)

    async def order(self, dossier: UUID, command: DossierCommand) -> Result:
        """Let a clerk do something, at the version that stands."""
        version = (await self.dossier(dossier)).version
        result = await self.ledger.execute(
            Order(
                command=command,
                dossier=dossier,
                expected=version,
                sender=CLERK,
                key=identity(uuid4().hex, "token:clerk"),
                acting_unit=DESK,
            )
        )
        assert result.outcome.problem is None, result.outcome.problem
        return result

    async def accepted(self, competent: UnitCode = AGENCY, receiving: UnitCode = DESK) -> UUID:
        dossier = uuid4()
        command = AcceptDossier(
            procedure=PROCEDURE,
            channel=Channel.DIRECT,
            receiving_unit=receiving,
            competent_unit=competent,
        )
        await self.order(dossier, command)
        return dossier

    async def offered(self, answer_by: datetime | None = None) -> UUID:
        dossier = await self.accepted()
        await self.order(dossier, OfferTransfer(to_unit=AGENCY, answer_by=answer_by))
        return dossier

    async def asked(self, answer_by: datetime | None = None) -> UUID:
        dossier = await self.accepted()
        await self.order(dossier, StartStep(step="Thẩm định"))
        await self.order(dossier, RequestSupplement(reason="Thiếu.", answer_by=answer_by))
        return dossier

    async def dossier(self, dossier: UUID) -> Dossier:
        reading = await self.process.store.read(Question(stream=dossier))
        return replay(dossier, reading.events, self.process.rules)

    async def events(self, dossier: UUID) -> list[Recorded[DossierEvent]]:
        return list((await self.process.store.read(Question(stream=dossier))).events)

    async def kinds(self, dossier: UUID) -> list[str]:
        """Return what happened to a dossier after its acceptance."""
        return [type(each.event).__name__ for each in (await self.events(dossier))[1:]]

    async def decide(self, named: str, **decided: object) -> None:
        """Let a decision about the calendar come, whatever it says."""
        decision = replace(calendar_decided(named, off=()), timestamp=self.time(), **decided)  # type: ignore[arg-type]  # its own fields
        await tell(self.process, decision)

    async def told(self, dossier: UUID, event: DossierEvent, happened: datetime) -> None:
        """Let a source tell a fact, now."""
        named = meta(uuid4().hex)
        await tell(
            self.process,
            replace(
                event, originator_id=dossier, originator_version=0, timestamp=happened, meta=named
            ),
        )


@asynccontextmanager
async def office(
    open_store: OpenStore, time: Time, furniture: Iterable[RegisterEvent] | None = ()
) -> AsyncIterator[Office]:
    """Open a process; `furniture` None: the registers are filled, else with what they hold more."""
    async with open_store(now=time) as process:
        if furniture is not None:
            await tell(process, *registers(), *furniture)
        yield Office(process, time, (await hosted(process)).runner)


def days(*these: tuple[int, int], year: int = 2026) -> tuple[date, ...]:
    """Return days by their month and day."""
    return tuple(date(year, month, day) for month, day in these)


__all__ = ["DAY", "HOUR", "MORNING", "SECOND", "Office", "Time", "days", "office"]
