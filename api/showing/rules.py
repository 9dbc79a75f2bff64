"""The rules that the dates of a dossier follow from, as they are shown."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple, Self

from msgspec import Struct

from api.showing.answers import Count
from domain.deadlines.explaining import Day
from domain.deadlines.law import (
    CalendarDecision,
    CalendarUse,
    CutoffPolicy,
    OfficePolicy,
    PausePolicy,
    Term,
    TermUnit,
)
from domain.dossier.dates.dates import Dates, counting_of
from domain.dossier.state import Dossier
from domain.rules.procedures import ProcedureVersion
from domain.rules.rule_book import RuleBook


class DueTerm(Struct):
    amount: Count
    unit: TermUnit

    @classmethod
    def of(cls, term: Term) -> Self:
        return cls(term.amount, term.unit)


class DuePolicies(Struct):
    """What a supplement and a payment do to the term, and what receipt late in the day does."""

    supplement: PausePolicy
    payment: PausePolicy
    cutoff: CutoffPolicy

    @classmethod
    def of(cls, procedure: ProcedureVersion) -> Self:
        return cls(procedure.pause_policy, procedure.payment_policy, procedure.cutoff_policy)


class DueProcedure(Struct):
    code: str
    version: int
    name: str
    legal_basis: str

    @classmethod
    def of(cls, procedure: ProcedureVersion) -> Self:
        return cls(procedure.code, procedure.version, procedure.name, procedure.legal_basis)


class DueDecision(Struct):
    """A calendar decision about a day that was counted over."""

    id: str
    title: str | None
    issued: date
    unit: str | None

    @classmethod
    def of(cls, decision: CalendarDecision) -> Self:
        return cls(decision.id, decision.title, decision.issued, decision.unit)


class DueCalendar(Struct):
    """The calendar by which the clock runs; `units`: those whose own closures hold."""

    name: str
    version: Count
    zone: str
    units: list[str]
    decisions: list[DueDecision]

    @classmethod
    def of(cls, use: CalendarUse, days: Sequence[Day], rules: RuleBook) -> Self:
        """Show a calendar as it was used, with the decisions about days that were counted over."""
        named = {reason.decision for day in days for reason in day.reasons}
        decided = [each for each in rules.decisions(use.name, use.version) if each.id in named]
        decided.sort(key=lambda each: (each.issued, each.id))
        decisions = list(map(DueDecision.of, decided))
        return cls(use.name, use.version, use.zone, list(use.units), decisions)


class DuePolicy(Struct):
    """The office policy; version 0 comes with the law."""

    version: Count
    legal_basis: str | None

    @classmethod
    def of(cls, version: int, policy: OfficePolicy) -> Self:
        return cls(version, policy.legal_basis)


class DueRules(Struct):
    """The versions of the rules that the dates follow from."""

    procedure: DueProcedure | None
    calendar: DueCalendar
    policy: DuePolicy


class Counted(NamedTuple):
    """When the clock starts, what it counts, and by which rules; all None before acceptance."""

    clock_starts: datetime | None = None
    term: DueTerm | None = None
    policies: DuePolicies | None = None
    rules: DueRules | None = None

    @classmethod
    def of(
        cls, dossier: Dossier, dates: Dates | None, days: Sequence[Day], rules: RuleBook
    ) -> Self:
        """Show the rules of a dossier; `days` were counted over."""
        clock = dossier.clock
        if clock is None or dossier.procedure is None:
            return cls()
        version = dossier.procedure_version or 0
        procedure = rules.procedure_version(dossier.procedure, version)
        policy = rules.policy(clock.policy_version)
        term = counting_of(procedure, dossier.channel, policy).term
        return cls(
            dates.calendar.aware(dates.first.clock_starts) if dates is not None else None,
            DueTerm.of(term) if term is not None else None,
            DuePolicies.of(procedure) if procedure is not None else None,
            DueRules(
                DueProcedure.of(procedure) if procedure is not None else None,
                DueCalendar.of(clock.calendar, days, rules),
                DuePolicy.of(clock.policy_version, policy),
            ),
        )
