"""The persons that dossiers name: listed, and erased."""

from typing import Any
from uuid import UUID

from api.main import Process, Settings, opened
from api.operating.keeping import KEEPER, SAID_NOTHING
from api.operating.ledger import found_dossier
from domain.dossier.parts import Party
from domain.errors import NotFound
from domain.personal import Personal
from domain.rules.subjects import SubjectErased


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
        entry = SubjectErased(**SAID_NOTHING, subject=each, ground=ground)
        await process.services.registers.put(entry, KEEPER)
    keys = await process.keys.destroy(found)
    return {"subjects": found, "keys": keys}


async def _is_subject(process: Process, subject: UUID) -> bool:
    """Say whether the ledger ever named a person so; one that is erased was a subject too."""
    if subject in process.services.store.rules.erased:
        return True
    return await process.keys.has_named(subject)
