"""The ways in for the registers, one stream for each entry: by content, or under an identity."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from domain.envelope import Meta, Pin, TimePrecision, UnitCode, event_id
from domain.errors import Forbidden, RulesChanged, StaleVersion, UnknownUnit
from domain.ledger.access import Action, Sender, scope_of
from domain.ledger.appends import Append, Key, Now, Outcome, Store, Write
from domain.ledger.facts import refuse_reserved
from domain.ledger.times import occurred_at, offset_minutes, refuse_future
from domain.rules.register import RegisterEvent
from domain.rules.registers import kind_of, stream_for
from domain.rules.rule_book import RuleBook

_ATTEMPTS = 5


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


class Registers:
    """Puts entries into the registers. `now` is the clock of the machine, in UTC."""

    def __init__(self, store: Store, now: Now) -> None:
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
    touched = kind_of(entry).touched
    if touched is None:
        raise Forbidden("Tokens and erasures are recorded at the machine only.")
    if rules.units.keys() <= sender.scope:
        return
    for unit in touched(rules.book_of(entry), entry):
        if unit is None:
            raise Forbidden("Only who acts for every unit keeps what belongs to none of them.")
        sender.must_act_for(unit)


def _refuse_foreign_name(name: str, sender: Sender, rules: RuleBook) -> None:
    """Refuse to speak as a registered source, or as the ledger itself."""
    if not sender.is_machine:
        refuse_reserved(name)
    if sender.source_name not in (None, name):
        raise Forbidden(f"This token sends as {sender.source_name}, not as {name}.")
    if sender.source_name is None and not sender.is_machine and name in rules.sources:
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
    named = kind_of(event).named(event)
    return Append(
        writes=(Write(stream=stream, events=(event,), expected=event.originator_version - 1),),
        unchanged=tuple(pin for pin in rules.pins(named) if pin.stream != stream),
        key=key,
        outcome=Outcome(kind="recorded", stream=stream),
    )


def _check(entry: RegisterEvent, rules: RuleBook) -> None:
    kind = kind_of(entry)
    kind.check(rules.book_of(entry), entry)
    for unit in kind.named(entry):
        if unit is not None and unit not in rules.units:
            raise UnknownUnit(unit)


def _is_known(entry: RegisterEvent, rules: RuleBook) -> bool:
    return kind_of(entry).says(rules.book_of(entry), entry)
