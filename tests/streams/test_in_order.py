"""Many things at once, in the order of each key, in a fixed room; and the count of dossiers."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.importing.in_order import InOrder


@given(st.lists(st.tuples(st.sampled_from("abcde"), st.integers(0, 3), st.integers(0, 3 << 20))))
def test_items_of_a_key_are_done_in_their_order(items: list[tuple[str, int, int]]) -> None:
    done: dict[str, list[int]] = {}

    async def work(item: tuple[str, int, int]) -> None:
        key, turns, place = item
        for _ in range(turns):
            await asyncio.sleep(0)
        done.setdefault(key, []).append(place)

    async def run() -> None:
        async with asyncio.TaskGroup() as group:
            lines = InOrder(group, work)
            for place, (key, turns, size) in enumerate(items):
                await lines.put(key, (key, turns, place), size)
            await lines.finished()
            assert sum(map(len, done.values())) == len(items)

    asyncio.run(run())
    assert all(places == sorted(places) for places in done.values())


async def test_no_more_is_held_than_fits() -> None:
    gate, started = asyncio.Event(), list[int]()

    async def work(item: int) -> None:
        started.append(item)
        await gate.wait()

    async with asyncio.TaskGroup() as group:
        lines = InOrder(group, work)
        for place in range(4):
            await lines.put(str(place), place, 1 << 20)
        fifth = group.create_task(lines.put("4", 4, 1))
        await asyncio.sleep(0)
        assert not fifth.done()
        gate.set()
    assert started == [0, 1, 2, 3, 4]


async def test_a_failure_of_the_work_reaches_the_caller() -> None:
    async def work(item: int) -> None:
        raise ValueError(item)

    async def run() -> None:
        async with asyncio.TaskGroup() as group:
            lines = InOrder(group, work)
            await lines.put("a", 1, 1)
            await lines.finished()

    with pytest.raises(ExceptionGroup) as raised:
        await run()
    assert raised.group_contains(ValueError)
