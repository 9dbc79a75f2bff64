"""Facts: what happened elsewhere, checked for form and for known names, never against a state."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from domain.dossier.chapters import ACT_OF
from domain.dossier.decisions import pins_of
from domain.dossier.events import DossierEvent, Opening, code_said, named_units
from domain.dossier.intake import DossierAccepted
from domain.envelope import VIETNAM, Pin, UnitCode, changed
from domain.errors import Forbidden, InvalidRequest
from domain.ledger.access import Sender
from domain.ledger.appends import DOSSIER_CODE, Append, Claim, Outcome, Write
from domain.ledger.messages import Fact, refuse_foreign_source
from domain.ledger.sameness import Said
from domain.ledger.times import refuse_future
from domain.rules.codes import canonical, dossier_named, issuers_of, why_no_code
from domain.rules.register import is_register
from domain.rules.rule_book import RuleBook


def said_by(fact: Fact, stream: UUID, rules: RuleBook) -> Said:
    """Return what a fact says, if it is its sender's to say. Raises Forbidden, InvalidRequest."""
    act = ACT_OF[type(fact.event)]
    if act.ledger_alone is not None:
        raise InvalidRequest(act.ledger_alone)
    acting = fact.acting_unit or _acting(fact)
    if acting is not None:
        fact.sender.must_act_for(acting)
    refuse_foreign_source(fact, rules)
    return fact.said(stream, acting, zone_of(fact, acting, rules))


def event_of(fact: Fact, said: Said, rules: RuleBook, now: datetime) -> DossierEvent:
    """Return the event of a well-formed fact, or raise what is not known about it."""
    act = ACT_OF[type(fact.event)]
    acting = said.unit
    zone = zone_of(fact, acting, rules)
    refuse_future(fact.stated, fact.precision, now, zone)
    at = said.at or fact.moment(zone)
    ended = {getattr(fact.event, name) for name in act.ended_units}
    acted = () if acting is None else (acting,)
    for unit in {*acted, *named_units(fact.event)}:
        if not (unit in ended and unit in rules.units):
            rules.unit(unit, at)
    meta = fact.meta(acting, pins_of(rules, fact.event))
    event = changed(
        fact.event, originator_id=said.stream, originator_version=0, timestamp=at, meta=meta
    )
    return event if act.completed is None else act.completed(event, rules)


def waits_elsewhere(fact: Fact) -> UUID | None:
    """Return the stream in which facts may wait for an opening that names another stream."""
    code = code_said(fact.event)
    if fact.dossier is None or code is None:
        return None
    stream = dossier_named(code)
    return stream if stream != fact.dossier else None


def refuse_no_code(code: str) -> None:
    """Raise InvalidRequest for a text that no dossier may be called by."""
    why = why_no_code(code)
    if why is not None:
        raise InvalidRequest(why)


def code_claims(code: str | None, stream: UUID) -> tuple[Claim, ...]:
    """Return the claim to a dossier code, if there is one. Raises InvalidRequest."""
    if code is None:
        return ()
    refuse_no_code(code)
    return (_claim(code, stream),)


def _claim(name: str, stream: UUID) -> Claim:
    return Claim(kind=DOSSIER_CODE, value=canonical(name), stream=stream)


def name_of(fact: Fact) -> str:
    """Return the name under which the holder of a dossier is looked up: its code, or its UUID.

    A UUID is an alias where the dossier had been opened under its code before (`under_its_code`).
    Raises InvalidRequest for a subject that names no dossier, or another one than the payload.
    """
    if fact.dossier is not None and is_register(fact.dossier):
        raise InvalidRequest("A UUID of version 8 names no dossier.")
    said = code_said(fact.event)
    for code in (said, fact.code):
        if code is not None:
            refuse_no_code(code)
    if fact.code is None:
        if fact.dossier is None:
            raise InvalidRequest("subject must be the dossier's UUID or code:<dossier code>.")
        return str(fact.dossier)
    if said is not None and canonical(said) != canonical(fact.code):
        raise InvalidRequest("subject and data name different dossier codes.")
    return fact.code


def under_its_code(fact: Fact) -> Fact:
    """Return the fact as one about the dossier that its own code was opened for.

    Facts under a code may come before the acceptance that names the dossier by a UUID. The UUID
    then becomes another name of the dossier, claimed and said by the event.
    """
    code = code_said(fact.event)
    if fact.dossier is None or code is None:
        return fact
    return replace(fact, dossier=None, code=code, alias=fact.dossier)


def refuse_foreign_code(sender: Sender, code: str, rules: RuleBook) -> None:
    """Refuse to open a dossier under a code from the numbering of a unit one is not part of."""
    for unit in issuers_of(code, rules.units):
        if not _belongs(sender, unit, rules):
            raise Forbidden(f"Codes of {unit} are not yours to open dossiers under.")


def _belongs(sender: Sender, unit: UnitCode, rules: RuleBook) -> bool:
    return unit in sender.scope or (sender.unit is not None and sender.unit in rules.subtree(unit))


def zone_of(fact: Fact, acting: UnitCode | None, rules: RuleBook) -> ZoneInfo:
    """Return the zone in which a day is meant: of the unit it is told for, or that receives it."""
    said = fact.event
    unit = acting or (said.receiving_unit if isinstance(said, Opening) else None)
    return VIETNAM if unit is None else rules.zone(unit)


def _acting(fact: Fact) -> UnitCode | None:
    """Return the unit that a fact speaks for: the receiving one, else the sender's.

    The machine speaks for nobody where it does not say so.
    """
    said = fact.event
    if fact.sender.is_machine:
        return None
    return said.receiving_unit if isinstance(said, Opening) else fact.sender.unit


def append_of(
    fact: Fact,
    said: Said,
    event: DossierEvent,
    holder: UUID | None,
    free: Pin | None,
    *,
    counts: bool,
) -> Append:
    """Return the append of one fact.

    `holder` is the stream that is known to hold its name, `free` one in which nothing may wait for
    it. What does not count claims no name: it waits until somebody opens the dossier.
    """
    code = code_said(event) or event.meta.subject_code
    expected = fact.expected if counts else None  # At which version it is, is not theirs to know.
    write = Write(stream=event.originator_id, events=(event,), expected=expected)
    due = event.due if isinstance(event, DossierAccepted) else None
    return Append(
        writes=(write,),
        claims=_claims(code, event, name_of(fact) if holder == event.originator_id else None)
        if counts
        else (),
        unchanged=event.meta.pins if free is None else (*event.meta.pins, free),
        key=fact.key.of(said),
        outcome=Outcome(
            kind="recorded",
            stream=event.originator_id,
            code=code if counts else None,
            due=due,
        ),
    )


def _claims(code: str | None, event: DossierEvent, held: str | None) -> tuple[Claim, ...]:
    """Return the claims to what the dossier is called, each name once, but not to what it holds."""
    names = dict.fromkeys((code, event.meta.subject_code))
    names.pop(held, None)
    return tuple(_claim(name, event.originator_id) for name in names if name is not None)
