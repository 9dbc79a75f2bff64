"""What the effects of several chapters do to a state."""

from domain.dossier.state import Dossier
from domain.dossier.status import ENDED, WORK, Status
from domain.envelope import LedgerEvent, UnitCode


def in_work(dossier: Dossier) -> bool:
    """Say whether it is accepted and worked on, with nothing awaited."""
    return dossier.status in WORK


def go_on(dossier: Dossier) -> None:
    """Show that somebody works on it."""
    if in_work(dossier):
        dossier.status = Status.IN_PROCESS


def end(dossier: Dossier, event: LedgerEvent, status: Status) -> None:
    """End it; the first end stands."""
    if dossier.status in ENDED:
        return
    dossier.status = status
    dossier.ended_by = event.meta.event_id
    dossier.finished_at = event.timestamp
    dossier.paused_since = None
    dossier.offer = None


def hold(dossier: Dossier, *units: UnitCode | None) -> None:
    """Let units see the dossier for ever: they have it, or had it."""
    dossier.holders = united(dossier.holders, *units)


def united(known: tuple[UnitCode, ...], *units: UnitCode | None) -> tuple[UnitCode, ...]:
    """Return the units that are known with more of them, sorted, each once."""
    new = {unit for unit in units if unit is not None}.difference(known)
    return tuple(sorted({*known, *new})) if new else known
