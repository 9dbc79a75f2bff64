"""Tokens: granted, listed, revoked. A token is nowhere kept in clear."""

import secrets
from datetime import timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

from api.main import Process, Settings, now, opened
from api.operating.keeping import KEEPER, SAID_NOTHING
from domain.envelope import UnitCode
from domain.rules.sources import SourceRegistered
from domain.rules.tokens import Role, TokenEntry, TokenGranted, TokenRevoked


async def grant(
    settings: Settings,
    role: Role,
    unit: str,
    expires: timedelta,
    source: str | None,
    replaces: UUID | None,
) -> str:
    """Record the grant of a new token and return the token: it is nowhere kept in clear."""
    async with opened(settings, "token") as process:
        return await granted(process, role, unit, expires, source, replaces)


async def granted(
    process: Process,
    role: Role,
    unit: str,
    expires: timedelta,
    source: str | None = None,
    replaces: UUID | None = None,
) -> str:
    token = f"hoso_{secrets.token_urlsafe(32)}"
    services = process.services
    code = UnitCode(unit)
    if source is not None and source not in services.store.rules.sources:
        entry = SourceRegistered(**SAID_NOTHING, name=source, unit=code)
        await services.registers.put(entry, KEEPER)
    granted = TokenGranted(
        **SAID_NOTHING,
        token_id=uuid4(),
        digest=sha256(token.encode()).hexdigest(),
        role=role,
        unit=code,
        expires_at=now() + expires,
        source_name=source,
        replaces=replaces,
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
        entry = TokenRevoked(**SAID_NOTHING, token_id=token_id)
        await process.services.registers.put(entry, KEEPER)
