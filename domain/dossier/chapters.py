"""The chapters of a dossier's life, composed: every table that is keyed by a type of event.

A chapter that is forgotten here, and an event or command that is in no chapter, fail at import.
"""

from collections.abc import Mapping
from typing import Final

from domain.dossier import (
    appointments,
    competence,
    corrections,
    endings,
    incidents,
    intake,
    payments,
    results,
    supplements,
    transfers,
    work,
)
from domain.dossier.chapter import AnyAct, DayMeans, DossierCommand
from domain.dossier.events import DossierEvent, VoidingEvent

ACTS: Final[tuple[AnyAct, ...]] = (
    *intake.CHAPTER,
    *transfers.CHAPTER,
    *work.CHAPTER,
    *supplements.CHAPTER,
    *appointments.CHAPTER,
    *results.CHAPTER,
    *endings.CHAPTER,
    *payments.CHAPTER,
    *incidents.CHAPTER,
    *competence.CHAPTER,
    *corrections.CHAPTER,
)

ACT_OF: Final[Mapping[type[DossierEvent], AnyAct]] = {act.event: act for act in ACTS}
ACT_FOR: Final[Mapping[type[DossierCommand], AnyAct]] = {act.command: act for act in ACTS}
DOSSIER_EVENTS: Final[tuple[type[DossierEvent], ...]] = tuple(ACT_OF)
COMMANDS: Final[Mapping[str, type[DossierCommand]]] = {
    act.command.NAME: act.command for act in ACTS
}
DAY_ENDS: Final[frozenset[type[DossierEvent]]] = frozenset(
    act.event for act in ACTS if act.day is DayMeans.END
)


def _refuse_forgotten(known: Mapping[type, AnyAct], *parents: type) -> None:
    """Raise TypeError for a class below one of these that is in no chapter."""
    below: set[type] = set().union(*(type.__subclasses__(parent) for parent in parents))
    forgotten = below.difference(known, parents)
    if forgotten or len(known) < len(ACTS):
        names = ", ".join(sorted(each.__name__ for each in forgotten)) or "one of two equal ones"
        raise TypeError(f"No chapter of a dossier has {names}.")


_refuse_forgotten(ACT_OF, DossierEvent, VoidingEvent)
_refuse_forgotten(ACT_FOR, DossierCommand)
