"""The ways in for the registers, one stream for each entry: by content, or under an identity."""

from dataclasses import dataclass, replace
from enum import StrEnum
from zoneinfo import ZoneInfo

from domain.envelope import VIETNAM, Meta, Pin, UnitCode, event_id
from domain.errors import Forbidden, RulesChanged, StaleVersion, UnknownUnit
from domain.ledger.access import Action, Sender
from domain.ledger.appends import (
    THE_RULES,
    Answer,
    Append,
    Key,
    Now,
    Outcome,
    Question,
    Reading,
    Store,
    Write,
)
from domain.ledger.messages import Entry, as_of_now, refuse_foreign_source
from domain.ledger.recording import Result
from domain.ledger.sameness import Said
from domain.ledger.times import refuse_future
from domain.ledger.transact import AGAIN, ATTEMPTS, answered_before, transact
from domain.rules.register import RegisterEvent
from domain.rules.registers import kind_of, stream_for
from domain.rules.rule_book import RuleBook

_AGAIN = (StaleVersion, *AGAIN)  # Somebody else changed what this rests on: look again.


class Change(StrEnum):
    RECORDED = "recorded"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, kw_only=True)
class Keeper:
    """Whoever keeps the registers: an administrator's token, or the machine's own command line."""

    principal: str
    source: str
    actor: str | None = None


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

        async def decided(reading: Reading) -> Answer | Append:
            rules = self._store.rules
            _check(entry, rules)
            return _no_news(entry, rules, reading) or self._put(entry, keeper)

        for _ in range(ATTEMPTS):
            answer = await transact(self._store, THE_RULES, decided, _AGAIN)
            if not answer.repeated:
                return Change.UNCHANGED if _is_repeated(answer) else Change.RECORDED
        raise RulesChanged  # Somebody else put an entry there, again and again.

    def _put(self, entry: RegisterEvent, keeper: Keeper) -> Append:
        rules, stream = self._store.rules, stream_for(entry)
        version = rules.versions.get(stream, 0) + 1
        name = f"{stream}/{version}"
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
            originator_version=version,
            timestamp=self._now(),
            meta=meta,
        )
        return _append(event, rules, Key(scope="register", key=name, digest=b""))

    async def record(self, entry: Entry) -> Result:
        """Record an entry as it is told, once for each identity, or raise the refusal.

        An entry that the register says already is no news: its identity is kept, so that it is
        not applied again when a later entry has changed the register.
        """
        entry.sender.must(Action.KEEP_REGISTERS)

        async def decided(reading: Reading) -> Answer | Append:
            said = self._said_by(entry)
            stored = await answered_before(self._store, reading, entry.key, said)
            if stored is not None:
                return Answer(stored, repeated=True)
            return self._told(entry, said, reading)

        asked = Question(events=False, keys=(entry.key.name,))
        answer = await transact(self._store, asked, decided, _AGAIN)
        return Result(outcome=answer.outcome, repeated=_is_repeated(answer))

    def _said_by(self, entry: Entry) -> Said:
        """Return what an entry says, if it is its sender's to say."""
        rules = self._store.rules
        sender = as_of_now(entry.sender, rules)
        refuse_foreign_source(entry, rules)
        acting = entry.acting_unit or sender.unit
        if acting is not None:
            sender.must_act_for(acting)
        return entry.said(stream_for(entry.event), acting, _zone(acting, rules))

    def _told(self, entry: Entry, as_said: Said, reading: Reading) -> Append:
        rules = self._store.rules
        sender = as_of_now(entry.sender, rules)
        said, stream, acting = entry.event, stream_for(entry.event), as_said.unit
        version = rules.versions.get(stream, 0)
        refuse_future(entry.stated, entry.precision, self._now(), _zone(acting, rules))
        at = as_said.at or self._now()
        event = replace(
            said,
            originator_id=stream,
            originator_version=version + 1,
            timestamp=at,
            meta=entry.meta(acting),
        )
        if acting is not None:
            rules.unit(acting, at)
        refuse_out_of_scope(said, sender, rules)
        _check(said, rules)
        if entry.expected is not None and entry.expected != version:
            raise StaleVersion(entry.expected, version)
        known = _no_news(said, rules, reading)
        if known is None:
            return _append(event, rules, entry.key.of(as_said))
        pin = Pin(stream=stream, version=version)
        return Append(key=entry.key.of(as_said), unchanged=(pin,), outcome=known.outcome)


def _zone(unit: UnitCode | None, rules: RuleBook) -> ZoneInfo:
    return VIETNAM if unit is None else rules.zone(unit)


def _no_news(entry: RegisterEvent, rules: RuleBook, reading: Reading) -> Answer | None:
    """Return the answer to an entry that the register says already."""
    if not _is_known(entry, rules):
        return None
    stream = stream_for(entry)
    version = rules.versions.get(stream, 0)
    outcome = Outcome(kind="no-news", stream=stream, version=version, position=reading.position)
    return Answer(outcome, repeated=False)


def _is_repeated(answer: Answer) -> bool:
    return answer.repeated or answer.outcome.kind == "no-news"


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
