"""Parts of a whole: deadlines of steps and agencies, none of them after that of the whole.

Sources: NĐ 61/2018/NĐ-CP, Điều 19.6-7; NĐ 63/2024/NĐ-CP as amended by NĐ 301/2026/NĐ-CP.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from domain.deadlines.running import Span, run
from domain.deadlines.terms import Counting
from domain.deadlines.working_time import WorkingCalendar


def sub_deadline(
    calendar: WorkingCalendar, counting: Counting, start: datetime, whole_due: datetime | None
) -> datetime | None:
    """Return when a part that starts at a moment is due: by its own term, never after the whole.

    Without a term of its own it is due with the whole; None: neither has a date.
    """
    own = run(calendar, counting, start, ()).due
    if own is None or whole_due is None:
        return own or whole_due
    return min(own, whole_due)


def share_ends(
    calendar: WorkingCalendar,
    start: datetime,
    shares: Sequence[timedelta],
    pauses: Sequence[Span],
    whole_due: datetime | None,
) -> tuple[datetime, ...]:
    """Return when each of consecutive shares of working time ends, none of them after the whole.

    All moments are wall time of the calendar; pauses are merged, and stop the shares too.
    """
    ends: list[datetime] = []
    done = timedelta(0)
    for share in shares:
        done += share
        end = _after(calendar, start, done, pauses)
        ends.append(end if whole_due is None else min(end, whole_due))
    return tuple(ends)


def _after(
    calendar: WorkingCalendar, start: datetime, work: timedelta, pauses: Sequence[Span]
) -> datetime:
    end = calendar.add(start, work)
    for begins, over in pauses:
        if begins < end:
            end = calendar.add(end, calendar.worked(begins, over))
    return end
