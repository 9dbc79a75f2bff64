"""The one way in: read, decide, append. Commands are guarded, facts are not."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from domain.dossier.chapter import DossierCommand, Opening, Situation
from domain.dossier.decisions import Decided, decide, pins_of
from domain.dossier.evolve import code_said, replay
from domain.dossier.state import Dossier, Finding
from domain.envelope import Meta, UnitCode, event_id
from domain.errors import (
    CodeTaken,
    DomainError,
    InvalidRequest,
    NotFound,
    RulesChanged,
    StaleVersion,
)
from domain.ledger.access import Action, Sender, scope_of
from domain.ledger.appends import Append, Key, Now, Outcome, Problem, Reading, Store, Write
from domain.ledger.facts import (
    Fact,
    append_of,
    code_claims,
    event_of,
    findings_with,
    name_of,
    refuse_foreign_code,
    refuse_strangers,
    stream_of,
    under_its_code,
    was_opened,
)
from domain.ledger.times import offset_minutes
from domain.rules.rule_book import RuleBook

_NO_KEY = Key(scope="dry-run", key="dry-run", digest=b"")
_ATTEMPTS = 5  # Each attempt is lost only to a concurrent change of the rules or of a claim.


@dataclass(frozen=True, kw_only=True)
class Order:
    """A command with everything about its sending. `expected` is the version its sender read."""

    command: DossierCommand
    dossier: UUID
    expected: int
    sender: Sender
    key: Key | None
    actor: str | None = None
    acting_unit: UnitCode | None = None
    legal_basis: str | None = None


@dataclass(frozen=True, kw_only=True)
class Result:
    """What became of it; `findings` are the irregularities of the dossier with this event in it."""

    outcome: Outcome
    repeated: bool = False
    findings: tuple[Finding, ...] = ()


class Ledger:
    """The use cases. `now` is the clock of the machine, in UTC."""

    def __init__(self, store: Store, now: Now) -> None:
        self._store = store
        self._now = now

    async def execute(self, order: Order, *, dry_run: bool = False) -> Result:
        """Carry out a command, or raise the refusal. The same key again gets the same answer.

        A dry run needs no key, writes nothing, and answers or raises what the command would.
        """
        order.sender.must(Action.SEND_COMMANDS)
        for _ in range(_ATTEMPTS):
            reading = await self._store.read(stream=order.dossier, key=order.key)
            if reading.stored is not None:
                return Result(outcome=reading.stored, repeated=True)
            order = replace(order, sender=self._as_of_now(order.sender))
            try:
                order, reading = await self._under_its_code(order, reading)
                append = self._decided(order, reading)
                if dry_run:
                    return await self._tried(append, reading)
            except DomainError as refused:
                if not refused.final or dry_run:
                    raise
                append = _refused(order, refused)
            try:
                answer = await self._store.append(append)
            except RulesChanged:
                continue
            except CodeTaken as refused:
                answer = await self._store.append(_refused(order, refused))
            return Result(outcome=answer.outcome, repeated=answer.repeated)
        raise RulesChanged

    async def _under_its_code(self, order: Order, reading: Reading) -> tuple[Order, Reading]:
        """Let an acceptance join the dossier that earlier facts opened under its code."""
        code = code_said(order.command)
        if code is None or reading.events or order.expected != 0:
            return order, reading
        refuse_foreign_code(order.sender, code, self._store.rules)
        claimed = (await self._store.read(code=code)).claimed
        if claimed is None:
            return order, reading
        theirs = await self._store.read(stream=claimed)
        if was_opened(theirs.events):
            raise CodeTaken(code)
        return replace(order, dossier=claimed, expected=len(theirs.events)), theirs

    async def _tried(self, append: Append, reading: Reading) -> Result:
        for claim in append.claims:
            holder = (await self._store.read(code=claim.value)).claimed
            if holder not in (None, claim.stream):
                raise CodeTaken(claim.value)
        return Result(outcome=replace(append.outcome, position=reading.position))

    def _as_of_now(self, sender: Sender) -> Sender:
        """Return the sender with the units it acts for today: the register may just have grown."""
        return replace(sender, scope=scope_of(self._store.rules, sender.unit))

    def _decided(self, order: Order, reading: Reading) -> Append:
        rules = self._store.rules
        dossier = replay(order.dossier, reading.events, rules)
        _find(order, dossier, reading)
        if order.expected != dossier.version:
            raise StaleVersion(order.expected, dossier.version)
        now = self._now()
        # What is known to have happened lies before it, also a day that counts until its end.
        at = max(now, dossier.last_moment or now)
        acting = order.acting_unit or order.sender.unit
        if acting is None:
            raise InvalidRequest("acting_unit says for which unit this is done.")
        order.sender.must_act_for(acting)
        rules.unit(acting, now)
        pins = pins_of(rules, order.command)
        key = order.key or _NO_KEY
        meta = Meta(
            event_id=event_id(key.scope, key.key),
            source=key.scope,
            source_id=key.key,
            principal=order.sender.principal,
            actor=order.actor,
            acting_unit=acting,
            legal_basis=order.legal_basis,
            offset_minutes=_offset(rules, acting, at),
            pins=pins,
        )
        situation = Situation(
            dossier=dossier,
            history=reading.events,
            rules=rules,
            scope=order.sender.scope,
            at=at,
            meta=meta,
            now=now,
        )
        return _append(order, situation, decide(situation, order.command), reading.position)

    async def record(self, fact: Fact, *, with_findings: bool = True) -> Result:
        """Record a fact whatever the state, or raise why it is no well-formed, known fact."""
        fact.sender.must(Action.SEND_FACTS)
        machine = fact.sender.is_machine
        for _ in range(_ATTEMPTS):
            reading, stream = await self._place(fact, whole=with_findings or not machine)
            if reading.stored is not None:
                return await self._known(fact, reading.stored, with_findings=with_findings)
            fact = replace(fact, sender=self._as_of_now(fact.sender))
            event = event_of(fact, stream, self._store.rules, self._now())
            if not machine:
                rules = self._store.rules
                refuse_strangers(fact, replay(stream, reading.events, rules), rules)
            try:
                answer = await self._store.append(append_of(fact, event))
            except RulesChanged:
                continue
            except CodeTaken:
                fact = await self._joined(fact)
                continue
            if answer.repeated:
                return await self._known(fact, answer.outcome, with_findings=with_findings)
            if not with_findings:
                return Result(outcome=answer.outcome)
            findings = findings_with(fact, reading, event, answer.outcome, self._store.rules)
            return Result(outcome=answer.outcome, findings=findings)
        raise RulesChanged

    async def _place(self, fact: Fact, *, whole: bool) -> tuple[Reading, UUID]:
        """Read what stands where a fact belongs: with the dossier's events if `whole`."""
        stream = fact.dossier if whole else None
        reading = await self._store.read(stream=stream, key=fact.key, code=name_of(fact))
        found = stream_of(fact, reading)
        if whole and found != fact.dossier:
            again = await self._store.read(stream=found, key=fact.key)
            reading = replace(reading, events=again.events, stored=again.stored)
        return reading, found

    async def _joined(self, fact: Fact) -> Fact:
        """Return the fact under the code that somebody else holds, or raise CodeTaken.

        A dossier that facts opened under its code before its acceptance came is the same dossier.
        """
        joined = under_its_code(fact)
        if joined.code is None or joined is fact:
            return joined  # Somebody opened the dossier with this code just now: find it.
        claimed = (await self._store.read(code=joined.code)).claimed
        theirs = await self._store.read(stream=claimed)
        if was_opened(theirs.events):
            raise CodeTaken(joined.code)
        return joined

    async def _known(self, fact: Fact, stored: Outcome, *, with_findings: bool) -> Result:
        if not with_findings or stored.stream is None:
            return Result(outcome=stored, repeated=True)
        reading = await self._store.read(stream=stored.stream)
        dossier = replay(stored.stream, reading.events, self._store.rules)
        findings = dossier.irregularities if self._as_of_now(fact.sender).sees(dossier) else ()
        return Result(outcome=stored, repeated=True, findings=findings)


def _offset(rules: RuleBook, unit: UnitCode, at: datetime) -> int:
    return offset_minutes(at.astimezone(rules.zone(unit)))


def _find(order: Order, dossier: Dossier, reading: Reading) -> None:
    """Refuse to know a dossier that the sender may not see, or that no acceptance ever opened."""
    if not reading.events:
        if isinstance(order.command, Opening):
            return
        raise NotFound("such dossier")
    if was_opened(reading.events):
        if not order.sender.sees(dossier):
            raise NotFound("such dossier")
    elif code_said(order.command) is None:
        raise NotFound("such dossier")


def _append(order: Order, situation: Situation, decision: Decided, position: int) -> Append:
    dossier = situation.dossier
    if not decision.events:
        unchanged = Outcome(
            kind="no-news",
            stream=dossier.id,
            code=dossier.code,
            version=dossier.version,
            position=position,
            due=dossier.due,
        )
        return Append(key=order.key, outcome=unchanged)
    first = decision.events[0]
    write = Write(stream=dossier.id, events=decision.events, expected=dossier.version)
    then = decision.then
    return Append(
        writes=(write,),
        claims=code_claims(code_said(first), dossier.id),
        unchanged=first.meta.pins,
        key=order.key,
        issue=decision.issue,
        outcome=Outcome(
            kind="recorded",
            stream=dossier.id,
            code=then.code,
            version=then.version,
            due=then.due,
        ),
    )


def _refused(order: Order, refusal: DomainError) -> Append:
    outcome = Outcome(kind="refused", stream=order.dossier, problem=Problem.of(refusal))
    return Append(key=order.key, outcome=outcome)
