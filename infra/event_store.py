"""The ledger on PostgreSQL: reads for decisions, coalesced, and the way into the appender."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Final, cast
from uuid import UUID

import asyncpg

from domain.dossier.events import DossierEvent
from domain.envelope import LedgerEvent, Recorded, changed
from domain.errors import Busy, DomainError, InvalidRequest
from domain.ledger.aggregates import NOTHING, Settled
from domain.ledger.appends import (
    DOSSIER_CODE,
    THE_RULES,
    Answer,
    Append,
    KeyName,
    Outcome,
    Question,
    Reading,
    Stored,
)
from domain.rules.codes import canonical
from domain.rules.register import RegisterEvent, is_register
from domain.rules.rule_book import RuleBook
from infra.admission import Chain, Encoded, Prepared, outcome_of
from infra.appender import Appender, Lane
from infra.batching import Batcher
from infra.codec import encode
from infra.database import LOST, POISON, Connect
from infra.event_log import EVENTS, restored
from infra.keys import KeyRing, has_personal_values
from infra.new_keys import NewKeys
from infra.recollection import Known, Recollection

_TURN: Final = 100  # Events restored at once: some milliseconds.
_OF_REGISTERS: Final = f"{EVENTS} WHERE seq > $1 AND type NOT LIKE 'dossier.%' ORDER BY seq"
_LOOK: Final = """
WITH asked AS MATERIALIZED (
  SELECT place, claimed, events, coalesce(claimed, stream) AS stream_id,
    CASE coalesce(claimed, stream) WHEN known THEN version ELSE 0 END AS version
  FROM (
    -- Where it is joined instead, every claim there is may be compared with each name.
    SELECT q.*,
      (SELECT c.stream_id FROM ledger.claim c WHERE c.kind = $6 AND c.value = q.name) AS claimed
    FROM unnest($1::text[], $2::uuid[], $3::boolean[], $4::uuid[], $5::int[]) WITH ORDINALITY
      AS q (name, stream, events, known, version, place)
    OFFSET 0
  ) AS named
)
SELECT
  (SELECT max(seq) FROM ledger.event),
  (SELECT max(seq) FROM ledger.event WHERE type NOT LIKE 'dossier.%'),
  (SELECT array_agg(e)
     FROM (SELECT stream_id, min(version) FROM asked WHERE events GROUP BY stream_id)
       AS s (stream_id, known)
     JOIN ledger.event e ON e.stream_id = s.stream_id AND e.version > s.known),
  (SELECT array_agg((place, claimed)) FROM asked WHERE claimed IS NOT NULL),
  (SELECT array_agg((a.scope, a.key, a.digest, a.outcome))
     FROM unnest($7::text[], $8::text[]) AS known (scope, key)
     JOIN ledger.append a USING (scope, key))
"""


class PostgresStore:
    """`domain.appends.Store` on PostgreSQL. Concurrent reads share their queries."""

    def __init__(
        self,
        connect: Connect,
        appender: Appender,
        ledger_id: UUID,
        rules: RuleBook,
        lane: Lane = Lane.DESK,
    ) -> None:
        self.rules = rules
        self._lane = lane
        self.ledger_id = ledger_id
        self._connect = connect
        self._appender = appender
        self._connection: asyncpg.Connection | None = None
        self._reads = Batcher(self._look)
        self._recollection = Recollection()
        self._told: Callable[[], None] = lambda: None
        self._keys: KeyRing | None = None

    def tell(self, told: Callable[[], None]) -> None:
        """Call somebody after each append: there is news to read."""
        self._told = told

    def seal_with(self, keys: KeyRing) -> None:
        self._keys = keys

    async def close(self) -> None:
        await self._reads.close()
        if self._connection is not None:
            self._connection.terminate()

    async def read(self, asked: Question = THE_RULES) -> Reading:
        reading = await self._reads.ask(asked)
        if isinstance(reading, DomainError):
            raise reading
        return reading

    async def outcome(self, scope: str, key: str) -> Outcome | None:
        """Return what is stored under a key, whatever its content was."""
        reading = await self.read(Question(events=False, keys=((scope, key),)))
        stored = reading.stored.get((scope, key))
        return stored.outcome if stored is not None else None

    async def recorded(self, seq: int) -> LedgerEvent:
        try:
            row = await (await self._connected()).fetchrow(f"{EVENTS} WHERE seq = $1", seq)
            if row is None:
                raise LookupError(f"no event at {seq}")
            event = restored(row).event
            if self._keys is None or not has_personal_values(event):
                return event
            (opened,) = await self._keys.open(self.ledger_id, [event], clear=True)
        except LOST as error:
            raise Busy("The database is away.") from error
        return opened

    async def append(self, append: Append) -> Answer:
        learned = self.rules.position
        prepared, future = await self._submitted(append)
        answer = await future
        self._recollect(prepared, answer, learned)
        self._told()
        return answer

    async def append_in_order(self, appends: Sequence[Append]) -> Sequence[Answer | DomainError]:
        chain = Chain()
        learned = self.rules.position
        sent: list[Prepared] = []
        waiting: list[asyncio.Future[Answer]] = []
        refused: list[DomainError] = []
        for append in appends:
            try:
                prepared, future = await self._submitted(append, chain)
                sent.append(prepared)
                waiting.append(future)
            except DomainError as refusal:
                refused.append(refusal)
                break
        answers: list[Answer | DomainError] = []
        became = await asyncio.gather(*waiting, return_exceptions=True)
        for prepared, answer in zip(sent, became, strict=True):
            if isinstance(answer, BaseException) and not isinstance(answer, DomainError):
                raise answer
            answers.append(answer)
            if isinstance(answer, DomainError):
                break
            self._recollect(prepared, answer, learned)
        else:
            answers += refused
        self._told()
        return answers

    async def _submitted(
        self, append: Append, chain: Chain | None = None
    ) -> tuple[Prepared, asyncio.Future[Answer]]:
        prepared = await self._prepared(append, chain)
        try:
            future = self._appender.submit(prepared, self._lane)
        except DomainError:
            self._settle(prepared, is_recorded=False)
            raise
        if prepared.new_keys is not None:
            future.add_done_callback(lambda done: self._settle(prepared, is_recorded=_wrote(done)))
        return prepared, future

    def _settle(self, prepared: Prepared, *, is_recorded: bool) -> None:
        if self._keys is not None and prepared.new_keys is not None:
            self._keys.settle(prepared.new_keys, is_recorded=is_recorded)

    async def _prepared(self, append: Append, chain: Chain | None = None) -> Prepared:
        sealed, new_keys = await self._sealed(append)
        late = None
        if append.issue is not None:
            first = sealed[0].pop(0)

            def late(code: str) -> Encoded:
                return _encoded(changed(first, code=code))

        encoded = tuple(tuple(map(_encoded, events)) for events in sealed)
        size = sum(len(each.data) for events in encoded for each in events) + 500
        return Prepared(append, encoded, size, late, chain=chain, new_keys=new_keys)

    def _recollect(self, prepared: Prepared, answer: Answer, learned: int) -> None:
        """Remember what was recorded just now, where it need not be read to be known."""
        append, recorded = prepared.append, prepared.recorded
        if answer.repeated or len(append.writes) != 1 or is_register(append.writes[0].stream):
            return
        if len(recorded) != len(append.writes[0].events):
            return
        then = append.then
        if then is not None and append.issue is not None:
            then = copy(then)
            then.code = answer.outcome.code
        settled = Settled(then, learned) if then is not None else None
        events = cast("tuple[Recorded[DossierEvent], ...]", recorded)
        self._recollection.recorded(append.writes[0].stream, events, settled)

    async def _sealed(self, append: Append) -> tuple[list[list[LedgerEvent]], NewKeys | None]:
        if not any(has_personal_values(each) for write in append.writes for each in write.events):
            return [list(write.events) for write in append.writes], None
        if self._keys is None:
            raise RuntimeError("The store has no keys to seal with.")
        try:
            return await self._keys.seal(self.ledger_id, append.writes)
        except LOST as error:
            raise Busy("The database is away.") from error

    async def _look(self, questions: Sequence[Question]) -> list[Reading | DomainError]:
        for attempt in (1, 2):
            try:
                connection = await self._connected()
                return list(await self._looked(connection, questions))
            except LOST as error:
                self._drop()
                if attempt == 2:  # noqa: PLR2004  # the second attempt was on a new connection
                    raise Busy("The database is away.") from error
            except POISON:
                if len(questions) == 1:
                    return [InvalidRequest("The database cannot look for this.")]
                alone = [await self._look([question]) for question in questions]
                return [answer for (answer,) in alone]
        raise Busy

    async def _looked(
        self, connection: asyncpg.Connection, questions: Sequence[Question]
    ) -> Iterator[Reading]:
        """Answer in one statement, so as of one moment; no question is answered for another."""
        dossiers = [each for each in questions if each.name is not None or each.stream is not None]
        known = [self._recollection.of(each) for each in dossiers]
        keys = [key for question in questions for key in question.keys]
        (row,) = await connection.fetch(
            _LOOK,
            [None if each.name is None else canonical(each.name) for each in dossiers],
            [each.stream for each in dossiers],
            [each.events for each in dossiers],
            [None if each is None else each.stream for each in known],
            [0 if each is None else each.dossier.version for each in known],
            DOSSIER_CODE,
            [scope for scope, _ in keys],
            [key for _, key in keys],
        )
        position, registers, events, claimed, stored = row
        if (registers or 0) > self.rules.position:
            rows = await connection.fetch(_OF_REGISTERS, self.rules.position)
            self.rules.learn(cast("list[Recorded[RegisterEvent]]", [restored(r) for r in rows]))
        found = _Found(
            recollection=self._recollection,
            known=dict(zip(map(id, dossiers), known, strict=True)),
            position=position or 0,
            events=await _by_stream(events or ()),
            claimed={
                id(dossiers[place - 1]): UUID(bytes=stream.bytes) for place, stream in claimed or ()
            },
            stored={(s, k): Stored(digest, outcome_of(o)) for s, k, digest, o in stored or ()},
        )
        return map(found.reading, questions)

    async def _connected(self) -> asyncpg.Connection:
        if self._connection is None or self._connection.is_closed():
            self._connection = await self._connect()
        return self._connection

    def _drop(self) -> None:
        self._recollection.forget()  # Whatever comes back may be another ledger.
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None


def _wrote(done: asyncio.Future[Answer]) -> bool:
    """Say whether an append was written now, and not long ago under the same key."""
    return not done.cancelled() and done.exception() is None and not done.result().repeated


def _encoded(event: LedgerEvent) -> Encoded:
    as_read = event if not has_personal_values(event) else None
    return Encoded(event.TOPIC, event.timestamp, encode(event), as_read)


async def _by_stream(rows: Iterable[asyncpg.Record]) -> dict[UUID, list[Recorded[DossierEvent]]]:
    """Restore events; whoever shares the loop has turns meanwhile."""
    streams: dict[UUID, list[Recorded[DossierEvent]]] = {}
    for count, row in enumerate(rows, 1):
        if count % _TURN == 0:
            await asyncio.sleep(0)
        recorded = cast("Recorded[DossierEvent]", restored(row))
        streams.setdefault(recorded.event.originator_id, []).append(recorded)
    for events in streams.values():
        events.sort(key=lambda each: each.version)
    return streams


@dataclass(frozen=True, kw_only=True, slots=True)
class _Found:
    """What a statement found for all of its questions.

    `claimed` and what was `known` before are by their identity; `events` are at least all others.
    """

    recollection: Recollection
    known: Mapping[int, Known | None]
    position: int
    events: Mapping[UUID, Sequence[Recorded[DossierEvent]]]
    claimed: Mapping[int, UUID]
    stored: Mapping[KeyName, Stored]

    def reading(self, asked: Question) -> Reading:
        claimed = self.claimed.get(id(asked))
        stream = claimed or asked.stream
        dossier = NOTHING
        if stream is not None and asked.events:
            dossier = self.recollection.read(
                asked, stream, self.events.get(stream, ()), self.known.get(id(asked))
            )
        return Reading(
            stream=stream,
            claimed=claimed,
            dossier=dossier,
            stored={key: self.stored[key] for key in asked.keys if key in self.stored},
            position=self.position,
        )
