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


class Channel(StrEnum):
    """How a dossier came in (KenhThucHien)."""

    ONLINE = "online"
    DIRECT = "direct"
    POST = "post"
    KIOSK = "kiosk"


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
class Term:
    amount: int
    unit: TermUnit


@dataclass(frozen=True, kw_only=True)
class ChannelTerm:
    """The term of dossiers that come in by one channel, where it is another."""

    channel: Channel
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
    """One published version of a procedure; a dossier keeps the one it was accepted under.

    `payment_policy` is what waiting for a payment (status 6) does to the term. Working days in
    which a supplement must be asked for (`supplement_notice_days`) and answered
    (`supplement_answer_days`) are the office policy's where they are not stated.
    """

    code: ProcedureCode
    version: int
    name: str
    field: str
    unit: UnitCode | None = None
    level: str | None = None
    term: Term | None = None
    channel_terms: tuple[ChannelTerm, ...] = ()
    pause_policy: PausePolicy = PausePolicy.RESTART
    payment_policy: PausePolicy = PausePolicy.EXTEND
    cutoff_policy: CutoffPolicy = CutoffPolicy.NONE
    supplement_notice_days: int | None = None
    supplement_answer_days: int | None = None
    valid_from: date
    steps: tuple[ProcedureStep, ...] = ()
    components: tuple[str, ...] = ()
    fees: tuple[ProcedureFee, ...] = ()
    legal_basis: str


@dataclass(frozen=True, kw_only=True)
class OfficeHours:
    """A day that is worked at other hours: each session is written like `07:00-11:30`."""

    day: date
    sessions: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class CalendarDecision:
    """Days off and days worked in exchange. A proposal does not apply until it is confirmed.

    With a `unit` it is about the offices of that unit and of all below it (a storm, a flood), and
    comes before what is decided for everyone.
    """

    calendar: str = "VN"
    id: str
    issued: date
    off: tuple[date, ...] = ()
    working: tuple[date, ...] = ()
    hours: tuple[OfficeHours, ...] = ()
    unit: UnitCode | None = None
    title: str | None = None
    proposal: bool = False


@dataclass(frozen=True, kw_only=True)
class OfficePolicy:
    """Office hours, and the limits that the law leaves to configuration. Replaced as a whole.

    `cutoff`: receipt after it counts as late in the day (NĐ 61/2018, Điều 18). `intake_hours`: an
    online dossier is accepted or refused within so many working hours. `supplement_notice_days`
    (Điều 19.4) and `supplement_answer_days` are working days, `transfer_answer_hours` working
    hours; without the last two nothing expires unless a dossier states until when it waits.
    """

    policy: str = "VN"
    issued: date
    sessions: tuple[str, ...] = ("07:00-11:30", "13:30-17:00")
    cutoff: str = "15:00"
    intake_hours: int = 8
    supplement_notice_days: int = 3
    supplement_answer_days: int | None = None
    transfer_answer_hours: int | None = None
    due_soon_hours: int = 8
    legal_basis: str | None = None


BASE_POLICY = OfficePolicy(issued=date(2018, 4, 23), legal_basis="NĐ 61/2018/NĐ-CP")
"""What holds until a policy is decided: version 0."""


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
class PolicyDecided(OfficePolicy, LedgerEvent):
    TOPIC = "policy.decided.v1"


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
    | PolicyDecided
    | SourceRegistered
    | TokenGranted
    | TokenRevoked
    | SubjectErased
)
REGISTER_EVENTS: tuple[type[RegisterEvent], ...] = get_args(RegisterEvent)
