"""Systems that send facts."""

from dataclasses import dataclass
from typing import Final

from domain.envelope import UnitCode
from domain.rules.register import (
    EntryKind,
    Register,
    RegisterEvent,
    Units,
    nothing_to_check,
    same,
)


@dataclass(frozen=True, kw_only=True)
class SourceSystem:
    """A system that sends facts. Its name may then be used by its own tokens only."""

    name: str
    unit: UnitCode
    title: str | None = None


@dataclass(frozen=True, kw_only=True)
class SourceRegistered(SourceSystem, RegisterEvent):
    TOPIC = "source.registered.v1"


class SourceBook(dict[str, SourceSystem]):
    """Every registered source, by its name."""

    def register(self, event: SourceRegistered) -> None:
        self[event.name] = event


def _touched(sources: SourceBook, entry: SourceRegistered) -> Units:
    known = sources.get(entry.name)
    return (entry.unit, *((known.unit,) if known is not None else ()))


SOURCES: Final = Register(
    name="source",
    book=SourceBook,
    sent=True,
    kinds=(
        EntryKind[SourceRegistered, SourceBook](
            event=SourceRegistered,
            key=lambda entry: entry.name,
            label="name",
            tables=("sources", "source"),
            named=lambda entry: (entry.unit,),
            touched=_touched,
            check=nothing_to_check,
            says=lambda sources, entry: same(sources.get(entry.name), entry),
            learn=SourceBook.register,
        ),
    ),
)
