"""What the ways in need from the outside, as the composition root hands it over."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.envelope import LedgerEvent, Recorded
from domain.ledger.appends import Now, Outcome, Store
from domain.ledger.commands import Ledger
from domain.ledger.registering import Registers
from domain.ledger.sameness import Digest
from domain.rules.rule_book import RuleBook
from projections.hosting.runner import Runner
from projections.hosting.standing import Standing
from projections.lists import ListReader
from projections.overview import OverviewReader
from streams.intake import Intake


class Log(Protocol):
    """The ledger for readers."""

    async def head(self) -> int: ...
    async def rules_at(self, position: int) -> RuleBook: ...
    async def position_at(self, moment: datetime) -> int: ...
    async def streams(
        self, stream_ids: Iterable[UUID], until: int = ...
    ) -> Sequence[Recorded[LedgerEvent]]: ...


class Rules(Protocol):
    """Brings the rule book up to the head if it is older than `age` seconds."""

    async def __call__(self, age: float) -> None: ...


class OpenEvents(Protocol):
    """Opens personal values if `clear`, or shows what became of them."""

    async def __call__(
        self, events: Sequence[LedgerEvent], *, clear: bool
    ) -> Sequence[LedgerEvent]: ...


@dataclass(frozen=True, slots=True)
class Gauges:
    """What the writer of this process says of itself."""

    queued: int
    batches: int
    appended: int


@dataclass(frozen=True, kw_only=True)
class Services:
    """The ledger and its readers, opened.

    `runner` moves the views where this process leads; `views` says how far they are wherever it is.
    `find_person` returns the streams of whoever has exactly this identity number or phone; `digest`
    is keyed; `outcome_of` looks up what is stored under a scope and key; `lost` are the
    errors that mean that the database is away.
    """

    store: Store
    ledger: Ledger
    registers: Registers
    intake: Intake
    log: Log
    runner: Runner
    views: Standing
    lists: ListReader
    overview: OverviewReader
    now: Now
    new_id: Callable[[], UUID]
    refresh_rules: Rules
    digest: Digest
    open_events: OpenEvents
    find_person: Callable[[str, str], Awaitable[Sequence[UUID]]]
    outcome_of: Callable[[str, str], Awaitable[Outcome | None]]
    lost: Sequence[type[Exception]]
    gauges: Callable[[], Gauges]
