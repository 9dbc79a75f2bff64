"""Procedures of the catalogue: what a dossier asks for, and in which time it is due."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from domain.deadlines.law import CutoffPolicy, PausePolicy, Term, TermUnit
from domain.deadlines.terms import refuse_endless, refuse_endless_limits
from domain.envelope import VIETNAM, Pin, ProcedureCode, UnitCode
from domain.errors import InvalidRequest, UnknownProcedure
from domain.rules.register import EntryKind, Register, RegisterEvent, Units, same


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
class ProcedurePublished(ProcedureVersion, RegisterEvent):
    TOPIC = "procedure.published.v1"


@dataclass(frozen=True, slots=True)
class ProcedureEntry:
    versions: tuple[ProcedurePublished, ...]
    pin: Pin


class ProcedureBook(dict[ProcedureCode, ProcedureEntry]):
    """Every procedure that was ever published, by its code."""

    def publish(self, event: ProcedurePublished) -> None:
        self[event.code] = ProcedureEntry((*self.versions(event.code), event), event.pin)

    def versions(self, code: ProcedureCode) -> tuple[ProcedurePublished, ...]:
        """Return the published versions, in the order of the ledger."""
        entry = self.get(code)
        return entry.versions if entry is not None else ()

    def version(self, code: ProcedureCode, version: int) -> ProcedurePublished | None:
        """Return a published version, or None where there is none."""
        return next((each for each in self.versions(code) if each.version == version), None)

    def in_force(self, code: ProcedureCode, at: datetime) -> tuple[ProcedurePublished, Pin]:
        """Return the version in force at a moment (by the date at which it begins)."""
        day = at.astimezone(VIETNAM).date()
        valid = [each for each in self.versions(code) if each.valid_from <= day]
        if not valid:
            raise UnknownProcedure(code)
        newest = max(valid, key=lambda each: (each.valid_from, each.originator_version))
        return newest, self[code].pin


def _check(_: ProcedureBook, entry: ProcedurePublished) -> None:
    refuse_endless_limits(
        supplement_notice_days=entry.supplement_notice_days,
        supplement_answer_days=entry.supplement_answer_days,
    )
    for step in entry.steps:
        refuse_endless_limits(**{"steps: hours": step.hours})
    if entry.term is not None:
        refuse_endless(entry.term)
    for each in entry.channel_terms:
        refuse_endless(Term(amount=each.amount, unit=each.unit))
    if len({each.channel for each in entry.channel_terms}) < len(entry.channel_terms):
        raise InvalidRequest("channel_terms: one for a channel.")


def _touched(procedures: ProcedureBook, entry: ProcedurePublished) -> Units:
    return (entry.unit, *(version.unit for version in procedures.versions(entry.code)))


def _says(procedures: ProcedureBook, entry: ProcedurePublished) -> bool:
    """Say whether it is published. Raises InvalidRequest where it is, but with other content."""
    known = procedures.version(entry.code, entry.version)
    if known is not None and not same(known, entry):
        raise InvalidRequest(
            f"Version {entry.version} of {entry.code} was published with other content."
        )
    return known is not None


PROCEDURES: Final = Register(
    name="procedure",
    book=ProcedureBook,
    sent=True,
    kinds=(
        EntryKind[ProcedurePublished, ProcedureBook](
            event=ProcedurePublished,
            key=lambda entry: entry.code,
            label="code",
            tables=("procedures", "procedure"),
            named=lambda entry: (entry.unit,),
            touched=_touched,
            check=_check,
            says=_says,
            learn=ProcedureBook.publish,
        ),
    ),
)
