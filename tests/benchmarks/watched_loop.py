"""`hoso` on a loop that measures its callbacks: `python -m tests.benchmarks.watched_loop serve`.

When it ends, the longest ones since the first connection came lie in the file that LOOP_WATCH
names: milliseconds of processor without those of the garbage collector, and whose they were. The
loop is Python's own instead of uvloop's, which runs its callbacks out of sight; what they do is the
same.
"""

import asyncio
import gc
import json
import os
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from time import thread_time
from typing import Any, Final, TypeVar

import uvloop

from api.terminal.command_line import run

WATCH: Final = "LOOP_WATCH"
_ACCEPTED: Final = "BaseSelectorEventLoop._accept_connection"
T = TypeVar("T")


class _Watch:
    def __init__(self) -> None:
        self.longest: Counter[str] = Counter()  # Microseconds.
        self._collected = 0.0
        self._began = 0.0
        self._serves = False

    def collecting(self, phase: str, _: Mapping[str, int]) -> None:
        if phase == "start":
            self._began = thread_time()
        else:
            self._collected += thread_time() - self._began

    def measuring(self, original: Callable[[asyncio.Handle], None]) -> Callable[..., None]:
        def measured(handle: asyncio.Handle) -> None:
            name = _name_of(handle)
            if name == _ACCEPTED and not self._serves:
                self._serves = True
                self.longest.clear()
            begin, collected = thread_time(), self._collected
            original(handle)
            took = round(1e6 * (thread_time() - begin - (self._collected - collected)))
            self.longest[name] = max(self.longest[name], took)

        return measured


def _name_of(handle: asyncio.Handle) -> str:
    callback: Any = handle._callback  # type: ignore[attr-defined]  # noqa: SLF001  # no other way
    owner = getattr(callback, "__self__", None)
    if isinstance(owner, asyncio.Task):
        coroutine: Any = owner.get_coro()
        return str(getattr(coroutine, "__qualname__", coroutine))
    return str(getattr(callback, "__qualname__", type(callback).__qualname__))


def main() -> None:
    watch = _Watch()
    handles: Any = asyncio.Handle
    handles._run = watch.measuring(handles._run)  # noqa: SLF001  # no other way
    gc.callbacks.append(watch.collecting)

    def on_its_own_loop(work: Awaitable[T]) -> T:
        async def started() -> T:
            return await work

        try:
            return asyncio.run(started())
        finally:
            longest = {name: took / 1_000 for name, took in watch.longest.most_common(12)}
            Path(os.environ[WATCH]).write_text(json.dumps(longest), "utf-8")

    module: Any = uvloop
    module.run = on_its_own_loop
    run()


if __name__ == "__main__":
    main()
