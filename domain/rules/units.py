"""Units of the organisation register."""

from dataclasses import dataclass
from datetime import datetime

from domain.envelope import LedgerEvent, UnitCode


@dataclass(frozen=True, kw_only=True)
class Unit:
    """A unit of the organisation register. `dossier_prefix` starts the codes that it issues."""

    code: UnitCode
    name: str
    parent: UnitCode | None = None
    zone: str = "Asia/Ho_Chi_Minh"
    calendar: str | None = None
    level: str | None = None
    dossier_prefix: str | None = None


@dataclass(frozen=True, kw_only=True)
class UnitEnd:
    """A unit is abolished or merged; `successors` take over its dossiers."""

    code: UnitCode
    ended_at: datetime
    successors: tuple[UnitCode, ...] = ()
    legal_basis: str | None = None


@dataclass(frozen=True, kw_only=True)
class UnitRegistered(Unit, LedgerEvent):
    TOPIC = "unit.registered.v1"


@dataclass(frozen=True, kw_only=True)
class UnitEndedByDecision(UnitEnd, LedgerEvent):
    TOPIC = "unit.ended.v1"
