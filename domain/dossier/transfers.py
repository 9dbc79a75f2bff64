"""Transfers: a dossier is offered to another unit, which takes it over, refuses, or stays silent.

NĐ 61/2018/NĐ-CP, Điều 18; NĐ 309/2026/NĐ-CP, Điều 9; form 05 of TT 01/2018/TT-VPCP.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from domain.dossier.changes import go_on, hold, in_work
from domain.dossier.chapter import (
    Act,
    Binds,
    DayMeans,
    Decision,
    DossierCommand,
    Rule,
    SaidRule,
    Situation,
    happens,
)
from domain.dossier.events import DossierEvent
from domain.dossier.refusing import refuse_early, refuse_past_limit, refuse_past_whole
from domain.dossier.state import Dossier, Offer, Share
from domain.dossier.status import ENDED, WORK
from domain.envelope import UnitCode
from domain.errors import Forbidden
from domain.words import Words


@dataclass(frozen=True, kw_only=True)
class TransferOffer:
    """A hand-over on the control slip (form 05): whose work, until when.

    `deadline` is for the work, and never lies after the due date of the whole; `answer_by` is for
    taking it over.
    """

    to_unit: UnitCode
    from_unit: UnitCode | None = None
    transfer_id: str | None = None
    work: str | None = None
    deadline: datetime | None = None
    answer_by: datetime | None = None
    paper: bool | None = None


@dataclass(frozen=True, kw_only=True)
class TransferAnswer:
    """The receiving side takes it over. `transfer_id` names the offer; absent: the open one."""

    unit: UnitCode | None = None
    transfer_id: str | None = None
    note: str | None = None


@dataclass(frozen=True, kw_only=True)
class TransferRefusal:
    reason: str
    unit: UnitCode | None = None
    transfer_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class TransferTimeout:
    """Nobody answered the offer in time; the dossier stays where it was."""

    transfer_id: str | None = None
    answer_by: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class TransferOffered(TransferOffer, DossierEvent):
    TOPIC = "dossier.transfer-offered.v1"


@dataclass(frozen=True, kw_only=True)
class TransferAccepted(TransferAnswer, DossierEvent):
    TOPIC = "dossier.transfer-accepted.v1"


@dataclass(frozen=True, kw_only=True)
class TransferRefused(TransferRefusal, DossierEvent):
    TOPIC = "dossier.transfer-refused.v1"


@dataclass(frozen=True, kw_only=True)
class TransferTimedOut(TransferTimeout, DossierEvent):
    TOPIC = "dossier.transfer-timed-out.v1"


@dataclass(frozen=True, kw_only=True)
class OfferTransfer(TransferOffer, DossierCommand):
    """Offer the dossier to another unit; it stays here until that unit accepts."""

    NAME = "offer-transfer"


@dataclass(frozen=True, kw_only=True)
class AcceptTransfer(TransferAnswer, DossierCommand):
    """Take over a dossier that was offered to one's own unit."""

    NAME = "accept-transfer"


@dataclass(frozen=True, kw_only=True)
class RefuseTransfer(TransferRefusal, DossierCommand):
    """Refuse an offered dossier, with the reason."""

    NAME = "refuse-transfer"


@dataclass(frozen=True, kw_only=True)
class TimeOutTransfer(TransferTimeout, DossierCommand):
    """Close an offer that nobody answered in time."""

    NAME = "time-out-transfer"


def answers(offer: Offer, answer: TransferAnswer | TransferRefusal) -> bool:
    """Say whether an answer may be one to this offer: it names no other unit and no other id."""
    same_unit = answer.unit is None or answer.unit == offer.to_unit
    named = answer.transfer_id is not None and offer.transfer_id is not None
    return same_unit and (not named or answer.transfer_id == offer.transfer_id)


OPEN_OFFER = Rule(
    code="no-open-offer",
    why="no transfer waits for an answer",
    broken=lambda dossier: dossier.offer is None and dossier.status in WORK,
)


def _already(dossier: Dossier) -> str:
    unit = dossier.offer.to_unit if dossier.offer is not None else "another unit"
    return f"it is offered to {unit} already"


ONE_OFFER = Rule(
    code="second-offer",
    why=_already,
    broken=lambda dossier: dossier.offer is not None,
    binds=Binds.COMMANDS,
)
THE_OPEN_OFFER = SaidRule[TransferAnswer | TransferRefusal](
    code="other-offer",
    why="the open offer is another one",
    broken=lambda dossier, said: dossier.offer is not None and not answers(dossier.offer, said),
)


def _offer(situation: Situation, command: OfferTransfer) -> Decision:
    refuse_past_limit(situation, command.answer_by)
    refuse_past_whole(situation, command.deadline)
    return Decision(events=(happens(situation, command, TransferOffered),))


def _accept(situation: Situation, command: AcceptTransfer) -> Decision:
    answered = _answer(situation, command)
    return Decision(events=(happens(situation, command, TransferAccepted, **answered),))


def _refuse(situation: Situation, command: RefuseTransfer) -> Decision:
    answered = _answer(situation, command)
    return Decision(events=(happens(situation, command, TransferRefused, **answered),))


def _answer(situation: Situation, command: AcceptTransfer | RefuseTransfer) -> dict[str, object]:
    """Return which offer is answered. Raises Forbidden for all but the unit it was made to."""
    offer = situation.dossier.offer
    if offer is None or offer.to_unit not in situation.scope:
        raise Forbidden("Only the unit that a dossier is offered to may answer.")
    if command.unit not in (None, offer.to_unit):
        raise Forbidden(f"It is offered to {offer.to_unit}, not to {command.unit}.")
    return {"unit": offer.to_unit, "transfer_id": offer.transfer_id}


def _time_out(situation: Situation, command: TimeOutTransfer) -> Decision:
    until = situation.dossier.transfer_answer_by
    refuse_early(situation, until)
    return Decision(events=(happens(situation, command, TransferTimedOut, answer_by=until),))


def _offered(dossier: Dossier, event: TransferOffered) -> None:
    if not in_work(dossier):
        return
    dossier.offer = Offer(
        to_unit=event.to_unit,
        transfer_id=event.transfer_id,
        at=event.timestamp,
        by=event.meta.event_id,
        answer_by=event.answer_by,
    )
    if dossier.clock is not None and event.deadline is not None:
        share = Share(by=event.meta.event_id, deadline=event.deadline)
        dossier.clock = replace(dossier.clock, shares=(*dossier.clock.shares, share))


def _taken_over(dossier: Dossier, event: TransferAccepted) -> None:
    if dossier.offer is not None and not answers(dossier.offer, event):
        return
    unit = event.unit or (dossier.offer.to_unit if dossier.offer else None)
    if unit is not None and dossier.accepted_at is not None:
        dossier.custodian_unit = unit
        hold(dossier, unit)
        _receive(dossier, event, unit)
    dossier.offer = None
    go_on(dossier)


def _receive(dossier: Dossier, event: TransferAccepted, unit: UnitCode) -> None:
    """Start the clock that waits for the competent agency, whose code its units' begin with."""
    clock = dossier.clock
    if clock is None or clock.awaited is None or clock.received_at is not None:
        return
    if dossier.status not in ENDED and (
        unit == clock.awaited or unit.startswith(f"{clock.awaited}.")
    ):
        dossier.clock = replace(clock, received_at=event.timestamp)


def _refused(dossier: Dossier, event: TransferRefused) -> None:
    if dossier.offer is not None and answers(dossier.offer, event):
        dossier.offer = None


def _timed_out(dossier: Dossier, event: TransferTimedOut) -> None:
    del event
    dossier.offer = None


CHAPTER = (
    Act(
        event=TransferOffered,
        command=OfferTransfer,
        fits=WORK,
        day=DayMeans.OPENING,
        cause=Words("chuyển hồ sơ", "offered to another unit"),
        effect=_offered,
        decide=_offer,
        moves_clock=False,
        rules=(ONE_OFFER,),
    ),
    Act(
        event=TransferAccepted,
        command=AcceptTransfer,
        fits=WORK,
        day=DayMeans.OPENING,
        cause=Words("cơ quan có thẩm quyền nhận hồ sơ", "received by the competent agency"),
        effect=_taken_over,
        decide=_accept,
        moves_clock=True,
        rules=(OPEN_OFFER,),
        said_rules=(THE_OPEN_OFFER,),
        names_holders=True,
    ),
    Act(
        event=TransferRefused,
        command=RefuseTransfer,
        fits=WORK,
        day=DayMeans.OPENING,
        cause=Words("từ chối nhận hồ sơ được chuyển", "transfer refused"),
        effect=_refused,
        decide=_refuse,
        moves_clock=False,
        rules=(OPEN_OFFER,),
        said_rules=(THE_OPEN_OFFER,),
    ),
    Act(
        event=TransferTimedOut,
        command=TimeOutTransfer,
        fits=WORK,
        day=DayMeans.OPENING,
        cause=Words("hết thời gian chờ nhận hồ sơ", "transfer timed out"),
        effect=_timed_out,
        decide=_time_out,
        moves_clock=False,
        rules=(OPEN_OFFER,),
    ),
)
