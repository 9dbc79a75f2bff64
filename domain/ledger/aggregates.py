"""A dossier as it was read, and the state that its events add up to, found once."""

from collections.abc import Sequence
from copy import copy
from typing import Final, NamedTuple
from uuid import UUID

from domain.dossier.dates.settling import settle
from domain.dossier.events import DossierEvent
from domain.dossier.evolve import advance, advance_undated, undated
from domain.dossier.state import Dossier
from domain.envelope import Recorded
from domain.rules.rule_book import RuleBook


class Settled(NamedTuple):
    """A state with its dates, by what the rule book knew at the position `learned`."""

    dossier: Dossier
    learned: int


class Aggregate:
    """The events of a dossier in the order in which they were told.

    Whoever reads on gets another one: its state goes on from what was found of the one before.
    """

    __slots__ = ("_before", "_settled", "_undated", "events")

    def __init__(
        self,
        events: Sequence[Recorded[DossierEvent]] = (),
        before: "Aggregate | None" = None,
        settled: Settled | None = None,
    ) -> None:
        self.events = tuple(events)
        self._before = before
        self._settled = settled
        self._undated: Dossier | None = None

    @property
    def version(self) -> int:
        return self.events[-1].version if self.events else 0

    def followed_by(
        self, events: Sequence[Recorded[DossierEvent]], then: Settled | None = None
    ) -> "Aggregate":
        """Return it with what was recorded since: itself where that is nothing.

        `then` is the state that a replay gives, where it is known.
        """
        if not events:
            return self
        is_known = self._settled is not None or self._undated is not None
        before = self if is_known else self._before
        return Aggregate((*self.events, *events), before if then is None else None, then)

    def state(self, dossier: UUID, rules: RuleBook) -> Dossier:
        """Return what a replay gives, by what the rule book knows now. Nobody may change it."""
        if not self.events:
            return Dossier(id=dossier)
        known = self.settled(rules)
        if known is None:
            known = self._settled_further(rules)
            if known is None:
                known = copy(self.undated(dossier, rules))
                settle(known, rules)
            self._settled = Settled(known, rules.position)
            self._undated = self._before = None
        return known

    def _settled_further(self, rules: RuleBook) -> Dossier | None:
        before = self._before
        known = before.settled(rules) if before is not None else None
        if before is None or known is None:
            return None
        return advance(known, before.events, self.events[len(before.events) :], rules)

    def settled(self, rules: RuleBook) -> Dossier | None:
        """Return the state where it was found, by what the rule book still knows."""
        known = self._settled
        return known.dossier if known is not None and known.learned == rules.position else None

    def undated(self, dossier: UUID, rules: RuleBook) -> Dossier:
        """Return the state in which the dates may be of any time, or none. Nobody may change it."""
        if not self.events:
            return Dossier(id=dossier)
        if self._settled is not None:
            return self._settled.dossier
        if self._undated is None:
            before = self._before
            if before is None:
                self._undated = undated(dossier, self.events, rules)
            else:
                new = self.events[len(before.events) :]
                known = before.undated(dossier, rules)
                self._undated = advance_undated(known, before.events, new, rules)
            self._before = None
        return self._undated


NOTHING: Final = Aggregate()
