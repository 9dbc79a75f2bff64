"""What a void acceptance leaves behind: a promise that was made, and may have been made anew."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from domain.dossier.history import Entry
from domain.dossier.intake import DossierAccepted
from domain.dossier.state import Finding


def promises_broken(entries: Sequence[Entry]) -> tuple[Finding, ...]:
    """Return what inspectors look for where an acceptance was made void, in a history.

    `acceptance-voided`: another event that counts lies between the acceptance and its correction.
    `accepted-anew`: another acceptance stands, wherever the two lie. They name the acceptances and
    the dates that were printed.
    """
    return tuple(_found(entries))


def _found(entries: Sequence[Entry]) -> Iterator[Finding]:
    accepted = [
        (place, each, each.recorded.event)
        for place, each in enumerate(entries)
        if each.counts and isinstance(each.recorded.event, DossierAccepted)
    ]
    standing = [event for _, each, event in accepted if each.voided_by is None]
    ids = [each.recorded.event.meta.event_id for each in entries]
    for place, each, void in accepted:
        if each.voided_by is None or not isinstance(void, DossierAccepted):
            continue
        if each.voided_by in ids and _works(entries, place, ids.index(each.voided_by)):
            yield Finding(
                kind="acceptance-voided",
                events=(void.meta.event_id, each.voided_by),
                why=f"Work had begun when the acceptance was made void; {_printed(void)}.",
            )
        for other in standing:
            if isinstance(other, DossierAccepted):
                yield Finding(
                    kind="accepted-anew",
                    events=(void.meta.event_id, other.meta.event_id),
                    why=f"Of the void acceptance {_printed(void)}, of the other {_printed(other)}.",
                )


def _works(entries: Sequence[Entry], one: int, other: int) -> bool:
    between = entries[min(one, other) + 1 : max(one, other)]
    return any(each.counts and each.voided_by is None for each in between)


def _printed(event: DossierAccepted) -> str:
    return f"the printed date is {_day(event.due)}"


def _day(due: datetime | None) -> str:
    return due.isoformat() if due is not None else "none"
