"""The registers that rules rest on: units, procedures, calendars, sources, tokens, subjects.

Each entry is a stream of its own in the one ledger, so the rules' own history is audited too.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import get_args
from uuid import UUID, uuid5

from domain.envelope import LedgerEvent, ProcedureCode, UnitCode

_VERSION_BITS = 76
_OURS = 8
_STREAMS = UUID("5a5f7e5c-64a8-5c1c-9d2b-0d5c1e7a4c02")


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


class TermUnit(StrEnum):
    WORKING_DAY = "working_day"
    WORKING_HOUR = "working_hour"
    CALENDAR_DAY = "calendar_day"
    MONTH = "month"
    ELAPSED_HOUR = "elapsed_hour"


class PausePolicy(StrEnum):
    """What a supplement does to the term (NĐ 61/2018, Điều 19.4: restart)."""

    RESTART = "restart"
    EXTEND = "extend"
    NONE = "none"


class CutoffPolicy(StrEnum):
    NONE = "none"
    TRANSFER_ONLY = "transfer_only"
    NEXT_DAY_RESULT = "next_day_result"
    COUNT_FROM_NEXT_DAY = "count_from_next_day"


class Role(StrEnum):
    DESK = "desk"
    AGENCY = "agency"
    SOURCE = "source"
    REPORTER = "reporter"
    INSPECTOR = "inspector"
    ADMINISTRATOR = "administrator"


@dataclass(frozen=True, kw_only=True)
class Unit:
    """A unit of the organisation register. `dossier_prefix` starts the codes that it issues."""

    code: UnitCode
    name: str
    parent: UnitCode | None = None
    zone: str = "Asia/Ho_Chi_Minh"
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
class Term:
    amount: int
    unit: TermUnit


@dataclass(frozen=True, kw_only=True)
class ProcedureStep:
    """A step of the internal process (quy trình nội bộ), in working hours."""

    name: str
    role: str
    hours: float


@dataclass(frozen=True, kw_only=True)
class ProcedureFee:
    amount: int
    code: str | None = None
    name: str | None = None
    kind: str | None = None


@dataclass(frozen=True, kw_only=True)
class ProcedureVersion:
    """One published version of a procedure; a dossier keeps the one it was accepted under."""

    code: ProcedureCode
    version: int
    name: str
    field: str
    unit: UnitCode | None = None
    level: str | None = None
    term: Term | None = None
    pause_policy: PausePolicy = PausePolicy.RESTART
    cutoff_policy: CutoffPolicy = CutoffPolicy.NONE
    valid_from: date
    steps: tuple[ProcedureStep, ...] = ()
    components: tuple[str, ...] = ()
    fees: tuple[ProcedureFee, ...] = ()
    legal_basis: str


@dataclass(frozen=True, kw_only=True)
class CalendarDecision:
    """Days off and days worked in exchange. A proposal does not apply until it is confirmed."""

    calendar: str = "VN"
    id: str
    issued: date
    off: tuple[date, ...] = ()
    working: tuple[date, ...] = ()
    unit: UnitCode | None = None
    title: str | None = None
    proposal: bool = False


@dataclass(frozen=True, kw_only=True)
class SourceSystem:
    """A system that sends facts. Its name may then be used by its own tokens only."""

    name: str
    unit: UnitCode
    title: str | None = None


@dataclass(frozen=True, kw_only=True)
class Grant:
    """A token: only its hash is kept. It acts for `unit` and everything below it."""

    token_id: UUID
    digest: str
    role: Role
    unit: UnitCode
    expires_at: datetime
    source_name: str | None = None


@dataclass(frozen=True, kw_only=True)
class Revocation:
    token_id: UUID


@dataclass(frozen=True, kw_only=True)
class Erasure:
    """The keys of a subject are destroyed: nobody will read its values again."""

    subject: UUID
    ground: str


@dataclass(frozen=True, kw_only=True)
class UnitRegistered(Unit, LedgerEvent):
    TOPIC = "unit.registered.v1"


@dataclass(frozen=True, kw_only=True)
class UnitEndedByDecision(UnitEnd, LedgerEvent):
    TOPIC = "unit.ended.v1"


@dataclass(frozen=True, kw_only=True)
class ProcedurePublished(ProcedureVersion, LedgerEvent):
    TOPIC = "procedure.published.v1"


@dataclass(frozen=True, kw_only=True)
class CalendarDecided(CalendarDecision, LedgerEvent):
    TOPIC = "calendar.decided.v1"


@dataclass(frozen=True, kw_only=True)
class SourceRegistered(SourceSystem, LedgerEvent):
    TOPIC = "source.registered.v1"


@dataclass(frozen=True, kw_only=True)
class TokenGranted(Grant, LedgerEvent):
    TOPIC = "token.granted.v1"


@dataclass(frozen=True, kw_only=True)
class TokenRevoked(Revocation, LedgerEvent):
    TOPIC = "token.revoked.v1"


@dataclass(frozen=True, kw_only=True)
class SubjectErased(Erasure, LedgerEvent):
    TOPIC = "subject.erased.v1"


RegisterEvent = (
    UnitRegistered
    | UnitEndedByDecision
    | ProcedurePublished
    | CalendarDecided
    | SourceRegistered
    | TokenGranted
    | TokenRevoked
    | SubjectErased
)
REGISTER_EVENTS: tuple[type[RegisterEvent], ...] = get_args(RegisterEvent)
