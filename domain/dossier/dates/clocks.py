"""What happens to the clock of a dossier: pauses, hand-overs, the receipt that it waits for.

Only facts are kept here; what they do to the dates is computed by `domain.dossier.dates`.
"""

from dataclasses import replace
from datetime import datetime

from domain.deadlines.law import CalendarUse
from domain.dossier import events as ev
from domain.dossier.state import (
    ENDED,
    Clock,
    Dossier,
    Interruption,
    PauseKind,
    Reappointed,
    Share,
)
from domain.envelope import LedgerEvent, UnitCode


def start(dossier: Dossier, event: ev.DossierAccepted) -> None:
    dossier.clock = Clock(
        accepted_by=event.meta.event_id,
        start=event.timestamp,
        stated=event.due,
        computed=event.due_computed and event.calendar_used is not None,
        calendar=event.calendar_used or CalendarUse(),
        policy_version=event.policy_version or 0,
        awaited=event.awaited,
    )


def pause(
    dossier: Dossier,
    event: LedgerEvent,
    kind: PauseKind,
    answer_by: datetime | None = None,
    system: str | None = None,
) -> None:
    """Note that the clock may stand still from now on, unless it does so for the same reason."""
    clock = dossier.clock
    if clock is None or dossier.status in ENDED:
        return
    if waiting := _open(clock, kind, system):
        _wait_longer(dossier, clock, waiting[0], answer_by)
        return
    new = Interruption(
        kind=kind,
        start=event.timestamp,
        by=event.meta.event_id,
        answer_by=answer_by,
        system=system,
    )
    dossier.clock = replace(clock, interruptions=(*clock.interruptions, new))


def _wait_longer(
    dossier: Dossier, clock: Clock, waiting: Interruption, answer_by: datetime | None
) -> None:
    """Let a second request give more time for the answer to the first; it never takes any."""
    if waiting.answer_by is None or answer_by is None or answer_by <= waiting.answer_by:
        return
    others = (each for each in clock.interruptions if each is not waiting)
    longer = replace(waiting, answer_by=answer_by)
    dossier.clock = replace(clock, interruptions=(*others, longer))


def resume(
    dossier: Dossier,
    event: LedgerEvent,
    kind: PauseKind,
    stated_due: datetime | None = None,
    system: str | None = None,
) -> None:
    clock = dossier.clock
    if clock is None or dossier.status in ENDED:
        return
    for waiting in _open(clock, kind, system):
        over = replace(
            waiting,
            end=event.timestamp,
            ended_by=event.meta.event_id,
            stated_due=stated_due,
        )
        others = (each for each in clock.interruptions if each is not waiting)
        dossier.clock = replace(clock, interruptions=(*others, over))


def _open(clock: Clock, kind: PauseKind, system: str | None = None) -> list[Interruption]:
    return [
        each
        for each in clock.interruptions
        if each.kind is kind and each.system == system and each.end is None
    ]


def hand_over(dossier: Dossier, event: ev.TransferOffered) -> None:
    """Note until when the work of a hand-over is to be done, if it is said."""
    clock = dossier.clock
    if clock is not None and event.deadline is not None:
        share = Share(by=event.meta.event_id, deadline=event.deadline)
        dossier.clock = replace(clock, shares=(*clock.shares, share))


def reappoint(dossier: Dossier, event: ev.ReappointmentIssued) -> None:
    if dossier.clock is not None and dossier.status not in ENDED:
        agreed = Reappointed(at=event.timestamp, by=event.meta.event_id, new_due=event.new_due)
        dossier.clock = replace(dossier.clock, reappointed=agreed)


def recompute(dossier: Dossier, event: ev.DueDateRecomputed) -> None:
    """Count by the newer calendar from now on; an ended dossier keeps the one it ended with.

    A clock that counts by another calendar than the one that was replaced is not the one meant.
    """
    clock = dossier.clock
    if clock is None or dossier.status in ENDED:
        return
    if clock.calendar == event.moved.calendar_before:
        dossier.clock = replace(clock, calendar=event.moved.calendar)


def await_receipt(dossier: Dossier, unit: UnitCode) -> None:
    """Let the clock that waits for an agency's receipt wait for another one's.

    The first two groups of a unit's code are its agency's (QĐ 20/2020/QĐ-TTg, Điều 4).
    """
    clock = dossier.clock
    if clock is not None and clock.awaited is not None and clock.received_at is None:
        dossier.clock = replace(clock, awaited=agency_of(unit))


def agency_of(unit: UnitCode) -> str:
    return ".".join(unit.split(".")[:2])


def receive(dossier: Dossier, event: ev.TransferAccepted, unit: UnitCode) -> None:
    """Start the clock that waits for the competent agency, whose code its units' begin with."""
    clock = dossier.clock
    if clock is None or clock.awaited is None or clock.received_at is not None:
        return
    if dossier.status not in ENDED and (
        unit == clock.awaited or unit.startswith(f"{clock.awaited}.")
    ):
        dossier.clock = replace(clock, received_at=event.timestamp)
