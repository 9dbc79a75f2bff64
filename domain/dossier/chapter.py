"""The form of a chapter: what can happen to a dossier, from where, by which rules, to what effect.

A chapter is a module. It holds the payloads, events and commands of one theme, and its `CHAPTER`:
an `Act` for each event. `domain.dossier.chapters` composes them to the tables that all else asks.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Generic, TypeVar

from domain.dossier.events import DossierEvent
from domain.dossier.history import History
from domain.dossier.state import Dossier
from domain.dossier.status import From
from domain.envelope import Meta, Stamp, UnitCode, event_id
from domain.rules.rule_book import RuleBook
from domain.words import Words

E = TypeVar("E", bound=DossierEvent)
S_contra = TypeVar("S_contra", contravariant=True)


class DayMeans(StrEnum):
    """What a day without an hour counts as: what ends something, ends with the day."""

    OPENING = "opening"
    END = "end"


class Binds(StrEnum):
    """What a rule does: refuses commands that break it, marks facts that do, or both."""

    BOTH = "both"
    COMMANDS = "commands"
    FACTS = "facts"


@dataclass(frozen=True, kw_only=True)
class DossierCommand:
    """A request to change a dossier, here and now; it may be refused.

    It says what its event will say. `NAME` is its word in addresses.
    """

    NAME: ClassVar[str]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What the state of a dossier forbids, written once: refuses a command, marks a fact.

    `code` is the kind of the finding. `why` is a clause without its capital: it follows "is not
    possible:" too.
    """

    code: str
    why: str | Callable[[Dossier], str]
    broken: Callable[[Dossier], bool]
    law: str | None = None
    binds: Binds = Binds.BOTH

    def text(self, dossier: Dossier) -> str:
        """Return why, with the law, as a clause that ends with its full stop."""
        why = self.why if isinstance(self.why, str) else self.why(dossier)
        law = f" ({self.law})" if self.law is not None else ""
        return f"{why}{law}."


@dataclass(frozen=True, kw_only=True)
class SaidRule(Generic[S_contra]):
    """What a fact may not say in the state that it meets: it is recorded, and marked."""

    code: str
    why: str
    broken: Callable[[Dossier, S_contra], bool]


class Hindered(Exception):
    """Something in the state stands in the way of what a command says; `why` is a clause."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, kw_only=True)
class Decision:
    """The events to append; `issue` is the numbering from which the acceptance gets its code."""

    events: tuple[DossierEvent, ...]
    issue: str | None = None


@dataclass(frozen=True, kw_only=True)
class Situation:
    """What a decision may look at, beside the command: nothing else reaches it.

    `scope` is the subtree of units that the sender acts for.
    """

    dossier: Dossier
    history: History
    rules: RuleBook
    scope: frozenset[UnitCode]
    at: datetime
    meta: Meta
    now: datetime | None = None  # Where `at` lies ahead of it, after a fact that counts till then.

    def stamp(self, place: int = 1) -> Stamp:
        """Return who, when and where of the event at a place among those that a command makes."""
        return {
            "originator_id": self.dossier.id,
            "originator_version": self.dossier.version + place,
            "timestamp": self.at,
            "meta": self.meta if place == 1 else _further(self.meta, place),
        }


def _further(meta: Meta, place: int) -> Meta:
    """Give the second event of a command an identity of its own; no key contains a space."""
    source_id = f"{meta.source_id} {place}"
    return replace(meta, source_id=source_id, event_id=event_id(meta.source, source_id))


Decide = Callable[[Situation, Any], Decision]


def happens(situation: Situation, command: DossierCommand, event: type[E], **changes: object) -> E:
    """Return the event that says what a command says, but for some changes."""
    return event(**situation.stamp(), **{**vars(command), **changes})


def saying(event: type[DossierEvent]) -> Decide:
    """Return the decision of a command that only its rules can refuse: its event says the same."""

    def decide(situation: Situation, command: DossierCommand) -> Decision:
        return Decision(events=(happens(situation, command, event),))

    return decide


def _nothing(event: DossierEvent) -> frozenset[str]:
    del event
    return frozenset()


@dataclass(frozen=True, kw_only=True)
class Act(Generic[E]):
    """Everything that the rest of the program asks about one type of event.

    `fits`: the statuses from which a fact is regular, and from which the `command` is allowed
    unless `asked_from` says otherwise. `day`: what a day without an hour counts as. `cause`: its
    words where it moved a date. `decide`: what the command makes happen.
    `moves_clock`: by its command a clock may begin, go on, or count by the days of another office,
    so that the date is told anew by the newest calendar.

    Optional: `rules` and `said_rules`; `excused`, where a fact is regular against `fits`;
    `way_out`, where the command is possible in whatever status;
    `completed`, what the ledger adds to a fact, by the rules (it may raise refusals);
    `ledger_alone`, why nobody may tell it as a fact; `names_holders`, whether the units it names
    had the dossier even if it is void; `ended_units`, the fields that may name units of the past;
    `filled_in`, which fields of an event the ledger may have filled in where they were not said.
    """

    event: type[E]
    command: type[DossierCommand]
    fits: From
    day: DayMeans
    cause: Words
    effect: Callable[[Dossier, E], None]
    decide: Decide
    moves_clock: bool
    asked_from: From | None = None
    rules: tuple[Rule, ...] = ()
    said_rules: tuple[SaidRule[E], ...] = ()
    excused: Callable[[Dossier], bool] | None = None
    way_out: Callable[[Dossier], bool] | None = None
    completed: Callable[[E, RuleBook], E] | None = None
    ledger_alone: str | None = None
    names_holders: bool = False
    filled_in: Callable[[E], frozenset[str]] = _nothing
    ended_units: frozenset[str] = frozenset()


AnyAct = Act[Any]
