"""Procedures of the catalogue: what a dossier asks for, and in which time it is due."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from domain.deadlines.law import CutoffPolicy, PausePolicy, Term, TermUnit
from domain.envelope import LedgerEvent, ProcedureCode, UnitCode


class Channel(StrEnum):
    """How a dossier came in (KenhThucHien)."""

    ONLINE = "online"
    DIRECT = "direct"
    POST = "post"
    KIOSK = "kiosk"


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
class ProcedurePublished(ProcedureVersion, LedgerEvent):
    TOPIC = "procedure.published.v1"
