"""Dossier codes: a registry of formats with their validity, how to read and how to issue them.

A code is a name, never an identity: formats changed in 2018 (TT 01/2018/TT-VPCP, Điều 19) and in
2026, and will again (NĐ 309/2026/NĐ-CP). Serial numbers run per unit and start again every day.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from unicodedata import normalize
from uuid import UUID, uuid5

from domain.envelope import UnitCode
from domain.rules.unit_past import old_order
from domain.rules.units import Unit, UnitBook

MAX_LENGTH = 64
_DOSSIERS = UUID("5a5f7e5c-64a8-5c1c-9d2b-0d5c1e7a4c03")
_OTHERS = frozenset("0123456789.-_")
_NUMBERED = re.compile(
    r"(.+)-([0-9]{4,18})"
)  # Whatever we issue, from any unit's code, reads back.


@dataclass(frozen=True, slots=True)
class Serial:
    """A place in a unit's numbering of one day."""

    scope: str
    number: int


@dataclass(frozen=True, slots=True)
class Format:
    name: str
    pattern: re.Pattern[str]
    valid_from: date
    valid_until: date | None
    scope: Callable[[Unit, date], str | None]
    digits: int

    def in_force(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_until is None or day < self.valid_until)


def _tt01(unit: Unit, day: date) -> str | None:
    prefix = unit.dossier_prefix or old_order(unit.code)
    return f"{prefix}-{day:%y%m%d}" if prefix else None


def _new_order(unit: Unit, day: date) -> str:
    return f"{unit.dossier_prefix or unit.code}-{day:%y%m%d}"


FORMATS: tuple[Format, ...] = (
    Format(
        "tt01-2018",
        re.compile(r"(\d{3}\.\d{2}\.\d{2}\.[A-Z]\d{2}-\d{6})-(\d{4,18})", re.ASCII),
        date(2019, 1, 6),
        date(2025, 7, 1),
        _tt01,
        4,
    ),
    Format(
        "unit-2025",
        re.compile(r"([A-Z0-9]+(?:\.[A-Z0-9]+)*-\d{6})-(\d{4,18})", re.ASCII),
        date(2025, 7, 1),
        None,
        _new_order,
        4,
    ),
    Format(
        "ministry-2026",
        re.compile(r"([A-Z]\d{2}(?:\.[A-Z0-9]+)*-\d{8})-(\d{7,18})", re.ASCII),
        date(2026, 1, 1),
        None,
        lambda _unit, _day: None,  # Read, never issued here.
        7,
    ),
)


def issuing_scope(unit: Unit, day: date) -> str:
    """Return the numbering that a unit issues from on a day (of its own zone), in capitals."""
    for each in reversed(FORMATS):
        scope = each.scope(unit, day) if each.in_force(day) else None
        if scope is not None:
            return canonical(scope)
    return canonical(_new_order(unit, day))  # Before any format was in force.


def render(serial: Serial) -> str:
    """Write a code; a number of more than four digits makes it wider."""
    return f"{serial.scope}-{serial.number:04d}"


def parse(code: str) -> Serial | None:
    """Return the place in a numbering that a given code takes; None for a code of other making."""
    for pattern in (*(each.pattern for each in FORMATS), _NUMBERED):
        found = pattern.fullmatch(code)
        if found is not None:
            return Serial(found[1], int(found[2]))
    return None


def issuers_of(code: str, units: UnitBook, seq: int = 0) -> frozenset[UnitCode]:
    """Return the registered units in whose numbering a code is; none: it is in nobody's.

    It is as the register was known at a position; 0: as it is known now.
    """
    serial = parse(canonical(code))
    return units.numbered(serial.scope.rpartition("-")[0], seq) if serial else frozenset()


def is_code(text: str) -> bool:
    """Say whether a text may be a dossier code at all."""
    return why_no_code(text) is None


@lru_cache(maxsize=4_096)  # A dossier's code comes with each of its facts.
def why_no_code(text: str) -> str | None:
    """Return why a text is no dossier code: with the place, never the character; None: it is one.

    Codes hold letters of any script, the digits 0 to 9, `.`, `-`, `_`, and single spaces inside.
    """
    if _is_uuid(text):
        return "A UUID is no dossier code."
    plain = normalize("NFC", text[: 4 * MAX_LENGTH])  # Longer than any that composes to one.
    if not 1 <= len(plain) <= MAX_LENGTH or len(text) > 4 * MAX_LENGTH:
        return f"A dossier code has 1 to {MAX_LENGTH} characters."
    if plain in {".", ".."}:
        return "A dossier code is more than dots."
    for place, character in enumerate(plain, 1):
        inner = character == " " and 1 < place < len(plain) and plain[place] != " "
        if not (inner or character.isalpha() or character in _OTHERS):
            return (
                f"A dossier code cannot hold the character at place {place}: only letters, the"
                " digits 0 to 9, . - _ and single spaces inside."
            )
    return None


@lru_cache(maxsize=4_096)
def canonical(name: str) -> str:
    """Return what all spellings of a code have in common: composed (NFC), in capitals."""
    return normalize("NFC", normalize("NFC", name).upper())


def dossier_named(code: str) -> UUID:
    """Return the stream that a code opens if nobody holds the code yet."""
    return uuid5(_DOSSIERS, canonical(code))


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
