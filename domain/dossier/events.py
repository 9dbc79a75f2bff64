"""What the events of a dossier are, whatever they say: each belongs to one chapter.

The stored names are the storage format: a released one never changes its meaning or shape. To
change one, add `.v2` beside it and an up-caster; see docs/adr/.
"""

import re
from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Final
from uuid import UUID

from domain.envelope import LedgerEvent, ProcedureCode, UnitCode

_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, kw_only=True)
class DossierEvent(LedgerEvent):
    """Something that happened to a dossier."""


@dataclass(frozen=True, kw_only=True)
class VoidingEvent(DossierEvent):
    """An event that makes an earlier one void, for every `as_of`."""

    AIMS_AT: ClassVar[type[DossierEvent]] = DossierEvent

    @property
    @abstractmethod
    def aims_at(self) -> UUID | None:
        """The id of the event that is void; None: the last one of its kind that nothing voids."""


class Opening:
    """What payloads share that open a dossier: its procedure, its desk, its code if it has one."""

    procedure: ProcedureCode
    receiving_unit: UnitCode
    code: str | None


def code_said(said: object) -> str | None:
    """Return the code that an event or command gives to its dossier, if it may and does."""
    return said.code if isinstance(said, Opening) else None


def name_in(event: LedgerEvent) -> str | None:
    """Return the code under which a sender named the dossier; a UUID is an alias, no code."""
    name = event.meta.subject_code
    return None if name is None or _UUID.fullmatch(name) else name


def code_of(event: LedgerEvent) -> str | None:
    """Return the code that an event gives to its dossier, or under which it was told."""
    return code_said(event) or name_in(event)


def unit_fields(kind: type[DossierEvent]) -> tuple[str, ...]:
    """Return the fields of a type of event that name units, in their order."""
    known = _UNIT_FIELDS.get(kind)
    if known is None:
        found = kind.__dataclass_fields__.items()
        known = tuple(name for name, field in found if field.type in (UnitCode, UnitCode | None))
        _UNIT_FIELDS[kind] = known
    return known


_UNIT_FIELDS: Final[dict[type[DossierEvent], tuple[str, ...]]] = {}


def named_units(event: DossierEvent) -> tuple[UnitCode, ...]:
    """Return the units that an event names, in the order of its fields."""
    names = unit_fields(type(event))
    if not names:
        return ()
    return tuple(unit for name in names if (unit := getattr(event, name)) is not None)
