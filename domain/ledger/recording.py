"""Facts on their way in: those about one dossier are read for once, and recorded in their order."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Final
from uuid import UUID

from domain.dossier.events import (
    DossierEvent,
    Opening,
    VoidingEvent,
    code_of,
    code_said,
    named_units,
)
from domain.dossier.evolve import advance
from domain.dossier.history import legal_order
from domain.dossier.parties import always_counts, counted, is_theirs
from domain.dossier.state import Dossier, Finding
from domain.envelope import Pin, Recorded, changed, event_id
from domain.errors import Busy, CodeTaken, DomainError, KeyReused, RulesChanged, TooManyRequests
from domain.ledger.access import Action, Sender
from domain.ledger.appends import (
    Answer,
    Append,
    KeyName,
    LineStore,
    Now,
    Outcome,
    Question,
    Reading,
)
from domain.ledger.facts import (
    append_of,
    event_of,
    name_of,
    said_by,
    under_its_code,
    waits_elsewhere,
)
from domain.ledger.messages import Fact, as_of_now
from domain.ledger.sameness import Said
from domain.ledger.transact import ATTEMPTS, answered_before
from domain.rules.codes import dossier_named, issuers_of
from domain.rules.rule_book import RuleBook


@dataclass(frozen=True, kw_only=True)
class Result:
    """What became of it; `findings` are the irregularities of the dossier with this event in it.

    `is_foreign`: it does not count, and whoever told it is told nothing of the dossier.
    """

    outcome: Outcome
    repeated: bool = False
    findings: tuple[Finding, ...] = ()
    is_foreign: bool = False


_PATIENCE: Final = 20
"""So many facts about a dossier that is none of his business may one token tell."""

Became = Result | DomainError
"""What became of a message: one that is refused spoils no other."""


class Line:
    """Facts with one subject, to be recorded as if one by one, each whatever the state.

    They share a reading and go to the ledger together; what follows a refused one is looked at
    again. `now` is the clock of the machine, in UTC.
    """

    def __init__(
        self, store: LineStore, now: Now, facts: Sequence[Fact], *, with_findings: bool
    ) -> None:
        self._store = store
        self._now = now
        self._facts = list(facts)
        self._with_findings = with_findings
        self._became: list[Became | None] = [None] * len(facts)
        self._looked_again: set[int] = set()

    async def recorded(self) -> list[Became]:
        """Return what became of each. Where one is Busy, all that follow are: nothing was tried."""
        self._refuse_malformed()
        attempts = 0
        while (waiting := self._waiting()) and attempts < ATTEMPTS:
            await self._record_some(waiting)
            attempts = attempts + 1 if self._waiting() == waiting else 0
        self._refuse(self._waiting(), RulesChanged())
        return [each for each in self._became if each is not None]

    def _waiting(self) -> list[int]:
        return [place for place, became in enumerate(self._became) if became is None]

    def _refuse(self, places: Sequence[int], why: DomainError) -> None:
        for place in places:
            self._became[place] = why

    def _refuse_malformed(self) -> None:
        """Refuse what names no dossier, and what its sender may not tell."""
        for place, fact in enumerate(self._facts):
            try:
                fact.sender.must(Action.SEND_FACTS)
                name_of(fact)
            except DomainError as refused:
                self._became[place] = refused

    async def _record_some(self, waiting: Sequence[int]) -> None:
        """Record the first of them that go by one name, as far as nothing stands in the way."""
        name = name_of(self._facts[waiting[0]])
        here = list(takewhile(lambda place: name_of(self._facts[place]) == name, waiting))
        try:
            reading = await self._store.read(self._question(name, here))
        except DomainError as refused:
            self._refuse(waiting if isinstance(refused, Busy) else here, refused)
            return
        sent = await self._decide(here, reading)
        answers = await self._store.append_in_order([each.append for each in sent])
        for each, answer in zip(sent, answers, strict=False):
            match answer:
                case RulesChanged() | KeyReused():
                    pass  # It is looked at again.
                case CodeTaken():
                    self._join(each.place, answer)
                case Busy():
                    self._refuse([place for place in waiting if place >= each.place], answer)
                case DomainError():
                    self._became[each.place] = answer
                case _:
                    self._became[each.place] = await self._answered(each, answer, reading)

    async def _decide(self, here: Sequence[int], reading: Reading) -> list["_Sent"]:
        """Return what goes to the ledger now. Of the others it is said what became of them.

        An identity that comes again waits until it is known what it was answered first.
        """
        parties = _Parties(reading, self._store.rules)
        sent: list[_Sent] = []
        names: set[KeyName] = set()
        for place in here:
            fact = self._facts[place]
            if fact.key.name in names:
                break
            names.add(fact.key.name)
            try:
                fact = self._facts[place] = self._as_of_now(fact)
                free = None if parties.told else await self._free(fact)
                if free is not None and free.version:
                    self._facts[place] = under_its_code(fact)
                    break
                said = said_by(fact, _stream(reading), self._store.rules)
                stored = await answered_before(self._store, reading, fact.key, said)
                if stored is not None:
                    if parties.moved(_told_id(fact)):
                        break  # Whether it counts is known when what goes before it is recorded.
                    self._became[place] = await self._known(fact, stored, reading)
                    continue
                event = self._decided(fact, said, reading)
                counts = parties.take(event)
                if not counts:
                    _refuse_foreign(fact, event, parties, self._store.rules)
                append = append_of(fact, said, event, reading.claimed, free, counts=counts)
                sent.append(_Sent(place, event, append, counts))
            except DomainError as refused:
                self._became[place] = refused
        return sent

    def _question(self, name: str, here: Sequence[int]) -> Question:
        facts = [self._facts[place] for place in here]
        first = facts[0]
        return Question(
            name=name,
            stream=first.dossier or dossier_named(name),
            keys=tuple(fact.key.name for fact in facts),
        )

    async def _free(self, fact: Fact) -> Pin | None:
        """Return the stream, with its version, of the code that an opening brings to a new dossier.

        Facts may wait there, as long as nobody holds the code. None: there is no such stream.
        """
        stream = waits_elsewhere(fact) if fact.alias is None else None
        if stream is None:
            return None
        waiting = await self._store.read(Question(name=code_said(fact.event), stream=stream))
        if waiting.claimed is not None:
            return None
        return Pin(stream=stream, version=len(waiting.events))

    def _as_of_now(self, fact: Fact) -> Fact:
        sender = as_of_now(fact.sender, self._store.rules)
        return fact if sender is fact.sender else replace(fact, sender=sender)

    def _decided(self, fact: Fact, said: Said, reading: Reading) -> DossierEvent:
        """Return the event of a fact, or raise why it is none."""
        rules = self._store.rules
        if fact.alias is not None and fact.code is not None:
            stream = _stream(reading)
            if reading.dossier.undated(stream, rules).opened:
                raise CodeTaken(fact.code)
        return event_of(fact, said, rules, self._now())

    def _join(self, place: int, taken: CodeTaken) -> None:
        """Tell the fact of whoever holds its code: the same dossier, opened under it before.

        Who has no code of its own finds the holder at the next look.
        """
        if place in self._looked_again:
            self._became[place] = taken
        self._looked_again.add(place)
        self._facts[place] = under_its_code(self._facts[place])

    async def _known(self, fact: Fact, stored: Outcome, reading: Reading) -> Result:
        """Return what it was answered before, with what is irregular now."""
        if stored.stream is None or stored.kind != "recorded":
            return Result(outcome=stored, repeated=True)
        if stored.stream != reading.stream:
            reading = await self._store.read(Question(stream=stored.stream))
        rules = self._store.rules
        dossier = reading.dossier.undated(stored.stream, rules)
        foreign = any(_told_id(fact) in each.events for each in dossier.strangers)
        if foreign or not self._with_findings:
            return Result(outcome=stored, repeated=True, is_foreign=foreign)
        dossier = reading.dossier.state(stored.stream, rules)
        return Result(outcome=stored, repeated=True, findings=self._seen(fact.sender, dossier))

    async def _answered(self, sent: "_Sent", answer: Answer, reading: Reading) -> Result:
        fact, outcome = self._facts[sent.place], answer.outcome
        if answer.repeated:
            return await self._known(fact, outcome, reading)
        if not sent.counts or not self._with_findings:
            return Result(outcome=outcome, is_foreign=not sent.counts)
        rules = self._store.rules
        before = reading.dossier.state(sent.event.originator_id, rules)
        recorded = _recorded(sent.event, outcome.version or 0)
        then = advance(before, reading.events, [recorded], rules)
        return Result(outcome=outcome, findings=self._seen(fact.sender, then))

    def _seen(self, sender: Sender, dossier: Dossier) -> tuple[Finding, ...]:
        """Return what is irregular, to whoever may see the dossier."""
        sees = as_of_now(sender, self._store.rules).sees(dossier)
        return dossier.irregularities if sees else ()


@dataclass(frozen=True, slots=True)
class _Sent:
    """A fact that goes to the ledger: its place in the line, and its event."""

    place: int
    event: DossierEvent
    append: Append
    counts: bool


class _Parties:
    """Whose business a dossier is while facts come in: found anew only where that may change."""

    def __init__(self, reading: Reading, rules: RuleBook) -> None:
        self._rules = rules
        self._dossier = Dossier(id=UUID(int=0))
        if reading.stream is not None:
            self._dossier = reading.dossier.undated(reading.stream, rules)
        self.told: list[Recorded[DossierEvent]] = list(reading.events)
        self._is_simple = not any(isinstance(each.event, VoidingEvent) for each in self.told)
        self._parties = {*self._dossier.parties}
        self.strangers = {name for each in self._dossier.strangers for name in each.events}
        self._foreign = frozenset(self.strangers)

    def moved(self, event: UUID) -> bool:
        """Say whether what was taken lets an earlier event count, or no more."""
        return (event in self.strangers) != (event in self._foreign)

    def take(self, event: DossierEvent) -> bool:
        """Take a fact that is recorded next, and say whether it counts."""
        units = self._rules.units
        told = _recorded(event, self.told[-1].version + 1 if self.told else 1)
        self.told.append(told)
        new = {*named_units(event)} - self._parties
        if isinstance(event, VoidingEvent):
            self._is_simple = False
        opens = isinstance(event, Opening) and not always_counts(event)
        theirs = always_counts(event) or is_theirs(told, self._parties, units)
        if self._is_simple and theirs and not opens and not (new and self.strangers):
            self._parties |= new
            return True
        found = counted(sorted(self.told, key=legal_order), units)
        self._parties, self.strangers = {*found.parties}, {*found.strangers}
        return event.meta.event_id not in found.strangers


def _refuse_foreign(fact: Fact, event: DossierEvent, parties: _Parties, rules: RuleBook) -> None:
    """Refuse what a stranger tells too often, and an import's second opening of a code.

    Raises TooManyRequests or CodeTaken.
    """
    code = code_of(event)
    opens = isinstance(event, Opening) and fact.sender.is_machine
    if opens and code is not None and not issuers_of(code, rules.units):
        raise CodeTaken(code)
    told = [
        each
        for each in parties.told
        if each.event.meta.event_id in parties.strangers
        and each.event.meta.principal == event.meta.principal
    ]
    if len(told) > _PATIENCE:
        raise TooManyRequests


def _told_id(fact: Fact) -> UUID:
    return event_id(fact.source, fact.source_id)


def _stream(reading: Reading) -> UUID:
    if reading.stream is None:
        raise ValueError("A fact always names a stream.")
    return reading.stream


def _recorded(event: DossierEvent, version: int) -> Recorded[DossierEvent]:
    placed = changed(event, originator_version=version)
    return Recorded(seq=0, recorded_at=event.timestamp, leaf=b"", event=placed)
