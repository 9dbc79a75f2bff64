"""given(events).when(command).then(events): the shape of every test of a decision."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import pytest

from domain.dossier.chapter import DossierCommand, Situation
from domain.dossier.decisions import Decided, decide
from domain.dossier.events import DossierEvent
from domain.dossier.evolve import replay
from domain.dossier.history import History
from domain.envelope import UnitCode
from domain.errors import DomainError
from tests.examples import (
    AGENCY,
    DESK,
    DOSSIER,
    ENDED,
    HOUR,
    MORNING,
    PROVINCE,
    history,
    meta,
    rule_book,
)

EVERYWHERE = frozenset({PROVINCE, DESK, AGENCY, ENDED})


def situation(
    known: History, at: datetime | None = None, scope: frozenset[UnitCode] = EVERYWHERE
) -> Situation:
    """Return what a decision sees an hour after the last event, if nothing else is said."""
    last = max((each.event.timestamp for each in known), default=MORNING - HOUR)
    return Situation(
        dossier=replay(DOSSIER, known, rule_book()),
        history=known,
        rules=rule_book(),
        scope=scope,
        at=at or last + HOUR,
        meta=meta(f"command {len(known) + 1}"),
    )


@dataclass(frozen=True)
class Attempt:
    """A command in a situation, not yet decided."""

    situation: Situation
    command: DossierCommand

    def decided(self) -> Decided:
        return decide(self.situation, self.command)

    def then(self, *expected: DossierEvent) -> Decided:
        """Check what is said; which version, when and by whom follows from the situation."""
        decision = self.decided()
        assert decision.events == tuple(
            replace(event, **self.situation.stamp(place)) for place, event in enumerate(expected, 1)
        )
        return decision

    def then_nothing(self) -> None:
        self.then()

    def then_refused(self, error: type[DomainError], match: str | None = None) -> None:
        with pytest.raises(error, match=match):
            self.decided()


@dataclass(frozen=True)
class Scenario:
    events: Sequence[DossierEvent]

    def when(
        self,
        command: DossierCommand,
        *,
        at: datetime | None = None,
        scope: frozenset[UnitCode] = EVERYWHERE,
    ) -> Attempt:
        return Attempt(situation(history(*self.events), at, scope), command)


def given(*events: DossierEvent) -> Scenario:
    return Scenario(events)
