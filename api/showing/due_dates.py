"""The dates of a dossier as they are shown, with everything that they follow from."""

from datetime import timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from api.showing.refusals import TITLES
from api.showing.rules import counted_body
from api.showing.texts import DUTIES, LANGUAGES, Summary, cause_of, summary_lines
from domain.deadlines.explaining import Day
from domain.deadlines.wording import day_text, explanation_text
from domain.dossier.appointments import DueDateRecomputed
from domain.dossier.dates.steps import StepDue
from domain.dossier.explanation.explanation import DateState, Explanation, PauseTold
from domain.dossier.explanation.judging import Duty
from domain.dossier.explanation.moves import Move
from domain.dossier.status import ENDED, Status
from domain.errors import DomainError

Json = dict[str, Any]
_MINUTE: Final = timedelta(minutes=1)
_HOME: Final = ZoneInfo("Asia/Ho_Chi_Minh")
_OVER: Final = ENDED | {Status.NOT_ACCEPTED}


def due_date_body(found: Explanation, position: int) -> Json:
    """Return every date of a dossier and why it is that one. It names no person."""
    dossier, rules = found.standpoint.dossier, found.standpoint.rules
    return {
        "position": position,
        "id": dossier.id,
        "code": dossier.code,
        "state": found.state,
        "printed_due": dossier.printed_due,
        "first_due": dossier.first_due,
        "due": dossier.due,
        "awaits": found.awaits,
        "provisional": found.awaits is not None,
        "due_if_resumed_now": found.resumed,
        **counted_body(dossier, found.dates, found.days, rules),
        "pauses": [_pause(each) for each in found.pauses],
        "moves": [_move(each) for each in found.moves],
        "steps": [_step(each) for each in found.steps],
        "duties": [_duty(each) for each in found.duties],
        "days": [_day(each) for each in found.days],
        "problem": _problem(found.problem),
        "text": _text(found),
    }


def preview_body(found: Explanation) -> Json:
    """Return when a dossier would be due that is accepted so. Raises why that is not known."""
    dossier, rules = found.standpoint.dossier, found.standpoint.rules
    if found.problem is not None:
        raise found.problem
    explanation = {
        "awaits": found.awaits,
        "provisional": found.awaits is not None,
        **counted_body(dossier, found.dates, found.days, rules),
        "steps": [_step(each) for each in found.steps],
        "days": [_day(each) for each in found.days],
        "text": _text(found),
    }
    return {"due": dossier.due, "explanation": explanation}


def _pause(told: PauseTold) -> Json:
    each = told.interruption
    return {
        "kind": each.kind,
        "start": each.start,
        "end": each.end,
        "policy": told.pause.policy,
        "asked_by": each.by,
        "ended_by": each.ended_by,
        "working_minutes": told.worked // _MINUTE if told.worked is not None else None,
        "effect": told.effect,
    }


def _move(move: Move) -> Json:
    event = move.recorded.event
    return {
        "event": event.meta.event_id,
        "seq": move.recorded.seq,
        "at": event.timestamp,
        "cause": cause_of(move),
        "note": event.cause if isinstance(event, DueDateRecomputed) else None,
        "first_due_before": move.before.first_due,
        "first_due": move.after.first_due,
        "due_before": move.before.due,
        "due": move.after.due,
        "calendar_version_before": move.before.calendar_version,
        "calendar_version": move.after.calendar_version,
    }


def _step(each: StepDue) -> Json:
    return {"name": each.name, "role": each.role, "hours": each.hours, "by": each.by}


def _duty(duty: Duty) -> Json:
    return {
        "name": duty.name,
        "by": duty.by,
        "met_at": duty.met_at,
        "state": duty.state,
        "legal_basis": duty.legal_basis,
        "text": DUTIES[duty.name],
    }


def _day(day: Day) -> Json:
    """Return a day; `code` is the first of its reasons, `decision` the one that settles it."""
    decisions = (each.decision for each in day.reasons if each.decision is not None)
    return {
        "date": day.date,
        "minutes": day.minutes,
        "paused_minutes": day.paused_minutes,
        "nth": day.nth,
        "why": {lang: day_text(day, lang) for lang in LANGUAGES},
        "code": day.reasons[0].why if day.reasons else None,
        "codes": [each.why for each in day.reasons],
        "decision": next(decisions, None),
    }


def _problem(problem: DomainError | None) -> Json | None:
    if problem is None:
        return None
    return {"code": problem.code, "title": TITLES[problem.code], "detail": str(problem)}


def _text(found: Explanation) -> dict[str, list[str]]:
    dossier, dates = found.standpoint.dossier, found.dates
    said = Summary(
        state=found.state,
        zone=ZoneInfo(dossier.clock.calendar.zone) if dossier.clock is not None else _HOME,
        printed_due=dossier.printed_due,
        first_due=dossier.first_due,
        due=dossier.due,
        awaits=found.awaits,
        resumed=found.resumed,
        problem=_problem(found.problem),
        moves=found.moves,
    )
    text: dict[str, list[str]] = {}
    stands = found.state is DateState.PAUSED
    for lang in LANGUAGES:
        text[lang] = summary_lines(said, lang)
        if dates is not None:
            ran = dates.first._replace(due=dates.due, open=stands)
            text[lang] += explanation_text(found.days, dates.counting, ran, lang)
    return text
