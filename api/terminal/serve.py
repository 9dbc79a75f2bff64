"""`hoso serve`: the ledger over HTTP, in one process or in several."""

import os
import sys
from collections.abc import Callable
from functools import partial
from socket import socket
from typing import Final

import rich_click as click

from api import main, processes
from api.http.counting import MOST_PROCESSES, Counts
from api.http.serving import listen
from api.http.workers import ending_with
from api.terminal.console import carry_out

_PROGRAM: Final = "from api.terminal.command_line import run; run()"
# -P: a folder `api` where somebody stands is no part of the program.
_WORKER: Final = (sys.executable, "-P", "-c", _PROGRAM, "serve-worker")


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    default=8080,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="0: any free one.",
)
@click.option(
    "--workers",
    default=1,
    show_default=True,
    type=click.IntRange(1, MOST_PROCESSES),
    help="Processes that share the port.",
)
def serve(host: str, port: int, workers: int) -> None:
    """Answer over HTTP and keep the read models up, until SIGTERM.

    Prints `ready http://HOST:PORT` when it listens. Every other command works beside it.
    With `--workers` more processes than one answer; one that dies is started again.

    Example: `hoso serve --port 8080 --workers 2`
    """
    settings, listening = main.read_settings(), partial(listen, host, port)
    if workers == 1:
        carry_out(lambda: processes.serve(settings, listening))
    else:
        carry_out(lambda: processes.serve_by_workers(settings, listening, _WORKER, workers))


@click.command(hidden=True)
@click.argument("listening", type=click.IntRange(0))
@click.argument("memory", type=click.IntRange(0))
@click.argument("place", type=click.IntRange(0, MOST_PROCESSES - 1))
def serve_worker(listening: int, memory: int, place: int) -> None:
    """Answer on a socket of `hoso serve`, which starts this, as long as it runs."""
    with os.fdopen(memory, "r+b") as shared:
        counts = Counts(shared, place)
    shared_socket = partial(socket, fileno=listening)
    carry_out(lambda: _serve_beside(main.read_settings(), shared_socket, counts))


async def _serve_beside(
    settings: main.Settings, listening: Callable[[], socket], counts: Counts
) -> None:
    with ending_with(sys.stdin.fileno()):
        await processes.serve(settings, listening, counts)
