"""What the registers said at a position, on a real server: folded once, kept, never changed."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import uuid4

import pytest

from domain.envelope import Recorded
from domain.rules.register import RegisterEvent
from domain.rules.rule_book import RuleBook
from infra.event_feed import EventFeed
from infra.event_log import EventLog
from tests.conftest import OpenStore
from tests.examples import DESK, calendar_decided, registers, unit_registered
from tests.stores import Opened, appending, step

RENAMED = 8  # How often the desk got another name, each followed by a step of some dossier.


@pytest.fixture
async def opened(open_store: OpenStore) -> AsyncIterator[Opened]:
    """Give a ledger that holds the registers, then names of the desk between other events."""
    async with open_store() as process:
        for entry in (*registers(), calendar_decided()):
            await put(process, entry)
        for number in range(RENAMED):
            await put(process, replace(unit_registered(DESK), name=f"Name {number}"))
            await process.store.append(appending(step(uuid4())))
        yield process


async def put(process: Opened, entry: RegisterEvent) -> None:
    await process.store.append(appending(entry))
    await process.store.read()


def log_of(process: Opened) -> EventLog:
    return EventLog(process.pool, process.ledger_id)


async def test_a_book_of_any_position_is_the_fold_of_what_stood_there(opened: Opened) -> None:
    log = log_of(opened)
    head = await log.head()
    async with opened.pool.acquire() as connection:
        page = await EventFeed(log).page(connection, 0, head)
    events = [entry.restored() for entry in page]
    for position in (*range(head + 2), *reversed(range(head + 2))):
        fresh = RuleBook()
        fresh.learn(
            Recorded(each.seq, each.recorded_at, each.leaf, event)
            for each in events
            if each.seq <= position and isinstance(event := each.event, RegisterEvent)
        )
        assert await log.rules_at(position) == fresh
    assert (await log.rules_at(head)) == (await log.rules()) == opened.rules


async def test_positions_between_the_same_events_of_registers_share_a_book(opened: Opened) -> None:
    log = log_of(opened)
    head = await log.head()
    first, second = await log.rules_at(head - 1), await log.rules_at(head)
    assert first is second is await log.rules_at(head + 1_000)
    assert await log.rules_at(head - 2) is not first


async def test_those_who_ask_at_once_get_one_book(opened: Opened) -> None:
    log = log_of(opened)
    head = await log.head()
    books = await asyncio.gather(*(log.rules_at(head - place % 4) for place in range(40)))
    assert {book.units[DESK].unit.name for book in books} == {"Name 7", "Name 6"}
    assert len({id(book) for book in books}) == 2


async def test_a_book_that_was_given_stays_as_it_is(opened: Opened) -> None:
    log = log_of(opened)
    head = await log.head()
    former = await log.rules_at(head + 1)
    await put(opened, replace(unit_registered(DESK), name="Newest"))
    newer = await log.rules_at(head + 1)
    assert (former.units[DESK].unit.name, newer.units[DESK].unit.name) == ("Name 7", "Newest")
    assert former.position == head - 1
    assert await log.rules_at(head) is former


async def test_only_the_last_few_books_are_kept(opened: Opened) -> None:
    log = log_of(opened)
    head = await log.head()
    newest = await log.rules_at(head)
    for names_ago in (1, 2, 3):
        await log.rules_at(head - 2 * names_ago)
        assert await log.rules_at(head) is newest  # What is asked for again stays.
    others = [await log.rules_at(head - 2 * names_ago) for names_ago in (4, 5, 6, 7)]
    again = await log.rules_at(head)
    assert again is not newest
    assert again == newest
    assert await log.rules_at(head - 2 * 4) is not others[0]
