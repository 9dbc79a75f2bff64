"""Finding units and procedures by what people type: Vietnamese with or without its accents."""

import unicodedata

from domain.envelope import ProcedureCode, UnitCode
from domain.rules.rule_book import RuleBook


def folded(text: str) -> str:
    """Return a text without accents and case: `Đăng ký khai sinh` → `dang ky khai sinh`."""
    plain = text.replace("đ", "d").replace("Đ", "D")
    spread = unicodedata.normalize("NFD", plain)
    return "".join(c for c in spread if not unicodedata.combining(c)).casefold()


def matching_units(rules: RuleBook, text: str) -> list[UnitCode]:
    """Return the units whose code or name holds every word of a text."""
    return [
        code for code, entry in rules.units.items() if _holds(f"{code} {entry.unit.name}", text)
    ]


def matching_procedures(rules: RuleBook, text: str) -> list[ProcedureCode]:
    """Return the procedures of which any version's code or name holds every word of a text."""
    return [
        code
        for code, entry in rules.procedures.items()
        if any(_holds(f"{code} {each.name}", text) for each in entry.versions)
    ]


def _holds(name: str, text: str) -> bool:
    words = folded(text).split()
    return bool(words) and all(word in folded(name) for word in words)
