"""The file of calendar decisions that replaces the shipped ones in a single computation."""

from pathlib import Path
from typing import Final

from domain.deadlines.decided import days_of
from domain.rules.calendars import CalendarDecided
from streams.registers.catalogue_files import CatalogueInvalid, load_decisions

_YEARS: Final = range(1900, 3000)


def nationwide_decisions(path: Path) -> list[CalendarDecided]:
    """Read `[[decision]]` tables about everyone, proposals included, in the file's order.

    Raises CatalogueInvalid, which names the file; also for a decision that is stated twice, and
    for one about the offices of a unit only.
    """
    try:
        decisions = load_decisions(path)
        _refuse_odd_ones(decisions)
    except CatalogueInvalid as refused:
        raise CatalogueInvalid(f"{path.name}: {refused}") from refused
    return decisions


def _refuse_odd_ones(decisions: list[CalendarDecided]) -> None:
    known: set[str] = set()
    for each in decisions:
        if each.id in known:
            raise CatalogueInvalid(f"The decision {each.id} is stated twice.")
        if each.unit is not None:
            raise CatalogueInvalid(f"The decision {each.id} is about {each.unit} only.")
        if any(day.year not in _YEARS for day in days_of(each)):
            raise CatalogueInvalid(f"The decision {each.id} names a day before 1900 or after 2999.")
        known.add(each.id)
