"""A dossier as it was read, and the state that its events add up to, found once."""

from collections.abc import Sequence
from copy import copy
from typing import Final
from uuid import UUID

from domain.dossier.dates.settling import settle
from domain.dossier.events import DossierEvent
from domain.dossier.evolve import advance, advance_undated, undated
from domain.dossier.state import Dossier
from domain.envelope import Recorded
from domain.rules.rule_book import RuleBook

_NOTHING_SETTLED: Final = -1


class Aggregate:
    """The events of a dossier in the order in which they were told.

    Whoever reads on gets another one: its state goes on from what was found of the one before.
    """

    __slots__ = ("_before", "_learned", "_state", "events")

    def __init__(
        self, events: Sequence[Recorded[DossierEvent]] = (), before: "Aggregate | None" = None
    ) -> None:
        self.events = tuple(events)
        self._before = before
        self._state: Dossier | None = None
        self._learned = _NOTHING_SETTLED

    @property
    def version(self) -> int:
        return self.events[-1].version if self.events else 0

    def followed_by(
        self,
        events: Sequence[Recorded[DossierEvent]],
        then: Dossier | None = None,
        learned: int = _NOTHING_SETTLED,
    ) -> "Aggregate":
        """Return it with what was recorded since: itself where that is nothing.

        `then` is the state that a replay gives by what is known at `learned`, where it is known.
        """
        if not events:
            return self
        before = self if self._state is not None else self._before
        whole = Aggregate((*self.events, *events), before if then is None else None)
        whole._state, whole._learned = then, learned
        return whole

    def state(self, dossier: UUID, rules: RuleBook) -> Dossier:
        """Return what a replay gives, by what the rule book knows now. Nobody may change it."""
        if not self.events:
            return Dossier(id=dossier)
        known = self.settled(rules)
        if known is None:
            known = self._settled_further(rules)
            if known is None:
                known = copy(self.undated(dossier))
                settle(known, rules)
            self._state, self._learned, self._before = known, rules.position, None
        return known

    def _settled_further(self, rules: RuleBook) -> Dossier | None:
        before = self._before
        known = before.settled(rules) if before is not None else None
        if before is None or known is None:
            return None
        return advance(known, before.events, self.events[len(before.events) :], rules)

    def settled(self, rules: RuleBook) -> Dossier | None:
        """Return the state where it was found, by what the rule book still knows."""
        return self._state if self._learned == rules.position else None

    def undated(self, dossier: UUID) -> Dossier:
        """Return the state in which the dates may be of any time, or none. Nobody may change it."""
        if not self.events:
            return Dossier(id=dossier)
        if self._state is None:
            before = self._before
            if before is None:
                self._state = undated(dossier, self.events)
            else:
                new = self.events[len(before.events) :]
                self._state = advance_undated(before.undated(dossier), before.events, new)
            self._before = None
        return self._state


NOTHING: Final = Aggregate()
