"""Many things at once, those of one key in their order, never more than fits into a fixed room."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final, Generic, TypeVar

T = TypeVar("T")

_ROOM: Final = 4 << 20
_LEAST: Final = 2 << 10  # What the smallest item takes: so at most 2,048 are held.


class InOrder(Generic[T]):
    """Works on items concurrently; an item waits for those of the same key that came before it.

    One caller puts. A failure of the work fails the task group, and so the caller.
    """

    def __init__(self, group: asyncio.TaskGroup, work: Callable[[T], Awaitable[None]]) -> None:
        self._group = group
        self._work = work
        self._lines: dict[str, deque[tuple[T, int]]] = {}
        self._taken = 0
        self._freed = asyncio.Event()

    async def put(self, key: str, item: T, size: int) -> None:
        """Take an item in; waits for room, though a large one gets in when it is alone."""
        size = max(size, _LEAST)
        while self._taken and self._taken + size > _ROOM:
            await self._next_freed()
        self._taken += size
        line = self._lines.get(key)
        if line is not None:
            line.append((item, size))
        else:
            self._lines[key] = line = deque([(item, size)])
            self._group.create_task(self._run(key, line))

    async def finished(self) -> None:
        """Wait until everything that was put is done."""
        while self._taken:
            await self._next_freed()

    async def _next_freed(self) -> None:
        self._freed.clear()
        await self._freed.wait()

    async def _run(self, key: str, line: deque[tuple[T, int]]) -> None:
        while line:
            item, size = line.popleft()
            await self._work(item)
            self._taken -= size
            self._freed.set()
        del self._lines[key]
