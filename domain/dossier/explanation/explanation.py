"""The use case "explain a date": what the dates of a dossier are, and all that they follow from.

Pure: the same history, rules and moment give the same explanation, over HTTP and at a terminal.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from domain.deadlines.explaining import Day, Why, account
from domain.deadlines.running import Pause
from domain.dossier.dates.dates import Dates, dates_of, pauses_since
from domain.dossier.dates.steps import StepDue, step_plan
from domain.dossier.evolve import replay
from domain.dossier.explanation.duties import duties
from domain.dossier.explanation.judging import Duty
from domain.dossier.explanation.moves import Effect, Move, effects, if_resumed, moves
from domain.dossier.history import History, effective_history
from domain.dossier.state import Dossier, Interruption
from domain.dossier.status import ENDED, Status
from domain.errors import CalendarLacksYear, DomainError
from domain.rules.rule_book import RuleBook

_OVER: Final = ENDED | {Status.NOT_ACCEPTED}


class DateState(StrEnum):
    """How the clock of a dossier stands."""

    BEFORE_ACCEPTANCE = "before-acceptance"
    RUNNING = "running"
    PAUSED = "paused"
    ENDED = "ended"
    NO_TERM = "no-term"
    NOT_COMPUTABLE = "not-computable"


@dataclass(frozen=True, kw_only=True, slots=True)
class Standpoint:
    """A dossier as of a moment and as known at a position: `history` is the effective one.

    What is not over is judged at `at`.
    """

    dossier: Dossier
    history: History
    rules: RuleBook
    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class PauseTold:
    """A time in which the clock may stand still, what it did, and how long it was in office hours.

    `worked` is None where the calendar does not know its years; of an open pause it is until now.
    """

    interruption: Interruption
    pause: Pause
    effect: Effect
    worked: timedelta | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Explanation:
    """Everything that the dates of a dossier follow from; `problem` says why there are none.

    `awaits` is the agency from whose receipt the term counts, as long as it has not come.
    """

    standpoint: Standpoint
    state: DateState
    dates: Dates | None
    days: Sequence[Day]
    pauses: Sequence[PauseTold]
    moves: Sequence[Move]
    steps: Sequence[StepDue]
    duties: Sequence[Duty]
    awaits: str | None
    resumed: datetime | None
    problem: DomainError | None


def standpoint(
    events: History,
    rules: RuleBook,
    *,
    at: datetime,
    as_of: datetime | None = None,
    known_at: int | None = None,
) -> Standpoint:
    """Return from where a dossier's events, of which there is one at least, are looked at."""
    dossier = replay(_stream(events), events, rules, as_of, known_at)
    history = effective_history(events, rules.units, as_of, known_at)
    return Standpoint(dossier=dossier, history=history, rules=rules, at=at)


def present(dossier: Dossier, events: History, rules: RuleBook, at: datetime) -> Standpoint:
    """Return the standpoint of a dossier whose state by all its events is known."""
    return Standpoint(
        dossier=dossier, history=effective_history(events, rules.units), rules=rules, at=at
    )


def _stream(events: History) -> UUID:
    return events[0].event.originator_id


def explained(seen: Standpoint) -> Explanation:
    """Explain every date of a dossier. What cannot be computed is a `problem`, never an error."""
    dossier, rules = seen.dossier, seen.rules
    dates = resumed = problem = None
    days: Sequence[Day] = ()
    try:
        dates = dates_of(dossier, rules)
        days = _days(seen, dates) if dates is not None else ()
        if date_state(dossier, dates) is DateState.PAUSED:
            resumed = if_resumed(dossier, rules, seen.at)
    except DomainError as why:
        problem = why
    return Explanation(
        standpoint=seen,
        state=date_state(dossier, dates),
        dates=dates,
        days=days,
        pauses=_pauses(seen, dates),
        moves=moves(dossier.id, seen.history, rules),
        steps=_steps(dates),
        duties=duties(dossier, seen.history, dates, rules, seen.at),
        awaits=_awaits(dossier),
        resumed=resumed,
        problem=problem,
    )


def date_state(dossier: Dossier, dates: Dates | None) -> DateState:
    """Say how the clock of a dossier stands."""
    if dossier.status in _OVER:
        return DateState.ENDED
    if dossier.clock is None:
        return DateState.BEFORE_ACCEPTANCE
    if dates is None:
        return DateState.NOT_COMPUTABLE
    if dates.due is not None:
        return DateState.RUNNING
    stands = dates.first.legs or dates.agreed is not None
    return DateState.PAUSED if stands else DateState.NO_TERM


def _awaits(dossier: Dossier) -> str | None:
    clock = dossier.clock
    return clock.awaited if clock is not None and clock.received_at is None else None


def _days(seen: Standpoint, dates: Dates) -> list[Day]:
    """Return the days until the first due date, then those until the one of a re-appointment."""
    clock = seen.dossier.clock
    if clock is None:
        return []
    settled = seen.rules.settled_days(clock.calendar)
    pauses = [pause for _, pause in dates.pauses]
    start = clock.received_at or clock.start
    until = seen.at if dates.first.open else None
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


def _pauses(seen: Standpoint, dates: Dates | None) -> list[PauseTold]:
    if dates is None:
        return []
    found = effects(seen.dossier, dates, seen.rules)
    return [
        PauseTold(
            interruption=each, pause=pause, effect=effect, worked=_worked(dates, each, seen.at)
        )
        for (each, pause), effect in zip(dates.pauses, found, strict=True)
    ]


def _worked(dates: Dates, pause: Interruption, at: datetime) -> timedelta | None:
    start, end = pause.start, pause.end or max(at, pause.start)
    with suppress(CalendarLacksYear, OverflowError):
        calendar = dates.calendar
        return calendar.worked(calendar.local(start), calendar.local(end))
    return None


def _steps(dates: Dates | None) -> tuple[StepDue, ...]:
    if dates is None:
        return ()
    with suppress(CalendarLacksYear, OverflowError):
        return step_plan(dates)
    return ()
