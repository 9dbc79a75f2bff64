"""Work: who deals with a dossier, and the steps of the internal process (quy trình nội bộ)."""

from dataclasses import dataclass
from datetime import datetime

from domain.dossier.changes import go_on
from domain.dossier.chapter import (
    Act,
    DayMeans,
    Decision,
    DossierCommand,
    Situation,
    happens,
    saying,
)
from domain.dossier.events import DossierEvent
from domain.dossier.refusing import refuse_past_whole
from domain.dossier.state import Dossier
from domain.dossier.status import WORK
from domain.envelope import UnitCode
from domain.words import Words


@dataclass(frozen=True, kw_only=True)
class Assignment:
    """The head of an agency names a case officer."""

    officer: str
    unit: UnitCode | None = None
    deadline: datetime | None = None
    note: str | None = None


@dataclass(frozen=True, kw_only=True)
class StepStart:
    step: str
    officer: str | None = None
    position: str | None = None
    unit: UnitCode | None = None
    deadline: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class StepCompletion:
    """A step of the internal process is done (the portal's progress record)."""

    step: str
    officer: str | None = None
    position: str | None = None
    unit: UnitCode | None = None
    result: str | None = None
    started_at: datetime | None = None
    deadline: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class DossierAssigned(Assignment, DossierEvent):
    TOPIC = "dossier.assigned.v1"


@dataclass(frozen=True, kw_only=True)
class StepStarted(StepStart, DossierEvent):
    TOPIC = "dossier.step-started.v1"


@dataclass(frozen=True, kw_only=True)
class StepCompleted(StepCompletion, DossierEvent):
    TOPIC = "dossier.step-completed.v1"


@dataclass(frozen=True, kw_only=True)
class AssignDossier(Assignment, DossierCommand):
    """Name the case officer."""

    NAME = "assign"


@dataclass(frozen=True, kw_only=True)
class StartStep(StepStart, DossierCommand):
    """Begin a step of the internal process."""

    NAME = "start-step"


@dataclass(frozen=True, kw_only=True)
class CompleteStep(StepCompletion, DossierCommand):
    """Finish a step of the internal process."""

    NAME = "complete-step"


def _assign(situation: Situation, command: AssignDossier) -> Decision:
    refuse_past_whole(situation, command.deadline)
    return Decision(events=(happens(situation, command, DossierAssigned),))


def _start(situation: Situation, command: StartStep) -> Decision:
    refuse_past_whole(situation, command.deadline)
    return Decision(events=(happens(situation, command, StepStarted),))


def _worked_on(dossier: Dossier, event: DossierAssigned | StepStarted | StepCompleted) -> None:
    del event
    go_on(dossier)


CHAPTER = (
    Act(
        event=DossierAssigned,
        command=AssignDossier,
        fits=WORK,
        day=DayMeans.OPENING,
        cause=Words("phân công giải quyết", "assigned"),
        effect=_worked_on,
        decide=_assign,
        moves_clock=False,
    ),
    Act(
        event=StepStarted,
        command=StartStep,
        fits=WORK,
        day=DayMeans.OPENING,
        cause=Words("bắt đầu một bước", "a step began"),
        effect=_worked_on,
        decide=_start,
        moves_clock=False,
    ),
    Act(
        event=StepCompleted,
        command=CompleteStep,
        fits=WORK,
        day=DayMeans.END,
        cause=Words("hoàn thành một bước", "a step was completed"),
        effect=_worked_on,
        decide=saying(StepCompleted),
        moves_clock=False,
    ),
)
