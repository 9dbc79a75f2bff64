"""Facts: what happened elsewhere, checked for form and for known names, never against a state."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID, uuid5

from domain.access import Sender
from domain.appends import DOSSIER_CODE, Append, Claim, Key, Outcome, Reading, Write
from domain.codes import is_code
from domain.deadlines import due_date
from domain.dossier import events as ev
from domain.dossier.decisions import pins_of
from domain.dossier.evolve import named_units
from domain.dossier.state import Finding
from domain.envelope import Meta, Recorded, TimePrecision, UnitCode, event_id
from domain.errors import Forbidden, InvalidRequest
from domain.history import replay
from domain.rules import RuleBook
from domain.times import occurred_at, offset_minutes, refuse_future

_DOSSIERS = UUID("5a5f7e5c-64a8-5c1c-9d2b-0d5c1e7a4c03")


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


def dossier_named(code: str) -> UUID:
    """Return the stream that a code opens if nobody holds the code yet."""
    return uuid5(_DOSSIERS, code)


def event_of(fact: Fact, stream: UUID, rules: RuleBook, now: datetime) -> ev.DossierEvent:
    """Return the event of a well-formed fact, or raise what is not known about it."""
    offset = offset_minutes(fact.stated)
    refuse_future(fact.stated, fact.precision, now)
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
    event = replace(fact.event, originator_id=stream, originator_version=0, timestamp=at, meta=meta)
    return _resolved(event, rules)


def code_claims(code: str | None, stream: UUID) -> tuple[Claim, ...]:
    """Return the claim to a dossier code, if there is one. Raises InvalidRequest."""
    if code is None:
        return ()
    if not is_code(code):
        raise InvalidRequest(
            "A dossier code has at most 64 visible characters, none of / ? # % \\."
        )
    return (Claim(kind=DOSSIER_CODE, value=code, stream=stream),)


def stream_of(fact: Fact, reading: Reading) -> UUID:
    """Return the stream that a fact is about. Raises InvalidRequest."""
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


def append_of(fact: Fact, event: ev.DossierEvent) -> Append:
    """Return the append of one fact."""
    code = getattr(event, "code", None) or event.meta.subject_code
    write = Write(stream=event.originator_id, events=(event,), expected=fact.expected)
    due = event.due if isinstance(event, ev.DossierAccepted) else None
    return Append(
        writes=(write,),
        claims=code_claims(code, event.originator_id),
        unchanged=event.meta.pins,
        key=fact.key,
        outcome=Outcome(kind="recorded", stream=event.originator_id, code=code, due=due),
    )


def findings_with(
    fact: Fact, reading: Reading, event: ev.DossierEvent, outcome: Outcome
) -> tuple[Finding, ...]:
    """Return what is irregular now, to whoever may see the dossier."""
    version, seq = outcome.version or 0, outcome.seq or 0
    placed = replace(event, originator_version=version)
    recorded = Recorded(seq=seq, recorded_at=event.timestamp, leaf=b"", event=placed)
    dossier = replay(event.originator_id, (*reading.events, recorded))
    return dossier.findings if fact.sender.sees(dossier) else ()
