"""Files of the catalogue, TOML or JSON: a table for each register that files may fill.

Each table holds entries with exactly the fields of the event that registers one; the shipped
`catalogues/commune.toml` is an example. Days off may be stated as runs: `2026-09-07..2026-09-09`.
"""

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from domain.errors import DomainError
from domain.rules.calendars import CalendarDecided
from domain.rules.register import RegisterEvent
from domain.rules.registers import REGISTERS
from streams.errors import FileRefused
from streams.registers.entries import UNITS, entries, parents_first

COMMUNE: Final = Path(__file__).parent / "catalogues" / "commune.toml"

_BEGINNING: Final = [register.kinds[0] for register in REGISTERS]
_ENDING: Final = [kind for register in REGISTERS for kind in register.kinds[1:]]
_TABLES: Final[Mapping[str, str]] = {
    kind.tables[0]: kind.event.TOPIC for kind in (*_BEGINNING, *_ENDING) if kind.tables
}
"""What a table registers, in the order in which a catalogue is put: ends come last."""
_NAMES: Final[Mapping[str, str]] = {
    name: kind.tables[0] for kind in (*_BEGINNING, *_ENDING) for name in kind.tables
}


class CatalogueInvalid(FileRefused):
    """The catalogue file is wrong; the message names the table and the entry."""

    code = "invalid-catalogue"


def load_catalogue(path: Path) -> list[RegisterEvent]:
    """Read a catalogue file; `.json` is JSON, all else TOML. Raises CatalogueInvalid."""
    try:
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise CatalogueInvalid(f"The catalogue cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise CatalogueInvalid("The catalogue is not UTF-8 text.") from error
    return parse_catalogue(text, is_json=path.suffix.lower() == ".json")


def load_decisions(path: Path) -> list[CalendarDecided]:
    """Read a file of calendar decisions, `[[decision]]` each. Raises CatalogueInvalid."""
    read = load_catalogue(path)
    decisions = [entry for entry in read if isinstance(entry, CalendarDecided)]
    if len(decisions) < len(read) or not decisions:
        raise CatalogueInvalid("A file of calendar decisions holds [[decision]] tables only.")
    return decisions


def parse_catalogue(text: str, *, is_json: bool = False) -> list[RegisterEvent]:
    """Return the entries of a catalogue, each after those that it names: parents first.

    A time without offset is one of Vietnam. Raises CatalogueInvalid, and then nothing is to be put.
    """
    tables = _tables(_read(text, is_json=is_json))
    try:
        units = parents_first(entries("units", UNITS, tables.pop("units", [])))
        others = [
            entry
            for table, topic in _TABLES.items()
            for entry in entries(table, topic, tables.get(table, []))
        ]
    except DomainError as refused:
        raise CatalogueInvalid(str(refused)) from refused
    return [*units, *others]


def _read(text: str, *, is_json: bool) -> dict[str, Any]:
    try:
        said = json.loads(text) if is_json else tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        form = "JSON" if is_json else "TOML"
        raise CatalogueInvalid(f"The catalogue is not {form}: {error}.") from error
    if not isinstance(said, dict):
        raise CatalogueInvalid("The catalogue is one object with a table for each register.")
    return said


def _tables(said: dict[str, Any]) -> dict[str, list[Any]]:
    """Return the tables under their usual names; one in the singular counts as its plural."""
    tables: dict[str, list[Any]] = {}
    for key, rows in said.items():
        name = _NAMES.get(key)
        if name is None:
            raise CatalogueInvalid(f"There is no table {key}; there are {', '.join(_TABLES)}.")
        if not isinstance(rows, list):
            raise CatalogueInvalid(f"{key}: write one [[{key}]] for each entry.")
        tables.setdefault(name, []).extend(rows)
    return tables
