"""What is handed to the ledger to record, and what it answers."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol
from uuid import UUID

from domain.dossier.events import DossierEvent
from domain.envelope import LedgerEvent, Pin, Recorded
from domain.errors import DomainError, IllegalTransition
from domain.rules.rule_book import RuleBook

DOSSIER_CODE = "dossier-code"


@dataclass(frozen=True, kw_only=True, slots=True)
class Key:
    """Identity of a request: the same key and digest get the stored answer, others are refused."""

    scope: str
    key: str
    digest: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """A name that only one stream may hold."""

    kind: str
    value: str
    stream: UUID


@dataclass(frozen=True, kw_only=True, slots=True)
class Write:
    """Events for one stream. `expected` is its version before them; None: whatever it is."""

    stream: UUID
    events: tuple[LedgerEvent, ...]
    expected: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """A refusal as it is stored: no personal value, nothing that depends on who asks."""

    code: str
    detail: str
    status: int | None = None
    allowed: tuple[str, ...] | None = None

    @classmethod
    def of(cls, refusal: DomainError) -> "Problem":
        if isinstance(refusal, IllegalTransition):
            return cls(
                code=refusal.code,
                detail=str(refusal),
                status=refusal.status,
                allowed=refusal.allowed,
            )
        return cls(code=refusal.code, detail=str(refusal))


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of a request. Stored under its key, and answered again for ever."""

    kind: Literal["recorded", "no-news", "refused"]
    stream: UUID | None = None
    code: str | None = None
    version: int | None = None
    seq: int | None = None
    position: int = 0
    due: datetime | None = None
    problem: Problem | None = None


@dataclass(frozen=True, kw_only=True)
class Append:
    """All of it is recorded, or nothing. `issue` names a numbering; its next code is filled in."""

    writes: tuple[Write, ...] = ()
    claims: tuple[Claim, ...] = ()
    unchanged: tuple[Pin, ...] = ()
    key: Key | None = None
    issue: str | None = None
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Answer:
    """An outcome, and whether it was stored by an earlier request with the same key."""

    outcome: Outcome
    repeated: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """What stood in the ledger at one moment, for one decision."""

    events: tuple[Recorded[DossierEvent], ...]
    stored: Outcome | None
    claimed: UUID | None
    position: int


class Store(Protocol):
    """The ledger as the use cases need it."""

    @property
    def rules(self) -> RuleBook:
        """The rule book, which every `read` brings up to the head first."""

    async def read(
        self,
        stream: UUID | None = None,
        key: Key | None = None,
        code: str | None = None,
    ) -> Reading:
        """Read a stream, the outcome under a key and the holder of a code. Raises KeyReused."""

    async def append(self, append: Append) -> Answer:
        """Record all or nothing, once for each key.

        Raises StaleVersion, CodeTaken, RulesChanged, KeyReused, TooLarge or Busy.
        """


class Now(Protocol):
    def __call__(self) -> datetime: ...
