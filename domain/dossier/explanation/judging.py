"""A duty of one side of a dossier, and how it stands."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from domain.dossier.state import Dossier


class DutyName(StrEnum):
    ACCEPT_OR_REFUSE = "accept-or-refuse"
    TRANSFER = "transfer"
    ANSWER_TRANSFER = "answer-transfer"
    ASK_FOR_SUPPLEMENT = "ask-for-supplement"
    ANSWER_SUPPLEMENT = "answer-supplement"
    REAPPOINT = "re-appoint"


class DutyState(StrEnum):
    """`lapsed`: it was not done, and need not be: only allowed until then, or the dossier ended."""

    OPEN = "open"
    MET = "met"
    LATE = "late"
    MISSED = "missed"
    LAPSED = "lapsed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Duty:
    name: DutyName
    by: datetime
    met_at: datetime | None
    state: DutyState
    legal_basis: str | None


class Judge:
    """Says how a duty stands: at a moment, or when the dossier ended."""

    def __init__(self, dossier: Dossier, at: datetime) -> None:
        ended = dossier.finished_at
        self._ended = ended is not None and ended <= at
        self._at = ended if ended is not None and ended <= at else at

    def duty(
        self,
        name: DutyName,
        by: datetime,
        met_at: datetime | None,
        law: str | None,
        *,
        optional: bool = False,
    ) -> Duty:
        return Duty(
            name=name,
            by=by,
            met_at=met_at,
            state=self._state(by, met_at, optional=optional),
            legal_basis=law,
        )

    def _state(self, by: datetime, met_at: datetime | None, *, optional: bool) -> DutyState:
        if met_at is not None:
            return DutyState.MET if met_at <= by else DutyState.LATE
        if self._at > by:
            return DutyState.LAPSED if optional else DutyState.MISSED
        return DutyState.LAPSED if self._ended else DutyState.OPEN
