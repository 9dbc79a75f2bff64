"""Supplements: what is missing, what came, what nobody sent (NĐ 61/2018/NĐ-CP, Điều 15, 19.4)."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from domain.dossier.chapter import (
    Act,
    DayMeans,
    Decision,
    DossierCommand,
    Rule,
    Situation,
    happens,
    saying,
)
from domain.dossier.dates.clocks import pause, resume
from domain.dossier.dates.dates import dates_of
from domain.dossier.dates.limits import supplement_limit
from domain.dossier.endings import DossierStopped
from domain.dossier.events import DossierEvent
from domain.dossier.parts import Fee
from domain.dossier.refusing import refuse_early, refuse_past_limit
from domain.dossier.state import Dossier, PauseKind
from domain.dossier.status import ENDED, WORK, Status
from domain.errors import CalendarContradicts, CalendarLacksYear
from domain.words import Words

UNANSWERED: Final = "Người nộp không bổ sung hồ sơ trong thời hạn."
"""The reason of the stop that follows an expiry, as form 05 of TT 03/2025 says it."""


@dataclass(frozen=True, kw_only=True)
class SupplementRequest:
    """Form 02: what is missing and why, who explains it, until when it is awaited."""

    reason: str
    items: tuple[str, ...] = ()
    officer: str | None = None
    officer_phone: str | None = None
    answer_by: datetime | None = None
    request_id: str | None = None
    fees: tuple[Fee, ...] = ()


@dataclass(frozen=True, kw_only=True)
class SupplementCompletion:
    """The desk confirms what came in; `partial`: something is still awaited."""

    items: tuple[str, ...] = ()
    partial: bool = False
    officer: str | None = None
    request_id: str | None = None
    due: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class SupplementExpiry:
    """The applicant did not answer in the time that the rule gives."""

    request_id: str | None = None
    answer_by: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class SupplementRequested(SupplementRequest, DossierEvent):
    """Status 5 (5' before acceptance); form 02."""

    TOPIC = "dossier.supplement-requested.v1"


@dataclass(frozen=True, kw_only=True)
class SupplementCompleted(SupplementCompletion, DossierEvent):
    TOPIC = "dossier.supplement-completed.v1"


@dataclass(frozen=True, kw_only=True)
class SupplementExpired(SupplementExpiry, DossierEvent):
    TOPIC = "dossier.supplement-expired.v1"


@dataclass(frozen=True, kw_only=True)
class RequestSupplement(SupplementRequest, DossierCommand):
    """Ask the applicant to complete the dossier (form 02)."""

    NAME = "request-supplement"


@dataclass(frozen=True, kw_only=True)
class CompleteSupplement(SupplementCompletion, DossierCommand):
    """Confirm that the supplement came in, wholly or in part."""

    NAME = "complete-supplement"


@dataclass(frozen=True, kw_only=True)
class ExpireSupplement(SupplementExpiry, DossierCommand):
    """Stop a dossier whose supplement was not answered in time."""

    NAME = "expire-supplement"


ONCE_BEFORE_ACCEPTANCE = Rule(
    code="second-intake-supplement",
    why="before acceptance a supplement is asked for once, in full",
    law="NĐ 61/2018, Điều 15.3",
    broken=lambda dossier: dossier.status is Status.REGISTERED and dossier.intake_supplements > 0,
)


def _ask(situation: Situation, command: RequestSupplement) -> Decision:
    """Say until when the answer is awaited, if it is not said and the rules know."""
    until = command.answer_by
    refuse_past_limit(situation, until)
    with suppress(CalendarLacksYear, CalendarContradicts):
        dates = dates_of(situation.dossier, situation.rules) if until is None else None
        until = supplement_limit(situation.at, dates) if dates is not None else until
    return Decision(events=(happens(situation, command, SupplementRequested, answer_by=until),))


def _expire(situation: Situation, command: ExpireSupplement) -> Decision:
    until = situation.dossier.answer_by
    refuse_early(situation, until)
    expired = happens(situation, command, SupplementExpired, answer_by=until)
    stop = DossierStopped(**situation.stamp(2), reason=UNANSWERED, expiry=expired.meta.event_id)
    return Decision(events=(expired, stop))


def _requested(dossier: Dossier, event: SupplementRequested) -> None:
    if dossier.status in ENDED:
        return
    if dossier.accepted_at is None:
        dossier.status = Status.INTAKE_SUPPLEMENT
        dossier.intake_supplements += 1
        return
    dossier.supplements += 1
    dossier.status = Status.SUPPLEMENT
    resume(dossier, event, PauseKind.PAYMENT)  # What is waited for now is the supplement.
    pause(dossier, event, PauseKind.SUPPLEMENT, event.answer_by)


def _completed(dossier: Dossier, event: SupplementCompleted) -> None:
    if event.partial:
        return
    if dossier.status is Status.INTAKE_SUPPLEMENT:
        dossier.status = Status.REGISTERED
    elif dossier.status is Status.SUPPLEMENT:
        dossier.status = Status.IN_PROCESS
        resume(dossier, event, PauseKind.SUPPLEMENT, event.due)


def _expired(dossier: Dossier, event: SupplementExpired) -> None:
    if dossier.status is Status.SUPPLEMENT:
        dossier.expired_by = event.meta.event_id


CHAPTER = (
    Act(
        event=SupplementRequested,
        command=RequestSupplement,
        fits=WORK | {Status.REGISTERED},
        day=DayMeans.OPENING,
        cause=Words("yêu cầu bổ sung", "supplement asked for"),
        effect=_requested,
        decide=_ask,
        moves_clock=False,
        rules=(ONCE_BEFORE_ACCEPTANCE,),
    ),
    Act(
        event=SupplementCompleted,
        command=CompleteSupplement,
        fits=frozenset({Status.SUPPLEMENT, Status.INTAKE_SUPPLEMENT}),
        day=DayMeans.OPENING,
        cause=Words("bổ sung đầy đủ", "supplement complete"),
        effect=_completed,
        decide=saying(SupplementCompleted),
        moves_clock=True,
    ),
    Act(
        event=SupplementExpired,
        command=ExpireSupplement,
        fits=frozenset({Status.SUPPLEMENT}),
        day=DayMeans.END,
        cause=Words("hết hạn bổ sung", "the time for the supplement was over"),
        effect=_expired,
        decide=_expire,
        moves_clock=False,
    ),
)
