"""The dates of a dossier as they are shown, with everything that they follow from."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from api.http.problems import TITLES
from api.showing.rules import counted_body
from api.showing.texts import DUTIES, LANGUAGES, Summary, cause_of, summary_lines
from domain.deadlines.decided import applied, deciding
from domain.deadlines.explaining import Day, Why, account
from domain.deadlines.wording import day_text, explanation_text
from domain.dossier import events as ev
from domain.dossier.dates.dates import Dates, dates_of, pauses_since
from domain.dossier.dates.steps import step_plan
from domain.dossier.explanation.duties import duties
from domain.dossier.explanation.judging import Duty
from domain.dossier.explanation.moves import Move, effects, if_resumed, moves
from domain.dossier.history import History
from domain.dossier.state import ENDED, Clock, Dossier, Interruption, Status
from domain.errors import CalendarLacksYear, DomainError
from domain.rules.rule_book import RuleBook

Json = dict[str, Any]
_MINUTE: Final = timedelta(minutes=1)
_HOME: Final = ZoneInfo("Asia/Ho_Chi_Minh")
_OVER: Final = ENDED | {Status.NOT_ACCEPTED}


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """A dossier as of a moment and as known at a position: `history` is the effective one.

    What is not over is judged at `at`.
    """

    dossier: Dossier
    history: History
    rules: RuleBook
    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class _Found:
    """What was computed of it; `problem` says why not, where a date could not be."""

    dates: Dates | None
    days: Sequence[Day]
    resumed: datetime | None
    problem: DomainError | None
    moves: Sequence[Move]


def due_date_body(told: Told, position: int) -> Json:
    """Return every date of a dossier and why it is that one. It names no person."""
    dossier, rules = told.dossier, told.rules
    found = _found(told)
    dates = found.dates
    stands = duties(dossier, told.history, dates, rules, told.at)
    return {
        "position": position,
        "id": dossier.id,
        "code": dossier.code,
        "state": _state(dossier, dates),
        "printed_due": dossier.printed_due,
        "first_due": dossier.first_due,
        "due": dossier.due,
        "awaits": _awaits(dossier.clock),
        "provisional": _awaits(dossier.clock) is not None,
        "due_if_resumed_now": found.resumed,
        **counted_body(dossier, dates, found.days, rules),
        "pauses": _pauses(told, dates),
        "moves": [_move(each) for each in found.moves],
        "steps": _steps(dates),
        "duties": [_duty(each) for each in stands],
        "days": [_day(each) for each in found.days],
        "problem": _problem(found.problem),
        "text": _text(told, found),
    }


def preview_body(told: Told) -> Json:
    """Return when a dossier would be due that is accepted so. Raises why that is not known."""
    found = _found(told)
    if found.problem is not None:
        raise found.problem
    explanation = {
        "awaits": _awaits(told.dossier.clock),
        "provisional": _awaits(told.dossier.clock) is not None,
        **counted_body(told.dossier, found.dates, found.days, told.rules),
        "steps": _steps(found.dates),
        "days": [_day(each) for each in found.days],
        "text": _text(told, found),
    }
    return {"due": told.dossier.due, "explanation": explanation}


def _found(told: Told) -> _Found:
    dates = resumed = problem = None
    days: Sequence[Day] = ()
    try:
        dates = dates_of(told.dossier, told.rules)
        days = _days(told, dates) if dates is not None else ()
        if _state(told.dossier, dates) == "paused":
            resumed = if_resumed(told.dossier, told.rules, told.at)
    except DomainError as why:
        problem = why
    told_moves = moves(told.dossier.id, told.history, told.rules)
    return _Found(dates=dates, days=days, resumed=resumed, problem=problem, moves=told_moves)


def _state(dossier: Dossier, dates: Dates | None) -> str:
    if dossier.status in _OVER:
        return "ended"
    if dossier.clock is None:
        return "before-acceptance"
    if dates is None:
        return "not-computable"
    if dates.due is not None:
        return "running"
    return "paused" if dates.first.legs or dates.agreed is not None else "no-term"


def _awaits(clock: Clock | None) -> str | None:
    return clock.awaited if clock is not None and clock.received_at is None else None


def _days(told: Told, dates: Dates) -> list[Day]:
    """Return the days until the first due date, then those until the one of a re-appointment."""
    clock = told.dossier.clock
    if clock is None:
        return []
    decisions = told.rules.decisions(clock.calendar.name, clock.calendar.version)
    settled = deciding(applied(decisions, clock.calendar.units), clock.calendar.units)
    pauses = [pause for _, pause in dates.pauses]
    start = clock.received_at or clock.start
    until = told.at if dates.first.open else None
    days = account(dates.calendar, dates.counting, start, pauses, dates.first, settled, until=until)
    again = clock.reappointed
    if again is None or dates.agreed is None:
        return list(days)
    more = account(
        dates.calendar,
        dates.counting,
        again.at,
        pauses_since(again.at, pauses),
        dates.agreed,
        settled,
        until=until,
        stated_as=Why.REAPPOINTED,
    )
    # What was agreed was not counted: its days have no number of their own.
    agreed = (replace(day, nth=None) for day in more if not days or day.date > days[-1].date)
    return [*days, *agreed]


def _pauses(told: Told, dates: Dates | None) -> list[Json]:
    if dates is None:
        return []
    found = effects(told.dossier, dates, told.rules)
    return [
        {
            "kind": each.kind,
            "start": each.start,
            "end": each.end,
            "policy": pause.policy,
            "asked_by": each.by,
            "ended_by": each.ended_by,
            "working_minutes": _worked(dates, each, told.at),
            "effect": effect,
        }
        for (each, pause), effect in zip(dates.pauses, found, strict=True)
    ]


def _worked(dates: Dates, pause: Interruption, at: datetime) -> int | None:
    """Return the working time of a pause, of an open one until now."""
    start, end = pause.start, pause.end or max(at, pause.start)
    with suppress(CalendarLacksYear, OverflowError):
        calendar = dates.calendar
        return calendar.worked(calendar.local(start), calendar.local(end)) // _MINUTE
    return None


def _move(move: Move) -> Json:
    event = move.recorded.event
    return {
        "event": event.meta.event_id,
        "seq": move.recorded.seq,
        "at": event.timestamp,
        "cause": cause_of(move),
        "note": event.cause if isinstance(event, ev.DueDateRecomputed) else None,
        "first_due_before": move.before.first_due,
        "first_due": move.after.first_due,
        "due_before": move.before.due,
        "due": move.after.due,
        "calendar_version_before": move.before.calendar_version,
        "calendar_version": move.after.calendar_version,
    }


def _steps(dates: Dates | None) -> list[Json]:
    if dates is None:
        return []
    with suppress(CalendarLacksYear, OverflowError):
        return [
            {"name": each.name, "role": each.role, "hours": each.hours, "by": each.by}
            for each in step_plan(dates)
        ]
    return []


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


def _text(told: Told, found: _Found) -> dict[str, list[str]]:
    dossier, dates = told.dossier, found.dates
    said = Summary(
        state=_state(dossier, dates),
        zone=ZoneInfo(dossier.clock.calendar.zone) if dossier.clock is not None else _HOME,
        printed_due=dossier.printed_due,
        first_due=dossier.first_due,
        due=dossier.due,
        awaits=_awaits(dossier.clock),
        resumed=found.resumed,
        problem=_problem(found.problem),
        moves=found.moves,
    )
    text: dict[str, list[str]] = {}
    stands = _state(dossier, dates) == "paused"
    for lang in LANGUAGES:
        text[lang] = summary_lines(said, lang)
        if dates is not None:
            ran = dates.first._replace(due=dates.due, open=stands)
            text[lang] += explanation_text(found.days, dates.counting, ran, lang)
    return text
