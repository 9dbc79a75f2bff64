"""Endings without a result: withdrawn by the applicant, stopped, refused in writing.

NĐ 61/2018/NĐ-CP, Điều 19.8; form 05 of TT 03/2025/TT-VPCP.
"""

from dataclasses import dataclass
from uuid import UUID

from domain.dossier.changes import end
from domain.dossier.chapter import Act, DayMeans, DossierCommand, SaidRule, saying
from domain.dossier.events import DossierEvent
from domain.dossier.parts import ResultDocument
from domain.dossier.state import Dossier
from domain.dossier.status import BEFORE, OPEN, Status
from domain.words import Words


@dataclass(frozen=True, kw_only=True)
class Withdrawal:
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class Stop:
    """Form 05 of TT 03/2025: processing stops.

    `expiry` is the event id of the expiry that it follows from, if it does.
    """

    reason: str
    number: str | None = None
    expiry: UUID | None = None


@dataclass(frozen=True, kw_only=True)
class ResolutionRefusal:
    """A written refusal within the term (NĐ 61/2018, Điều 19.8)."""

    reason: str
    documents: tuple[ResultDocument, ...] = ()


@dataclass(frozen=True, kw_only=True)
class DossierWithdrawn(Withdrawal, DossierEvent):
    """Status 7."""

    TOPIC = "dossier.withdrawn.v1"


@dataclass(frozen=True, kw_only=True)
class DossierStopped(Stop, DossierEvent):
    """Status 8."""

    TOPIC = "dossier.stopped.v1"


@dataclass(frozen=True, kw_only=True)
class ResolutionRefused(ResolutionRefusal, DossierEvent):
    """Status 8."""

    TOPIC = "dossier.resolution-refused.v1"


@dataclass(frozen=True, kw_only=True)
class WithdrawDossier(Withdrawal, DossierCommand):
    """Record that the applicant withdraws the dossier (status 7)."""

    NAME = "withdraw"


@dataclass(frozen=True, kw_only=True)
class StopDossier(Stop, DossierCommand):
    """Stop processing (status 8), with the reason."""

    NAME = "stop"


@dataclass(frozen=True, kw_only=True)
class RefuseResolution(ResolutionRefusal, DossierCommand):
    """Refuse the request in writing (status 8)."""

    NAME = "refuse-resolution"


NOT_OVERTAKEN = SaidRule[Stop](
    code="overtaken",
    why="The answer had come before the expiry, and was told later.",
    broken=lambda dossier, said: said.expiry is not None and said.expiry != dossier.expired_by,
)


def _withdrawn(dossier: Dossier, event: DossierWithdrawn) -> None:
    end(dossier, event, Status.WITHDRAWN)


def _stopped(dossier: Dossier, event: DossierStopped) -> None:
    if not NOT_OVERTAKEN.broken(dossier, event):
        end(dossier, event, Status.STOPPED)


def _refused(dossier: Dossier, event: ResolutionRefused) -> None:
    end(dossier, event, Status.STOPPED)


CHAPTER = (
    Act(
        event=DossierWithdrawn,
        command=WithdrawDossier,
        fits=OPEN | BEFORE,
        day=DayMeans.END,
        cause=Words("công dân rút hồ sơ", "withdrawn"),
        effect=_withdrawn,
        decide=saying(DossierWithdrawn),
        moves_clock=False,
    ),
    Act(
        event=DossierStopped,
        command=StopDossier,
        fits=frozenset({Status.IN_PROCESS, Status.SUPPLEMENT, Status.OBLIGATION}),
        day=DayMeans.END,
        cause=Words("dừng giải quyết", "stopped"),
        effect=_stopped,
        decide=saying(DossierStopped),
        moves_clock=False,
        said_rules=(NOT_OVERTAKEN,),
    ),
    Act(
        event=ResolutionRefused,
        command=RefuseResolution,
        fits=frozenset({Status.IN_PROCESS}),
        day=DayMeans.END,
        cause=Words("từ chối giải quyết", "refused in writing"),
        effect=_refused,
        decide=saying(ResolutionRefused),
        moves_clock=False,
    ),
)
