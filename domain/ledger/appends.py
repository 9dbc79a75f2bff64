"""What is handed to the ledger to record, and what it answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal, Protocol, Self
from uuid import UUID

from domain.dossier.events import DossierEvent
from domain.dossier.state import Dossier
from domain.envelope import LedgerEvent, Pin, Recorded
from domain.errors import DomainError, IllegalTransition, KeyReused, Mistake, NotFound
from domain.ledger.aggregates import NOTHING, Aggregate
from domain.rules.register import is_register
from domain.rules.rule_book import RuleBook

DOSSIER_CODE = "dossier-code"

KeyName = tuple[str, str]
"""The scope of a key, and the key."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Key:
    """Identity of a request: the same key and digest get the stored answer, others are refused."""

    scope: str
    key: str
    digest: bytes

    @property
    def name(self) -> KeyName:
        return self.scope, self.key


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
    errors: tuple[Mistake, ...] | None = None
    dossier: UUID | None = None
    seq: int | None = None

    @classmethod
    def of(cls, refusal: DomainError) -> "Problem":
        illegal = refusal if isinstance(refusal, IllegalTransition) else None
        reused = refusal if isinstance(refusal, KeyReused) else None
        return cls(
            code=refusal.code,
            detail=str(refusal),
            status=illegal.status if illegal else None,
            allowed=illegal.allowed if illegal else None,
            errors=refusal.mistakes or None,
            dossier=reused.dossier if reused else None,
            seq=reused.seq if reused else None,
        )


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
    """All of it is recorded, or nothing. `issue` names a numbering; its next code is filled in.

    `then` is the state of its one dossier afterwards, where whoever decided knows it: but for the
    code that is filled in, what a replay gives by the rules at hand.
    `learned` is what the rules knew by which it was decided: it holds only while no register says
    more. None: its pins are all that it rests on.
    """

    writes: tuple[Write, ...] = ()
    claims: tuple[Claim, ...] = ()
    unchanged: tuple[Pin, ...] = ()
    key: Key | None = None
    issue: str | None = None
    outcome: Outcome
    then: Dossier | None = None
    learned: int | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """An outcome, and whether it was stored by an earlier request with the same key."""

    outcome: Outcome
    repeated: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """What is asked of the ledger before a decision.

    The dossier is the stream that holds the claim to `name`; where nobody does, it is `stream`.
    """

    name: str | None = None
    stream: UUID | None = None
    events: bool = True
    keys: tuple[KeyName, ...] = ()

    @classmethod
    def about(cls, dossier: UUID | str, keys: tuple[KeyName, ...] = ()) -> Self:
        """Ask for a dossier by its stream, an alias or its code. Raises NotFound.

        A UUID that nobody used yet names a dossier that may be opened.
        """
        if isinstance(dossier, str):
            return cls(name=dossier, keys=keys)
        if is_register(dossier):
            raise NotFound("such dossier")
        return cls(name=str(dossier), stream=dossier, keys=keys)


THE_RULES: Final = Question()
"""Nothing but to bring the rule book up to the head."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What is kept under a key: the digest of what was asked, and what became of it."""

    digest: bytes
    outcome: Outcome


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """What stood in the ledger at one moment. `claimed`: who holds the name that was asked."""

    stream: UUID | None = None
    claimed: UUID | None = None
    dossier: Aggregate = NOTHING
    stored: Mapping[KeyName, Stored] = field(default_factory=dict)
    position: int

    @property
    def events(self) -> tuple[Recorded[DossierEvent], ...]:
        """Return the events of the dossier in the order in which they were told."""
        return self.dossier.events


class Store(Protocol):
    """The ledger as the use cases need it."""

    @property
    def rules(self) -> RuleBook:
        """The rule book, which every `read` brings up to the head first."""

    async def read(self, asked: Question = THE_RULES) -> Reading:
        """Read a dossier and what is kept under keys, all as of one moment. Raises Busy."""

    async def recorded(self, seq: int) -> LedgerEvent:
        """Return the event at a position, with every personal value in clear that is not erased."""

    async def append(self, append: Append) -> Answer:
        """Record all or nothing, once for each key.

        Raises StaleVersion, CodeTaken, RulesChanged, KeyReused, TooLarge or Busy.
        """


class LineStore(Store, Protocol):
    """A store that takes several appends at once."""

    async def append_in_order(self, appends: Sequence[Append]) -> Sequence[Answer | DomainError]:
        """Record one after the other, each all or nothing, until one is refused.

        The last answer may be that refusal: what follows it was not tried.
        """


class Now(Protocol):
    def __call__(self) -> datetime: ...
