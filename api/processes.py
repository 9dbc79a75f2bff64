"""The processes that run until they are told to end: serving, by workers too, and projecting."""

import asyncio
import os
import socket
from collections.abc import Callable, Sequence

from api.collector import collect_seldom
from api.http.app import Application
from api.http.counting import Counts, shared_memory
from api.http.serving import answer_until_told, told_to_end
from api.http.workers import Workers
from api.main import Settings, opened, opened_database, timekeeper_of
from projections.hosting.runner import ALONE
from projections.tasks import end


async def serve(
    settings: Settings, listening: Callable[[], socket.socket], counts: Counts | None = None
) -> None:
    """Serve HTTP and keep the read models up until SIGTERM; what was accepted is answered.

    With `counts` it is one of several processes that count together.
    """
    async with opened(settings, "serve" if counts is None else "serve-worker") as process:
        counts = counts or Counts.alone()
        counting = asyncio.create_task(counts.keep_fresh(process.services.gauges), name="counts")
        runner = process.services.runner
        runner.start()
        clock = timekeeper_of(process)
        clock.start()
        collect_seldom()
        await answer_until_told(Application(process.services, counts), listening())
        await end(counting)
        await clock.close()
        await runner.close()


async def project(settings: Settings, ready: Callable[[], None]) -> None:
    """Keep the read models up, and do nothing else, until SIGTERM. Who serves leaves them to us."""
    told = asyncio.Event()
    with told_to_end(lambda _: told.set()):
        async with opened(settings, "project", manner=ALONE) as process:
            process.services.runner.start()
            collect_seldom()
            ready()
            await told.wait()
            await process.services.runner.close()


async def serve_by_workers(
    settings: Settings, listening: Callable[[], socket.socket], command: Sequence[str], count: int
) -> None:
    """Let processes of a command serve together until SIGTERM, each on the socket that they share.

    What is missing is made before they start, once, and what cannot be opened stops the start.
    """
    async with opened_database(settings, f"hoso serve {os.getpid()}") as database:
        async with opened(settings, "serve"):
            pass
        staying = asyncio.create_task(database.stay(), name="presence")
        try:
            with shared_memory() as memory:
                await Workers(command, count, listening(), memory).run()
        finally:
            await end(staying)
