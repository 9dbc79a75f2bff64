"""The one way in: read, decide, append. Commands are guarded, facts are not."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID, uuid5

from domain.access import Action, Sender, scope_of
from domain.appends import (
    DOSSIER_CODE,
    Append,
    Claim,
    Clock,
    Key,
    Outcome,
    Problem,
    Reading,
    Store,
    Write,
)
from domain.codes import is_code
from domain.deadlines import due_date
from domain.dossier import commands as do
from domain.dossier import events as ev
from domain.dossier.decisions import Decision, Situation, decide, pins_of
from domain.dossier.evolve import named_units
from domain.dossier.state import Dossier, Finding
from domain.envelope import Meta, Recorded, TimePrecision, UnitCode, event_id
from domain.errors import (
    CodeTaken,
    DomainError,
    Forbidden,
    InvalidRequest,
    NotFound,
    RulesChanged,
    StaleVersion,
)
from domain.history import replay
from domain.rules import RuleBook
from domain.times import occurred_at, offset_minutes, refuse_future

_DOSSIERS = UUID("5a5f7e5c-64a8-5c1c-9d2b-0d5c1e7a4c03")
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
class Fact:
    """Something that happened elsewhere, as its source tells it.

    `event` carries what was said; stream, version, moment and meta are filled in here. `dossier`
    is the stream that the source names, `code` the dossier code, one of them at least.
    """

    event: ev.DossierEvent
    source: str
    source_id: str
    stated: datetime
    sender: Sender
    key: Key
    dossier: UUID | None = None
    code: str | None = None
    precision: TimePrecision = TimePrecision.SECOND
    expected: int | None = None
    actor: str | None = None
    acting_unit: UnitCode | None = None
    legal_basis: str | None = None


@dataclass(frozen=True, kw_only=True)
class Result:
    """What became of it; `findings` are the irregularities of the dossier with this event in it."""

    outcome: Outcome
    repeated: bool = False
    findings: tuple[Finding, ...] = ()


def dossier_named(code: str) -> UUID:
    """Return the stream that a code opens if nobody holds the code yet."""
    return uuid5(_DOSSIERS, code)


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
                return await self._known(reading.stored, with_findings=with_findings)
            fact = replace(fact, sender=self._as_of_now(fact.sender))
            stream = _stream(fact, reading)
            if with_findings and fact.dossier != stream:
                reading = await self._store.read(stream=stream, key=fact.key, code=fact.code)
            event = self._checked(fact, stream)
            append = _fact_append(fact, event)
            try:
                answer = await self._store.append(append)
            except RulesChanged:
                continue
            except CodeTaken:
                if fact.dossier is not None:
                    raise
                continue  # Somebody opened the dossier with this code just now: find it.
            if answer.repeated:
                return await self._known(answer.outcome, with_findings=with_findings)
            findings = _findings(fact, reading, event, answer.outcome) if with_findings else ()
            return Result(outcome=answer.outcome, findings=findings)
        raise RulesChanged

    async def _known(self, stored: Outcome, *, with_findings: bool) -> Result:
        if not with_findings or stored.stream is None:
            return Result(outcome=stored, repeated=True)
        reading = await self._store.read(stream=stored.stream)
        findings = replay(stored.stream, reading.events).findings
        return Result(outcome=stored, repeated=True, findings=findings)

    def _checked(self, fact: Fact, stream: UUID) -> ev.DossierEvent:
        rules = self._store.rules
        offset = offset_minutes(fact.stated)
        refuse_future(fact.stated, fact.precision, self._now())
        at = occurred_at(type(fact.event), fact.stated, fact.precision)
        acting = fact.acting_unit or _acting(fact)
        if acting is not None:
            fact.sender.must_act_for(acting)
        _own_source(fact, rules)
        acted = () if acting is None else (acting,)
        for unit in {*acted, *named_units(fact.event)}:
            ended = isinstance(fact.event, ev.UnitSucceeded) and unit == fact.event.predecessor
            if not (ended and unit in rules.units):
                rules.unit(unit, at)
        meta = Meta(
            event_id=event_id(fact.source, fact.source_id),
            source=fact.source,
            source_id=fact.source_id,
            principal=fact.sender.principal,
            actor=fact.actor,
            acting_unit=acting,
            legal_basis=fact.legal_basis,
            precision=fact.precision,
            offset_minutes=offset,
            pins=pins_of(rules, fact.event),
            subject_code=fact.code,
        )
        event = replace(
            fact.event, originator_id=stream, originator_version=0, timestamp=at, meta=meta
        )
        return _resolved(event, rules)


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
        claims=_claims(getattr(first, "code", None), dossier.id),
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


def _claims(code: str | None, stream: UUID) -> tuple[Claim, ...]:
    if code is None:
        return ()
    if not is_code(code):
        raise InvalidRequest(
            "A dossier code has at most 64 visible characters, none of / ? # % \\."
        )
    return (Claim(kind=DOSSIER_CODE, value=code, stream=stream),)


def _stream(fact: Fact, reading: Reading) -> UUID:
    said = getattr(fact.event, "code", None)
    if fact.code is not None and said is not None and said != fact.code:
        raise InvalidRequest("subject and data name different dossier codes.")
    if fact.dossier is not None:
        return fact.dossier
    if reading.claimed is not None:
        return reading.claimed
    if fact.code is None:
        raise InvalidRequest("subject must be the dossier's UUID or code:<dossier code>.")
    return dossier_named(fact.code)


def _acting(fact: Fact) -> UnitCode | None:
    """Return the unit that a fact speaks for: the receiving one, else the sender's."""
    receiving: UnitCode | None = getattr(fact.event, "receiving_unit", None)
    return receiving or fact.sender.unit


def _own_source(fact: Fact, rules: RuleBook) -> None:
    """Refuse a source's name to all but its own tokens, and any other name to these."""
    own = fact.sender.source_name
    if own is not None and fact.source != own:
        raise Forbidden(f"This token sends as {own}, not as {fact.source}.")
    if own is None and fact.sender.unit is not None and fact.source in rules.sources:
        raise Forbidden(f"The source {fact.source} has tokens of its own.")


def _resolved(event: ev.DossierEvent, rules: RuleBook) -> ev.DossierEvent:
    """Fill in what an acceptance leaves to the ledger: procedure version, code, due date."""
    if isinstance(event, ev.DossierSubmitted):
        rules.procedure(event.procedure, event.timestamp)
        return replace(event, code=event.code or event.meta.subject_code)
    if not isinstance(event, ev.DossierAccepted):
        return event
    published, _ = rules.procedure(event.procedure, event.timestamp)
    due = event.due or due_date(event.timestamp, published.term, rules.zone(event.receiving_unit))
    return replace(
        event,
        code=event.code or event.meta.subject_code,
        due=due,
        due_computed=event.due is None and due is not None,
        procedure_version=published.version,
    )


def _fact_append(fact: Fact, event: ev.DossierEvent) -> Append:
    code = getattr(event, "code", None) or event.meta.subject_code
    write = Write(stream=event.originator_id, events=(event,), expected=fact.expected)
    due = event.due if isinstance(event, ev.DossierAccepted) else None
    return Append(
        writes=(write,),
        claims=_claims(code, event.originator_id),
        unchanged=event.meta.pins,
        key=fact.key,
        outcome=Outcome(kind="recorded", stream=event.originator_id, code=code, due=due),
    )


def _findings(
    fact: Fact, reading: Reading, event: ev.DossierEvent, outcome: Outcome
) -> tuple[Finding, ...]:
    """Return what is irregular now, to whoever may see the dossier."""
    version, seq = outcome.version or 0, outcome.seq or 0
    placed = replace(event, originator_version=version)
    recorded = Recorded(seq=seq, recorded_at=event.timestamp, leaf=b"", event=placed)
    dossier = replay(event.originator_id, (*reading.events, recorded))
    return dossier.findings if fact.sender.sees(dossier) else ()
