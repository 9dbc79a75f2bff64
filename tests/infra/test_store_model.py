"""Whatever is appended in whatever order, and whichever connections break: the ledger is whole.

A plain model predicts every answer, one append after the other. HOSO_LONG=1 looks much further.
"""

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import asyncpg
import orjson
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from domain.envelope import LedgerEvent, Pin
from domain.errors import CodeTaken, DomainError, KeyReused, RulesChanged, StaleVersion
from domain.ledger.appends import Answer, Append, Outcome, Question, Store
from infra.admission import EventRow
from infra.memory import MemoryStore
from tests.conftest import NewDatabase
from tests.door import Door, Slam, door_before
from tests.looking import LONG, examples
from tests.stores import (
    accepted,
    appending,
    assert_whole,
    claim,
    key,
    opened,
    rows,
    step,
    utc_now,
)

SETTINGS = settings(
    max_examples=examples(25, long=400),
    stateful_step_count=30 if LONG else 12,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
SCOPE = "H01-260302"
CODES = ["A-1", "A-2", f"{SCOPE}-0002", f"{SCOPE}-0005"]
TERMINATE = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
STREAMS = [uuid4() for _ in range(4)]
RULES = STREAMS[3]


@dataclass(frozen=True)
class Wish:
    """What Hypothesis asks for; it becomes an append when its place in the order is known."""

    streams: tuple[int, ...]
    events: int
    expected: int | None
    """How far the expected version lies from the true one; None: any version will do."""
    code: str | None
    issue: bool
    unchanged: int | None
    key: int | None
    content: bytes


WISHES = st.builds(
    Wish,
    streams=st.lists(st.integers(0, 3), min_size=1, max_size=2, unique=True).map(tuple),
    events=st.integers(1, 2),
    expected=st.sampled_from([0, 0, 0, None, -1, 1]),
    code=st.sampled_from([None, None, *CODES]),
    issue=st.booleans(),
    unchanged=st.sampled_from([None, None, 0, -1]),
    key=st.none() | st.integers(0, 4),
    content=st.sampled_from([b"one", b"one", b"other"]),
)


@dataclass
class Model:
    """What the ledger must hold by now."""

    versions: Counter[UUID] = field(default_factory=Counter)
    recorded: list[str] = field(default_factory=list)
    stored: dict[str, tuple[bytes, Outcome]] = field(default_factory=dict)
    claims: dict[str, UUID] = field(default_factory=dict)
    serial: int = 0

    def append_of(self, wish: Wish) -> Append:
        streams = [STREAMS[number] for number in wish.streams]
        events: list[LedgerEvent] = [step(stream) for stream in streams for _ in range(wish.events)]
        if wish.issue:
            events[0:1] = [accepted(streams[0])]
        # One expectation holds for all streams: with several it is often refused, as it should be.
        now = self.versions[streams[0]]
        expected = None if wish.expected is None else max(0, now + wish.expected)
        pin = Pin(stream=RULES, version=self.versions[RULES] + (wish.unchanged or 0))
        return appending(
            *events,
            expected=expected,
            claims=(claim(wish.code, streams[0]),) if wish.code else (),
            unchanged=() if wish.unchanged is None else (pin,),
            under=None if wish.key is None else key(str(wish.key), wish.content),
            issue=SCOPE if wish.issue else None,
        )

    def answer(self, append: Append) -> Answer | type[DomainError]:
        assert append.key is not None
        known = self.stored.get(append.key.key)
        if known is not None:
            same = known[0] == append.key.digest
            return Answer(known[1], repeated=True) if same else KeyReused
        refusal = self._refusal(append)
        if refusal is not None:
            return refusal
        outcome = self._recorded(append)
        self.stored[append.key.key] = append.key.digest, outcome
        return Answer(outcome, repeated=False)

    def _refusal(self, append: Append) -> type[DomainError] | None:
        if any(self.versions[pin.stream] != pin.version for pin in append.unchanged):
            return RulesChanged
        for write in append.writes:
            if write.expected not in (None, self.versions[write.stream]):
                return StaleVersion
        for each in append.claims:
            if self.claims.get(each.value, each.stream) != each.stream:
                return CodeTaken
        return None

    def _recorded(self, append: Append) -> Outcome:
        first = append.writes[0].stream
        code = None
        if append.issue:
            self.serial += 1
            while f"{append.issue}-{self.serial:04d}" in self.claims:
                self.serial += 1  # It came from elsewhere.
            code = f"{append.issue}-{self.serial:04d}"
            self.claims[code] = first
        for each in append.claims:
            self.claims[each.value] = each.stream
        for write in append.writes:
            self.versions[write.stream] += len(write.events)
            self.recorded += [event.meta.source_id for event in write.events]
        last = len(self.recorded)
        version = self.versions[first]
        return Outcome(
            kind="recorded", stream=first, code=code, version=version, seq=last, position=last
        )


def _agree(answer: Answer | BaseException, expected: Answer | type[DomainError]) -> bool:
    return answer == expected if isinstance(expected, Answer) else isinstance(answer, expected)


class StoreMachine(RuleBasedStateMachine):
    """Appends to a store and to the model of it, and compares."""

    store: Store
    ledger_id: UUID

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()
        self.sent: list[Append] = []
        self.stack = AsyncExitStack()
        self.runner = asyncio.Runner()
        self.runner.run(self.open())

    async def open(self) -> None:
        raise NotImplementedError

    async def rows(self) -> list[EventRow]:
        raise NotImplementedError

    def teardown(self) -> None:
        self.runner.run(self.stack.aclose())
        self.runner.close()

    async def break_connections(self) -> None:
        """Do what a store without connections need not fear."""

    def slam(self, how: Slam | None) -> None:
        """Lose the connection at the next COMMIT, if there is one."""

    def check(self, appends: list[Append], *, fault: bool = False, during: bool = False) -> None:
        """Send them at once; the answers must be those that they would get one by one.

        Whatever was refused beside a COMMIT that happened, but whose answer was lost, is judged
        again after it: it may get the answer that it would get if it were sent only then.
        """
        self.sent += appends
        predicted = [self.model.answer(append) for append in appends]
        sending = self._answers(appends, during=during)
        answers = self.runner.run(asyncio.wait_for(sending, 60))
        for append, answer, expected in zip(appends, answers, predicted, strict=True):
            if not _agree(answer, expected):
                assert fault or during, (answer, expected)
                assert not isinstance(expected, Answer), (answer, expected)
                assert _agree(answer, self.model.answer(append)), (answer, expected)

    async def _answers(
        self, appends: list[Append], *, during: bool
    ) -> list[Answer | BaseException]:
        tasks = [asyncio.ensure_future(self.store.append(append)) for append in appends]
        if during:
            await asyncio.sleep(0)  # Lets them queue, and the batch begin.
            await self.break_connections()
        return await asyncio.gather(*tasks, return_exceptions=True)

    @rule(wish=WISHES)
    def append(self, wish: Wish) -> None:
        self.check([self.model.append_of(wish)])

    @rule(wishes=st.lists(WISHES, min_size=2, max_size=8), during=st.booleans())
    def append_at_once(self, wishes: list[Wish], *, during: bool) -> None:
        """Expect the versions of before the batch, so that some of it conflicts."""
        self.check([self.model.append_of(wish) for wish in wishes], during=during)

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def retry(self, data: st.DataObject) -> None:
        self.check([data.draw(st.sampled_from(self.sent))])

    @rule()
    def lose_connections(self) -> None:
        self.runner.run(self.break_connections())

    @rule(how=st.sampled_from(Slam), wishes=st.lists(WISHES, min_size=1, max_size=3))
    def lose_the_commit(self, how: Slam, wishes: list[Wish]) -> None:
        self.slam(how)
        self.check([self.model.append_of(wish) for wish in wishes], fault=True)
        self.slam(None)

    @invariant()
    def everything_acknowledged_is_there_once_and_whole(self) -> None:
        stored = self.runner.run(self.rows())
        assert_whole(self.ledger_id, stored)
        names = [orjson.loads(row.data)["meta"]["source_id"] for row in stored]
        assert names == self.model.recorded

    @rule(code=st.sampled_from([*CODES, f"{SCOPE}-0001"]), stream=st.sampled_from(STREAMS))
    def read(self, code: str, stream: UUID) -> None:
        reading = self.runner.run(self.store.read(Question(stream=stream, name=code)))
        holder = self.model.claims.get(code)
        assert (reading.claimed, reading.stream) == (holder, holder or stream)
        assert reading.position == len(self.model.recorded)
        versions = [recorded.version for recorded in reading.events]
        assert versions == list(range(1, self.model.versions[holder or stream] + 1))


class MemoryMachine(StoreMachine):
    async def open(self) -> None:
        self.memory = MemoryStore(utc_now)
        self.store = self.memory
        self.ledger_id = self.memory.ledger_id

    async def rows(self) -> list[EventRow]:
        return self.memory.rows


class PostgresMachine(StoreMachine):
    def __init__(self, new_database: NewDatabase) -> None:
        self.database = new_database()
        self.url = self.database.__enter__()
        super().__init__()

    async def open(self) -> None:
        self.door: Door = await self.stack.enter_async_context(door_before(self.url))
        self.process = await self.stack.enter_async_context(opened(self.door.url))
        self.killer = await asyncpg.connect(self.url)
        self.stack.push_async_callback(self.killer.close)
        self.store = self.process.store
        self.ledger_id = self.process.ledger_id

    def teardown(self) -> None:
        super().teardown()
        self.database.__exit__(None, None, None)

    async def rows(self) -> list[EventRow]:
        return await rows(self.killer)

    async def break_connections(self) -> None:
        await self.killer.execute(TERMINATE)

    def slam(self, how: Slam | None) -> None:
        self.door.slam = how


def test_the_store_in_memory_answers_as_the_model_does() -> None:
    run_state_machine_as_test(MemoryMachine, settings=SETTINGS)


def test_the_store_on_postgresql_answers_as_the_model_does_whatever_breaks(
    new_database: NewDatabase,
) -> None:
    class Machine(PostgresMachine):
        def __init__(self) -> None:
            super().__init__(new_database)

    run_state_machine_as_test(Machine, settings=SETTINGS)
