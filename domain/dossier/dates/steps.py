"""Until when each step of the internal process of a dossier is to be done (quy trình nội bộ)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.deadlines.law import PausePolicy
from domain.deadlines.shares import share_ends
from domain.dossier.dates.dates import Dates


@dataclass(frozen=True, kw_only=True, slots=True)
class StepDue:
    """A step of the internal process; `by` None: the clock stands still before it ends."""

    name: str
    role: str
    hours: float
    by: datetime | None


def step_plan(dates: Dates) -> tuple[StepDue, ...]:
    """Return until when each step of the internal process is to be done, none after the whole.

    Working time from the beginning of the count that holds, without its pauses. A step that a pause
    keeps open has no date. Raises CalendarLacksYear.
    """
    steps = dates.procedure.steps if dates.procedure is not None else ()
    run = dates.first
    starts = run.legs[-1].starts if run.legs else run.clock_starts
    whole = dates.calendar.local(dates.first_due) if dates.first_due is not None else None
    shares = [timedelta(hours=step.hours) for step in steps]
    ends = share_ends(dates.calendar, starts, shares, run.spans, whole)
    stops = _stands_still_from(dates)
    return tuple(
        StepDue(
            name=step.name,
            role=step.role,
            hours=step.hours,
            by=None if stops is not None and end > stops else dates.calendar.aware(end),
        )
        for step, end in zip(steps, ends, strict=True)
    )


def _stands_still_from(dates: Dates) -> datetime | None:
    if not dates.first.open:
        return None
    still = (
        pause.start
        for place, (_, pause) in enumerate(dates.pauses)
        if pause.end is None
        and pause.policy is not PausePolicy.NONE
        and place not in dates.first.ignored
    )
    return dates.calendar.local(min(still))
