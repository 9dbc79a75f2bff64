"""The ways in for the registers, one stream for each entry: by content, or under an identity."""

from dataclasses import dataclass, fields, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from domain.deadlines.decided import (
    applied,
    days_of,
    deciding,
    hour_of,
    refuse_contradiction,
    sessions_of,
)
from domain.deadlines.law import Term
from domain.deadlines.terms import LONGEST_TERM, refuse_endless
from domain.envelope import LedgerEvent, Meta, Pin, TimePrecision, UnitCode, category, event_id
from domain.errors import Forbidden, InvalidRequest, RulesChanged, StaleVersion, UnknownUnit
from domain.ledger.access import Action, Sender, scope_of
from domain.ledger.appends import Append, Clock, Key, Outcome, Store, Write
from domain.ledger.facts import refuse_reserved
from domain.ledger.times import occurred_at, offset_minutes, refuse_future
from domain.rules.calendars import CalendarDecided
from domain.rules.codes import is_prefix
from domain.rules.policies import PolicyDecided
from domain.rules.procedures import ProcedurePublished
from domain.rules.register import stream_of
from domain.rules.registers import RegisterEvent
from domain.rules.rule_book import RuleBook
from domain.rules.sources import SourceRegistered
from domain.rules.subjects import SubjectErased
from domain.rules.tokens import TokenGranted, TokenRevoked
from domain.rules.units import UnitEndedByDecision, UnitRegistered

DECIDABLE = range(1990, 2100)
"""Years whose days may be decided: a calendar is compiled from the first to the last."""

_ATTEMPTS = 5
_BASE = {field.name for field in fields(LedgerEvent)}


class Change(StrEnum):
    RECORDED = "recorded"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, kw_only=True)
class Keeper:
    """Whoever keeps the registers: an administrator's token, or the machine's own command line."""

    principal: str
    source: str
    actor: str | None = None


@dataclass(frozen=True, kw_only=True)
class Notice:
    """An entry as somebody tells it from elsewhere: under an identity, at a stated time.

    `expected` is the version of the entry's stream that its sender read.
    """

    entry: RegisterEvent
    source: str
    source_id: str
    stated: datetime
    sender: Sender
    key: Key
    precision: TimePrecision = TimePrecision.SECOND
    expected: int | None = None
    actor: str | None = None
    acting_unit: UnitCode | None = None
    legal_basis: str | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of a notice: a repeated one changes nothing and gets the first outcome."""

    outcome: Outcome
    change: Change


def said(event: LedgerEvent) -> dict[str, Any]:
    """Return what an event says, without what every event says."""
    return {f.name: getattr(event, f.name) for f in fields(event) if f.name not in _BASE}


def stream_for(event: RegisterEvent) -> UUID:
    """Return the stream of the entry that a register event speaks of."""
    kind = category(event.TOPIC)
    match event:
        case UnitRegistered() | UnitEndedByDecision() | ProcedurePublished():
            return stream_of(kind, event.code)
        case CalendarDecided():
            return stream_of(kind, event.calendar)
        case PolicyDecided():
            return stream_of(kind, event.policy)
        case SourceRegistered():
            return stream_of(kind, event.name)
        case TokenGranted() | TokenRevoked():
            return stream_of(kind, str(event.token_id))
        case SubjectErased():
            return stream_of(kind, str(event.subject))


class Registers:
    """Puts entries into the registers. `now` is the clock of the machine, in UTC."""

    def __init__(self, store: Store, now: Clock) -> None:
        self._store = store
        self._now = now

    async def put(self, entry: RegisterEvent, keeper: Keeper) -> Change:
        """Record an entry unless the register says the same already.

        Raises InvalidRequest where it contradicts what was published, UnknownUnit for a parent,
        owner or successor that is not registered.
        """
        stream = stream_for(entry)
        for _ in range(_ATTEMPTS):
            await self._store.read()
            rules = self._store.rules
            _check(entry, rules)
            if _is_known(entry, rules):
                return Change.UNCHANGED
            version = rules.versions.get(stream, 0)
            name = f"{stream}/{version + 1}"
            meta = Meta(
                event_id=event_id(keeper.source, name),
                source=keeper.source,
                source_id=name,
                principal=keeper.principal,
                actor=keeper.actor,
            )
            event = replace(
                entry,
                originator_id=stream,
                originator_version=version + 1,
                timestamp=self._now(),
                meta=meta,
            )
            key = Key(scope="register", key=name, digest=b"")
            try:
                answer = await self._store.append(_append(event, rules, key))
            except (StaleVersion, RulesChanged):
                continue  # Somebody else put an entry there: look whether it says the same.
            if not answer.repeated:
                return Change.RECORDED
        raise RulesChanged

    async def record(self, notice: Notice) -> Kept:
        """Record an entry once for each identity, or raise the refusal.

        An entry that the register says already is no news: its identity is kept, so that it is
        not applied again when a later entry has changed the register.
        """
        notice.sender.must(Action.KEEP_REGISTERS)
        for _ in range(_ATTEMPTS):
            reading = await self._store.read(key=notice.key)
            if reading.stored is not None:
                return Kept(reading.stored, Change.UNCHANGED)
            append = self._told(notice, reading.position)
            try:
                answer = await self._store.append(append)
            except (StaleVersion, RulesChanged):
                continue  # Somebody else changed what this rests on: look again.
            news = answer.outcome.kind == "recorded" and not answer.repeated
            return Kept(answer.outcome, Change.RECORDED if news else Change.UNCHANGED)
        raise RulesChanged

    def _told(self, notice: Notice, position: int) -> Append:
        rules = self._store.rules
        sender = replace(notice.sender, scope=scope_of(rules, notice.sender.unit))
        entry, stream = notice.entry, stream_for(notice.entry)
        version = rules.versions.get(stream, 0)
        event = replace(
            entry,
            originator_id=stream,
            originator_version=version + 1,
            timestamp=_moment(notice, self._now()),
            meta=_meta(notice, sender),
        )
        _refuse_foreign_name(notice.source, sender, rules)
        if event.meta.acting_unit is not None:
            sender.must_act_for(event.meta.acting_unit)
            rules.unit(event.meta.acting_unit, event.timestamp)
        refuse_out_of_scope(entry, sender, rules)
        _check(entry, rules)
        if notice.expected is not None and notice.expected != version:
            raise StaleVersion(notice.expected, version)
        if not _is_known(entry, rules):
            return _append(event, rules, notice.key)
        unchanged = Outcome(kind="no-news", stream=stream, version=version, position=position)
        pin = Pin(stream=stream, version=version)
        return Append(key=notice.key, unchanged=(pin,), outcome=unchanged)


def refuse_out_of_scope(entry: RegisterEvent, sender: Sender, rules: RuleBook) -> None:
    """Refuse entries about what lies outside of the sender's units, as of the rule book.

    What belongs to no unit is national: only those keep it whose scope covers every unit. What an
    entry replaces must be the sender's as well. Tokens and erasures come from the machine alone.
    """
    if isinstance(entry, TokenGranted | TokenRevoked | SubjectErased):
        raise Forbidden("Tokens and erasures are recorded at the machine only.")
    if rules.units.keys() <= sender.scope:
        return
    for unit in _concerned(entry, rules):
        if unit is None:
            raise Forbidden("Only who acts for every unit keeps what belongs to none of them.")
        sender.must_act_for(unit)


def _concerned(
    entry: UnitRegistered
    | UnitEndedByDecision
    | ProcedurePublished
    | CalendarDecided
    | PolicyDecided
    | SourceRegistered,
    rules: RuleBook,
) -> tuple[UnitCode | None, ...]:
    """Return the units that an entry touches: those it names, those of what it replaces."""
    match entry:
        case UnitRegistered():
            unit = rules.units.get(entry.code)
            return (entry.parent, *((entry.code, unit.unit.parent) if unit is not None else ()))
        case UnitEndedByDecision():
            return (entry.code, *entry.successors)
        case ProcedurePublished():
            procedure = rules.procedures.get(entry.code)
            published = procedure.versions if procedure is not None else ()
            return (entry.unit, *(version.unit for version in published))
        case CalendarDecided():
            decided = rules.calendars.get(entry.calendar, ())
            return (entry.unit, *(each.unit for each in decided if each.id == entry.id))
        case PolicyDecided():
            return (None,)
        case SourceRegistered():
            source = rules.sources.get(entry.name)
            return (entry.unit, *((source.unit,) if source is not None else ()))


def _refuse_foreign_name(name: str, sender: Sender, rules: RuleBook) -> None:
    """Refuse to speak as a registered source, or as the ledger itself."""
    if sender.unit is not None:
        refuse_reserved(name)
    if sender.source_name not in (None, name):
        raise Forbidden(f"This token sends as {sender.source_name}, not as {name}.")
    if sender.source_name is None and sender.unit is not None and name in rules.sources:
        raise Forbidden(f"The source {name} has tokens of its own.")


def _moment(notice: Notice, now: datetime) -> datetime:
    refuse_future(notice.stated, notice.precision, now)
    return occurred_at(type(notice.entry), notice.stated, notice.precision)


def _meta(notice: Notice, sender: Sender) -> Meta:
    return Meta(
        event_id=event_id(notice.source, notice.source_id),
        source=notice.source,
        source_id=notice.source_id,
        principal=sender.principal,
        actor=notice.actor,
        acting_unit=notice.acting_unit or sender.unit,
        legal_basis=notice.legal_basis,
        precision=notice.precision,
        offset_minutes=offset_minutes(notice.stated),
    )


def _append(event: RegisterEvent, rules: RuleBook, key: Key) -> Append:
    """Return the append of an entry, which holds only while the units that it names stay so."""
    stream = event.originator_id
    named = (unit for unit in _named(event) if unit is not None)
    return Append(
        writes=(Write(stream=stream, events=(event,), expected=event.originator_version - 1),),
        unchanged=tuple(pin for pin in rules.pins(named) if pin.stream != stream),
        key=key,
        outcome=Outcome(kind="recorded", stream=stream),
    )


def _named(entry: RegisterEvent) -> tuple[UnitCode | None, ...]:
    """Return the units that must be registered before an entry can be."""
    match entry:
        case UnitRegistered():
            return (entry.parent,)
        case UnitEndedByDecision():
            return (entry.code, *entry.successors)
        case ProcedurePublished() | CalendarDecided() | SourceRegistered() | TokenGranted():
            return (entry.unit,)
        case _:
            return ()


def _check(entry: RegisterEvent, rules: RuleBook) -> None:
    if isinstance(entry, UnitRegistered):
        _refuse_unknown_zone(entry.zone)
        if entry.dossier_prefix is not None and not is_prefix(entry.dossier_prefix):
            raise InvalidRequest("dossier_prefix has only A-Z, 0-9 and dots.")
        if entry.parent is not None and entry.parent in rules.subtree(entry.code):
            raise InvalidRequest(f"Unit {entry.code} would stand above its own parent.")
    if isinstance(entry, ProcedurePublished):
        _refuse_endless_terms(entry)
    if isinstance(entry, CalendarDecided):
        _refuse_contradictions(entry, rules)
    if isinstance(entry, PolicyDecided):
        _refuse_nonsense(entry)
    for unit in _named(entry):
        if unit is not None and unit not in rules.units:
            raise UnknownUnit(unit)


def _refuse_nonsense(entry: PolicyDecided) -> None:
    hour_of(entry.cutoff)
    if not sessions_of(entry.sessions):
        raise InvalidRequest("sessions: an office opens at least once a day.")
    _refuse_endless_limits(
        intake_hours=entry.intake_hours,
        transfer_answer_hours=entry.transfer_answer_hours,
        due_soon_hours=entry.due_soon_hours,
        supplement_notice_days=entry.supplement_notice_days,
        supplement_answer_days=entry.supplement_answer_days,
    )


def _refuse_endless_limits(**limits: float | None) -> None:
    """Refuse limits, in hours or days, that no calendar could ever hold."""
    for name, limit in limits.items():
        if limit is not None and limit > LONGEST_TERM:
            raise InvalidRequest(f"{name} must be at most {LONGEST_TERM}.")


def _refuse_endless_terms(entry: ProcedurePublished) -> None:
    _refuse_endless_limits(
        supplement_notice_days=entry.supplement_notice_days,
        supplement_answer_days=entry.supplement_answer_days,
    )
    for step in entry.steps:
        _refuse_endless_limits(**{"steps: hours": step.hours})
    if entry.term is not None:
        refuse_endless(entry.term)
    for each in entry.channel_terms:
        refuse_endless(Term(amount=each.amount, unit=each.unit))
    if len({each.channel for each in entry.channel_terms}) < len(entry.channel_terms):
        raise InvalidRequest("channel_terms: one for a channel.")


def _refuse_contradictions(entry: CalendarDecided, rules: RuleBook) -> None:
    """Refuse what says off and worked of one day, alone or with what is decided already."""
    for each in entry.hours:
        if not sessions_of(each.sessions):
            raise InvalidRequest("hours: a day without sessions is a day off.")
    if len({each.day for each in entry.hours}) < len(entry.hours):
        raise InvalidRequest("hours: one entry for a day.")
    if any(day.year not in DECIDABLE for day in days_of(entry)):
        raise InvalidRequest("Days are decided between 1990 and 2099.")
    known = rules.calendars.get(entry.calendar, ())
    others = [each for each in known if each.id != entry.id]
    same_offices = [each for each in (*others, entry) if each.unit == entry.unit]
    deciding(applied(same_offices, (entry.unit,) if entry.unit else ()))
    for day in days_of(entry):
        refuse_contradiction(entry, entry, day)


def _refuse_unknown_zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidRequest("zone is no time zone like Asia/Ho_Chi_Minh.") from error


def _is_known(  # noqa: C901, PLR0911  # a case for each kind of entry
    entry: RegisterEvent, rules: RuleBook
) -> bool:
    match entry:
        case UnitRegistered():
            unit = rules.units.get(entry.code)
            return unit is not None and _same(unit.unit, entry)
        case UnitEndedByDecision():
            unit = rules.units[entry.code]
            return unit.ended_at == entry.ended_at and unit.successors == entry.successors
        case ProcedurePublished():
            procedure = rules.procedures.get(entry.code)
            same = (
                [v for v in procedure.versions if v.version == entry.version] if procedure else []
            )
            if same and not _same(same[0], entry):
                message = (
                    f"Version {entry.version} of {entry.code} was published with other content."
                )
                raise InvalidRequest(message)
            return bool(same)
        case CalendarDecided():
            decided = rules.calendars.get(entry.calendar, ())
            return any(each.id == entry.id and _same(each, entry) for each in decided)
        case PolicyDecided():
            policies = rules.policies.get(entry.policy, ())
            return bool(policies) and _same(policies[-1], entry)
        case SourceRegistered():
            source = rules.sources.get(entry.name)
            return source is not None and _same(source, entry)
        case TokenGranted():
            return entry.digest in rules.tokens
        case TokenRevoked():
            tokens = [t for t in rules.tokens.values() if t.grant.token_id == entry.token_id]
            if not tokens:
                raise InvalidRequest("There is no such token.")
            return tokens[0].revoked
        case SubjectErased():
            return entry.subject in rules.erased


def _same(known: object, entry: RegisterEvent) -> bool:
    return isinstance(known, type(entry)) and said(known) == said(entry)
