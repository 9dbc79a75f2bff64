"""Tokens: who may do what, for which unit, until when."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain.envelope import LedgerEvent, UnitCode


class Role(StrEnum):
    DESK = "desk"
    AGENCY = "agency"
    SOURCE = "source"
    REPORTER = "reporter"
    INSPECTOR = "inspector"
    ADMINISTRATOR = "administrator"


@dataclass(frozen=True, kw_only=True)
class Grant:
    """A token: only its hash is kept. It acts for `unit` and everything below it."""

    token_id: UUID
    digest: str
    role: Role
    unit: UnitCode
    expires_at: datetime
    source_name: str | None = None


@dataclass(frozen=True, kw_only=True)
class Revocation:
    token_id: UUID


@dataclass(frozen=True, kw_only=True)
class TokenGranted(Grant, LedgerEvent):
    TOPIC = "token.granted.v1"


@dataclass(frozen=True, kw_only=True)
class TokenRevoked(Revocation, LedgerEvent):
    TOPIC = "token.revoked.v1"
