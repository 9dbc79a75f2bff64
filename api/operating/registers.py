"""What an administrator of the machine does: tokens, catalogue, erasure. No token is asked."""

import secrets
from collections.abc import Sequence
from copy import deepcopy
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, cast
from uuid import UUID, uuid4

from api.main import Process, Settings, now, opened
from api.operating.ledger import found_dossier, shipped
from api.showing.dossiers import payload_of, plain
from domain.deadlines.law import BASE_POLICY, CalendarDecision, OfficePolicy
from domain.dossier.parts import Party
from domain.envelope import VIETNAM, Meta, Recorded, UnitCode
from domain.errors import DomainError, NotFound, UnknownProcedure
from domain.ledger.appends import Answer, Append, Reading
from domain.ledger.registering import Change, Keeper, Registers
from domain.personal import Personal
from domain.rules.register import RegisterEvent
from domain.rules.registers import kind_of
from domain.rules.rule_book import RuleBook
from domain.rules.sources import SourceRegistered
from domain.rules.subjects import SubjectErased
from domain.rules.tokens import Role, TokenEntry, TokenGranted, TokenRevoked
from streams.registers.catalogue_files import COMMUNE, CatalogueInvalid
from streams.registers.catalogue_files import load_catalogue as read_catalogue

CATALOGUES: Final = COMMUNE.parent
KEEPER = Keeper(principal="machine", source="urn:hoso:command-line")
_UNSAID = Meta(event_id=UUID(int=0), source="", source_id="", principal="")
_SAID_NOTHING: dict[str, Any] = {
    "originator_id": _UNSAID.event_id,
    "originator_version": 0,
    "timestamp": datetime.fromtimestamp(0, UTC),
    "meta": _UNSAID,
}


async def grant(
    settings: Settings, role: Role, unit: str, expires: timedelta, source: str | None
) -> str:
    """Record the grant of a new token and return the token: it is nowhere kept in clear."""
    async with opened(settings, "token") as process:
        return await granted(process, role, unit, expires, source)


async def granted(
    process: Process, role: Role, unit: str, expires: timedelta, source: str | None = None
) -> str:
    token = f"hoso_{secrets.token_urlsafe(32)}"
    services = process.services
    code = UnitCode(unit)
    if source is not None and source not in services.store.rules.sources:
        entry = SourceRegistered(**_SAID_NOTHING, name=source, unit=code)
        await services.registers.put(entry, KEEPER)
    granted = TokenGranted(
        **_SAID_NOTHING,
        token_id=uuid4(),
        digest=sha256(token.encode()).hexdigest(),
        role=role,
        unit=code,
        expires_at=now() + expires,
        source_name=source,
    )
    await services.registers.put(granted, KEEPER)
    return token


async def grants(settings: Settings) -> list[dict[str, Any]]:
    async with opened(settings, "token") as process:
        tokens = process.services.store.rules.tokens.values()
        rows = [
            {
                "id": each.grant.token_id,
                "role": each.grant.role,
                "unit": each.grant.unit,
                "source": each.grant.source_name,
                "granted_at": each.granted_at,
                "expires_at": each.grant.expires_at,
                "state": _state(each),
            }
            for each in tokens
        ]
        return sorted(rows, key=lambda row: row["granted_at"])


def _state(token: TokenEntry) -> str:
    if token.revoked:
        return "revoked"
    return "expired" if token.grant.expires_at <= now() else "valid"


async def revoke(settings: Settings, token_id: UUID) -> None:
    async with opened(settings, "token") as process:
        entry = TokenRevoked(**_SAID_NOTHING, token_id=token_id)
        await process.services.registers.put(entry, KEEPER)


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
        return Reading(events=(), stored=None, claimed=None, position=self.rules.position)

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


async def subjects(settings: Settings, dossier: str) -> list[dict[str, Any]]:
    """Return the subjects that a dossier names, by role."""
    async with opened(settings, "subject") as process:
        _, events, _ = await found_dossier(process.services, dossier)
        erased = process.services.store.rules.erased
        named: dict[tuple[str, UUID], None] = {}
        for recorded in events:
            for role in ("owner", "submitter", "recipient"):
                for subject in _subjects(getattr(recorded.event, role, None)):
                    named[role, subject] = None
        return [{"role": r, "subject": s, "erased": s in erased} for r, s in named]


def _subjects(party: Party | None) -> set[UUID]:
    values = vars(party).values() if party is not None else ()
    return {v.subject for v in values if isinstance(v, Personal) and v.subject is not None}


async def erase(
    settings: Settings, subject: UUID | None, id_number: str | None, ground: str
) -> dict[str, Any]:
    """Record the erasure, then destroy the keys: nobody reads them after the first step."""
    async with opened(settings, "subject") as process:
        return await erased(process, subject, id_number, ground)


async def erased(
    process: Process, subject: UUID | None, id_number: str | None, ground: str
) -> dict[str, Any]:
    found = [subject] if subject is not None else []
    if id_number is not None:
        found = await process.keys.subjects_of("id_number", id_number)
    if not found:
        raise NotFound("person with this identity number")
    if subject is not None and not await _is_subject(process, subject):
        raise NotFound(f"subject {subject}")
    for each in found:
        entry = SubjectErased(**_SAID_NOTHING, subject=each, ground=ground)
        await process.services.registers.put(entry, KEEPER)
    keys = await process.keys.destroy(found)
    return {"subjects": found, "keys": keys}


async def _is_subject(process: Process, subject: UUID) -> bool:
    """Say whether the ledger ever named a person so; one that is erased was a subject too."""
    if subject in process.services.store.rules.erased:
        return True
    return await process.keys.has_named(subject)
