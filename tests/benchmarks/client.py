"""An HTTP client for load: kept-alive connections, and as little work for each answer as can be."""

import asyncio
import re
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, Final, Protocol, cast
from urllib.parse import urlsplit

_LENGTH: Final = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_EARLY: Final = 0.0005  # A timer of the loop is as exact as a millisecond.
_TICK: Final = 0.001


class Script(Protocol):
    """What is sent. `ask` returns a request and what it is about; None ends it."""

    def ask(self) -> tuple[bytes, Any] | None: ...
    def answered(self, about: Any, status: bytes, body: bytes) -> None:  # noqa: ANN401  # its own
        """Learn from an answer; raise what is wrong with it."""


@dataclass(slots=True)
class Waited:
    """How long requests of a fixed rate waited, in seconds, each from the moment it was due."""

    due: list[float] = field(default_factory=list)
    took: list[float] = field(default_factory=list)


class Caller(asyncio.Protocol):
    """Sends one request at a time and gives the whole answer to whoever sent it."""

    def __init__(self) -> None:
        self.answered: Callable[[Caller, bytes, bytes], None] | None = None
        self.broken: Callable[[Exception], None] | None = None
        self.send: Callable[[bytes], None] = _unconnected
        self.close: Callable[[], None] = lambda: None
        self._part = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        made = cast("asyncio.Transport", transport)  # uvloop's is no subclass of it.
        self.send, self.close = made.write, made.close

    def connection_lost(self, exc: Exception | None) -> None:
        if self.broken is not None:
            self.broken(exc or ConnectionResetError("The server closed a connection."))

    def data_received(self, data: bytes) -> None:
        if self._part:
            data = self._part + data
        end = data.find(b"\r\n\r\n") + 4
        length = _LENGTH.search(data, 0, end) if end > 3 else None
        if length is None or len(data) < end + int(length[1]):
            self._part = data
            return
        self._part = b""
        if self.answered is not None:
            self.answered(self, data[9:12], data[end:])


def _unconnected(_: bytes) -> None:
    raise ConnectionError("It is not connected.")


@asynccontextmanager
async def callers(address: str, count: int) -> AsyncIterator[list[Caller]]:
    """Connect so many callers to a server."""
    parts = urlsplit(address)
    host, port = parts.hostname or "127.0.0.1", parts.port or 80
    loop = asyncio.get_running_loop()
    opened = [(await loop.create_connection(Caller, host, port))[1] for _ in range(count)]
    try:
        yield opened
    finally:
        for each in opened:
            each.broken = None
            each.close()


class _Load:
    """Callers at work on a script, until all is answered or something went wrong."""

    def __init__(self, callers: Iterable[Caller], script: Script) -> None:
        self._script = script
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        for each in callers:
            each.answered = self._answered
            each.broken = self._failed

    def _failed(self, error: Exception) -> None:
        if not self.done.done():
            self.done.set_exception(error)

    def _answered(self, caller: Caller, status: bytes, body: bytes) -> None:
        try:
            self._learn(caller, status, body)
        except Exception as error:  # noqa: BLE001  # a callback's: whoever waits for the load raises it
            self._failed(error)

    def _learn(self, caller: Caller, status: bytes, body: bytes) -> None:
        raise NotImplementedError


class _Rush(_Load):
    def __init__(self, callers: list[Caller], script: Script, seconds: float | None) -> None:
        super().__init__(callers, script)
        self._until = perf_counter() + seconds if seconds is not None else float("inf")
        self._about: dict[Caller, object] = {}
        self._out = 0
        self.count = 0
        for each in callers:
            self._next(each)

    def _learn(self, caller: Caller, status: bytes, body: bytes) -> None:
        self._out -= 1
        self.count += 1
        self._script.answered(self._about[caller], status, body)
        self._next(caller)

    def _next(self, caller: Caller) -> None:
        asked = self._script.ask() if perf_counter() < self._until else None
        if asked is not None:
            self._out += 1
            request, self._about[caller] = asked
            caller.send(request)
        elif self._out == 0 and not self.done.done():
            self.done.set_result(None)


async def rush(
    opened: list[Caller], script: Script, seconds: float | None = None
) -> tuple[int, float]:
    """Let each caller send one request after the other; return how many, and the seconds.

    It ends with the script, or after so many seconds, when all is answered.
    """
    begin = perf_counter()
    load = _Rush(opened, script, seconds)
    await load.done
    return load.count, perf_counter() - begin


class _Paced(_Load):
    def __init__(
        self, callers: list[Caller], script: Script, per_second: float, going_on: Callable[[], bool]
    ) -> None:
        super().__init__(callers, script)
        self._loop = asyncio.get_running_loop()
        self._step = 1 / per_second
        self._going_on = going_on
        self._free = deque(callers)  # In turns: a connection that rests for long is closed.
        self._late: deque[float] = deque()
        self._about: dict[Caller, tuple[object, float]] = {}
        self._due = perf_counter()
        self.waited = Waited()
        self._tick()

    def _tick(self) -> None:
        try:
            going_on = self._going_on()
            now = perf_counter()
            while going_on and self._due <= now + _EARLY:
                # Sent early, it waits from then on; the schedule stays.
                self._late.append(min(self._due, now))
                self._due += self._step
            while self._late and self._free:
                self._start(self._free.popleft())
        except Exception as error:  # noqa: BLE001  # a callback's: whoever waits for the load raises it
            self._failed(error)
            return
        if going_on:
            self._loop.call_later(_TICK, self._tick)
        elif not self._late and not self._about and not self.done.done():
            self.done.set_result(None)
        else:
            self._loop.call_later(_TICK, self._tick)

    def _start(self, caller: Caller) -> None:
        due = self._late.popleft()
        asked = self._script.ask()
        if asked is None:
            raise RuntimeError("The script ended before the load.")
        request, about = asked
        self._about[caller] = about, due
        caller.send(request)

    def _learn(self, caller: Caller, status: bytes, body: bytes) -> None:
        about, due = self._about.pop(caller)
        self.waited.due.append(due)
        self.waited.took.append(perf_counter() - due)
        self._script.answered(about, status, body)
        if self._late:
            self._start(caller)
        else:
            self._free.append(caller)


async def paced(
    opened: list[Caller], script: Script, per_second: float, going_on: Callable[[], bool]
) -> Waited:
    """Send at fixed moments whatever the server does, while `going_on` says so.

    A request whose moment has come while every caller waits is late, and its wait counts.
    """
    load = _Paced(opened, script, per_second, going_on)
    await load.done
    return load.waited


def post(path: str, headers: str, body: bytes) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\n{headers}"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def get(path: str, token: str) -> bytes:
    authorization = f"Authorization: Bearer {token}\r\n" if token else ""
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{authorization}\r\n".encode()
