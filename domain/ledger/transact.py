"""Read, decide, append: the one way in, for commands and for the registers' entries alike."""

from collections.abc import Awaitable, Callable
from typing import Final

from domain.errors import DomainError, KeyReused, RulesChanged
from domain.ledger.appends import Answer, Append, Outcome, Question, Reading, Store
from domain.ledger.sameness import Identity, Said

AGAIN: Final = (RulesChanged, KeyReused)
"""What an append is refused by that is found out by another look."""

ATTEMPTS: Final = 5  # Each is lost only to a concurrent change of what was decided by.


async def answered_before(
    store: Store, reading: Reading, identity: Identity, said: Said
) -> Outcome | None:
    """Return what a request was answered before, if it says the same as the first one.

    Where the digests differ the recorded event decides: what was left unsaid may have been filled
    in. Raises KeyReused, which names the field that differs.
    """
    stored = reading.stored.get(identity.name)
    if stored is None:
        return None
    if stored.digest == identity.of(said).digest:
        return stored.outcome
    seq = stored.outcome.seq
    if seq is None:
        raise KeyReused(identity.key)
    first = await store.recorded(seq)
    mistake = said.difference(first)
    if mistake is None:
        return stored.outcome
    raise KeyReused(identity.key, mistake, stored.outcome.stream, seq)


Decide = Callable[[Reading], Awaitable[Append | Answer]]
"""Decides by what was read and by the store's rules. An answer needs no append."""


async def transact(
    store: Store,
    asked: Question,
    decide: Decide,
    again: tuple[type[DomainError], ...] = AGAIN,
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
