"""Background tasks, and how one ends for sure."""

import asyncio
from typing import Any


async def end(task: "asyncio.Task[Any] | None") -> None:
    """Cancel a task until it is done: once may not do, a driver's own time limit can swallow it."""
    while task is not None and not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=1)
