"""A door before PostgreSQL's socket that can be slammed exactly at a COMMIT."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from enum import Enum, auto
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import parse_qs, quote, urlsplit

SOCKET = ".s.PGSQL.5432"


class Slam(Enum):
    BEFORE = auto()
    """The server never hears of the COMMIT."""
    DURING = auto()
    """The server hears of it; whether it has committed when we look again is a race."""
    AFTER = auto()
    """The server has committed and said so, but nobody heard it."""


class Door:
    """Passes on what asyncpg and PostgreSQL say; `slam` closes it once, at the next COMMIT."""

    def __init__(self, url: str, folder: Path) -> None:
        parts = urlsplit(url)
        self._behind = Path(parse_qs(parts.query)["host"][0]) / SOCKET
        self.path = folder / SOCKET
        self.url = parts._replace(query=f"host={quote(str(folder))}").geturl()
        self.slam: Slam | None = None
        self.slammed = 0
        self._guests: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def pass_through(self, here: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._guests[task] = back
        there, forth = await asyncio.open_unix_connection(str(self._behind))
        heard = asyncio.Event()  # Set: the answer that comes next is the one to keep from them.
        ways = (self._forth(here, forth, heard), self._back(there, back, heard))
        tasks = [asyncio.create_task(way) for way in ways]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in tasks:
                way.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for writer in (forth, back):
                writer.close()
            del self._guests[task]

    async def _forth(
        self, here: asyncio.StreamReader, forth: asyncio.StreamWriter, heard: asyncio.Event
    ) -> None:
        with suppress(OSError):
            while said := await here.read(1 << 16):
                slam = self.slam if b"COMMIT\0" in said else None
                if slam is not None:
                    self.slam = None
                    self.slammed += 1
                if slam is Slam.BEFORE:
                    return
                if slam is Slam.AFTER:
                    heard.set()
                forth.write(said)
                await forth.drain()
                if slam is Slam.DURING:
                    return

    async def _back(
        self, there: asyncio.StreamReader, back: asyncio.StreamWriter, heard: asyncio.Event
    ) -> None:
        with suppress(OSError):
            while said := await there.read(1 << 16):
                if heard.is_set():
                    return
                back.write(said)
                await back.drain()

    async def send_home(self) -> None:
        for back in self._guests.values():
            back.close()
        await asyncio.gather(*self._guests)


@asynccontextmanager
async def door_before(url: str) -> AsyncIterator[Door]:
    """Open a door before the server of a URL; `door.url` leads through it."""
    with TemporaryDirectory(prefix="door-", dir="/tmp") as folder:
        door = Door(url, Path(folder))
        server = await asyncio.start_unix_server(door.pass_through, door.path)
        try:
            yield door
        finally:
            server.close()
            await door.send_home()
