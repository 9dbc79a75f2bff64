"""Corrections: an event was wrong. Nothing is edited; it stays, and no longer counts."""

from dataclasses import dataclass
from uuid import UUID

from domain.dossier.chapter import Act, DayMeans, Decision, DossierCommand, Situation, happens
from domain.dossier.events import VoidingEvent
from domain.dossier.history import full_history
from domain.dossier.state import Dossier
from domain.dossier.status import ANY
from domain.errors import InvalidRequest
from domain.words import Words


@dataclass(frozen=True, kw_only=True)
class Correction:
    """An earlier event is void; `replaced_by` names the event that says it right, if any."""

    corrects: UUID
    reason: str
    replaced_by: UUID | None = None


@dataclass(frozen=True, kw_only=True)
class EventCorrected(Correction, VoidingEvent):
    TOPIC = "dossier.event-corrected.v1"

    @property
    def aims_at(self) -> UUID:
        return self.corrects


@dataclass(frozen=True, kw_only=True)
class CorrectEvent(Correction, DossierCommand):
    """Make an earlier event void. Nothing is edited: the correction is an event itself."""

    NAME = "correct-event"


def _correct(situation: Situation, command: CorrectEvent) -> Decision:
    for entry in full_history(situation.history, situation.rules.units):
        if entry.recorded.event.meta.event_id == command.corrects:
            if entry.voided_by is not None:
                raise InvalidRequest("That event is void already.")
            return Decision(events=(happens(situation, command, EventCorrected),))
    raise InvalidRequest("corrects must be the id of an event of this dossier.")


def _corrected(dossier: Dossier, event: EventCorrected) -> None:
    """Its effect is in the effective history: what it corrects is not there."""
    del dossier, event


CHAPTER = (
    Act(
        event=EventCorrected,
        command=CorrectEvent,
        fits=ANY,
        day=DayMeans.OPENING,
        cause=Words("đính chính một sự kiện", "an event was corrected"),
        effect=_corrected,
        decide=_correct,
        moves_clock=False,
    ),
)
