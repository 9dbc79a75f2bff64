"""Processes that answer on one socket: started, started again when one dies, ended together.

They inherit one listening socket. With a socket each (SO_REUSEPORT) a worker that dies would take
along the connections that queued at its own, and two services could share a port by mistake. The
balance is the same: libuv accepts one connection at a wake-up, so of 64 that stay open each of two
workers gets 24 to 40, as it does by the kernel's hash.
"""

import asyncio
import logging
import signal
import socket
from asyncio.subprocess import PIPE, Process
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from time import monotonic
from typing import BinaryIO, Final

from api.http.serving import say_ready, told_to_end

_log = logging.getLogger(__name__)

_SHORT_LIFE: Final = 10.0  # Seconds: whoever dies younger may die of what kills the next one too.
_FIRST_REST: Final = 0.25
_LONGEST_REST: Final = 30.0


class WorkerFailed(Exception):
    """A worker cannot start; what stands in its way it said itself, on standard error."""


def rest_before_another(short_lives: int) -> float:
    """Return how many seconds to wait after so many short lives in a row."""
    if short_lives == 0:
        return 0.0
    return min(_LONGEST_REST, _FIRST_REST * 2.0 ** min(short_lives - 1, 10))


class Workers:
    """Keeps `count` processes of a command, each with three arguments more.

    They are the descriptors of the socket and of the memory in which all count, and its own place
    there. A worker says by a line on standard output that it listens. It ends at SIGTERM, and at
    the end of its standard input: that is how it learns that we were killed.
    """

    def __init__(
        self, command: Sequence[str], count: int, listening: socket.socket, memory: BinaryIO
    ) -> None:
        self._command = command
        self._count = count
        self._listening = listening
        self._memory = memory
        self._living: set[Process] = set()
        self._missing = count  # Those that have not listened yet, not even once.
        self._ending = asyncio.Event()

    async def run(self) -> None:
        """Say `ready` when all listen; return when all have ended, asked by SIGTERM or SIGINT.

        Raises WorkerFailed where one ends by itself before all have listened once.
        """
        with told_to_end(lambda _: self._end()):
            keeping = [asyncio.create_task(self._keep(place)) for place in range(self._count)]
            await asyncio.wait(keeping, return_when=asyncio.FIRST_EXCEPTION)
            self._end()
            await asyncio.wait(keeping)
        for each in keeping:
            each.result()

    def _end(self) -> None:
        self._ending.set()
        self._listening.close()  # Before they end: nobody shall queue where none accepts any more.
        for process in self._living:
            _ask_to_end(process)

    async def _keep(self, place: int) -> None:
        """Have one worker run at all times."""
        short_lives = 0
        while not self._ending.is_set():
            began = monotonic()
            try:
                status = await self._one_life(place)
            except OSError as error:
                _log.error("no worker can be started: %s", error)
                status = 1
            if self._ending.is_set():
                return
            if self._missing and status > 0:
                raise WorkerFailed("A worker did not start; what stands in its way is said above.")
            short_lives = short_lives + 1 if monotonic() - began < _SHORT_LIFE else 0
            rest = rest_before_another(short_lives)
            _log.warning("a worker ended with status %d; another starts in %g s", status, rest)
            with suppress(TimeoutError):
                async with asyncio.timeout(rest):
                    await self._ending.wait()

    async def _one_life(self, place: int) -> int:
        """Return the exit status of one worker, negative if a signal ended it."""
        shared = self._listening.fileno(), self._memory.fileno()
        process = await asyncio.create_subprocess_exec(
            *self._command,
            *map(str, (*shared, place)),
            stdin=PIPE,
            stdout=PIPE,
            pass_fds=shared,
            start_new_session=True,  # Ctrl-C in our terminal is for us: we ask them to end.
        )
        self._living.add(process)
        try:
            if self._ending.is_set():
                _ask_to_end(process)
            if process.stdout is not None and await process.stdout.readline():
                self._listens()
            return await process.wait()
        finally:
            self._living.remove(process)

    def _listens(self) -> None:
        self._missing -= 1
        if self._missing == 0:
            say_ready(self._listening)


def _ask_to_end(process: Process) -> None:
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)


@contextmanager
def ending_with(supervisor: int) -> Iterator[None]:
    """Take the end of what a supervisor holds open, a descriptor, for its SIGTERM."""
    loop = asyncio.get_running_loop()

    def gone() -> None:
        loop.remove_reader(supervisor)
        signal.raise_signal(signal.SIGTERM)

    loop.add_reader(supervisor, gone)
    try:
        yield
    finally:
        loop.remove_reader(supervisor)
