"""The use case "when would it be due": an acceptance that nobody has recorded, explained."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from domain.dossier.evolve import fold
from domain.dossier.explanation.explanation import Standpoint
from domain.dossier.intake import Acceptance, DossierAccepted, resolved
from domain.envelope import Meta, ProcedureCode, Recorded, UnitCode
from domain.errors import InvalidRequest
from domain.rules.procedures import Channel
from domain.rules.rule_book import RuleBook

_NOBODY: Final = UUID(int=0)


@dataclass(frozen=True, kw_only=True)
class DuePreview:
    """An acceptance that might happen, also in the future.

    The competent unit is the procedure's where it is not said, else the one that asks.
    """

    procedure: ProcedureCode
    received_at: datetime
    channel: Channel
    receiving_unit: UnitCode | None = None
    competent_unit: UnitCode | None = None
    non_boundary: bool | None = None


def previewed(said: DuePreview, rules: RuleBook, asking: UnitCode | None) -> Standpoint:
    """Return the dossier that an acceptance would make.

    Raises UnknownProcedure, UnknownUnit, UnitEnded, CalendarLacksYear or CalendarContradicts.
    """
    at = said.received_at
    procedure, _ = rules.procedure(said.procedure, at)
    competent = said.competent_unit or procedure.unit or asking
    if competent is None:
        raise InvalidRequest("competent_unit says which unit decides.")
    acceptance = Acceptance(
        procedure=said.procedure,
        channel=said.channel,
        receiving_unit=said.receiving_unit or competent,
        competent_unit=competent,
        non_boundary=said.non_boundary,
    )
    for unit in (acceptance.receiving_unit, acceptance.competent_unit):
        rules.unit(unit, at)
    basis, due = resolved(acceptance, at, rules)
    accepted = DossierAccepted(
        originator_id=_NOBODY,
        originator_version=1,
        timestamp=at,
        meta=Meta(event_id=_NOBODY, source="", source_id="", principal=""),
        **{**vars(acceptance), "due": due},
        **vars(basis),
    )
    history = [Recorded(seq=0, recorded_at=at, leaf=b"", event=accepted)]
    return Standpoint(dossier=fold(_NOBODY, history, rules), history=history, rules=rules, at=at)
