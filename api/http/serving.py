"""The server around the application: where it listens, and how it ends."""

import asyncio
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import uvicorn
from litestar.types import ASGIApp

BACKLOG: Final = 2048


@contextmanager
def told_to_end(tell: Callable[[int], object]) -> Iterator[None]:
    """Call `tell` with the number of a SIGTERM or SIGINT, in the loop; afterwards hear no SIGTERM.

    Supervisors ask again, and what closes must not be cut short; whoever cannot wait has SIGKILL.
    The loop's own handlers would leave a moment at its end in which a signal kills.
    """
    loop = asyncio.get_running_loop()

    def heard(number: int, _frame: object) -> None:
        loop.call_soon_threadsafe(tell, number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, heard)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.default_int_handler)


class Server(uvicorn.Server):
    """Says where it listens, on a line of its own, when it does; a signal only asks it to end."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        # uvicorn's own raises the signal again after serving, and would end us before we close.
        with told_to_end(lambda number: self.handle_exit(number, None)):
            yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if not self.should_exit and sockets:
            say_ready(sockets[0])


def say_ready(listening: socket.socket) -> None:
    host, port = listening.getsockname()[:2]
    print(f"ready http://{host}:{port}", flush=True)  # noqa: T201  # the contract


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens, on any free port for 0, shared with nobody by mistake."""
    return socket.create_server((host, port), reuse_port=False, backlog=BACKLOG)


async def answer_until_told(app: ASGIApp, listening: socket.socket) -> None:
    """Answer on a socket until SIGTERM or SIGINT; what was accepted is answered."""
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="warning",
        lifespan="off",
        timeout_graceful_shutdown=30,
        server_header=False,
        backlog=BACKLOG,
        proxy_headers=False,  # Nobody may state another's address.
    )
    with listening:
        await Server(config).serve([listening])
