"""The catalogue: loaded all or nothing, and shown as it was in force or known."""

from collections.abc import Sequence
from copy import deepcopy
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final, cast

from api.main import Process, Settings, now, opened
from api.operating.keeping import KEEPER
from api.operating.ledger import shipped
from api.showing.dossiers import payload_of, plain
from domain.deadlines.law import BASE_POLICY, CalendarDecision, OfficePolicy
from domain.envelope import VIETNAM, LedgerEvent, Recorded
from domain.errors import DomainError, UnknownProcedure
from domain.ledger.appends import Answer, Append, Reading
from domain.ledger.registering import Change, Registers
from domain.rules.register import RegisterEvent
from domain.rules.registers import kind_of
from domain.rules.rule_book import RuleBook
from streams.registers.catalogue_files import COMMUNE, CatalogueInvalid
from streams.registers.catalogue_files import load_catalogue as read_catalogue

CATALOGUES: Final = COMMUNE.parent


async def load_catalogue(settings: Settings, path: Path) -> dict[str, int]:
    """Register what a file, or the shipped one of that name, holds; parents first.

    All of it can be recorded, or nothing is. What is known already changes nothing.
    """
    entries = read_catalogue(shipped(path, CATALOGUES, "catalogue"))
    async with opened(settings, "catalogue") as process:
        return await load_entries(process, entries)


async def load_entries(process: Process, entries: list[RegisterEvent]) -> dict[str, int]:
    await process.services.store.read()
    await rehearse(entries, process.services.store.rules)
    counts = {change.value: 0 for change in Change}
    for entry in entries:
        counts[await process.services.registers.put(entry, KEEPER)] += 1
    return counts


class _Stage:
    """A store that only pretends: what is appended is learned by a copy of the rule book."""

    def __init__(self, rules: RuleBook) -> None:
        self.rules = deepcopy(rules)

    async def read(self, *_: object, **__: object) -> Reading:
        return Reading(position=self.rules.position)

    async def recorded(self, seq: int) -> LedgerEvent:
        raise LookupError(f"nothing is recorded at {seq}")

    async def append(self, append: Append) -> Answer:
        events = [event for write in append.writes for event in write.events]
        at = self.rules.position + 1
        self.rules.learn(
            Recorded(seq, event.timestamp, b"", cast("RegisterEvent", event))
            for seq, event in enumerate(events, at)
        )
        return Answer(append.outcome, repeated=False)


async def rehearse(entries: Sequence[RegisterEvent], rules: RuleBook) -> None:
    """Put every entry for show; raise CatalogueInvalid that names the first one refused."""
    stage = _Stage(rules)
    registers = Registers(stage, now)
    for entry in entries:
        try:
            await registers.put(entry, KEEPER)
        except DomainError as refused:
            raise CatalogueInvalid(
                f"{kind_of(entry).name(entry)}: {refused} Nothing of the file was recorded."
            ) from refused


async def catalogue(
    settings: Settings, at: datetime | None, known_at: datetime | None = None
) -> dict[str, Any]:
    """Return what the registers say of a moment; with `known_at`, as they said it then."""
    async with opened(settings, "catalogue") as process:
        rules = process.services.store.rules
        if known_at is not None:
            rules = await _known(process, known_at)
        return _shown(rules, at or known_at or now(), at and at.astimezone(VIETNAM).date())


async def _known(process: Process, at: datetime) -> RuleBook:
    """Return the rule book as it was at a moment of the ledger."""
    return await process.log.rules_at(await process.log.position_at(at))


def decision_state(decision: CalendarDecision) -> str:
    return "proposed" if decision.proposal else "applied"


def _shown(rules: RuleBook, at: datetime, issued_until: date | None) -> dict[str, Any]:
    """Return the registers as in force at a moment, without what was issued after a day."""
    procedures = []
    for code in sorted(rules.procedures):
        try:
            published, _ = rules.procedure(code, at)
        except UnknownProcedure:
            continue
        procedures.append(payload_of(published))

    def issued(decision: CalendarDecision | OfficePolicy) -> bool:
        return issued_until is None or decision.issued <= issued_until

    return {
        "at": at,
        "units": [
            {
                "code": code,
                "name": entry.unit.name,
                "parent": entry.unit.parent,
                "zone": entry.unit.zone,
                "calendar": rules.calendar_use(code).name,
                "level": entry.unit.level,
                "ended_at": entry.ended_at,
                "successors": list(entry.successors),
            }
            for code, entry in sorted(rules.units.items())
        ],
        "procedures": procedures,
        "calendars": [
            {"title": None, **payload_of(each), "state": decision_state(each)}
            for decisions in rules.calendars.values()
            for each in decisions
            if issued(each)
        ],
        "policies": [
            {"version": 0, **plain(BASE_POLICY)},  # What the law says itself.
            *(
                {"version": version, **payload_of(each)}
                for decisions in rules.policies.values()
                for version, each in enumerate(decisions, 1)
                if issued(each)
            ),
        ],
        "sources": [
            {"name": each.name, "unit": each.unit, "title": each.title}
            for each in rules.sources.values()
        ],
    }
