"""Commands: guarded by the state and the version that their sender read."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from domain.dossier.chapter import DossierCommand, Situation
from domain.dossier.chapters import ACT_FOR
from domain.dossier.decisions import Decided, decide, pins_of
from domain.dossier.events import Opening, code_said
from domain.dossier.state import Dossier
from domain.envelope import Meta, Pin, UnitCode, event_id
from domain.errors import (
    CodeTaken,
    DomainError,
    InvalidRequest,
    NotFound,
    StaleVersion,
)
from domain.ledger.access import Action, Sender
from domain.ledger.appends import (
    Answer,
    Append,
    Key,
    LineStore,
    Now,
    Outcome,
    Problem,
    Question,
    Reading,
    Write,
)
from domain.ledger.facts import code_claims, refuse_foreign_code
from domain.ledger.messages import Fact, as_of_now
from domain.ledger.recording import Became, Line, Result
from domain.ledger.sameness import COMMAND, Identity, Said
from domain.ledger.times import offset_minutes
from domain.ledger.transact import AGAIN, answered_before, transact
from domain.rules.codes import dossier_named
from domain.rules.rule_book import RuleBook

_NO_KEY = Key(scope="dry-run", key="dry-run", digest=b"")
_UNREAD = Reading(position=0)


@dataclass(frozen=True, kw_only=True)
class Order:
    """A command with everything about its sending. `expected` is the version its sender read.

    `dossier` is its stream, an alias or its code; `is_new`: the id is ours, and nobody knows it.
    """

    command: DossierCommand
    dossier: UUID | str
    is_new: bool = False
    expected: int
    sender: Sender
    key: Identity | None
    actor: str | None = None
    acting_unit: UnitCode | None = None
    legal_basis: str | None = None

    def said(self, stream: UUID | None, unit: UnitCode | None) -> Said:
        """Return what it is understood to say; the id of a dossier that it opens is not said."""
        return Said(
            topic=ACT_FOR[type(self.command)].event.TOPIC,
            stream=stream,
            content=vars(self.command),
            actor=self.actor,
            acting_unit=self.acting_unit,
            legal_basis=self.legal_basis,
            unit=unit,
            form=COMMAND,
        )


@dataclass(frozen=True, kw_only=True)
class _Placed:
    """An order whose dossier was found: its stream, the version expected, its whole key.

    `free` is the stream of its code, in which nothing may wait if it opens another one.
    """

    order: Order
    dossier: UUID
    expected: int
    said: Said
    key: Key | None
    sender: Sender
    free: Pin | None = None


class Ledger:
    """The use cases. `now` is the clock of the machine, in UTC."""

    def __init__(self, store: LineStore, now: Now) -> None:
        self._store = store
        self._now = now

    async def record(self, fact: Fact) -> Result:
        """Record a fact whatever the state, or raise why it is no well-formed, known fact."""
        (became,) = await self.record_in_order([fact], with_findings=True)
        if isinstance(became, DomainError):
            raise became
        return became

    async def record_in_order(
        self, facts: Sequence[Fact], *, with_findings: bool = False
    ) -> list[Became]:
        """Record facts with one subject, in their order; one that is refused spoils no other."""
        return await Line(self._store, self._now, facts, with_findings=with_findings).recorded()

    async def execute(self, order: Order, *, dry_run: bool = False) -> Result:
        """Carry out a command, or raise the refusal. The same key again gets the same answer.

        A dry run needs no key, writes nothing, and answers or raises what the command would.
        """
        order.sender.must(Action.SEND_COMMANDS)
        if order.is_new and code_said(order.command) is None and not dry_run:
            answer = await self._without_looking(order)
            if answer is not None:
                return Result(outcome=answer.outcome, repeated=answer.repeated)
        placed: _Placed | None = None

        async def decided(reading: Reading) -> Answer | Append:
            nonlocal placed
            placed = self._placed(order, reading)
            if order.key is not None:
                stored = await answered_before(self._store, reading, order.key, placed.said)
                if stored is not None:
                    return Answer(stored, repeated=True)
            try:
                placed, reading = await self._under_its_code(placed, reading)
                append = self._decided(placed, reading)
            except DomainError as refused:
                if not refused.final or dry_run:
                    raise
                return _refused(placed, refused)
            return await self._tried(append, reading) if dry_run else append

        try:
            answer = await transact(self._store, _question(order), decided, _again(order))
        except CodeTaken as refused:
            if placed is None or dry_run:
                raise
            answer = await self._store.append(_refused(placed, refused))
        return Result(outcome=answer.outcome, repeated=answer.repeated)

    async def _without_looking(self, order: Order) -> Answer | None:
        """Open a dossier of which nothing can be known yet, by the rules at hand.

        Whether its key was used, and whether the registers said more by then, is judged with the
        append. None: whatever stands in its way is to be looked at.
        """
        learned = self._store.rules.position
        try:
            append = self._decided(self._placed(order, _UNREAD), _UNREAD)
        except DomainError:
            return None
        try:
            return await self._store.append(replace(append, learned=learned))
        except AGAIN:
            return None

    def _placed(self, order: Order, reading: Reading) -> _Placed:
        """Raise NotFound for a code that nobody holds."""
        if order.is_new and isinstance(order.dossier, UUID):
            dossier, named = order.dossier, None
        elif reading.stream is not None:
            dossier = named = reading.stream
        else:
            raise NotFound("such dossier")
        sender = as_of_now(order.sender, self._store.rules)
        said = order.said(named, sender.unit)
        return _Placed(
            order=order,
            dossier=dossier,
            expected=order.expected,
            said=said,
            key=order.key.of(said) if order.key is not None else None,
            sender=sender,
        )

    async def _under_its_code(self, placed: _Placed, reading: Reading) -> tuple[_Placed, Reading]:
        """Let an acceptance open the dossier in the stream where facts wait for its code.

        One that names a stream of its own opens it there, as long as nothing waits.
        """
        code = code_said(placed.order.command)
        if code is None or placed.expected != 0:
            return placed, reading
        stream = dossier_named(code)
        if not placed.order.is_new:
            if reading.events or placed.dossier == stream:
                return placed, reading
            waiting = await self._store.read(Question(name=code, stream=stream))
            if waiting.claimed is None and not waiting.events:
                free = Pin(stream=stream, version=0)
                refuse_foreign_code(placed.sender, code, self._store.rules)
                return replace(placed, free=free), reading
            reading = waiting
        refuse_foreign_code(placed.sender, code, self._store.rules)
        stream = reading.claimed or stream
        if reading.dossier.undated(stream, self._store.rules).opened:
            raise CodeTaken(code)
        return replace(placed, dossier=stream, expected=len(reading.events)), reading

    async def _tried(self, append: Append, reading: Reading) -> Answer:
        for claim in append.claims:
            holder = (await self._store.read(Question(name=claim.value, events=False))).claimed
            if holder not in (None, claim.stream):
                raise CodeTaken(claim.value)
        return Answer(replace(append.outcome, position=reading.position), repeated=False)

    def _decided(self, placed: _Placed, reading: Reading) -> Append:
        rules, order = self._store.rules, placed.order
        dossier = reading.dossier.state(placed.dossier, rules)
        _find(placed, dossier, reading)
        if placed.expected != dossier.version:
            raise StaleVersion(placed.expected, dossier.version)
        now = self._now()
        # What is known to have happened lies before it, also a day that counts until its end.
        at = max(now, dossier.last_moment or now)
        acting = order.acting_unit or placed.sender.unit
        if acting is None:
            raise InvalidRequest("acting_unit says for which unit this is done.")
        placed.sender.must_act_for(acting)
        rules.unit(acting, now)
        key = placed.key or _NO_KEY
        meta = Meta(
            event_id=event_id(key.scope, key.key),
            source=key.scope,
            source_id=key.key,
            principal=placed.sender.principal,
            actor=order.actor,
            acting_unit=acting,
            legal_basis=order.legal_basis,
            offset_minutes=_offset(rules, acting, at),
            pins=pins_of(rules, order.command),
        )
        situation = Situation(
            dossier=dossier,
            history=reading.events,
            rules=rules,
            scope=placed.sender.scope,
            at=at,
            meta=meta,
            now=now,
        )
        decided = decide(situation, order.command)
        return _append(placed, dossier, decided, reading.position)


def _again(order: Order) -> tuple[type[DomainError], ...]:
    """Return what asks for another look: under a code the version is not what its sender read."""
    joins = order.expected == 0 and code_said(order.command) is not None
    return (*AGAIN, StaleVersion) if joins else AGAIN


def _question(order: Order) -> Question:
    """Return what a command reads at once. Raises NotFound for what names no dossier."""
    keys = (order.key.name,) if order.key is not None else ()
    if order.is_new:
        code = code_said(order.command)
        stream = dossier_named(code) if code is not None else None
        return Question(name=code, stream=stream, events=code is not None, keys=keys)
    return Question.about(order.dossier, keys)


def _offset(rules: RuleBook, unit: UnitCode, at: datetime) -> int:
    return offset_minutes(at.astimezone(rules.zone(unit)))


def _find(placed: _Placed, dossier: Dossier, reading: Reading) -> None:
    """Refuse to know a dossier that the sender may not see, or that no acceptance ever opened."""
    if not reading.events:
        if isinstance(placed.order.command, Opening):
            return
        raise NotFound("such dossier")
    if dossier.opened:
        if not placed.sender.sees(dossier):
            raise NotFound("such dossier")
    elif code_said(placed.order.command) is None:
        raise NotFound("such dossier")


def _append(placed: _Placed, dossier: Dossier, decision: Decided, position: int) -> Append:
    if not decision.events:
        unchanged = Outcome(
            kind="no-news",
            stream=dossier.id,
            code=dossier.code,
            version=dossier.version,
            position=position,
            due=dossier.due,
        )
        return Append(key=placed.key, outcome=unchanged)
    first = decision.events[0]
    write = Write(stream=dossier.id, events=decision.events, expected=dossier.version)
    then = decision.then
    return Append(
        writes=(write,),
        claims=code_claims(code_said(first), dossier.id),
        unchanged=(*first.meta.pins, placed.free) if placed.free else first.meta.pins,
        key=placed.key,
        issue=decision.issue,
        outcome=Outcome(
            kind="recorded",
            stream=dossier.id,
            code=then.code,
            version=then.version,
            due=then.due,
        ),
        then=then,
    )


def _refused(placed: _Placed, refusal: DomainError) -> Append:
    outcome = Outcome(kind="refused", stream=placed.dossier, problem=Problem.of(refusal))
    return Append(key=placed.key, outcome=outcome)
