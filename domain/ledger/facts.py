"""Facts: what happened elsewhere, checked for form and for known names, never against a state."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID, uuid5

from domain.dossier.chapter import Opening
from domain.dossier.chapters import ACT_OF
from domain.dossier.decisions import pins_of
from domain.dossier.events import DossierEvent
from domain.dossier.evolve import code_said, named_units, replay
from domain.dossier.history import History
from domain.dossier.intake import DossierAccepted
from domain.dossier.state import Dossier, Finding
from domain.envelope import Meta, Recorded, TimePrecision, UnitCode, event_id
from domain.errors import (
    Forbidden,
    InvalidRequest,
    NotFound,
)
from domain.ledger.access import Sender
from domain.ledger.appends import DOSSIER_CODE, Append, Claim, Key, Outcome, Reading, Write
from domain.ledger.times import occurred_at, offset_minutes, refuse_future
from domain.rules.codes import is_code, issuer_of
from domain.rules.register import is_register
from domain.rules.rule_book import RuleBook

_OF_COMMANDS = "token:"
_OWN = frozenset({"clock", "urn:hoso:command-line", "urn:hoso:shipped-calendar"})
"""The sources under which the ledger records what it does itself."""

_DOSSIERS = UUID("5a5f7e5c-64a8-5c1c-9d2b-0d5c1e7a4c03")


@dataclass(frozen=True, kw_only=True)
class Fact:
    """Something that happened elsewhere, as its source tells it.

    `event` carries what was said; stream, version, moment and meta are filled in here. `dossier`
    is the stream that the source names, `code` the dossier code, one of them at least.
    """

    event: DossierEvent
    source: str
    source_id: str
    stated: datetime
    sender: Sender
    key: Key
    dossier: UUID | None = None
    code: str | None = None
    alias: UUID | None = None
    precision: TimePrecision = TimePrecision.SECOND
    expected: int | None = None
    actor: str | None = None
    acting_unit: UnitCode | None = None
    legal_basis: str | None = None


def dossier_named(code: str) -> UUID:
    """Return the stream that a code opens if nobody holds the code yet."""
    return uuid5(_DOSSIERS, code)


def event_of(fact: Fact, stream: UUID, rules: RuleBook, now: datetime) -> DossierEvent:
    """Return the event of a well-formed fact, or raise what is not known about it."""
    act = ACT_OF[type(fact.event)]
    if act.ledger_alone is not None:
        raise InvalidRequest(act.ledger_alone)
    offset = offset_minutes(fact.stated)
    refuse_future(fact.stated, fact.precision, now)
    at = occurred_at(type(fact.event), fact.stated, fact.precision)
    acting = fact.acting_unit or _acting(fact)
    if acting is not None:
        fact.sender.must_act_for(acting)
    _own_source(fact, rules)
    ended = {getattr(fact.event, name) for name in act.ended_units}
    acted = () if acting is None else (acting,)
    for unit in {*acted, *named_units(fact.event)}:
        if not (unit in ended and unit in rules.units):
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
        subject_code=fact.code if fact.alias is None else str(fact.alias),
    )
    event = replace(fact.event, originator_id=stream, originator_version=0, timestamp=at, meta=meta)
    return event if act.completed is None else act.completed(event, rules)


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
    said = code_said(fact.event)
    if fact.code is not None and said is not None and said != fact.code:
        raise InvalidRequest("subject and data name different dossier codes.")
    if fact.dossier is not None and is_register(fact.dossier):
        raise InvalidRequest("A UUID of version 8 names no dossier.")
    if reading.claimed is not None:
        return reading.claimed
    return fact.dossier or dossier_named(name_of(fact))


def name_of(fact: Fact) -> str:
    """Return the name under which the holder of a dossier is looked up: its code, or its UUID.

    A UUID is an alias where the dossier had been opened under its code before (`under_its_code`).
    """
    if fact.code is None and fact.dossier is None:
        raise InvalidRequest("subject must be the dossier's UUID or code:<dossier code>.")
    return fact.code if fact.code is not None else str(fact.dossier)


def under_its_code(fact: Fact) -> Fact:
    """Return the fact as one about the dossier that its own code was opened for.

    Facts under a code may come before the acceptance that names the dossier by a UUID. The UUID
    then becomes another name of the dossier, claimed and said by the event.
    """
    code = code_said(fact.event)
    if fact.dossier is None or code is None:
        return fact
    return replace(fact, dossier=None, code=code, alias=fact.dossier)


def refuse_strangers(fact: Fact, dossier: Dossier, rules: RuleBook) -> None:
    """Refuse facts about the dossiers of others.

    Outside of what the sender may see an accepted dossier does not exist (NotFound); until its
    acceptance arrives anybody may tell what they did. But only those who belong to the unit that
    numbered a dossier may open it under such a code (Forbidden).
    """
    if dossier.holders and not fact.sender.sees(dossier):
        raise NotFound("such dossier")
    code = code_said(fact.event) or fact.code
    if code is not None and isinstance(fact.event, Opening):
        refuse_foreign_code(fact.sender, code, rules)


def refuse_foreign_code(sender: Sender, code: str, rules: RuleBook) -> None:
    """Refuse to open a dossier under a code from the numbering of a unit one is not part of."""
    numbered = issuer_of(code, rules.units)
    if numbered is not None and not _belongs(sender, UnitCode(numbered), rules):
        raise Forbidden(f"Codes of {numbered} are not yours to open dossiers under.")


def was_opened(events: History) -> bool:
    """Say whether a dossier was ever submitted or accepted, also where that was corrected."""
    return any(isinstance(recorded.event, Opening) for recorded in events)


def _belongs(sender: Sender, unit: UnitCode, rules: RuleBook) -> bool:
    return unit in sender.scope or (sender.unit is not None and sender.unit in rules.subtree(unit))


def _acting(fact: Fact) -> UnitCode | None:
    """Return the unit that a fact speaks for: the receiving one, else the sender's."""
    said = fact.event
    return said.receiving_unit if isinstance(said, Opening) else fact.sender.unit


def refuse_reserved(source: str) -> None:
    """Refuse the names under which commands, the clock and the machine itself are recorded."""
    if source.startswith(_OF_COMMANDS):
        raise Forbidden("A source's name does not begin with token:.")
    if source in _OWN:
        raise Forbidden(f"{source} is the ledger itself.")


def _own_source(fact: Fact, rules: RuleBook) -> None:
    """Refuse a source's name to all but its own tokens, and any other name to these."""
    refuse_reserved(fact.source)
    own = fact.sender.source_name
    if own is not None and fact.source != own:
        raise Forbidden(f"This token sends as {own}, not as {fact.source}.")
    if own is None and not fact.sender.is_machine and fact.source in rules.sources:
        raise Forbidden(f"The source {fact.source} has tokens of its own.")


def append_of(fact: Fact, event: DossierEvent) -> Append:
    """Return the append of one fact."""
    code = code_said(event) or event.meta.subject_code
    write = Write(stream=event.originator_id, events=(event,), expected=fact.expected)
    due = event.due if isinstance(event, DossierAccepted) else None
    return Append(
        writes=(write,),
        claims=_claims(code, event),
        unchanged=event.meta.pins,
        key=fact.key,
        outcome=Outcome(kind="recorded", stream=event.originator_id, code=code, due=due),
    )


def _claims(code: str | None, event: DossierEvent) -> tuple[Claim, ...]:
    """Return the claims to what the dossier is called, each name once."""
    names = dict.fromkeys((code, event.meta.subject_code))
    return tuple(claim for name in names for claim in code_claims(name, event.originator_id))


def findings_with(
    fact: Fact, reading: Reading, event: DossierEvent, outcome: Outcome, rules: RuleBook
) -> tuple[Finding, ...]:
    """Return what is irregular now, to whoever may see the dossier."""
    version, seq = outcome.version or 0, outcome.seq or 0
    placed = replace(event, originator_version=version)
    recorded = Recorded(seq=seq, recorded_at=event.timestamp, leaf=b"", event=placed)
    dossier = replay(event.originator_id, (*reading.events, recorded), rules)
    return dossier.irregularities if fact.sender.sees(dossier) else ()
