"""A small HTTP client for load: keep-alive connections, no more parsing than it needs."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import quantiles
from time import perf_counter
from typing import cast

Request = Callable[[int], bytes]


class Connection(asyncio.Protocol):
    """Sends one request at a time and waits for the whole answer."""

    def __init__(self) -> None:
        self._received = bytearray()
        self._answer: asyncio.Future[int] | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass of it.

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, separator, body = bytes(self._received).partition(b"\r\n\r\n")
        if not separator:
            return
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        if len(body) >= length and self._answer is not None:
            self._received.clear()
            self._answer.set_result(int(head[9:12]))

    async def ask(self, request: bytes) -> int:
        """Return the status of the answer."""
        if self._transport is None:
            raise ConnectionError
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


async def connections(host: str, port: int, count: int) -> list[Connection]:
    loop = asyncio.get_running_loop()
    made = [await loop.create_connection(Connection, host, port) for _ in range(count)]
    return [protocol for _, protocol in made]


@contextmanager
def closing_all(opened: list[Connection]) -> Iterator[list[Connection]]:
    try:
        yield opened
    finally:
        for each in opened:
            each.close()


async def at_full_speed(opened: list[Connection], requests: list[bytes], expected: int) -> float:
    """Send all, each connection one after the other; return requests a second."""
    waiting = iter(requests)

    async def one(connection: Connection) -> None:
        for request in waiting:
            status = await connection.ask(request)
            if status != expected:
                raise AssertionError(f"answered {status}, not {expected}")

    begin = perf_counter()
    await asyncio.gather(*(one(each) for each in opened))
    return len(requests) / (perf_counter() - begin)


async def at_a_rate(
    opened: list[Connection], requests: list[bytes], expected: int, per_second: float
) -> tuple[float, float]:
    """Send at fixed moments whatever the server does; return p50 and p99 in ms from the moment.

    A request whose moment has come while every connection is busy waits, and its wait counts.
    """
    free: asyncio.Queue[Connection] = asyncio.Queue()
    for each in opened:
        free.put_nowait(each)
    took: list[float] = []
    begin = perf_counter()

    async def one(place: int, request: bytes) -> None:
        due = begin + place / per_second
        await asyncio.sleep(max(0.0, due - perf_counter()))  # The schedule of the load itself.
        connection = await free.get()
        status = await connection.ask(request)
        free.put_nowait(connection)
        took.append(perf_counter() - due)
        if status != expected:
            raise AssertionError(f"answered {status}, not {expected}")

    await asyncio.gather(*(one(place, request) for place, request in enumerate(requests)))
    cuts = quantiles(took, n=100)
    return cuts[49] * 1000, cuts[98] * 1000


def post(path: str, body: bytes, headers: dict[str, str]) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: localhost"]
    said = {"Content-Type": "application/json", **headers}
    lines += [f"{name}: {value}" for name, value in said.items()]
    lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def get(path: str, headers: dict[str, str]) -> bytes:
    lines = [f"GET {path} HTTP/1.1", "Host: localhost"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"
