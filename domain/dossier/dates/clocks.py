"""What happens to the clock of a dossier, whatever the chapter: pauses, and the receipt it awaits.

Only facts are kept here; what they do to the dates is computed by `domain.dossier.dates.dates`.
"""

from dataclasses import replace
from datetime import datetime

from domain.dossier.state import Dossier, Interruption, PauseKind, TermClock
from domain.dossier.status import ENDED
from domain.envelope import LedgerEvent, UnitCode
from domain.rules.units import agency_of


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
    dossier: Dossier, clock: TermClock, waiting: Interruption, answer_by: datetime | None
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


def _open(clock: TermClock, kind: PauseKind, system: str | None = None) -> list[Interruption]:
    return [
        each
        for each in clock.interruptions
        if each.kind is kind and each.system == system and each.end is None
    ]


def await_receipt(dossier: Dossier, unit: UnitCode) -> None:
    """Let the clock that waits for an agency's receipt wait for another one's."""
    clock = dossier.clock
    if clock is not None and clock.awaited is not None and clock.received_at is None:
        dossier.clock = replace(clock, awaited=agency_of(unit))


def awaits_agency_of(dossier: Dossier, unit: UnitCode) -> bool:
    """Say whether the clock waits for the receipt of the agency that a unit belongs to."""
    clock = dossier.clock
    return clock is not None and clock.awaited == agency_of(unit)
