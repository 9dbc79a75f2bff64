"""Write the pages of docs/ that follow from the code: `make docs`, which `tests` hold to it.

A page is never edited by hand: what it says stands in docstrings and in the chapters.
"""

import inspect
from collections.abc import Iterator
from importlib import import_module
from itertools import groupby
from pathlib import Path
from types import ModuleType
from typing import Final

from domain.dossier.chapter import AnyAct, Binds, DayMeans
from domain.dossier.chapters import ACTS
from domain.dossier.status import SHOWN, Status
from domain.envelope import LedgerEvent
from domain.rules.registers import REGISTER_EVENTS

DOCS: Final = Path(__file__).parents[1] / "docs"
EVENTS_PAGE: Final = DOCS / "events.md"
_HEAD: Final = """\
# Everything that can be recorded

Written by `make docs` from the code; `hoso schema TYPE` shows the payload of each with an example.

A *fact* is recorded from whatever status it meets, and is irregular outside of the statuses named
here; a *command* is refused there. A rule with a code refuses the command and marks the fact, if
nothing else is said. A day without an hour counts as the opening of the office, or as the end of
that day where *ends the day* is said. Statuses are those of the national portal:
"""


def events_page() -> str:
    """Return the catalogue of events: the chapters of a dossier, then the registers."""
    return "\n".join([_HEAD, *_statuses(), *_chapters(), *_registers()]) + "\n"


def _statuses() -> Iterator[str]:
    yield "| status | portal | shown to people | to the public |"
    yield "| --- | --- | --- | --- |"
    for status in Status:
        shown = SHOWN[status]
        yield f"| {status} | {status.portal_code} | {shown.label} | `{shown.completion}` |"
    yield ""


def _chapters() -> Iterator[str]:
    for name, acts in groupby(ACTS, lambda act: act.event.__module__):
        yield from _titled(import_module(name))
        for act in acts:
            yield from _act(act)


def _titled(module: ModuleType) -> Iterator[str]:
    title, _, rest = inspect.getdoc(module).partition("\n\n")  # type: ignore[union-attr]  # each has one
    yield f"## {title.rstrip('.')}"
    yield ""
    if rest:
        yield " ".join(rest.split())
        yield ""


def _act(act: AnyAct) -> Iterator[str]:
    yield f"### `{act.event.TOPIC}`"
    yield ""
    yield f"{_said(act.event)} In Vietnamese: *{act.cause.vi}*."
    yield ""
    yield f"- command `{act.command.NAME}`: {_said(act.command)}"
    yield f"- regular from: {_from(act.fits)}" + (
        f"; asked for from: {_from(act.asked_from)}" if act.asked_from is not None else ""
    )
    if act.day is DayMeans.END:
        yield "- ends the day"
    for rule in act.rules:
        only = "" if rule.binds is Binds.BOTH else f" ({rule.binds} only)"
        law = f", {rule.law}" if rule.law is not None else ""
        yield f"- rule `{rule.code}`{law}{only}"
    for said in act.said_rules:
        yield f"- rule `{said.code}` (facts only)"
    yield ""


def _said(kind: type) -> str:
    """Return what a class says of itself, or what its payload does."""
    texts = ((each.__name__, vars(each).get("__doc__")) for each in kind.__mro__)
    said = (text for name, text in texts if text and not text.startswith(f"{name}("))
    return " ".join(next(said).split())


def _from(statuses: frozenset[Status | None]) -> str:
    if statuses == {None, *Status}:
        return "any"
    known = [str(status) for status in Status if status in statuses]
    return ", ".join((["not known yet"] if None in statuses else []) + known)


def _registers() -> Iterator[str]:
    for name, kinds in groupby(REGISTER_EVENTS, lambda kind: kind.__module__):
        yield from _titled(import_module(name))
        for kind in kinds:
            yield from _entry(kind)


def _entry(kind: type[LedgerEvent]) -> Iterator[str]:
    yield f"### `{kind.TOPIC}`"
    yield ""
    yield _said(kind)
    yield ""


def write() -> None:
    """Write every page that follows from the code."""
    EVENTS_PAGE.write_text(events_page(), "utf-8")


if __name__ == "__main__":
    write()
