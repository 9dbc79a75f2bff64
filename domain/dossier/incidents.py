"""Incidents: a system does not work, and its time does not count (NĐ 301/2026/NĐ-CP)."""

from dataclasses import dataclass

from domain.dossier.chapter import (
    Act,
    Binds,
    DayMeans,
    Decision,
    DossierCommand,
    Rule,
    Situation,
    happens,
)
from domain.dossier.dates.clocks import pause, resume
from domain.dossier.events import DossierEvent
from domain.dossier.state import Dossier, PauseKind
from domain.dossier.status import OPEN
from domain.words import Words


@dataclass(frozen=True, kw_only=True)
class IncidentStart:
    """A system does not work (NĐ 301/2026: its time does not count)."""

    system: str
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class IncidentEnd:
    system: str


@dataclass(frozen=True, kw_only=True)
class IncidentBegan(IncidentStart, DossierEvent):
    TOPIC = "dossier.incident-began.v1"


@dataclass(frozen=True, kw_only=True)
class IncidentEnded(IncidentEnd, DossierEvent):
    TOPIC = "dossier.incident-ended.v1"


@dataclass(frozen=True, kw_only=True)
class BeginIncident(IncidentStart, DossierCommand):
    """Record that a system stopped working."""

    NAME = "begin-incident"


@dataclass(frozen=True, kw_only=True)
class EndIncident(IncidentEnd, DossierCommand):
    """Record that a system works again."""

    NAME = "end-incident"


OPEN_INCIDENT = Rule(
    code="no-open-incident",
    why="no incident is open",
    broken=lambda dossier: dossier.status in OPEN and not dossier.incidents,
    binds=Binds.COMMANDS,
)


def _begin(situation: Situation, command: BeginIncident) -> Decision:
    if command.system in situation.dossier.incidents:
        return Decision(events=())  # It is known to be down: no news.
    return Decision(events=(happens(situation, command, IncidentBegan),))


def _end(situation: Situation, command: EndIncident) -> Decision:
    if command.system not in situation.dossier.incidents:
        return Decision(events=())
    return Decision(events=(happens(situation, command, IncidentEnded),))


def _began(dossier: Dossier, event: IncidentBegan) -> None:
    dossier.incidents = tuple(sorted({*dossier.incidents, event.system}))
    pause(dossier, event, PauseKind.INCIDENT, system=event.system)


def _ended(dossier: Dossier, event: IncidentEnded) -> None:
    dossier.incidents = tuple(system for system in dossier.incidents if system != event.system)
    resume(dossier, event, PauseKind.INCIDENT, system=event.system)


CHAPTER = (
    Act(
        event=IncidentBegan,
        command=BeginIncident,
        fits=OPEN,
        day=DayMeans.OPENING,
        cause=Words("hệ thống gặp sự cố", "a system failed"),
        effect=_began,
        decide=_begin,
        moves_clock=False,
    ),
    Act(
        event=IncidentEnded,
        command=EndIncident,
        fits=OPEN,
        day=DayMeans.END,
        cause=Words("hệ thống hoạt động trở lại", "the system works again"),
        effect=_ended,
        decide=_end,
        moves_clock=True,
        rules=(OPEN_INCIDENT,),
    ),
)
