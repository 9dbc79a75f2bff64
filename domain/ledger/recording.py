"""Facts on their way in: those about one dossier are read for once, and recorded in their order."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from uuid import UUID

from domain.dossier.chapter import Opening
from domain.dossier.chapters import ACT_OF
from domain.dossier.events import DossierEvent, VoidingEvent
from domain.dossier.evolve import advance, advance_undated
from domain.dossier.state import Dossier, Finding
from domain.envelope import Recorded, changed
from domain.errors import Busy, CodeTaken, DomainError, KeyReused, RulesChanged
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
    dossier_named,
    event_of,
    name_of,
    refuse_strangers,
    said_by,
    under_its_code,
    was_opened,
)
from domain.ledger.messages import Fact, as_of_now
from domain.ledger.sameness import Said
from domain.ledger.transact import ATTEMPTS, answered_before


@dataclass(frozen=True, kw_only=True)
class Result:
    """What became of it; `findings` are the irregularities of the dossier with this event in it."""

    outcome: Outcome
    repeated: bool = False
    findings: tuple[Finding, ...] = ()


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
        sight = _Sight(reading)
        sent: list[_Sent] = []
        names: set[KeyName] = set()
        for place in here:
            fact = self._facts[place]
            if fact.key.name in names:
                break
            names.add(fact.key.name)
            try:
                fact = self._facts[place] = self._as_of_now(fact)
                said = said_by(fact, _stream(reading), self._store.rules)
                stored = await answered_before(self._store, reading, fact.key, said)
                if stored is not None:
                    self._became[place] = await self._known(fact, stored, reading)
                    continue
                event = self._decided(fact, said, reading, sight)
                append = append_of(fact, said, event, reading.claimed)
                sent.append(_Sent(place, event, append))
            except DomainError as refused:
                self._became[place] = refused
        return sent

    def _question(self, name: str, here: Sequence[int]) -> Question:
        facts = [self._facts[place] for place in here]
        first = facts[0]
        return Question(
            name=name,
            stream=first.dossier or dossier_named(name),
            events=self._with_findings
            or any(not fact.sender.is_machine or fact.alias is not None for fact in facts),
            keys=tuple(fact.key.name for fact in facts),
        )

    def _as_of_now(self, fact: Fact) -> Fact:
        sender = as_of_now(fact.sender, self._store.rules)
        return fact if sender is fact.sender else replace(fact, sender=sender)

    def _decided(self, fact: Fact, said: Said, reading: Reading, sight: "_Sight") -> DossierEvent:
        """Return the event of a fact, or raise why it is none."""
        if fact.alias is not None and fact.code is not None and was_opened(reading.events):
            raise CodeTaken(fact.code)
        rules = self._store.rules
        event = event_of(fact, said, rules, self._now())
        if not fact.sender.is_machine:
            refuse_strangers(fact, sight.of(event.originator_id), rules)
            sight.take(event)
        return event

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
        if not self._with_findings or stored.stream is None:
            return Result(outcome=stored, repeated=True)
        if stored.stream != reading.stream:
            reading = await self._store.read(Question(stream=stored.stream))
        dossier = reading.dossier.state(stored.stream, self._store.rules)
        return Result(outcome=stored, repeated=True, findings=self._seen(fact.sender, dossier))

    async def _answered(self, sent: "_Sent", answer: Answer, reading: Reading) -> Result:
        fact, outcome = self._facts[sent.place], answer.outcome
        if answer.repeated:
            return await self._known(fact, outcome, reading)
        if not self._with_findings:
            return Result(outcome=outcome)
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


class _Sight:
    """Who may see a dossier while facts come in: replayed only where that may have changed."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._history = list(reading.events)
        self._new: list[Recorded[DossierEvent]] = []
        self._last = max((each.event.timestamp for each in reading.events), default=None)
        self._dossier: Dossier | None = None
        self._is_stale = False

    def of(self, stream: UUID) -> Dossier:
        """Return the dossier as far as it matters who may see it."""
        if self._dossier is None:
            self._dossier = self._reading.dossier.undated(stream)
        elif self._is_stale:
            self._dossier = advance_undated(self._dossier, self._history, self._new)
            self._history += self._new
            self._new = []
        self._is_stale = False
        return self._dossier

    def take(self, event: DossierEvent) -> None:
        """Take a fact that is recorded next."""
        version = (self._history[-1].version if self._history else 0) + len(self._new) + 1
        self._new.append(_recorded(event, version))
        is_late = self._last is not None and event.timestamp < self._last
        self._last = event.timestamp if self._last is None else max(self._last, event.timestamp)
        self._is_stale = self._is_stale or is_late or self._gives_sight(event)

    def _gives_sight(self, event: DossierEvent) -> bool:
        """Say whether others may see it afterwards: after most facts nobody else does.

        Before its acceptance every unit that an event names sees it. That matters where somebody
        holds it already, as an acceptance that was made void leaves it.
        """
        if isinstance(event, Opening | VoidingEvent) or ACT_OF[type(event)].gives_sight:
            return True
        known = self._dossier
        return known is not None and bool(known.holders) and known.accepted_at is None


def _stream(reading: Reading) -> UUID:
    if reading.stream is None:
        raise ValueError("A fact always names a stream.")
    return reading.stream


def _recorded(event: DossierEvent, version: int) -> Recorded[DossierEvent]:
    placed = changed(event, originator_version=version)
    return Recorded(seq=0, recorded_at=event.timestamp, leaf=b"", event=placed)
