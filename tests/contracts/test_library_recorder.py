"""Our ledger under the recorder tests of the `eventsourcing` library, as far as they apply.

The adapter is for these tests only: it appends through our appender, and selects raw bytes with
SQL of its own, since our readers decode events of the domain. What does not apply is not collected:

- `test_performance` and `test_concurrent_throughput` print rates and prove nothing about order.
- `optional_test_insert_subscribe`: our readers poll positions or follow the relay; nothing blocks.
- Tracking and process recorders: our projections keep their checkpoints beside their own rows.
- Infrastructure factories: ours are wired in one place, and take no settings by name.

Versions begin at 1 with us, and some of these tests begin at 0: such a stream is shifted by one.
"""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Thread
from typing import Never
from uuid import UUID

import asyncpg
import pytest
from eventsourcing.persistence import (
    AggregateRecorder,
    ApplicationRecorder,
    IntegrityError,
    Notification,
    StoredEvent,
)
from eventsourcing.tests import persistence as library

from domain.errors import StaleVersion
from domain.ledger.appends import Answer, Append, Outcome, Write
from infra.admission import Encoded, Prepared
from tests.stores import Opened, opened, utc_now

_OF_STREAM = (
    "SELECT stream_id, version, type, data FROM ledger.event"
    " WHERE stream_id = $1 AND version > $2 AND version <= $3"
    " ORDER BY CASE WHEN $4 THEN -version ELSE version END LIMIT $5"
)
_IN_ORDER = (
    "SELECT stream_id, version, type, data, seq FROM ledger.event WHERE seq >= $1 AND seq <= $2"
    " AND ($3::text[] = '{}' OR type = ANY($3)) ORDER BY seq LIMIT $4"
)


class OurRecorder(AggregateRecorder):
    """Inserts and selects by way of a ledger that runs on the event loop of another thread."""

    def __init__(self, ledger: Opened, loop: asyncio.AbstractEventLoop) -> None:
        self._ledger = ledger
        self._loop = loop
        self._began_at_zero: set[UUID] = set()

    def insert_events(
        self, stored_events: Sequence[StoredEvent], **_: object
    ) -> Sequence[int] | None:
        self._insert(stored_events)
        return None

    def _insert(self, events: Sequence[StoredEvent]) -> Sequence[int]:
        if not events:
            return []
        streams: dict[UUID, list[StoredEvent]] = {}
        for event in events:
            streams.setdefault(UUID(str(event.originator_id)), []).append(event)
        writes = tuple(
            Write(stream=stream, events=(), expected=self._expected(stream, found))
            for stream, found in streams.items()
        )
        encoded = tuple(
            tuple(Encoded(event.topic, utc_now(), event.state) for event in found)
            for found in streams.values()
        )
        append = Append(writes=writes, outcome=Outcome(kind="recorded"))
        prepared = Prepared(append, encoded, sum(len(event.state) for event in events))

        async def submitted() -> Answer:
            return await self._ledger.appender.submit(prepared)

        try:
            answer = asyncio.run_coroutine_threadsafe(submitted(), self._loop).result()
        except StaleVersion as error:
            raise IntegrityError from error
        last = answer.outcome.seq or 0
        return range(last - len(events) + 1, last + 1)

    def _expected(self, stream: UUID, events: Sequence[StoredEvent]) -> int:
        versions = [event.originator_version for event in events]
        if versions != list(range(versions[0], versions[0] + len(versions))):
            raise IntegrityError("Our ledger cannot even be asked for a hole or a repetition.")
        if versions[0] == 0:
            self._began_at_zero.add(stream)
        return versions[0] - 1 + self._shift(stream)

    def _shift(self, stream: UUID) -> int:
        return 1 if stream in self._began_at_zero else 0

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        shift = self._shift(UUID(str(originator_id)))
        rows = self._fetch(
            _OF_STREAM,
            originator_id,
            0 if gt is None else gt + shift,
            (1 << 31) - 1 if lte is None else lte + shift,
            desc,
            limit,
        )
        return [
            StoredEvent(UUID(str(stream)), version - shift, topic, data)
            for stream, version, topic, data in rows
        ]

    def _fetch(self, query: str, *values: object) -> list[asyncpg.Record]:
        fetched = self._ledger.pool.fetch(query, *values)
        return asyncio.run_coroutine_threadsafe(fetched, self._loop).result()


class OurApplicationRecorder(OurRecorder, ApplicationRecorder):
    """Our seq is the library's notification id."""

    def insert_events(
        self, stored_events: Sequence[StoredEvent], **_: object
    ) -> Sequence[int] | None:
        return list(self._insert(stored_events))

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        first = 1 if start is None else start if inclusive_of_start else start + 1
        rows = self._fetch(
            _IN_ORDER,
            first,
            (1 << 63) - 1 if stop is None else stop,
            list(topics),
            limit,
        )
        return [
            Notification(UUID(str(stream)), version - self._shift(stream), topic, data, seq)
            for stream, version, topic, data, seq in rows
        ]

    def max_notification_id(self) -> int | None:
        (row,) = self._fetch("SELECT max(seq) FROM ledger.event")
        last: int | None = row[0]
        return last

    def subscribe(self, gt: int | None = None, topics: Sequence[str] = ()) -> Never:
        raise NotImplementedError


@contextmanager
def served(url: str) -> Iterator[tuple[Opened, asyncio.AbstractEventLoop]]:
    """Run a ledger on the event loop of a thread of its own, for callers that block."""
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever)
    thread.start()
    ledger = opened(url)
    try:
        yield asyncio.run_coroutine_threadsafe(ledger.__aenter__(), loop).result(), loop
    finally:
        asyncio.run_coroutine_threadsafe(ledger.__aexit__(None, None, None), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


class OnOurLedger:
    """Gives each test of a library's test case a ledger of its own."""

    ledger: Opened
    loop: asyncio.AbstractEventLoop

    @pytest.fixture(autouse=True)
    def _served(self, database_url: str) -> Iterator[None]:
        with served(database_url) as (self.ledger, self.loop):
            yield


class TestAggregateRecorder(OnOurLedger, library.AggregateRecorderTestCase):
    test_performance: None = None  # type: ignore[assignment]  # not collected, see above

    def create_recorder(self) -> AggregateRecorder:
        return OurRecorder(self.ledger, self.loop)


class TestApplicationRecorder(OnOurLedger, library.ApplicationRecorderTestCase):
    test_performance: None = None  # type: ignore[assignment]  # not collected, see above
    test_concurrent_throughput: None = None  # type: ignore[assignment]  # not collected, see above

    def create_recorder(self) -> ApplicationRecorder:
        return OurApplicationRecorder(self.ledger, self.loop)


class TestNonInterleavingNotificationIDs(
    OnOurLedger, library.NonInterleavingNotificationIDsBaseCase
):
    def create_recorder(self) -> ApplicationRecorder:
        return OurApplicationRecorder(self.ledger, self.loop)
