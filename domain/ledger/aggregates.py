"""A dossier as it was read, and the state that its events add up to, found once."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from domain.dossier.events import DossierEvent
from domain.dossier.evolve import advance, replay
from domain.dossier.state import Dossier
from domain.envelope import Recorded
from domain.rules.rule_book import RuleBook


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
        self._learned = 0

    @property
    def version(self) -> int:
        return self.events[-1].version if self.events else 0

    def followed_by(self, events: Sequence[Recorded[DossierEvent]]) -> "Aggregate":
        """Return it with what was recorded since: itself where that is nothing."""
        if not events:
            return self
        before = self if self._state is not None else self._before
        return Aggregate((*self.events, *events), before)

    def state(self, dossier: UUID, rules: RuleBook) -> Dossier:
        """Return what a replay gives, by what the rule book knows now. Nobody may change it."""
        if not self.events:
            return Dossier(id=dossier)
        known = self.known(rules)
        if known is None:
            known = self._state = self._found(dossier, rules)
            self._learned, self._before = rules.position, None
        return known

    def known(self, rules: RuleBook) -> Dossier | None:
        """Return the state where it was found, by what the rule book still knows."""
        return self._state if self._learned == rules.position else None

    def _found(self, dossier: UUID, rules: RuleBook) -> Dossier:
        before = self._before
        known = before.known(rules) if before is not None else None
        if before is None or known is None:
            return replay(dossier, self.events, rules)
        return advance(known, before.events, self.events[len(before.events) :], rules)


NOTHING: Final = Aggregate()
