"""The way in for the registers: idempotent by content, one stream for each entry."""

from dataclasses import dataclass, fields, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from domain import registers as reg
from domain.appends import Append, Clock, Key, Outcome, Store, Write
from domain.codes import is_prefix
from domain.envelope import LedgerEvent, Meta, UnitCode, category, event_id
from domain.errors import InvalidRequest, StaleVersion, UnknownUnit
from domain.rules import RuleBook

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


def said(event: LedgerEvent) -> dict[str, Any]:
    """Return what an event says, without what every event says."""
    return {f.name: getattr(event, f.name) for f in fields(event) if f.name not in _BASE}


def stream_for(event: reg.RegisterEvent) -> UUID:
    """Return the stream of the entry that a register event speaks of."""
    kind = category(event.TOPIC)
    match event:
        case reg.UnitRegistered() | reg.UnitEndedByDecision() | reg.ProcedurePublished():
            return reg.stream_of(kind, event.code)
        case reg.CalendarDecided():
            return reg.stream_of(kind, event.calendar)
        case reg.SourceRegistered():
            return reg.stream_of(kind, event.name)
        case reg.TokenGranted() | reg.TokenRevoked():
            return reg.stream_of(kind, str(event.token_id))
        case reg.SubjectErased():
            return reg.stream_of(kind, str(event.subject))


class Registers:
    """Puts entries into the registers. `now` is the clock of the machine, in UTC."""

    def __init__(self, store: Store, now: Clock) -> None:
        self._store = store
        self._now = now

    async def put(self, entry: reg.RegisterEvent, keeper: Keeper) -> Change:
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
            event = _stamped(entry, stream, version, keeper, self._now())
            outcome = Outcome(kind="recorded", stream=stream)
            try:
                answer = await self._store.append(
                    Append(
                        writes=(Write(stream=stream, events=(event,), expected=version),),
                        key=Key(scope="register", key=f"{stream}/{version + 1}", digest=b""),
                        outcome=outcome,
                    )
                )
            except StaleVersion:
                continue  # Somebody else put an entry there: look whether it says the same.
            if not answer.repeated:
                return Change.RECORDED
        raise StaleVersion(version, version + 1)


def _stamped(
    entry: reg.RegisterEvent, stream: UUID, version: int, keeper: Keeper, at: datetime
) -> reg.RegisterEvent:
    source_id = f"{stream}/{version + 1}"
    meta = Meta(
        event_id=event_id(keeper.source, source_id),
        source=keeper.source,
        source_id=source_id,
        principal=keeper.principal,
        actor=keeper.actor,
    )
    return replace(
        entry, originator_id=stream, originator_version=version + 1, timestamp=at, meta=meta
    )


def _check(entry: reg.RegisterEvent, rules: RuleBook) -> None:
    named: tuple[UnitCode | None, ...] = ()
    match entry:
        case reg.UnitRegistered():
            named = (entry.parent,)
            _refuse_unknown_zone(entry.zone)
            if entry.dossier_prefix is not None and not is_prefix(entry.dossier_prefix):
                raise InvalidRequest("dossier_prefix has only A-Z, 0-9 and dots.")
            if entry.parent is not None and entry.parent in rules.subtree(entry.code):
                raise InvalidRequest(f"Unit {entry.code} would stand above its own parent.")
        case reg.UnitEndedByDecision():
            named = (entry.code, *entry.successors)
        case reg.ProcedurePublished() | reg.SourceRegistered():
            named = (entry.unit,)
        case reg.TokenGranted():
            named = (entry.unit,)
        case _:
            named = ()
    for unit in named:
        if unit is not None and unit not in rules.units:
            raise UnknownUnit(unit)


def _refuse_unknown_zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidRequest("zone is no time zone like Asia/Ho_Chi_Minh.") from error


def _is_known(  # noqa: C901, PLR0911  # a case for each kind of entry
    entry: reg.RegisterEvent, rules: RuleBook
) -> bool:
    match entry:
        case reg.UnitRegistered():
            unit = rules.units.get(entry.code)
            return unit is not None and _same(unit.unit, entry)
        case reg.UnitEndedByDecision():
            unit = rules.units[entry.code]
            return unit.ended_at == entry.ended_at and unit.successors == entry.successors
        case reg.ProcedurePublished():
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
        case reg.CalendarDecided():
            decided = rules.calendars.get(entry.calendar, ())
            return any(each.id == entry.id and _same(each, entry) for each in decided)
        case reg.SourceRegistered():
            source = rules.sources.get(entry.name)
            return source is not None and _same(source, entry)
        case reg.TokenGranted():
            return entry.digest in rules.tokens
        case reg.TokenRevoked():
            tokens = [t for t in rules.tokens.values() if t.grant.token_id == entry.token_id]
            if not tokens:
                raise InvalidRequest("There is no such token.")
            return tokens[0].revoked
        case reg.SubjectErased():
            return entry.subject in rules.erased


def _same(known: object, entry: reg.RegisterEvent) -> bool:
    return isinstance(known, type(entry)) and said(known) == said(entry)
