"""What is regular: the rules of the chapters, which refuse a command and mark a fact."""

from domain.dossier.chapter import AnyAct, Binds, DossierCommand
from domain.dossier.chapters import ACT_FOR, ACT_OF, COMMANDS
from domain.dossier.events import DossierEvent
from domain.dossier.state import Dossier, Finding
from domain.dossier.status import ENDED, UNOPENED
from domain.errors import IllegalTransition


def refusal(dossier: Dossier, command: type[DossierCommand]) -> IllegalTransition | None:
    """Return why the state alone forbids a command; None if it does not."""
    why = _hindrance(dossier, ACT_FOR[command])
    return None if why is None else illegal(dossier, command, why)


def illegal(dossier: Dossier, command: type[DossierCommand], why: str) -> IllegalTransition:
    """Return the refusal of a command that something in the state stands in the way of."""
    status = dossier.status.portal_code if dossier.status is not None else None
    return IllegalTransition(command.NAME, status, allowed(dossier), why)


def allowed(dossier: Dossier) -> list[str]:
    """Return the names of the commands that the state allows."""
    return [name for name, each in COMMANDS.items() if not _hindrance(dossier, ACT_FOR[each])]


def _hindrance(dossier: Dossier, act: AnyAct) -> str | None:
    for rule in act.rules:
        if rule.binds is not Binds.FACTS and rule.broken(dossier):
            return rule.text(dossier)
    if act.way_out is not None and act.way_out(dossier):
        return None
    if dossier.status not in (act.fits if act.asked_from is None else act.asked_from):
        return f"its status is {dossier.status or 'not known yet'}."
    return None


def examine(before: Dossier, event: DossierEvent) -> Finding | None:
    """Say how an event does not fit the state that it meets; None if it does."""
    found = _misfit(before, event, ACT_OF[type(event)])
    if found is None:
        return None
    kind, why = found
    return Finding(kind=kind, events=(event.meta.event_id,), why=why)


def _misfit(before: Dossier, event: DossierEvent, act: AnyAct) -> tuple[str, str] | None:
    for rule in act.rules:
        if rule.binds is not Binds.COMMANDS and rule.broken(before):
            return rule.code, _capital(rule.text(before))
    for said in act.said_rules:
        if said.broken(before, event):
            return said.code, said.why
    if before.status in act.fits or (act.excused is not None and act.excused(before)):
        return None
    return _out_of_order(before, event.TOPIC.split(".")[1], act)


def _out_of_order(before: Dossier, name: str, act: AnyAct) -> tuple[str, str]:
    if before.status in ENDED:
        return "after-end", f"{name} came after the end (status {before.status})."
    if before.accepted_at is None and (before.status is None or act.fits.isdisjoint(UNOPENED)):
        return "before-acceptance", f"{name} came before the acceptance."
    return "illegal-transition", f"{name} does not follow from status {before.status}."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
