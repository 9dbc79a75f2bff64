"""Fills the dates into a folded state, and finds what the law of deadlines does not allow."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta

from domain.deadlines.law import PausePolicy
from domain.deadlines.running import measured, unit_of
from domain.dossier.dates.dates import Dates, dates_of, first_due_before, stopping_clock
from domain.dossier.dates.limits import notice_days, supplement_limit, transfer_limit
from domain.dossier.state import Dossier, Finding, PauseKind, TermClock
from domain.dossier.status import OPEN
from domain.errors import CalendarLacksYear, DomainError
from domain.rules.rule_book import RuleBook

_MINUTE = timedelta(minutes=1)


def settle(dossier: Dossier, rules: RuleBook) -> None:
    """Fill in the dates of a folded state, and what its deadlines find irregular.

    A date that cannot be computed is None, with a finding; so is one whose clock stands still,
    without.
    """
    clock = dossier.clock
    if clock is None:
        return
    dossier.first_due = dossier.due = None
    dossier.pauses, dossier.paused_minutes = 0, 0
    try:
        dates = dates_of(dossier, rules)
    except (DomainError, OverflowError) as why:  # An old entry of the registers may be absurd.
        dates = None
        dossier.date_findings = (_undated(clock, str(why)),)
    dossier.answer_by = _answer_by(clock, dates)
    dossier.transfer_answer_by = _transfer_answer_by(dossier, dates)
    _count_pauses(dossier, dates, rules)
    if dates is None:
        return
    dossier.first_due, dossier.due = dates.first_due, dates.due
    with suppress(CalendarLacksYear):
        paused = measured(dates.calendar, unit_of(dates.counting), dates.first.stood)
        dossier.paused_minutes = paused // _MINUTE
    dossier.date_findings = tuple(_findings(clock, dates))


def _count_pauses(dossier: Dossier, dates: Dates | None, rules: RuleBook) -> None:
    """Say how often the clock stood still, and since when it does, whether or not a date is known.

    A pause that came after the due date stops no clock, but the applicant is waited for.
    """
    stopping = stopping_clock(dossier, rules)
    open_since = [each.start for each in stopping if each.end is None]
    dossier.pauses = len(stopping) - (len(dates.first.ignored) if dates is not None else 0)
    dossier.paused_since = min(open_since, default=None) if dossier.status in OPEN else None


def _undated(clock: TermClock, why: str) -> Finding:
    return Finding(kind="no-due-date", events=(clock.accepted_by,), why=why)


def _findings(clock: TermClock, dates: Dates) -> list[Finding]:
    found: list[Finding] = []
    if dates.first_due is None and not dates.first.open:
        why = "It was accepted without a due date, and none can be computed."
        found.append(_undated(clock, why))
    found += _late_shares(clock, dates)
    for place in dates.first.ignored:
        each, _ = dates.pauses[place]
        if each.kind is PauseKind.SUPPLEMENT:
            why = "The supplement was asked for after the due date, which it does not move."
            found.append(Finding(kind="supplement-after-due", events=(each.by,), why=why))
    with suppress(CalendarLacksYear):
        found += _late_requests(dates)
        found += _late_reappointments(clock, dates)
    return found


def _late_shares(clock: TermClock, dates: Dates) -> Iterator[Finding]:
    """Yield hand-overs whose work may take longer than the whole (NĐ 61/2018, Điều 19.6)."""
    for share in clock.shares:
        if dates.due is not None and share.deadline > dates.due:
            why = "The deadline of the work lies after the due date of the whole dossier."
            yield Finding(kind="deadline-after-due", events=(share.by,), why=why)


def _late_requests(dates: Dates) -> Iterator[Finding]:
    """Yield supplements asked for later than the notice limit (NĐ 61/2018, Điều 19.4)."""
    if not any(each.kind is PauseKind.SUPPLEMENT for each, _ in dates.pauses):
        return
    since = dates.calendar.opening(dates.first.clock_starts)
    limit = notice_days(dates.procedure, dates.policy)
    for each, pause in dates.pauses:
        if each.kind is not PauseKind.SUPPLEMENT:
            continue
        if dates.calendar.local(each.start).date() > dates.calendar.nth_after(since, limit):
            why = f"It was asked for after more than {limit} working days (NĐ 61/2018, Điều 19.4)."
            yield Finding(kind="late-supplement-request", events=(each.by,), why=why)
        if pause.policy is PausePolicy.RESTART and each.end is not None:
            since = dates.calendar.opening(dates.calendar.local(each.end))


def _late_reappointments(clock: TermClock, dates: Dates) -> Iterator[Finding]:
    again = clock.reappointed
    if again is None:
        return
    due = first_due_before(again.at, clock, dates)
    if due is None or dates.calendar.local(again.at).date() < dates.calendar.local(due).date():
        return
    why = "The re-appointment came later than the day before the due date (NĐ 61/2018, Điều 19.9)."
    yield Finding(kind="late-reappointment", events=(again.by,), why=why)


def _answer_by(clock: TermClock, dates: Dates | None) -> datetime | None:
    """Return until when the supplement that is asked for now is awaited; None: for ever.

    A limit that was over before anybody asked is none.
    """
    for each in clock.interruptions:
        if each.kind is PauseKind.SUPPLEMENT and each.end is None:
            if each.answer_by is not None and each.answer_by > each.start:
                return each.answer_by
            if dates is None:
                return None
            return supplement_limit(each.start, dates)
    return None


def _transfer_answer_by(dossier: Dossier, dates: Dates | None) -> datetime | None:
    offer = dossier.offer
    if offer is None:
        return None
    if offer.answer_by is not None and offer.answer_by > offer.at:
        return offer.answer_by
    return None if dates is None else transfer_limit(offer.at, dates)
