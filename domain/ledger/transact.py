"""Read, decide, append: the one way in, for commands and for the registers' entries alike."""

from collections.abc import Awaitable, Callable
from typing import Final

from domain.errors import DomainError, RulesChanged
from domain.ledger.appends import Answer, Append, Question, Reading, Store

ATTEMPTS: Final = 5  # Each is lost only to a concurrent change of what was decided by.

Decide = Callable[[Reading], Awaitable[Append | Answer]]
"""Decides by what was read and by the store's rules. An answer needs no append."""


async def transact(
    store: Store,
    asked: Question,
    decide: Decide,
    again: tuple[type[DomainError], ...] = (RulesChanged,),
) -> Answer:
    """Return what became of a request; where `again` says what has changed, look again.

    Raises what `decide` or the append raises, RulesChanged where it changes again and again.
    """
    for _ in range(ATTEMPTS):
        decided = await decide(await store.read(asked))
        if isinstance(decided, Answer):
            return decided
        try:
            return await store.append(decided)
        except again:
            continue
    raise RulesChanged
