"""What becomes of each append of a batch: pure, so that the real store and its fake agree."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec

from domain.envelope import LedgerEvent, Recorded, category, changed
from domain.errors import Busy, CodeTaken, DomainError, KeyReused, RulesChanged, StaleVersion
from domain.evidence.leaves import NO_LEAF, entry, leaf_hash
from domain.ledger.appends import DOSSIER_CODE, Answer, Append, Claim, Key, Outcome
from domain.rules.codes import Serial, canonical, parse, render
from infra.new_keys import KeyRow, LookupRow, NewKeys, Standing

_outcomes = msgspec.json.Decoder(Outcome)


def outcome_bytes(outcome: Outcome) -> bytes:
    return msgspec.json.encode(outcome)


def outcome_of(data: bytes) -> Outcome:
    return _outcomes.decode(data)


@dataclass(frozen=True, slots=True)
class Encoded:
    """An event ready to be stored: its exact bytes, which are hashed and never re-encoded.

    `event` is what they are read as, where it holds no personal value.
    """

    topic: str
    occurred_at: datetime
    data: bytes
    event: LedgerEvent | None = None


@dataclass(slots=True, eq=False)
class Chain:
    """Appends of which each is tried only where none before it was refused."""

    broken_by: "Prepared | None" = None


class Untried(Busy):
    """What comes before it in its chain was refused, so it was not tried."""

    def __init__(self) -> None:
        super().__init__("What comes before it was refused.")


@dataclass(slots=True, eq=False)
class Prepared:
    """An append with its events encoded; `late` encodes the first one when its code is known.

    `recorded` is what became of them, if they are recorded and hold no personal value.
    """

    append: Append
    encoded: tuple[tuple[Encoded, ...], ...]
    size: int
    late: Callable[[str], Encoded] | None = None
    uncertain: bool = False  # A commit of it was under way when the connection broke.
    chain: Chain | None = None
    new_keys: NewKeys | None = None
    recorded: tuple[Recorded[LedgerEvent], ...] = ()

    def refuse_after_refusal(self) -> None:
        """Raise Untried where the chain is broken; by itself, it is judged anew."""
        if self.chain is not None and self.chain.broken_by not in (None, self):
            raise Untried

    def answered(self, refusal: DomainError | None) -> None:
        """Break the chain, or mend what was broken when the same was judged before."""
        if self.chain is not None and self.chain.broken_by in (None, self):
            self.chain.broken_by = self if refusal is not None else None


class EventRow(NamedTuple):
    """A row of ledger.event, in the order of its columns."""

    seq: int
    stream_id: UUID
    version: int
    topic: str
    occurred_at: datetime
    recorded_at: datetime
    data: bytes
    leaf: bytes


@dataclass(frozen=True, slots=True)
class ClaimRow:
    kind: str
    value: str
    stream_id: UUID
    serial: Serial | None
    issued: bool


@dataclass(slots=True)
class Snapshot:
    """What the ledger holds under the head lock, as far as a batch asks; overlaid while judging."""

    ledger_id: UUID
    seq: int
    registers: int  # The last event of any register.
    recorded_at: datetime
    streams: dict[UUID, tuple[int, bytes]]
    keys: dict[tuple[str, str], tuple[bytes, Outcome]]
    claims: dict[tuple[str, str], UUID]
    serials: dict[str, int]  # The highest number that each numbering issued.
    given: dict[str, set[int]]  # Numbers beyond it that came from elsewhere: they are skipped.
    sealing: Standing = field(default_factory=Standing)


@dataclass(slots=True)
class Judgement:
    """The answers, in order, and the rows that make them true."""

    answers: list[Answer | DomainError] = field(default_factory=list)
    events: list[EventRow] = field(default_factory=list)
    streams: dict[UUID, tuple[str, int, bytes]] = field(default_factory=dict)
    keys: list[tuple[Key, Outcome]] = field(default_factory=list)
    claims: list[ClaimRow] = field(default_factory=list)
    subject_keys: list[KeyRow] = field(default_factory=list)
    lookups: list[LookupRow] = field(default_factory=list)

    @property
    def empty(self) -> bool:
        return not (self.events or self.keys or self.claims)


def judge(batch: Sequence[Prepared], snapshot: Snapshot) -> Judgement:
    """Decide each append in its order, each seeing those before it as if they were committed."""
    judgement = Judgement()
    for prepared in batch:
        try:
            prepared.refuse_after_refusal()
            answer: Answer | DomainError = _stored(prepared, snapshot) or _accepted(
                prepared, snapshot, judgement
            )
        except DomainError as refused:
            answer = refused
        prepared.answered(answer if isinstance(answer, DomainError) else None)
        judgement.answers.append(answer)
    return judgement


def _stored(prepared: Prepared, snapshot: Snapshot) -> Answer | None:
    key = prepared.append.key
    known = snapshot.keys.get((key.scope, key.key)) if key else None
    if key is None or known is None:
        return None
    digest, outcome = known
    if digest != key.digest:
        raise KeyReused(key.key)
    return Answer(outcome, repeated=not prepared.uncertain)


def _accepted(prepared: Prepared, snapshot: Snapshot, judgement: Judgement) -> Answer:
    append, new_keys = prepared.append, prepared.new_keys
    _refuse_conflicts(append, snapshot)
    if new_keys is not None:
        _take_keys(new_keys, snapshot, judgement)
    code, encoded = _issued(prepared, snapshot, judgement)
    for claim in append.claims:
        _claim(snapshot, judgement, claim)
    for write, events in zip(append.writes, encoded, strict=True):
        _write(snapshot, judgement, write.stream, events)
    prepared.recorded = _recorded([each for events in encoded for each in events], judgement)
    outcome = _completed(append, code, snapshot)
    if append.key is not None:
        judgement.keys.append((append.key, outcome))
        snapshot.keys[append.key.scope, append.key.key] = append.key.digest, outcome
    return Answer(outcome, repeated=False)


def _recorded(
    encoded: Sequence[Encoded], judgement: Judgement
) -> tuple[Recorded[LedgerEvent], ...]:
    """Return what was written last, as it will be read; without what holds personal values."""
    rows = judgement.events[len(judgement.events) - len(encoded) :]
    return tuple(
        Recorded(
            row.seq, row.recorded_at, row.leaf, changed(each.event, originator_version=row.version)
        )
        for each, row in zip(encoded, rows, strict=True)
        if each.event is not None
    )


def _refuse_conflicts(append: Append, snapshot: Snapshot) -> None:
    streams = snapshot.streams
    if append.learned is not None and snapshot.registers > append.learned:
        raise RulesChanged
    for pin in append.unchanged:
        if streams.get(pin.stream, (0, NO_LEAF))[0] != pin.version:
            raise RulesChanged
    for write in append.writes:
        version = streams.get(write.stream, (0, NO_LEAF))[0]
        if write.expected is not None and write.expected != version:
            raise StaleVersion(write.expected, version)
    for claim in append.claims:
        if snapshot.claims.get((claim.kind, claim.value), claim.stream) != claim.stream:
            raise CodeTaken(claim.value)


def _take_keys(new_keys: NewKeys, snapshot: Snapshot, judgement: Judgement) -> None:
    if any(stream in snapshot.streams for stream in new_keys.erasures()):
        raise RulesChanged
    snapshot.sealing.refuse_others(new_keys)
    keys, lookups = snapshot.sealing.take(new_keys)
    judgement.subject_keys += keys
    judgement.lookups += lookups


def _completed(append: Append, code: str | None, snapshot: Snapshot) -> Outcome:
    """Fill in what only the ledger knows."""
    outcome = append.outcome
    if append.writes:
        return Outcome(  # Twice as fast as `replace`, and this runs for every append.
            kind=outcome.kind,
            stream=outcome.stream,
            code=code or outcome.code,
            version=snapshot.streams[append.writes[0].stream][0],
            seq=snapshot.seq,
            position=snapshot.seq,
            due=outcome.due,
            problem=outcome.problem,
        )
    return outcome if outcome.position else replace(outcome, position=snapshot.seq)


def _issued(
    prepared: Prepared, snapshot: Snapshot, judgement: Judgement
) -> tuple[str | None, tuple[tuple[Encoded, ...], ...]]:
    scope = prepared.append.issue
    if scope is None or prepared.late is None:
        return None, prepared.encoded
    number = snapshot.serials.get(scope, 0) + 1
    while number in snapshot.given.get(scope, ()):
        number += 1
    snapshot.serials[scope] = number
    serial = Serial(scope, number)
    code = render(serial)
    stream = prepared.append.writes[0].stream
    name = canonical(code)
    snapshot.claims[DOSSIER_CODE, name] = stream
    judgement.claims.append(ClaimRow(DOSSIER_CODE, name, stream, serial, issued=True))
    first, *others = prepared.encoded
    return code, ((prepared.late(code), *first), *others)


def _claim(snapshot: Snapshot, judgement: Judgement, claim: Claim) -> None:
    if (claim.kind, claim.value) in snapshot.claims:
        return
    serial = parse(claim.value)
    snapshot.claims[claim.kind, claim.value] = claim.stream
    row = ClaimRow(claim.kind, claim.value, claim.stream, serial, issued=False)
    judgement.claims.append(row)
    if serial is not None:
        snapshot.given.setdefault(serial.scope, set()).add(serial.number)


def _write(
    snapshot: Snapshot, judgement: Judgement, stream: UUID, events: Sequence[Encoded]
) -> None:
    version, leaf = snapshot.streams.get(stream, (0, NO_LEAF))
    for event in events:
        version += 1
        snapshot.seq += 1
        leaf = leaf_hash(
            entry(
                snapshot.ledger_id,
                stream,
                version,
                leaf,
                event.topic,
                event.occurred_at,
                snapshot.recorded_at,
                event.data,
            )
        )
        judgement.events.append(
            EventRow(
                snapshot.seq,
                stream,
                version,
                event.topic,
                event.occurred_at,
                snapshot.recorded_at,
                event.data,
                leaf,
            )
        )
    snapshot.streams[stream] = version, leaf
    kind = category(events[0].topic)
    if kind != "dossier":
        snapshot.registers = snapshot.seq
    judgement.streams[stream] = kind, version, leaf
