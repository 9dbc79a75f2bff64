"""The rules that the dates of a dossier follow from, as they are shown."""

from collections.abc import Sequence
from typing import Any

from api.showing.dossiers import plain
from domain.deadlines.explaining import Day
from domain.deadlines.law import CalendarUse
from domain.dossier.dates.dates import Dates, counting_of
from domain.dossier.state import Dossier
from domain.rules.procedures import ProcedureVersion
from domain.rules.rule_book import RuleBook

Json = dict[str, Any]


def counted_body(
    dossier: Dossier, dates: Dates | None, days: Sequence[Day], rules: RuleBook
) -> Json:
    """Return when the clock starts, what it counts, and by which rules; `days` were counted over.

    All of it is None before acceptance.
    """
    clock = dossier.clock
    if clock is None or dossier.procedure is None:
        return {"clock_starts": None, "term": None, "policies": None, "rules": None}
    version = dossier.procedure_version or 0
    procedure = rules.procedure_version(dossier.procedure, version)
    policy = rules.policy(clock.policy_version)
    counting = counting_of(procedure, dossier.channel, policy)
    starts = dates.calendar.aware(dates.first.clock_starts) if dates is not None else None
    return {
        "clock_starts": starts,
        "term": plain(counting.term),
        "policies": _policies(procedure) if procedure is not None else None,
        "rules": {
            "procedure": _procedure(procedure) if procedure is not None else None,
            "calendar": _calendar(clock.calendar, days, rules),
            "policy": {"version": clock.policy_version, "legal_basis": policy.legal_basis},
        },
    }


def _policies(procedure: ProcedureVersion) -> Json:
    return {
        "supplement": procedure.pause_policy,
        "payment": procedure.payment_policy,
        "cutoff": procedure.cutoff_policy,
    }


def _procedure(procedure: ProcedureVersion) -> Json:
    return {
        "code": procedure.code,
        "version": procedure.version,
        "name": procedure.name,
        "legal_basis": procedure.legal_basis,
    }


def _calendar(use: CalendarUse, days: Sequence[Day], rules: RuleBook) -> Json:
    """Return a calendar as it was used, with the decisions about days that were counted over."""
    named = {reason.decision for day in days for reason in day.reasons}
    decided = [each for each in rules.decisions(use.name, use.version) if each.id in named]
    return {
        "name": use.name,
        "version": use.version,
        "zone": use.zone,
        "units": list(use.units),
        "decisions": [
            {"id": each.id, "title": each.title, "issued": each.issued, "unit": each.unit}
            for each in sorted(decided, key=lambda each: (each.issued, each.id))
        ],
    }
