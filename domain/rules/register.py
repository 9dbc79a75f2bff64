"""The form of a register: its events, and for each what it names, checks and teaches the book.

Each entry has a stream of its own in the one ledger, so the rules' own history is audited too.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any, Generic, TypeVar
from uuid import UUID, uuid5

from domain.envelope import LedgerEvent, Pin, UnitCode, category, said

_VERSION_BITS = 76
_OURS = 8
_STREAMS = UUID("5a5f7e5c-64a8-5c1c-9d2b-0d5c1e7a4c02")


@lru_cache(maxsize=4_096)
def stream_of(category: str, name: str) -> UUID:
    """Return the stream of a register's entry. The same on every ledger.

    It is a UUID of version 8 (RFC 9562), which no dossier may have: nobody can name a register's
    stream as a dossier.
    """
    named = uuid5(_STREAMS, f"{category}/{name}").int
    return UUID(int=named & ~(0xF << _VERSION_BITS) | _OURS << _VERSION_BITS)


def is_register(stream: UUID) -> bool:
    """Say whether a stream's id is one of those that only registers have."""
    return stream.version == _OURS


@dataclass(frozen=True, kw_only=True)
class RegisterEvent(LedgerEvent):
    """What a register says of an entry. An `EntryKind` declares what each type of it means."""

    @property
    def pin(self) -> Pin:
        """Return the version of the entry that this event made."""
        return Pin(stream=self.originator_id, version=self.originator_version)


E = TypeVar("E", bound=RegisterEvent)
B = TypeVar("B")

Units = tuple[UnitCode | None, ...]
"""Units that an entry speaks of; None: it belongs to no unit."""


@dataclass(frozen=True, kw_only=True)
class EntryKind(Generic[E, B]):
    """What one type of event means to its register. Nothing has a default: nothing is forgotten.

    `check` raises why an entry cannot be, `says` whether the book says the same already.
    """

    event: type[E]
    key: Callable[[E], str]
    """Which entry it speaks of: what it says of one key stands in one stream."""
    label: str
    """The field by which people call such an entry."""
    tables: tuple[str, ...]
    """How its table in a catalogue file is called, the usual name first; (): it has none."""
    named: Callable[[E], Units]
    """The units that must be registered before."""
    touched: Callable[[B, E], Units] | None
    """The units whose keeper may say it; None: it is said at the machine only."""
    check: Callable[[B, E], None]
    says: Callable[[B, E], bool]
    learn: Callable[[B, E], None]

    def __post_init__(self) -> None:
        if self.label not in {each.name for each in fields(self.event)}:
            raise TypeError(f"{self.event.__name__} has no field {self.label}.")

    @property
    def register(self) -> str:
        """Return the name of the register that it belongs to."""
        return category(self.event.TOPIC)

    def stream(self, entry: E) -> UUID:
        """Return the stream of the entry that an event speaks of."""
        return stream_of(self.register, self.key(entry))

    def name(self, entry: E) -> str:
        """Return what people call an entry: `unit H44.100`."""
        return f"{self.register} {getattr(entry, self.label)}"


@dataclass(frozen=True, kw_only=True)
class Register(Generic[B]):
    """A kind of entries with the small book that is folded from them.

    The first of `kinds` begins an entry, the others end one. Those that are `sent` come as
    CloudEvents too.
    """

    name: str
    book: Callable[[], B]
    kinds: tuple[EntryKind[Any, B], ...]
    sent: bool

    def __post_init__(self) -> None:
        strangers = [each.event.TOPIC for each in self.kinds if each.register != self.name]
        if strangers:
            raise TypeError(f"The register {self.name} cannot keep {', '.join(strangers)}.")


def same(known: object, entry: RegisterEvent) -> bool:
    """Say whether what is known is an event that says just what an entry says."""
    return isinstance(known, type(entry)) and said(known) == said(entry)


def nothing_named(_: RegisterEvent) -> Units:
    return ()


def nothing_to_check(_book: object, _entry: RegisterEvent) -> None:
    """Let pass what cannot be wrong."""
