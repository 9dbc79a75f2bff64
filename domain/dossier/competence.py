"""Competence: another unit decides, or takes over from one that was merged or abolished."""

from dataclasses import dataclass

from domain.dossier.changes import hold
from domain.dossier.chapter import (
    Act,
    DayMeans,
    Decision,
    DossierCommand,
    Situation,
    happens,
    saying,
)
from domain.dossier.dates.clocks import await_receipt, awaits_agency_of
from domain.dossier.events import DossierEvent
from domain.dossier.state import Dossier
from domain.dossier.status import ANY, WORK
from domain.envelope import UnitCode
from domain.errors import InvalidRequest
from domain.words import Words


@dataclass(frozen=True, kw_only=True)
class CompetenceMove:
    """Another unit becomes competent."""

    to_unit: UnitCode
    from_unit: UnitCode | None = None
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class Succession:
    """A unit was merged or abolished while the dossier was there; its successor takes over."""

    predecessor: UnitCode
    successor: UnitCode


@dataclass(frozen=True, kw_only=True)
class CompetenceTransferred(CompetenceMove, DossierEvent):
    TOPIC = "dossier.competence-transferred.v1"


@dataclass(frozen=True, kw_only=True)
class UnitSucceeded(Succession, DossierEvent):
    TOPIC = "dossier.unit-succeeded.v1"


@dataclass(frozen=True, kw_only=True)
class TransferCompetence(CompetenceMove, DossierCommand):
    """Move the competence to another unit."""

    NAME = "transfer-competence"


@dataclass(frozen=True, kw_only=True)
class SucceedUnit(Succession, DossierCommand):
    """Let the successor of a merged unit take over the dossier."""

    NAME = "succeed-unit"


def _succeed(situation: Situation, command: SucceedUnit) -> Decision:
    dossier = situation.dossier
    roles = (dossier.receiving_unit, dossier.competent_unit, dossier.returning_unit)
    if command.predecessor not in (*roles, dossier.custodian_unit):
        raise InvalidRequest(f"{command.predecessor} has no part in this dossier.")
    return Decision(events=(happens(situation, command, UnitSucceeded),))


def _transferred(dossier: Dossier, event: CompetenceTransferred) -> None:
    if dossier.accepted_at is not None:
        dossier.competent_unit = event.to_unit
        await_receipt(dossier, event.to_unit)
        hold(dossier, event.to_unit)


def _succeeded(dossier: Dossier, event: UnitSucceeded) -> None:
    if dossier.accepted_at is not None:
        hold(dossier, event.successor)
        if awaits_agency_of(dossier, event.predecessor):
            await_receipt(dossier, event.successor)
    for role in ("receiving_unit", "competent_unit", "returning_unit", "custodian_unit"):
        if getattr(dossier, role) == event.predecessor:
            setattr(dossier, role, event.successor)


CHAPTER = (
    Act(
        event=CompetenceTransferred,
        command=TransferCompetence,
        fits=WORK,
        day=DayMeans.OPENING,
        cause=Words("chuyển thẩm quyền giải quyết", "another unit became competent"),
        effect=_transferred,
        decide=saying(CompetenceTransferred),
        moves_clock=True,
    ),
    Act(
        event=UnitSucceeded,
        command=SucceedUnit,
        fits=ANY - {None},
        day=DayMeans.OPENING,
        cause=Words("đơn vị kế thừa tiếp nhận", "a successor took over"),
        effect=_succeeded,
        decide=_succeed,
        moves_clock=True,
        ended_units=frozenset({"predecessor"}),
    ),
)
