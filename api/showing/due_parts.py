"""The parts of a due date's explanation as they are shown: pauses, moves, steps, duties, days."""

from datetime import date, timedelta
from typing import Final, Self
from uuid import UUID

from msgspec import Struct

from api.showing.answers import Count, Moment
from api.showing.refusals import TITLES
from api.showing.texts import DUTIES, cause_of
from domain.deadlines.explaining import Day, Why
from domain.deadlines.law import PausePolicy
from domain.deadlines.wording import day_text
from domain.dossier.appointments import DueDateRecomputed
from domain.dossier.dates.steps import StepDue
from domain.dossier.explanation.explanation import PauseTold
from domain.dossier.explanation.judging import Duty, DutyName, DutyState
from domain.dossier.explanation.moves import Effect, Move
from domain.dossier.state import PauseKind
from domain.errors import DomainError

_MINUTE: Final = timedelta(minutes=1)


class Words(Struct):
    """In Vietnamese and English."""

    vi: str
    en: str


class DuePause(Struct):
    """A time in which the clock may stand still, and what it did to the dates."""

    kind: PauseKind
    start: Moment
    end: Moment | None
    policy: PausePolicy
    asked_by: UUID
    ended_by: UUID | None
    working_minutes: Count | None
    effect: Effect

    @classmethod
    def of(cls, told: PauseTold) -> Self:
        each = told.interruption
        return cls(
            kind=each.kind,
            start=each.start,
            end=each.end,
            policy=told.pause.policy,
            asked_by=each.by,
            ended_by=each.ended_by,
            working_minutes=told.worked // _MINUTE if told.worked is not None else None,
            effect=told.effect,
        )


class DueMove(Struct):
    """An event that set or moved a date; a date is null while the clock stands still."""

    event: UUID
    seq: Count
    at: Moment
    cause: str
    note: str | None
    first_due_before: Moment | None
    first_due: Moment | None
    due_before: Moment | None
    due: Moment | None
    calendar_version_before: Count | None
    calendar_version: Count | None

    @classmethod
    def of(cls, move: Move) -> Self:
        event = move.recorded.event
        return cls(
            event=event.meta.event_id,
            seq=move.recorded.seq,
            at=event.timestamp,
            cause=cause_of(move),
            note=event.cause if isinstance(event, DueDateRecomputed) else None,
            first_due_before=move.before.first_due,
            first_due=move.after.first_due,
            due_before=move.before.due,
            due=move.after.due,
            calendar_version_before=move.before.calendar_version,
            calendar_version=move.after.calendar_version,
        )


class DueStep(Struct):
    """A step of the internal process; never due after the whole."""

    name: str
    role: str
    hours: float
    by: Moment | None

    @classmethod
    def of(cls, step: StepDue) -> Self:
        return cls(step.name, step.role, step.hours, step.by)


class DueDuty(Struct):
    """What one side is to do until then; `lapsed`: it was not done, and need not be any more."""

    name: DutyName
    by: Moment
    met_at: Moment | None
    state: DutyState
    legal_basis: str | None
    text: Words

    @classmethod
    def of(cls, duty: Duty) -> Self:
        said = DUTIES[duty.name]
        text = Words(said["vi"], said["en"])
        return cls(duty.name, duty.by, duty.met_at, duty.state, duty.legal_basis, text)


class DueDay(Struct):
    """A day from receipt to the due date; `code` is the first of its reasons."""

    date: date
    minutes: Count
    paused_minutes: Count
    nth: Count | None
    why: Words
    code: Why | None
    codes: list[Why]
    decision: str | None

    @classmethod
    def of(cls, day: Day) -> Self:
        return cls(
            date=day.date,
            minutes=day.minutes,
            paused_minutes=day.paused_minutes,
            nth=day.nth,
            why=Words(day_text(day, "vi"), day_text(day, "en")),
            code=day.reasons[0].why if day.reasons else None,
            codes=[each.why for each in day.reasons],
            decision=settled_by(day),
        )


def settled_by(day: Day) -> str | None:
    """Return the calendar decision that settles what a day is, if one does."""
    return next((each.decision for each in day.reasons if each.decision is not None), None)


class DueProblem(Struct):
    """Why a date cannot be computed."""

    code: str
    title: str
    detail: str

    @classmethod
    def of(cls, problem: DomainError) -> Self:
        return cls(problem.code, TITLES[problem.code], str(problem))
