"""Folds entries of the ledger, one dossier at a time, and names the one that cannot be."""

from collections.abc import Callable, Iterable, Sequence
from typing import Final, cast
from uuid import UUID

from domain.rules.rule_book import RuleBook
from projections import dossiers
from projections.dossiers import Change, Folded, Told
from projections.hosting.log import Entry
from projections.hosting.tables import ProjectionHalted

DOSSIER: Final = "dossier."


class Poisoned(ProjectionHalted):
    """An event that cannot be read or folded."""

    def __init__(self, why: str) -> None:
        super().__init__(why)

    @classmethod
    def by(cls, entry: Entry, error: Exception) -> "Poisoned":
        said = " ".join(f"{type(error).__name__}: {error}".split())
        return cls(
            f"The event at position {entry.seq} ({entry.topic}, stream {entry.stream_id}) cannot be"
            f" folded: {said}"
        )


def by_stream(entries: Iterable[Entry]) -> dict[UUID, list[Entry]]:
    """Return the entries of each dossier."""
    lines: dict[UUID, list[Entry]] = {}
    for each in entries:
        if each.topic.startswith(DOSSIER):
            lines.setdefault(each.stream_id, []).append(each)
    return lines


def changed(row: dossiers.Row | None, line: Sequence[Entry], rules: RuleBook) -> Change | None:
    """Return what the next entries of a dossier do to it, as it is stored; None if it stands apart.

    Then its whole stream is needed: what is late, voids, or was made void, changes what came after.
    """
    if row is None:
        return afresh(None, line, rules) if line[0].version == 1 else None
    told = _read(line)
    dossier = dossiers.state_in(row.state)
    if not dossiers.follows(row, dossier, told, rules):
        return None

    def folded(some: Sequence[Told]) -> Folded:
        return dossiers.following(row, dossiers.state_in(row.state), some, rules)

    try:
        after = dossiers.following(row, dossier, told, rules)
    except Exception as error:  # whatever it is, the event is named.
        raise _named(line, told, folded) from error
    return Change(dossiers.folded(row), told, after)


def afresh(row: dossiers.Row | None, stream: Sequence[Entry], rules: RuleBook) -> Change:
    """Return the same of a whole stream, whatever is stored."""
    told = _read(stream)
    dossier_id = told[0].event.originator_id

    def folded(some: Sequence[Told]) -> Folded:
        return dossiers.whole(dossier_id, some, rules)

    try:
        after = folded(told)
    except Exception as error:  # whatever it is, the event is named.
        raise _named(stream, told, folded) from error
    return Change(dossiers.folded(row) if row is not None else None, told, after)


def _read(line: Sequence[Entry]) -> list[Told]:
    told = []
    for each in line:
        try:
            told.append(cast("Told", each.restored()))
        except Exception as error:  # whatever it is, the event is named.
            raise Poisoned.by(each, error) from error
    return told


def _named(
    line: Sequence[Entry], told: Sequence[Told], fold: Callable[[Sequence[Told]], Folded]
) -> Poisoned:
    """Name the first event with which a dossier cannot be folded."""
    for place, entry in enumerate(line):
        try:
            fold(told[: place + 1])
        except Exception as error:  # noqa: BLE001  # the one that is looked for
            return Poisoned.by(entry, error)
    raise AssertionError("It can be folded.")
