"""What the law asks of each side beside the due date: by when, and whether it was done.

Sources: NĐ 61/2018/NĐ-CP, Điều 18, 19.4, 19.9; NĐ 309/2026/NĐ-CP, Điều 9; NĐ 45/2020/NĐ-CP.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Final

from domain.deadlines.decided import hour_of
from domain.deadlines.law import OfficePolicy, PausePolicy
from domain.deadlines.working_time import WorkingCalendar
from domain.dossier.dates.dates import Dates, first_due_before
from domain.dossier.dates.limits import notice_days, supplement_limit, transfer_limit
from domain.dossier.events import DossierEvent
from domain.dossier.explanation.judging import Duty, DutyName, Judge
from domain.dossier.history import History
from domain.dossier.intake import DossierAccepted, DossierSubmitted, IntakeRefused
from domain.dossier.state import Dossier, Offer, PauseKind, TermClock
from domain.dossier.status import OPEN
from domain.dossier.supplements import SupplementCompleted, SupplementRequested
from domain.dossier.transfers import (
    TransferAccepted,
    TransferOffered,
    TransferRefused,
    TransferTimedOut,
    answers,
)
from domain.envelope import UnitCode
from domain.errors import CalendarContradicts, CalendarLacksYear
from domain.rules.procedures import Channel
from domain.rules.rule_book import RuleBook

_DAY_ENDS: Final = time(23, 59, 59)
_DAY: Final = timedelta(days=1)
_ONLINE_LAW: Final = "NĐ 45/2020/NĐ-CP"
_TRANSFER_LAW: Final = "NĐ 61/2018/NĐ-CP, Điều 18; NĐ 309/2026/NĐ-CP, Điều 9"
_SUPPLEMENT_LAW: Final = "NĐ 61/2018/NĐ-CP, Điều 19.4"
_REAPPOINTMENT_LAW: Final = "NĐ 61/2018/NĐ-CP, Điều 19.9"

_INTAKE_ANSWERS = (DossierAccepted, IntakeRefused, SupplementRequested)
_TRANSFERS = (TransferOffered, TransferAccepted)
_TRANSFER_ANSWERS = (TransferAccepted, TransferRefused)


def duties(
    dossier: Dossier, history: History, dates: Dates | None, rules: RuleBook, at: datetime
) -> tuple[Duty, ...]:
    """Return the duties that follow from an effective history, as they stand at a moment.

    `dates` is None before acceptance, and where they cannot be computed. A duty whose moment the
    calendar does not know is left out.
    """
    judge = Judge(dossier, at)
    desk = _Desk(dossier, rules)
    found = [*_intake(history, desk, judge), *_transfer(history, desk, judge)]
    found += _transfer_answers(history, dates, judge)
    found += _supplement_answers(dossier.clock, history, dates, judge)
    if dates is not None and dossier.clock is not None:
        found += _requests(dates, judge)
        found += _reappointment(dossier, dossier.clock, dates, judge)
    return tuple(sorted(found, key=lambda each: each.by))


class _Desk:
    """The receiving unit's calendar: by the version that the clock is pinned to, if there is one.

    Before acceptance, by the calendar and the policy as they are decided now.
    """

    def __init__(self, dossier: Dossier, rules: RuleBook) -> None:
        clock = dossier.clock
        self._rules = rules
        self._clock = clock
        self._policy_version = clock.policy_version if clock else rules.policy_version()
        self.policy: OfficePolicy = rules.policy(self._policy_version)

    def calendar(self, unit: UnitCode) -> WorkingCalendar:
        """Return the calendar of a unit. Raises CalendarContradicts."""
        use = self._rules.calendar_use(unit)
        pinned = self._clock.calendar if self._clock is not None else use
        if pinned.name == use.name:
            use = replace(use, version=pinned.version)
        return self._rules.working_calendar(use, self._policy_version)


def _intake(history: History, desk: _Desk, judge: Judge) -> Iterator[Duty]:
    """Yield the answers to an online submission: within so many working hours, each time anew.

    After a supplement before acceptance they begin once more, when it came in full.
    """
    waiting: tuple[UnitCode, datetime] | None = None
    unit: UnitCode | None = None
    for recorded in history:
        event = recorded.event
        if isinstance(event, DossierSubmitted) and event.channel is Channel.ONLINE:
            unit = event.receiving_unit
            waiting = waiting or (unit, event.timestamp)
        elif isinstance(event, SupplementCompleted) and unit is not None and not event.partial:
            waiting = waiting or (unit, event.timestamp)
        elif isinstance(event, _INTAKE_ANSWERS):
            waiting = waiting or _submitted_before(event)
            yield from _answer(waiting, event.timestamp, desk, judge)
            waiting = None
            if not isinstance(event, SupplementRequested):
                return
    yield from _answer(waiting, None, desk, judge)


def _submitted_before(event: DossierEvent) -> tuple[UnitCode, datetime] | None:
    """Return where and when a dossier was submitted whose acceptance alone tells of it."""
    if not isinstance(event, DossierAccepted) or event.channel is not Channel.ONLINE:
        return None
    return (event.receiving_unit, event.submitted_at) if event.submitted_at is not None else None


def _answer(
    waiting: tuple[UnitCode, datetime] | None, met_at: datetime | None, desk: _Desk, judge: Judge
) -> Iterator[Duty]:
    if waiting is None:
        return
    unit, since = waiting
    with suppress(CalendarLacksYear, CalendarContradicts, OverflowError):
        calendar = desk.calendar(unit)
        start = calendar.opening(calendar.local(since))
        by = calendar.aware(calendar.add(start, timedelta(hours=desk.policy.intake_hours)))
        yield judge.duty(DutyName.ACCEPT_OR_REFUSE, by, met_at, _ONLINE_LAW)


def _transfer(history: History, desk: _Desk, judge: Judge) -> Iterator[Duty]:
    """Yield the hand-over from the desk to whoever decides, where that is somebody else."""
    accepted: DossierAccepted | None = None
    met_at: datetime | None = None
    for recorded in history:
        event = recorded.event
        if isinstance(event, DossierAccepted):
            accepted = accepted or event
        elif isinstance(event, _TRANSFERS) and accepted is not None and met_at is None:
            met_at = event.timestamp
    if accepted is None or accepted.competent_unit == accepted.receiving_unit:
        return
    if accepted.result_at_once:
        return
    with suppress(CalendarLacksYear, CalendarContradicts, OverflowError):
        calendar = desk.calendar(accepted.receiving_unit)
        cutoff = hour_of(desk.policy.cutoff)
        received = calendar.local(accepted.timestamp)
        by = transfer_by(calendar, received, cutoff, online=accepted.channel is Channel.ONLINE)
        yield judge.duty(DutyName.TRANSFER, calendar.aware(by), met_at, _TRANSFER_LAW)


def transfer_by(
    calendar: WorkingCalendar, received: datetime, cutoff: time, *, online: bool
) -> datetime:
    """Return until when the desk hands over what it received, in wall time of its calendar.

    The same working day; after the cut-off, the first session of the next one. Online dossiers
    move at once: we read that as the session in which they are accepted.
    """
    start = calendar.opening(received)
    if online:
        return _session_end(calendar, start)
    if calendar.is_open(received) and received.time() > cutoff:
        return _session_end(calendar, calendar.opening_after(received))
    return calendar.closing(start)


def _session_end(calendar: WorkingCalendar, moment: datetime) -> datetime:
    sessions = calendar.sessions(moment)
    closes = next(closes for opens, closes in sessions if opens <= moment.time() < closes)
    return datetime.combine(moment, closes)


def _transfer_answers(history: History, dates: Dates | None, judge: Judge) -> Iterator[Duty]:
    """Yield the answers to offers that have a limit; what a later offer replaced is none."""
    offer: TransferOffered | None = None
    for recorded in history:
        event = recorded.event
        if isinstance(event, TransferOffered):
            offer = event
        elif offer is not None and isinstance(event, TransferTimedOut):
            yield from _transfer_answer(offer, None, dates, judge)
            offer = None
        elif offer is not None and _is_answered(offer, event):
            yield from _transfer_answer(offer, event.timestamp, dates, judge)
            offer = None
    if offer is not None:
        yield from _transfer_answer(offer, None, dates, judge)


def _transfer_answer(
    offer: TransferOffered, met_at: datetime | None, dates: Dates | None, judge: Judge
) -> Iterator[Duty]:
    by = offer.answer_by
    if by is None and dates is not None:
        by = transfer_limit(offer.timestamp, dates)
    if by is not None:
        yield judge.duty(DutyName.ANSWER_TRANSFER, by, met_at, None)


def _is_answered(offered: TransferOffered, event: DossierEvent) -> bool:
    offer = Offer(
        to_unit=offered.to_unit,
        transfer_id=offered.transfer_id,
        at=offered.timestamp,
        by=offered.meta.event_id,
    )
    return isinstance(event, _TRANSFER_ANSWERS) and answers(offer, event)


def _requests(dates: Dates, judge: Judge) -> Iterator[Duty]:
    """Yield until when supplements are asked for: each request, and what is still allowed."""
    since = dates.first.clock_starts
    limit = notice_days(dates.procedure, dates.policy)
    asked = False
    for each, pause in dates.pauses:
        if each.kind is PauseKind.SUPPLEMENT:
            yield from _request(dates, judge, since, limit, each.start)
            asked = True
            if pause.policy is PausePolicy.RESTART and each.end is not None:
                since = dates.calendar.opening(dates.calendar.local(each.end))
                asked = False
    if not asked:
        yield from _request(dates, judge, since, limit, None)


def _request(
    dates: Dates, judge: Judge, since: datetime, limit: int, met_at: datetime | None
) -> Iterator[Duty]:
    with suppress(CalendarLacksYear, OverflowError):
        last = datetime.combine(dates.calendar.nth_after(since, limit), _DAY_ENDS)
        by = dates.calendar.aware(last)
        yield judge.duty(DutyName.ASK_FOR_SUPPLEMENT, by, met_at, _SUPPLEMENT_LAW, optional=True)


def _supplement_answers(
    clock: TermClock | None, history: History, dates: Dates | None, judge: Judge
) -> Iterator[Duty]:
    """Yield until when the applicant answers each request, where it was said or the rules know."""
    yield from _intake_supplements(history, judge)
    for each in clock.interruptions if clock is not None else ():
        by = each.answer_by
        if by is None and dates is not None:
            by = supplement_limit(each.start, dates)
        if each.kind is PauseKind.SUPPLEMENT and by is not None:
            yield judge.duty(DutyName.ANSWER_SUPPLEMENT, by, each.end, None)


def _intake_supplements(history: History, judge: Judge) -> Iterator[Duty]:
    by: datetime | None = None
    for recorded in history:
        event = recorded.event
        if isinstance(event, SupplementRequested):
            by = event.answer_by
            continue
        completed = isinstance(event, SupplementCompleted) and not event.partial
        accepted = isinstance(event, DossierAccepted)
        if by is not None and (completed or accepted):
            yield judge.duty(DutyName.ANSWER_SUPPLEMENT, by, event.timestamp, None)
            by = None
        if accepted:
            return
    if by is not None:
        yield judge.duty(DutyName.ANSWER_SUPPLEMENT, by, None, None)


def _reappointment(
    dossier: Dossier, clock: TermClock, dates: Dates, judge: Judge
) -> Iterator[Duty]:
    """Yield the last day on which a new date of return may be agreed, or when it was."""
    again = clock.reappointed
    if again is None and dossier.status not in OPEN:
        return
    due = dates.first_due if again is None else first_due_before(again.at, clock, dates)
    if due is None:
        return
    day = dates.calendar.local(due).date() - _DAY
    by = dates.calendar.aware(datetime.combine(day, _DAY_ENDS))
    met_at = again.at if again is not None else None
    yield judge.duty(DutyName.REAPPOINT, by, met_at, _REAPPOINTMENT_LAW, optional=True)
