"""What `hoso due` counts and answers: a due date by a calendar in hand, without a ledger."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final, Self

from msgspec import UNSET, Struct, UnsetType

from api.showing.due_parts import settled_by
from api.showing.rules import DueTerm
from domain.deadlines.decided import applied, deciding, working_calendar
from domain.deadlines.explaining import Day, Why, account
from domain.deadlines.law import CalendarDecision, CutoffPolicy, PausePolicy
from domain.deadlines.running import Pause, Run, measured, run
from domain.deadlines.terms import Counting
from domain.deadlines.wording import day_text, explanation_text
from domain.deadlines.working_time import WorkingCalendar
from domain.envelope import VIETNAM
from domain.errors import DomainError
from domain.words import Language
from streams.registers.calendar_files import nationwide_decisions
from streams.registers.shipped_calendars import shipped_calendars

_MINUTE: Final = timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class DueQuestion:
    """What the command was asked to count. `now`: as if a pause that is open ended then."""

    start: datetime
    counting: Counting
    pauses: tuple[Pause, ...]
    now: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class DueReckoned:
    """When it is due and why: `resumed` if the clock went on now, where that can be known."""

    asked: DueQuestion
    calendar: WorkingCalendar
    decisions: Sequence[CalendarDecision]
    ran: Run
    days: tuple[Day, ...]
    resumed: datetime | None
    paused_minutes: int

    def lines(self, lang: Language) -> list[str]:
        """Return the whole account, a sentence or a day each."""
        return explanation_text(self.days, self.asked.counting, self.ran, lang)


def reckoned(asked: DueQuestion, file: Path | None) -> DueReckoned:
    """Count by the decisions of a file, or by the shipped ones. Raises DomainError, FileRefused."""
    decisions = applied(nationwide_decisions(file) if file is not None else shipped_calendars())
    calendar = working_calendar(decisions, name=file.name if file is not None else "VN")
    ran = run(calendar, asked.counting, asked.start, asked.pauses)
    settled = deciding(decisions)
    days = account(
        calendar, asked.counting, asked.start, asked.pauses, ran, settled, until=asked.now
    )
    return DueReckoned(
        asked=asked,
        calendar=calendar,
        decisions=decisions,
        ran=ran,
        days=days,
        resumed=_resumed(asked, calendar) if ran.open else None,
        paused_minutes=_paused_minutes(asked, calendar, ran, days),
    )


def _paused_minutes(
    asked: DueQuestion, calendar: WorkingCalendar, ran: Run, days: Sequence[Day]
) -> int:
    """Return how long the clock stood still: while it does, as far as the days tell."""
    if ran.open or asked.counting.term is None:
        return sum(each.paused_minutes for each in days)
    return measured(calendar, asked.counting.term.unit, ran.stood) // _MINUTE


def _resumed(asked: DueQuestion, calendar: WorkingCalendar) -> datetime | None:
    now = asked.now or datetime.now(UTC)
    over = [each if each.end is not None else replace(each, end=now) for each in asked.pauses]
    with suppress(DomainError):
        return run(calendar, asked.counting, asked.start, over).due
    return None


class UsedCalendar(Struct):
    name: str
    decisions: list[str]
    years: list[int]


class CountedPause(Struct):
    start: datetime
    end: datetime | None
    policy: PausePolicy
    after_due: bool


class CountedDay(Struct):
    """A day; `code` is the first of its reasons, `decision` the one that settles it."""

    date: date
    minutes: int
    paused_minutes: int
    nth: int | None
    why: str
    code: Why | None
    codes: list[Why]
    decision: str | None

    @classmethod
    def of(cls, day: Day, lang: Language) -> Self:
        return cls(
            date=day.date,
            minutes=day.minutes,
            paused_minutes=day.paused_minutes,
            nth=day.nth,
            why=day_text(day, lang),
            code=day.reasons[0].why if day.reasons else None,
            codes=[each.why for each in day.reasons],
            decision=settled_by(day),
        )


class DueLines(Struct):
    vi: list[str]
    en: list[str]


class DueAnswer(Struct, kw_only=True):
    """When a term ends, and why; the days in one language, the account in both."""

    start: datetime
    clock_starts: datetime
    due: datetime | None
    due_date: date | None
    due_if_resumed_now: datetime | UnsetType = UNSET
    paused_minutes: int
    calendar: UsedCalendar
    term: DueTerm | None
    cutoff: CutoffPolicy
    pauses: list[CountedPause]
    days: list[CountedDay]
    text: DueLines

    @classmethod
    def of(cls, found: DueReckoned, lang: Language) -> Self:
        asked, ran, calendar = found.asked, found.ran, found.calendar
        term = asked.counting.term
        used = [each.id for each in found.decisions]
        return cls(
            start=asked.start.astimezone(VIETNAM),
            clock_starts=calendar.aware(ran.clock_starts),
            due=ran.due,
            due_date=ran.due.date() if ran.due is not None else None,
            due_if_resumed_now=found.resumed if found.resumed is not None else UNSET,
            paused_minutes=found.paused_minutes,
            calendar=UsedCalendar(calendar.name, used, sorted(calendar.years)),
            term=DueTerm.of(term) if term is not None else None,
            cutoff=asked.counting.cutoff,
            pauses=_pauses(found),
            days=[CountedDay.of(each, lang) for each in found.days],
            text=DueLines(found.lines("vi"), found.lines("en")),
        )


def _pauses(found: DueReckoned) -> list[CountedPause]:
    return [
        CountedPause(
            start=each.start.astimezone(VIETNAM),
            end=each.end.astimezone(VIETNAM) if each.end is not None else None,
            policy=each.policy,
            after_due=place in found.ran.ignored,
        )
        for place, each in enumerate(found.asked.pauses)
    ]
