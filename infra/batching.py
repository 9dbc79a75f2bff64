"""Group commit in general: what queued while the last batch ran is the next batch. No timer."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Q = TypeVar("Q")
A = TypeVar("A")


class Batcher(Generic[Q, A]):
    """Answer many concurrent questions by few calls of `handle`.

    `handle` gets up to `limit` questions and returns as many answers, in their order; if it raises,
    every question of that batch raises the same.
    """

    def __init__(
        self, handle: Callable[[Sequence[Q]], Awaitable[Sequence[A]]], limit: int = 200
    ) -> None:
        self._handle = handle
        self._limit = limit
        self._waiting: deque[tuple[Q, asyncio.Future[A]]] = deque()
        self._running: asyncio.Task[None] | None = None

    async def ask(self, question: Q) -> A:
        future: asyncio.Future[A] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, future))
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._run())
        return await future

    async def close(self) -> None:
        if self._running is not None:
            await asyncio.wait([self._running])

    async def _run(self) -> None:
        while self._waiting:
            count = min(self._limit, len(self._waiting))
            batch = [self._waiting.popleft() for _ in range(count)]
            asked = [(question, future) for question, future in batch if not future.done()]
            if not asked:
                continue
            try:
                answers = await self._handle([question for question, _ in asked])
            except Exception as error:  # noqa: BLE001  # handed to the callers, every one of them
                for _, future in asked:
                    if not future.done():
                        future.set_exception(error)
            else:
                for (_, future), answer in zip(asked, answers, strict=True):
                    if not future.done():
                        future.set_result(answer)
