"""Tokens: who may do what, for which unit, until when."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from domain.envelope import UnitCode
from domain.errors import InvalidRequest
from domain.rules.register import (
    EntryKind,
    Register,
    RegisterEvent,
    nothing_named,
    nothing_to_check,
)


class Role(StrEnum):
    DESK = "desk"
    AGENCY = "agency"
    SOURCE = "source"
    REPORTER = "reporter"
    INSPECTOR = "inspector"
    ADMINISTRATOR = "administrator"


@dataclass(frozen=True, kw_only=True)
class Grant:
    """A token: only its hash is kept. It acts for `unit` and everything below it.

    One that `replaces` another is the same system's: it takes over its idempotency keys.
    """

    token_id: UUID
    digest: str
    role: Role
    unit: UnitCode
    expires_at: datetime
    source_name: str | None = None
    replaces: UUID | None = None


@dataclass(frozen=True, kw_only=True)
class Revocation:
    """A token is taken back: nobody is known by it any more."""

    token_id: UUID


@dataclass(frozen=True, kw_only=True)
class TokenGranted(Grant, RegisterEvent):
    TOPIC = "token.granted.v1"


@dataclass(frozen=True, kw_only=True)
class TokenRevoked(Revocation, RegisterEvent):
    TOPIC = "token.revoked.v1"


@dataclass(frozen=True, slots=True)
class TokenEntry:
    grant: Grant
    granted_at: datetime
    revoked: bool = False


class TokenBook(dict[str, TokenEntry]):
    """Every token that was ever granted, by its hash."""

    def grant(self, event: TokenGranted) -> None:
        self[event.digest] = TokenEntry(event, event.timestamp)

    def named(self, token_id: UUID) -> Grant | None:
        """Return the grant of a token, however it ended."""
        return next((each.grant for each in self.values() if each.grant.token_id == token_id), None)

    def system_of(self, grant: Grant) -> str:
        """Return whose idempotency keys a token uses: its source's, or the first one's of a row."""
        if grant.source_name is not None:
            return f"token:source/{grant.source_name}"
        replaced = self.named(grant.replaces) if grant.replaces is not None else None
        return f"token:{grant.token_id}" if replaced is None else self.system_of(replaced)

    def revoke(self, event: TokenRevoked) -> None:
        for digest, token in self.items():
            if token.grant.token_id == event.token_id:
                self[digest] = replace(token, revoked=True)


def _check(tokens: TokenBook, entry: TokenGranted) -> None:
    if entry.replaces is None:
        return
    replaced = tokens.named(entry.replaces)
    if replaced is None:
        raise InvalidRequest("There is no such token to replace.")
    if (replaced.unit, replaced.source_name) != (entry.unit, entry.source_name):
        raise InvalidRequest("A token replaces one of the same unit and source.")


def _says_revoked(tokens: TokenBook, entry: TokenRevoked) -> bool:
    known = [each for each in tokens.values() if each.grant.token_id == entry.token_id]
    if not known:
        raise InvalidRequest("There is no such token.")
    return known[0].revoked


TOKENS: Final = Register(
    name="token",
    book=TokenBook,
    sent=False,
    kinds=(
        EntryKind[TokenGranted, TokenBook](
            event=TokenGranted,
            key=lambda entry: str(entry.token_id),
            label="token_id",
            tables=(),
            named=lambda entry: (entry.unit,),
            touched=None,
            check=_check,
            says=lambda tokens, entry: entry.digest in tokens,
            learn=TokenBook.grant,
        ),
        EntryKind[TokenRevoked, TokenBook](
            event=TokenRevoked,
            key=lambda entry: str(entry.token_id),
            label="token_id",
            tables=(),
            named=nothing_named,
            touched=None,
            check=nothing_to_check,
            says=_says_revoked,
            learn=TokenBook.revoke,
        ),
    ),
)
