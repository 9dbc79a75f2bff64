"""Fills the dates into a folded state, and finds what the law of deadlines does not allow."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.deadlines.law import PausePolicy
from domain.deadlines.running import measured, unit_of
from domain.dossier.dates.dates import (
    Dates,
    counted_as,
    dates_of,
    first_due_before,
    stopping_clock,
)
from domain.dossier.dates.limits import notice_days, supplement_limit, transfer_limit
from domain.dossier.state import Dossier, Finding, Offer, PauseKind, TermClock
from domain.dossier.status import OPEN
from domain.errors import CalendarLacksYear, DomainError
from domain.rules.rule_book import RuleBook

_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Settlement:
    """What follows from a clock and an offer, by the rules that they name."""

    first_due: datetime | None = None
    due: datetime | None = None
    pauses: int
    paused_minutes: int = 0
    stands_since: datetime | None
    answer_by: datetime | None
    transfer_answer_by: datetime | None
    findings: tuple[Finding, ...]


def settle(dossier: Dossier, rules: RuleBook) -> None:
    """Fill in the dates of a folded state, and what its deadlines find irregular.

    A date that cannot be computed is None, with a finding; so is one whose clock stands still,
    without.
    """
    clock = dossier.clock
    if clock is None:
        return
    asked = "settled", clock, dossier.offer, *counted_as(dossier)
    found = rules.memory.answer(asked, lambda: _settled(dossier, clock, rules))
    dossier.first_due, dossier.due = found.first_due, found.due
    dossier.pauses, dossier.paused_minutes = found.pauses, found.paused_minutes
    dossier.paused_since = found.stands_since if dossier.status in OPEN else None
    dossier.answer_by = found.answer_by
    dossier.transfer_answer_by = found.transfer_answer_by
    dossier.date_findings = found.findings


def _settled(dossier: Dossier, clock: TermClock, rules: RuleBook) -> _Settlement:
    stopping = stopping_clock(dossier, rules)
    stands_since = min((each.start for each in stopping if each.end is None), default=None)
    undated: tuple[Finding, ...] = ()
    dates = None
    try:
        dates = dates_of(dossier, rules)
    except (DomainError, OverflowError) as why:  # An old entry of the registers may be absurd.
        undated = (_undated(clock, str(why)),)
    answer_by = _answer_by(clock, dates)
    transfer_answer_by = _transfer_answer_by(dossier.offer, dates)
    if dates is None:
        return _Settlement(
            pauses=len(stopping),
            stands_since=stands_since,
            answer_by=answer_by,
            transfer_answer_by=transfer_answer_by,
            findings=undated,
        )
    paused = timedelta()
    with suppress(CalendarLacksYear):
        paused = measured(dates.calendar, unit_of(dates.counting), dates.first.stood)
    return _Settlement(
        first_due=dates.first_due,
        due=dates.due,
        # A pause that came after the due date stops no clock, but the applicant is waited for.
        pauses=len(stopping) - len(dates.first.ignored),
        paused_minutes=paused // _MINUTE,
        stands_since=stands_since,
        answer_by=answer_by,
        transfer_answer_by=transfer_answer_by,
        findings=tuple(_findings(clock, dates)),
    )


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


def _transfer_answer_by(offer: Offer | None, dates: Dates | None) -> datetime | None:
    if offer is None:
        return None
    if offer.answer_by is not None and offer.answer_by > offer.at:
        return offer.answer_by
    return None if dates is None else transfer_limit(offer.at, dates)
