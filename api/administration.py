"""What an administrator of the machine does: tokens, catalogue, erasure. No token is asked."""

import secrets
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from api.main import Process, Settings, now, opened
from api.presenting import payload_of
from api.reading import found_dossier
from domain import registers as reg
from domain.dossier.payloads import Party
from domain.envelope import Meta, UnitCode
from domain.errors import NotFound, UnknownProcedure
from domain.personal import Personal
from domain.registering import Change, Keeper
from domain.rules import RuleBook, TokenEntry
from streams.catalogue_files import load_catalogue as read_catalogue

KEEPER = Keeper(principal="machine", source="urn:hoso:command-line")
_UNSAID = Meta(event_id=UUID(int=0), source="", source_id="", principal="")
_SAID_NOTHING: dict[str, Any] = {
    "originator_id": _UNSAID.event_id,
    "originator_version": 0,
    "timestamp": datetime.fromtimestamp(0, UTC),
    "meta": _UNSAID,
}


async def grant(
    settings: Settings, role: reg.Role, unit: str, expires: timedelta, source: str | None
) -> str:
    """Record the grant of a new token and return the token: it is nowhere kept in clear."""
    async with opened(settings, "token") as process:
        return await granted(process, role, unit, expires, source)


async def granted(
    process: Process, role: reg.Role, unit: str, expires: timedelta, source: str | None = None
) -> str:
    token = f"hoso_{secrets.token_urlsafe(32)}"
    services = process.services
    code = UnitCode(unit)
    if source is not None and source not in services.store.rules.sources:
        entry = reg.SourceRegistered(**_SAID_NOTHING, name=source, unit=code)
        await services.registers.put(entry, KEEPER)
    granted = reg.TokenGranted(
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
        entry = reg.TokenRevoked(**_SAID_NOTHING, token_id=token_id)
        await process.services.registers.put(entry, KEEPER)


async def load_catalogue(settings: Settings, path: Path) -> dict[str, int]:
    """Register what a file holds, parents first; what is known already changes nothing."""
    entries = read_catalogue(path)
    async with opened(settings, "catalogue") as process:
        return await load_entries(process, entries)


async def load_entries(process: Process, entries: list[reg.RegisterEvent]) -> dict[str, int]:
    counts = {change.value: 0 for change in Change}
    for entry in entries:
        counts[await process.services.registers.put(entry, KEEPER)] += 1
    return counts


async def catalogue(settings: Settings, at: datetime | None) -> dict[str, Any]:
    """Return what the registers say at a moment."""
    async with opened(settings, "catalogue") as process:
        return _shown(process.services.store.rules, at or now())


def _shown(rules: RuleBook, at: datetime) -> dict[str, Any]:
    procedures = []
    for code in sorted(rules.procedures):
        try:
            published, _ = rules.procedure(code, at)
        except UnknownProcedure:
            continue
        procedures.append(payload_of(published))
    return {
        "at": at,
        "units": [
            {
                "code": code,
                "name": entry.unit.name,
                "parent": entry.unit.parent,
                "zone": entry.unit.zone,
                "level": entry.unit.level,
                "ended_at": entry.ended_at,
                "successors": list(entry.successors),
            }
            for code, entry in sorted(rules.units.items())
        ],
        "procedures": procedures,
        "calendars": [
            {"title": None, **payload_of(each)}
            for decisions in rules.calendars.values()
            for each in decisions
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
    for each in found:
        entry = reg.SubjectErased(**_SAID_NOTHING, subject=each, ground=ground)
        await process.services.registers.put(entry, KEEPER)
    keys = await process.keys.destroy(found)
    return {"subjects": found, "keys": keys}
