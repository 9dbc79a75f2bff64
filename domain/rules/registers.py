"""The registers that rules rest on, composed: a new one is its module and a line here."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from domain.rules.calendars import CALENDARS
from domain.rules.policies import POLICIES
from domain.rules.procedures import PROCEDURES
from domain.rules.register import E, EntryKind, Register, RegisterEvent
from domain.rules.sources import SOURCES
from domain.rules.subjects import SUBJECTS
from domain.rules.tokens import TOKENS
from domain.rules.units import UNITS

REGISTERS: Final[tuple[Register[Any], ...]] = (
    UNITS,
    SOURCES,
    PROCEDURES,
    CALENDARS,
    POLICIES,
    TOKENS,
    SUBJECTS,
)
"""Each after those that its entries name: so a catalogue is put."""

_KINDS: Final[Mapping[type[RegisterEvent], EntryKind[Any, Any]]] = {
    kind.event: kind for register in REGISTERS for kind in register.kinds
}
REGISTER_EVENTS: Final = tuple(_KINDS)

if forgotten := set(RegisterEvent.__subclasses__()) - _KINDS.keys():
    raise TypeError(f"No register says what these mean: {forgotten}.")


def kind_of(entry: E) -> EntryKind[E, Any]:
    """Return what the type of an entry means to its register."""
    return _KINDS[type(entry)]


def stream_for(entry: RegisterEvent) -> UUID:
    """Return the stream of the entry that a register event speaks of."""
    return kind_of(entry).stream(entry)
