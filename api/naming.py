"""What a text names: a dossier, a position of the ledger, the rules as they were known there."""

import re
from dataclasses import replace
from datetime import datetime
from typing import Final
from urllib.parse import unquote
from uuid import UUID

from api.services import Services
from domain.errors import NotFound
from domain.ledger.appends import Question
from domain.rules.codes import dossier_named, is_code
from domain.rules.rule_book import RuleBook

_POSITION: Final = re.compile(r"[0-9]{1,18}")


def dossier_ref(text: str) -> UUID | str:
    """Return what a path names: a dossier's UUID, or its code; NotFound for what can be neither."""
    plain = unquote(text)
    try:
        return UUID(plain)
    except ValueError:
        if not is_code(plain):
            raise NotFound("such dossier") from None
        return plain


def asked_about(ref: UUID | str) -> Question:
    """Return what is asked of the ledger for a dossier, also while it waits to be opened.

    Raises NotFound for what names no dossier.
    """
    asked = Question.about(ref)
    return replace(asked, stream=dossier_named(ref)) if isinstance(ref, str) else asked


def is_position(text: str) -> bool:
    """Say whether a text states a position of the ledger, and no moment."""
    return _POSITION.fullmatch(text) is not None


async def known_position(services: Services, known_at: int | datetime | None) -> int | None:
    """Return the position that `known_at` means: a time, or the position itself."""
    if isinstance(known_at, datetime):
        return await services.log.position_at(known_at)
    return known_at


async def rules_known(services: Services, known_at: int | None) -> RuleBook:
    """Return the rules as they were known at a position, or are known now."""
    return services.store.rules if known_at is None else await services.log.rules_at(known_at)
