"""What a foreign log means here: a mapping in TOML, read strictly, that names each wrong key.

The shipped `mappings/receipt.toml` explains every key.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from domain.envelope import category
from domain.errors import DomainError, InvalidRequest
from domain.ledger.stored import EVENTS
from domain.rules.register import RegisterEvent
from streams.errors import FileRefused
from streams.importing.xes import Attributes
from streams.registers.entries import PROCEDURES, UNITS, entries, parents_first, zone_named
from streams.wire.inputs import fact_shape, reason_of

SHIPPED: Final = Path(__file__).parent / "mappings"
_FILLED_IN: Final = frozenset({"step", "officer", "unit"})


class MappingInvalid(FileRefused):
    """The mapping itself is wrong; the message names the key."""

    code = "invalid-mapping"


class MappingDoesNotFit(FileRefused):
    """The mapping names attributes that the log does not have."""

    code = "mapping-does-not-fit"

    def __init__(self, missing: list[str]) -> None:
        super().__init__(f"The log has no such attributes as the mapping names: {missing}.")


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of the mapping."""


class Choice(_Part, frozen=True):
    """A value that depends on an attribute; without `values` it is the attribute's own text."""

    attribute: str
    values: dict[str, str] = {}
    default: str | None = None

    def of(self, attributes: Attributes) -> str:
        said = attributes.get(self.attribute)
        text = None if said is None else str(said)
        found = self.values.get(text) if text is not None and self.values else text
        if found is None:
            found = self.default
        if found is None:
            raise InvalidRequest(f"The mapping has no value for this {self.attribute}.")
        return found


Chosen = str | Choice


class DossierPart(_Part, frozen=True):
    code: str
    prefix: str = ""


class AcceptancePart(_Part, frozen=True):
    time: str
    procedure: Chosen
    channel: Chosen
    receiving_unit: Chosen
    competent_unit: Chosen
    returning_unit: Chosen | None = None
    due: str | None = None
    contents: str | None = None
    officer: str | None = None


class EndPart(_Part, frozen=True):
    time: str
    unit: Chosen | None = None
    officer: str | None = None


class EventPart(_Part, frozen=True):
    id: str
    time: str
    activity: str
    officer: str | None = None
    unit: Chosen | None = None


class ActivitiesPart(_Part, frozen=True):
    default: str = "step-completed"
    types: dict[str, str] = {}


class _File(_Part, frozen=True):
    source: str
    zone: str = "Asia/Ho_Chi_Minh"
    units: list[dict[str, Any]] = []
    procedures: list[dict[str, Any]] = []
    dossier: DossierPart | None = None
    acceptance: AcceptancePart | None = None
    end: EndPart | None = None
    event: EventPart | None = None
    activities: ActivitiesPart = ActivitiesPart()
    constants: dict[str, dict[str, Any]] = {}


@dataclass(frozen=True, kw_only=True)
class LogMapping:
    """How the traces and events of a log read as facts."""

    source: str
    zone: ZoneInfo
    dossier: DossierPart
    event: EventPart
    acceptance: AcceptancePart | None
    end: EndPart | None
    activities: ActivitiesPart
    constants: Mapping[str, Mapping[str, Any]]

    def attributes_of_traces(self) -> set[str]:
        """Return the names of the attributes that it looks for in a trace."""
        names = {self.dossier.code}
        for part in (self.acceptance, self.end):
            names.update(_attributes(part))
        return names

    def attributes_of_events(self) -> set[str]:
        return set(_attributes(self.event))

    def refuse_misfit(self, trace: set[str], event: set[str] | None) -> None:
        """Raise MappingDoesNotFit unless the log has all attributes; None: it has no event yet."""
        missing = sorted(self.attributes_of_traces() - trace)
        if event is not None:
            missing += sorted(self.attributes_of_events() - event)
        if missing:
            raise MappingDoesNotFit(missing)


@dataclass(frozen=True, kw_only=True)
class FileMapping:
    """A mapping: the zone of times without offset, register entries, and how a log reads."""

    source: str
    zone: ZoneInfo
    registers: tuple[RegisterEvent, ...]
    log: LogMapping | None

    @property
    def of_log(self) -> LogMapping:
        """Return how a log reads, or raise MappingInvalid if the mapping does not say."""
        if self.log is None:
            raise MappingInvalid("The mapping has no [dossier] and [event], which a log needs.")
        return self.log


def load_mapping(path: Path) -> FileMapping:
    """Read a mapping. Raises MappingInvalid."""
    try:
        return parse_mapping(path.read_text("utf-8-sig"))
    except OSError as error:
        raise MappingInvalid(f"The mapping cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise MappingInvalid("The mapping is not UTF-8 text.") from error


def parse_mapping(text: str) -> FileMapping:
    """Return the mapping that a text in TOML states. Raises MappingInvalid, which names the key."""
    try:
        said = msgspec.convert(tomllib.loads(text), _File)
        zone = zone_named(said.zone)
        units = parents_first(entries("units", UNITS, said.units, zone))
        procedures = entries("procedures", PROCEDURES, said.procedures, zone)
    except tomllib.TOMLDecodeError as error:
        raise MappingInvalid(f"The mapping is not TOML: {error}.") from error
    except msgspec.ValidationError as error:
        raise MappingInvalid(f"The mapping: {reason_of(error)}.") from error
    except DomainError as refused:
        raise MappingInvalid(str(refused)) from refused
    registers = (*units, *procedures)
    return FileMapping(source=said.source, zone=zone, registers=registers, log=_log(said, zone))


def topic_of(kind: str) -> str:
    """Return the stored name of what happens to a dossier: `step-completed` and so on."""
    return f"dossier.{kind}.v1"


def _log(said: _File, zone: ZoneInfo) -> LogMapping | None:
    if said.dossier is None or said.event is None:
        if said.dossier or said.event or said.acceptance or said.end:
            raise MappingInvalid("A log needs both [dossier] and [event].")
        return None
    kinds = {"default": said.activities.default, **said.activities.types}
    for activity, kind in kinds.items():
        _check_kind(f"activities: {activity}", kind, said.constants.get(kind, {}), _FILLED_IN)
    for kind, constants in said.constants.items():
        _check_kind(f"constants.{kind}", kind, constants, None)
    return LogMapping(
        source=said.source,
        zone=zone,
        dossier=said.dossier,
        event=said.event,
        acceptance=said.acceptance,
        end=said.end,
        activities=said.activities,
        constants=said.constants,
    )


def _check_kind(
    where: str, kind: str, constants: Mapping[str, Any], filled_in: frozenset[str] | None
) -> None:
    """Refuse a kind that is none, constants that it has not, and what nothing fills in."""
    topic = topic_of(kind)
    if topic not in EVENTS or category(topic) != "dossier":
        raise MappingInvalid(f"{where}: there is no event type {kind}.")
    declared = msgspec.structs.fields(fact_shape(topic).struct)
    unknown = sorted(constants.keys() - {field.name for field in declared})
    if unknown:
        raise MappingInvalid(f"{where}: {kind} has no field {', '.join(unknown)}.")
    if filled_in is None:
        return
    needed = {field.name for field in declared if field.required}
    missing = sorted(needed - filled_in - constants.keys())
    if missing:
        message = f"{where}: {kind} needs {', '.join(missing)} in [constants.{kind}]."
        raise MappingInvalid(message)


def _attributes(part: _Part | None) -> Iterator[str]:
    """Yield the attributes that a part names: all plain texts of a part but constants' own."""
    if part is None:
        return
    for field in msgspec.structs.fields(part):
        value = getattr(part, field.name)
        if isinstance(value, Choice):
            yield value.attribute
        elif isinstance(value, str) and field.type in (str, str | None):
            yield value
