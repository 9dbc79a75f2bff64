"""The intake: messages from HTTP, files and topics go into the ledger here, in one way."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeGuard

from domain.errors import Busy, DomainError, RulesChanged
from domain.ledger.commands import Ledger
from domain.ledger.messages import Entry, Fact
from domain.ledger.recording import Became
from domain.ledger.registering import Registers
from domain.rules.register import RegisterEvent

Message = Fact | Entry
Told = Message | DomainError
"""A message, or why what was sent is none."""

Pause = Callable[[float], Awaitable[None]]

_AGAIN: Final = (Busy, RulesChanged)  # Nothing was recorded, nothing is wrong with the message.
_PAUSES: Final = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0, 5.0, 5.0)


@dataclass(frozen=True, kw_only=True)
class Intake:
    """Where messages go. With a `pause` it waits and asks again while the ledger is busy."""

    ledger: Ledger
    registers: Registers
    pause: Pause | None = None

    async def take(self, told: Sequence[Told], *, with_findings: bool = False) -> list[Became]:
        """Record what can be recorded and return what became of each: one spoils no other.

        Messages about one dossier are recorded in their order, those of different ones at once. An
        entry of a register comes after all that stands before it, and before all that follows.
        """
        became: list[Became] = [each if isinstance(each, DomainError) else Busy() for each in told]

        async def record(places: Sequence[int]) -> None:
            line = [each for place in places if not isinstance(each := told[place], DomainError)]
            recorded = await self._patiently(line, with_findings=with_findings)
            for place, result in zip(places, recorded, strict=True):
                became[place] = result

        for lines in _turns(told):
            await asyncio.gather(*map(record, lines))
        return became

    async def _patiently(self, line: Sequence[Message], *, with_findings: bool) -> list[Became]:
        """Record a line; where it is wished, what was not tried is tried again after a while."""
        became = await self._line(line, with_findings=with_findings)
        if self.pause is None:
            return became
        pauses = iter(_PAUSES)
        while (done := _untried(became)) is not None:
            seconds = next(pauses, None)
            if seconds is None:
                break
            await self.pause(seconds)
            became[done:] = await self._line(line[done:], with_findings=with_findings)
            if not isinstance(became[done], _AGAIN):
                pauses = iter(_PAUSES)  # It goes on: what is busy now, is so for the first time.
        return became

    async def _line(self, line: Sequence[Message], *, with_findings: bool) -> list[Became]:
        facts = [each for each in line if _is_fact(each)]
        if facts:
            return await self.ledger.record_in_order(facts, with_findings=with_findings)
        return [await self._entry(each) for each in line if _is_entry(each)]

    async def _entry(self, entry: Entry) -> Became:
        try:
            return await self.registers.record(entry)
        except DomainError as refused:
            return refused


def _turns(told: Iterable[Told]) -> Iterator[Sequence[Sequence[int]]]:
    """Yield the places of lines that may be recorded at once; an entry stands alone in its turn."""
    lines: dict[object, list[int]] = {}
    for place, each in enumerate(told):
        if isinstance(each, DomainError):
            continue
        if _is_entry(each):
            yield tuple(lines.values())
            yield ((place,),)
            lines = {}
        else:
            lines.setdefault((each.dossier, each.code), []).append(place)
    yield tuple(lines.values())


def _untried(became: Sequence[Became]) -> int | None:
    """Return the place from which nothing was recorded; None: all has its answer."""
    return next((place for place, each in enumerate(became) if isinstance(each, _AGAIN)), None)


def _is_entry(message: Message) -> TypeGuard[Entry]:
    return isinstance(message.event, RegisterEvent)


def _is_fact(message: Message) -> TypeGuard[Fact]:
    return not isinstance(message.event, RegisterEvent)
