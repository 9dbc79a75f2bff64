"""The server around the application: where it listens, and how it ends."""

import asyncio
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from litestar import Litestar


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
            host, port = sockets[0].getsockname()[:2]
            print(f"ready http://{host}:{port}", flush=True)  # noqa: T201  # the contract


async def answer_until_told(app: Litestar, host: str, port: int) -> None:
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
        proxy_headers=False,  # Nobody may state another's address.
    )
    with socket.create_server((host, port), reuse_port=False, backlog=2048) as listening:
        await Server(config).serve([listening])
