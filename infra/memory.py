"""A ledger in memory, for fast tests: it keeps the promises of the real one, but no power cut."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, cast
from uuid import UUID, uuid4, uuid5

from domain.dossier.events import DossierEvent
from domain.envelope import LedgerEvent, Recorded, changed
from domain.errors import DomainError, TooLarge
from domain.ledger.aggregates import Aggregate
from domain.ledger.appends import (
    DOSSIER_CODE,
    THE_RULES,
    Answer,
    Append,
    Question,
    Reading,
    Stored,
)
from domain.personal import Personal
from domain.rules.codes import canonical
from domain.rules.register import RegisterEvent
from domain.rules.rule_book import RuleBook
from infra.admission import Encoded, EventRow, Prepared, Snapshot, judge
from infra.appender import LARGEST
from infra.codec import decode, encode, personal_places
from infra.sealing import place, seal, unseal

_KEY = sha256(b"a ledger in memory keeps no secret").digest()


class MemoryStore:
    """`domain.appends.Store` without a database. It reads back what it stored: bytes."""

    def __init__(self, now: Callable[[], datetime], rules: RuleBook | None = None) -> None:
        self.rules = rules or RuleBook()
        self.ledger_id = uuid4()
        self.rows: list[EventRow] = []
        self._now = now
        self._streams: dict[UUID, list[EventRow]] = {}
        self._state = Snapshot(
            ledger_id=self.ledger_id,
            seq=0,
            registers=0,
            recorded_at=datetime.fromtimestamp(0, UTC),
            streams={},
            keys={},
            claims={},
            serials={},
            given={},
        )

    def beside(self) -> "MemoryStore":
        """Return the store of another process on the same ledger, with a rule book of its own."""
        other = MemoryStore(self._now)
        other.ledger_id, other.rows = self.ledger_id, self.rows
        other._streams, other._state = self._streams, self._state
        return other

    async def read(self, asked: Question = THE_RULES) -> Reading:
        await asyncio.sleep(0)  # Others get their turn here, as they do in the real one.
        self._learn()
        claimed = self._holder(asked.name) if asked.name else None
        stream = claimed or asked.stream
        rows = self._streams.get(stream, []) if stream is not None and asked.events else []
        known = {key: self._state.keys[key] for key in asked.keys if key in self._state.keys}
        return Reading(
            stream=stream,
            claimed=claimed,
            dossier=Aggregate([cast("Recorded[DossierEvent]", _restored(row)) for row in rows]),
            stored={key: Stored(*each) for key, each in known.items()},
            position=self._state.seq,
        )

    async def recorded(self, seq: int) -> LedgerEvent:
        row = self.rows[seq - 1]
        event = _restored(row).event
        return self._each_value(event, self._opened)

    def _holder(self, name: str) -> UUID | None:
        return self._state.claims.get((DOSSIER_CODE, canonical(name)))

    def _learn(self) -> None:
        behind = self.rows[self.rules.position :]
        news = [_restored(row) for row in behind if not row.topic.startswith("dossier.")]
        self.rules.learn(cast("list[Recorded[RegisterEvent]]", news))

    async def append(self, append: Append) -> Answer:
        prepared = self._prepared(append)
        if prepared.size > LARGEST:
            raise TooLarge("8 MiB in one append")
        await asyncio.sleep(0)
        self._state.recorded_at = max(self._now(), self._state.recorded_at)
        judgement = judge([prepared], self._state)  # Overlays the state with what it accepts.
        for row in judgement.events:
            self.rows.append(row)
            self._streams.setdefault(row.stream_id, []).append(row)
        (answer,) = judgement.answers
        if isinstance(answer, DomainError):
            raise answer
        return answer

    async def append_in_order(self, appends: Sequence[Append]) -> Sequence[Answer | DomainError]:
        answers: list[Answer | DomainError] = []
        for append in appends:
            try:
                answers.append(await self.append(append))
            except DomainError as refused:
                return [*answers, refused]
        return answers

    def _prepared(self, append: Append) -> Prepared:
        sealed = [[self._sealed(event) for event in write.events] for write in append.writes]
        late = None
        if append.issue is not None:
            first = sealed[0].pop(0)

            def late(code: str) -> Encoded:
                return _encoded(changed(first, code=code))

        encoded = tuple(tuple(map(_encoded, events)) for events in sealed)
        return Prepared(append, encoded, sum(len(e.data) for es in encoded for e in es), late)

    def _sealed(self, event: LedgerEvent) -> LedgerEvent:
        return self._each_value(event, self._seal)

    def _each_value(
        self,
        event: LedgerEvent,
        change: Callable[[LedgerEvent, str, Personal[str]], Personal[str]],
    ) -> LedgerEvent:
        changes: dict[str, Any] = {}
        for name, inner in personal_places(event):
            holder = changes.get(name, getattr(event, name))
            value = holder if inner is None or holder is None else getattr(holder, inner)
            if value is not None:
                path = name if inner is None else f"{name}.{inner}"
                new = change(event, path, value)
                changes[name] = new if inner is None else replace(holder, **{inner: new})
        return replace(event, **changes)

    def _opened(self, event: LedgerEvent, path: str, value: Personal[str]) -> Personal[str]:
        where = place(self.ledger_id, event.originator_id, event.TOPIC, path)
        return Personal(unseal(value.sealed or b"", _KEY, where), value.subject, value.sealed)

    def _seal(self, event: LedgerEvent, path: str, value: Personal[str]) -> Personal[str]:
        where = place(self.ledger_id, event.originator_id, event.TOPIC, path)
        subject = uuid5(event.originator_id, path.partition(".")[0])
        return Personal(value.value, subject, seal(str(value.value), _KEY, where))


def _encoded(event: LedgerEvent) -> Encoded:
    return Encoded(event.TOPIC, event.timestamp, encode(event))


def _restored(row: EventRow) -> Recorded[LedgerEvent]:
    event = decode(row.topic, row.stream_id, row.version, row.occurred_at, row.data)
    return Recorded(row.seq, row.recorded_at, row.leaf, event)
