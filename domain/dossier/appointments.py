"""Appointments: a new date of return is agreed, or the old one is computed again.

NĐ 61/2018/NĐ-CP, Điều 19.9: one apology with a new date, at the latest the day before.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from domain.dossier.chapter import (
    Act,
    DayMeans,
    Decision,
    DossierCommand,
    Hindered,
    Rule,
    Situation,
    happens,
)
from domain.dossier.dates.dates import DateMove, later
from domain.dossier.events import DossierEvent
from domain.dossier.state import Dossier, Reappointed
from domain.dossier.status import ENDED, OPEN, Status
from domain.envelope import UnitCode
from domain.errors import InvalidRequest
from domain.words import Words


@dataclass(frozen=True, kw_only=True)
class Reappointment:
    """Form 04: apology and new day of return (NĐ 61/2018, Điều 19.9: once only)."""

    new_due: datetime
    reason: str
    delaying_unit: UnitCode | None = None
    signer: str | None = None
    number: str | None = None
    notified_by: str | None = None


@dataclass(frozen=True, kw_only=True)
class Recomputation:
    """The due date is to be computed again by the rules as they are decided now."""

    cause: str | None = None


@dataclass(frozen=True, kw_only=True)
class Moved:
    """What the ledger says about a recomputation."""

    moved: DateMove


@dataclass(frozen=True, kw_only=True)
class ReappointmentIssued(Reappointment, DossierEvent):
    TOPIC = "dossier.reappointment-issued.v1"


@dataclass(frozen=True, kw_only=True)
class DueDateRecomputed(Recomputation, Moved, DossierEvent):
    """The calendar was decided late: from now on the clock counts by its newer version."""

    TOPIC = "dossier.due-date-recomputed.v1"


@dataclass(frozen=True, kw_only=True)
class IssueReappointment(Reappointment, DossierCommand):
    """Apologise and set a new day of return (form 04). Once, at the latest the day before."""

    NAME = "issue-reappointment"


@dataclass(frozen=True, kw_only=True)
class RecomputeDueDate(Recomputation, DossierCommand):
    """Compute the due date again by the calendar as it is decided now; never an earlier one."""

    NAME = "recompute-due-date"


ONE_REAPPOINTMENT = Rule(
    code="second-reappointment",
    why="one re-appointment for a dossier, and it has had it",
    law="NĐ 61/2018, Điều 19.9",
    broken=lambda dossier: dossier.reappointed_by is not None,
)


def _reappoint(situation: Situation, command: IssueReappointment) -> Decision:
    due = situation.dossier.due
    unit = situation.dossier.receiving_unit
    if command.new_due <= situation.at:
        raise InvalidRequest("new_due must lie ahead.")
    if due is not None and unit is not None:
        zone = situation.rules.zone(unit)
        if situation.at.astimezone(zone).date() >= due.astimezone(zone).date():
            raise Hindered(
                "the notice must come at the latest the day before (NĐ 61/2018, Điều 19.9)."
            )
        if command.new_due <= due:
            raise InvalidRequest("new_due must be later than the day of return so far.")
    return Decision(events=(happens(situation, command, ReappointmentIssued),))


def _recompute(situation: Situation, command: RecomputeDueDate) -> Decision:
    """Move the date by the newest calendar: never to an earlier one, and only if it moves."""
    move = later(situation.dossier, situation.rules)
    if move is None:
        return Decision(events=())
    return Decision(events=(recomputed(situation, move, command.cause, place=1),))


def recomputed(
    situation: Situation, move: DateMove, cause: str | None, place: int
) -> DueDateRecomputed:
    """Return the event of a date that moves, at its place among those of a command."""
    return DueDateRecomputed(**situation.stamp(place), cause=cause, moved=move)


def _reappointed(dossier: Dossier, event: ReappointmentIssued) -> None:
    dossier.reappointed_by = dossier.reappointed_by or event.meta.event_id
    if dossier.clock is not None and dossier.status not in ENDED:
        agreed = Reappointed(at=event.timestamp, by=event.meta.event_id, new_due=event.new_due)
        dossier.clock = replace(dossier.clock, reappointed=agreed)


def _counted_anew(dossier: Dossier, event: DueDateRecomputed) -> None:
    """Count by the newer calendar from now on; an ended dossier keeps the one it ended with.

    A clock that counts by another calendar than the one that was replaced is not the one meant.
    """
    clock = dossier.clock
    if clock is None or dossier.status in ENDED:
        return
    if clock.calendar == event.moved.calendar_before:
        dossier.clock = replace(clock, calendar=event.moved.calendar)


CHAPTER = (
    Act(
        event=ReappointmentIssued,
        command=IssueReappointment,
        fits=frozenset({Status.IN_PROCESS}),
        day=DayMeans.OPENING,
        cause=Words(
            "xin lỗi và hẹn lại (Nghị định 61/2018/NĐ-CP, Điều 19.9)",
            "re-appointment (Decree 61/2018/NĐ-CP, Article 19.9)",
        ),
        effect=_reappointed,
        decide=_reappoint,
        moves_clock=False,
        rules=(ONE_REAPPOINTMENT,),
    ),
    Act(
        event=DueDateRecomputed,
        command=RecomputeDueDate,
        fits=OPEN,
        day=DayMeans.OPENING,
        cause=Words("tính lại theo lịch làm việc mới", "computed again by a newer calendar"),
        effect=_counted_anew,
        decide=_recompute,
        moves_clock=False,
        ledger_alone="Due dates are recomputed by the ledger alone.",
    ),
)
