"""Systems that send facts."""

from dataclasses import dataclass

from domain.envelope import LedgerEvent, UnitCode


@dataclass(frozen=True, kw_only=True)
class SourceSystem:
    """A system that sends facts. Its name may then be used by its own tokens only."""

    name: str
    unit: UnitCode
    title: str | None = None


@dataclass(frozen=True, kw_only=True)
class SourceRegistered(SourceSystem, LedgerEvent):
    TOPIC = "source.registered.v1"
