"""Files of the catalogue, TOML or JSON: units, procedures, calendars, sources, and ended units.

Each table holds entries with exactly the fields of the event that registers one; the shipped
`catalogues/commune.toml` is an example.
"""

import json
import tomllib
from pathlib import Path
from typing import Any, Final

from domain.errors import DomainError
from domain.registers import RegisterEvent
from streams.entries import (
    CALENDARS,
    ENDED_UNITS,
    PROCEDURES,
    SOURCES,
    UNITS,
    entries,
    parents_first,
)
from streams.files import FileRefused

COMMUNE: Final = Path(__file__).parent / "catalogues" / "commune.toml"

_TABLES: Final = {
    "units": UNITS,
    "sources": SOURCES,
    "procedures": PROCEDURES,
    "calendars": CALENDARS,
    "ended_units": ENDED_UNITS,
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
    """Return the tables under their names; one in the singular counts as its plural."""
    plural = {name.removesuffix("s"): name for name in _TABLES}
    tables: dict[str, list[Any]] = {}
    for key, rows in said.items():
        name = plural.get(key, key)
        if name not in _TABLES:
            raise CatalogueInvalid(f"There is no table {key}; there are {', '.join(_TABLES)}.")
        if not isinstance(rows, list):
            raise CatalogueInvalid(f"{key}: write one [[{key}]] for each entry.")
        tables.setdefault(name, []).extend(rows)
    return tables
