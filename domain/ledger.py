"""The one way in: read, decide, append. Commands are guarded, facts are not."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from domain.access import Action, Sender, scope_of
from domain.appends import (
    Append,
    Clock,
    Key,
    Outcome,
    Problem,
    Reading,
    Store,
    Write,
)
from domain.dossier import commands as do
from domain.dossier import events as ev
from domain.dossier.decisions import Decision, Situation, decide, pins_of
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
from domain.facts import Fact, append_of, code_claims, event_of, findings_with, stream_of
from domain.history import replay
from domain.rules import RuleBook
from domain.times import offset_minutes

_ATTEMPTS = 5  # Each attempt is lost only to a concurrent change of the rules or of a claim.


@dataclass(frozen=True, kw_only=True)
class Order:
    """A command with everything about its sending. `expected` is the version its sender read."""

    command: do.Command
    dossier: UUID
    expected: int
    sender: Sender
    key: Key
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

    def __init__(self, store: Store, now: Clock) -> None:
        self._store = store
        self._now = now

    async def execute(self, order: Order, *, dry_run: bool = False) -> Result:
        """Carry out a command, or raise the refusal. The same key again gets the same answer."""
        order.sender.must(Action.SEND_COMMANDS)
        for _ in range(_ATTEMPTS):
            reading = await self._store.read(stream=order.dossier, key=order.key)
            if reading.stored is not None:
                return Result(outcome=reading.stored, repeated=True)
            order = replace(order, sender=self._as_of_now(order.sender))
            try:
                append = self._decided(order, reading)
            except DomainError as refused:
                if not refused.final or dry_run:
                    raise
                append = _refused(order, refused)
            if dry_run:
                return Result(outcome=replace(append.outcome, position=reading.position))
            try:
                answer = await self._store.append(append)
            except RulesChanged:
                continue
            except CodeTaken as refused:
                answer = await self._store.append(_refused(order, refused))
            return Result(outcome=answer.outcome, repeated=answer.repeated)
        raise RulesChanged

    def _as_of_now(self, sender: Sender) -> Sender:
        """Return the sender with the units it acts for today: the register may just have grown."""
        return replace(sender, scope=scope_of(self._store.rules, sender.unit))

    def _decided(self, order: Order, reading: Reading) -> Append:
        rules = self._store.rules
        dossier = replay(order.dossier, reading.events)
        _find(order, dossier, reading)
        if order.expected != dossier.version:
            raise StaleVersion(order.expected, dossier.version)
        at = self._now()
        acting = order.acting_unit or order.sender.unit
        if acting is None:
            raise InvalidRequest("acting_unit says for which unit this is done.")
        order.sender.must_act_for(acting)
        rules.unit(acting, at)
        pins = pins_of(rules, order.command)
        meta = Meta(
            event_id=event_id(order.key.scope, order.key.key),
            source=order.key.scope,
            source_id=order.key.key,
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
        )
        return _append(order, dossier, decide(situation, order.command), reading)

    async def record(self, fact: Fact, *, with_findings: bool = True) -> Result:
        """Record a fact whatever the state, or raise why it is no well-formed, known fact."""
        fact.sender.must(Action.SEND_FACTS)
        for _ in range(_ATTEMPTS):
            stream = fact.dossier if with_findings else None
            reading = await self._store.read(stream=stream, key=fact.key, code=fact.code)
            if reading.stored is not None:
                return await self._known(fact, reading.stored, with_findings=with_findings)
            fact = replace(fact, sender=self._as_of_now(fact.sender))
            stream = stream_of(fact, reading)
            if with_findings and fact.dossier != stream:
                reading = await self._store.read(stream=stream, key=fact.key, code=fact.code)
            event = event_of(fact, stream, self._store.rules, self._now())
            append = append_of(fact, event)
            try:
                answer = await self._store.append(append)
            except RulesChanged:
                continue
            except CodeTaken:
                if fact.dossier is not None:
                    raise
                continue  # Somebody opened the dossier with this code just now: find it.
            if answer.repeated:
                return await self._known(fact, answer.outcome, with_findings=with_findings)
            findings = findings_with(fact, reading, event, answer.outcome) if with_findings else ()
            return Result(outcome=answer.outcome, findings=findings)
        raise RulesChanged

    async def _known(self, fact: Fact, stored: Outcome, *, with_findings: bool) -> Result:
        if not with_findings or stored.stream is None:
            return Result(outcome=stored, repeated=True)
        reading = await self._store.read(stream=stored.stream)
        dossier = replay(stored.stream, reading.events)
        findings = dossier.findings if self._as_of_now(fact.sender).sees(dossier) else ()
        return Result(outcome=stored, repeated=True, findings=findings)


def _offset(rules: RuleBook, unit: UnitCode, at: datetime) -> int:
    return offset_minutes(at.astimezone(rules.zone(unit)))


def _find(order: Order, dossier: Dossier, reading: Reading) -> None:
    """Refuse to know a dossier that the sender may not see, or that no acceptance ever opened."""
    if not reading.events:
        if isinstance(order.command, do.AcceptDossier | do.SubmitDossier):
            return
        raise NotFound("such dossier")
    opening = (ev.DossierAccepted, ev.DossierSubmitted)
    opened = any(isinstance(recorded.event, opening) for recorded in reading.events)
    if not opened or not order.sender.sees(dossier):
        raise NotFound("such dossier")


def _append(order: Order, dossier: Dossier, decision: Decision, reading: Reading) -> Append:
    if not decision.events:
        unchanged = Outcome(
            kind="no-news",
            stream=dossier.id,
            code=dossier.code,
            version=dossier.version,
            position=reading.position,
            due=dossier.due,
        )
        return Append(key=order.key, outcome=unchanged)
    first = decision.events[0]
    code = getattr(first, "code", None) or dossier.code
    write = Write(stream=dossier.id, events=decision.events, expected=dossier.version)
    return Append(
        writes=(write,),
        claims=code_claims(getattr(first, "code", None), dossier.id),
        unchanged=first.meta.pins,
        key=order.key,
        issue=decision.issue,
        outcome=Outcome(
            kind="recorded",
            stream=dossier.id,
            code=code,
            version=dossier.version + len(decision.events),
            due=_due(dossier, first),
        ),
    )


def _due(dossier: Dossier, event: ev.DossierEvent) -> datetime | None:
    match event:
        case ev.DossierAccepted():
            return event.due
        case ev.ReappointmentIssued():
            return event.new_due
        case ev.SupplementCompleted() if event.due is not None:
            return event.due
        case _:
            return dossier.due


def _refused(order: Order, refusal: DomainError) -> Append:
    outcome = Outcome(kind="refused", stream=order.dossier, problem=Problem.of(refusal))
    return Append(key=order.key, outcome=outcome)
