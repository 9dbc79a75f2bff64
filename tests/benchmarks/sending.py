"""What measured loads send: next steps of open dossiers, batches of facts, and questions."""

import re
from collections import deque
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count, islice
from random import Random
from time import perf_counter
from typing import Final

import orjson

from streams.wire.cloudevents import CODE, PREFIX
from tests.benchmarks.client import post
from tests.benchmarks.lives import Life
from tests.benchmarks.province import SOURCE, Tokens

OPEN: Final = 2_000  # Dossiers in progress: nobody asks for the same one again soon.
_ID: Final = re.compile(rb'"id":"([0-9a-f-]{36})"')
_VERSION: Final = re.compile(rb'"version":(\d+)')
_POSITION: Final = re.compile(rb'"position":(\d+)')
_TELL_AT_ONCE: Final = (1, 2, 3, 4)
_AVERAGE: Final = 9  # Steps of a life, rather too few than too many.
_keys = count()
_codes = count(1)


class WrongAnswer(Exception):
    """An answer is not the one that a right request gets."""

    def __init__(self, status: bytes, body: bytes) -> None:
        super().__init__(f"It answered {status.decode()}: {body[:500].decode(errors='replace')}")


class _Open:
    """A dossier in progress: what was answered last, and what comes next."""

    __slots__ = ("dossier", "place", "requests", "stop", "token", "version")

    def __init__(self, life: Life, tokens: Tokens) -> None:
        self.requests = [
            (step.command.encode(), _body(step.said, step.officer, step.unit))
            for step in life.steps
        ]
        self.token = tokens.desks[life.commune.code].encode()
        self.place = self.stop = 0
        self.dossier = self.version = b""

    def request(self) -> bytes:
        command, body = self.requests[self.place]
        key = next(_keys)
        if self.place == 0:
            return b"POST /v1/dossiers HTTP/1.1\r\n" + _HEAD % (self.token, key, len(body), body)
        return b'POST /v1/dossiers/%b/%b HTTP/1.1\r\nIf-Match: "%b"\r\n' % (
            self.dossier,
            command,
            self.version,
        ) + _HEAD % (self.token, key, len(body), body)


_HEAD: Final = (
    b"Host: localhost\r\nAuthorization: Bearer %b\r\nContent-Type: application/json\r\n"
    b"Idempotency-Key: bench-%d\r\nContent-Length: %d\r\n\r\n%b"
)


def _body(said: object, officer: str, unit: str) -> bytes:
    assert isinstance(said, dict)
    return orjson.dumps({**said, "actor": officer, "acting_unit": unit})


class Desks:
    """Commands of many desks: each request is the next step of another open dossier.

    A dossier that ends gives its place to a new one. `position` is the highest that was answered.
    """

    def __init__(self, lives: Iterator[Life], tokens: Tokens, opened: int = OPEN) -> None:
        self._lives = lives
        self._tokens = tokens
        self._ready: deque[_Open] = deque()
        self._chance = Random(opened)
        self.waiting = deque(self._new() for _ in range(opened))
        self.position = 0

    def prepare(self, count: int) -> None:
        """Make so many commands in advance, so that it takes no time later."""
        missing = count // _AVERAGE - len(self._ready)
        made = islice(self._lives, max(0, missing))
        self._ready.extend(_Open(life, self._tokens) for life in made)

    def pretend(self) -> None:
        """Put the open dossiers somewhere in their lives, for a server that keeps none."""
        for each in self.waiting:
            each.place = self._chance.randrange(len(each.requests))
            each.dossier, each.version = b"019503e1-7c3a-7d52-9a51-3f0c5b7e2a10", b"%d" % each.place

    def ask(self) -> tuple[bytes, _Open] | None:
        about = self.waiting.popleft() if self.waiting else self._new()
        return about.request(), about

    def answered(self, about: _Open, status: bytes, body: bytes) -> None:
        self.learn(about, status, body)
        self.waiting.append(about if about.place < len(about.requests) else self._new())

    def learn(self, about: _Open, status: bytes, body: bytes) -> None:
        version, position = _VERSION.search(body), _POSITION.search(body)
        if status != b"201" or version is None or position is None:
            raise WrongAnswer(status, body)
        if about.place == 0:
            found = _ID.search(body)
            about.dossier = found[1] if found is not None else b""
        about.version = version[1]
        about.place += 1
        self.position = max(self.position, int(position[1]))

    def _new(self) -> _Open:
        return self._ready.popleft() if self._ready else _Open(next(self._lives), self._tokens)


class Begun:
    """Brings the open dossiers of desks somewhere in their lives, and ends."""

    def __init__(self, desks: Desks) -> None:
        self._desks = desks
        self._going: deque[_Open] = deque()
        chance = Random(1)
        waiting, desks.waiting = desks.waiting, deque()
        for each in waiting:
            each.stop = chance.randrange(len(each.requests))
            self._put(each)

    def ask(self) -> tuple[bytes, _Open] | None:
        if not self._going:
            return None
        about = self._going.popleft()
        return about.request(), about

    def answered(self, about: _Open, status: bytes, body: bytes) -> None:
        self._desks.learn(about, status, body)
        self._put(about)

    def _put(self, about: _Open) -> None:
        (self._going if about.place < about.stop else self._desks.waiting).append(about)


class Acceptances:
    """Nothing but new dossiers."""

    def __init__(self, lives: Iterator[Life], tokens: Tokens) -> None:
        self._lives = lives
        self._tokens = tokens
        self._ready: deque[_Open] = deque()

    def prepare(self, count: int) -> None:
        made = islice(self._lives, max(0, count - len(self._ready)))
        self._ready.extend(_Open(life, self._tokens) for life in made)

    def ask(self) -> tuple[bytes, None] | None:
        made = self._ready.popleft() if self._ready else _Open(next(self._lives), self._tokens)
        return made.request(), None

    def answered(self, about: None, status: bytes, body: bytes) -> None:
        del about
        if status != b"201":
            raise WrongAnswer(status, body)


def facts(life: Life) -> list[bytes]:
    """Return a life as its source tells it, weeks ago, under a code of its own."""
    number = next(_codes)
    at = datetime.now(UTC).replace(microsecond=0) - timedelta(days=45)
    at += timedelta(seconds=number * 7 % 2_000_000)
    subject = f"{CODE}{life.commune.code}-{at:%y%m%d}-{number:07d}"
    told = []
    for place, step in enumerate(life.steps):
        at += timedelta(seconds=round(step.after * 3_600))
        told.append(
            orjson.dumps(
                {
                    "specversion": "1.0",
                    "id": f"{number}/{place}",
                    "source": SOURCE,
                    "type": f"{PREFIX}{step.topic}",
                    "subject": subject,
                    "time": at.isoformat(),
                    "actor": step.officer,
                    "actingunit": step.unit,
                    "data": step.said,
                }
            )
        )
    return told


def interleaved(lives: Iterator[Life]) -> Iterator[bytes]:
    """Yield facts without end, as a source that tells of many dossiers writes them into a file."""
    chance = Random(OPEN)
    waiting = deque(facts(next(lives)) for _ in range(OPEN))
    while True:
        told = waiting.popleft()
        many = chance.choice(_TELL_AT_ONCE)
        yield from told[:many]
        waiting.append(told[many:] or facts(next(lives)))


class Source:
    """Batches of facts from a source that tells of many dossiers, each in its order.

    A dossier's next facts are sent when those before them are answered.
    """

    def __init__(self, lives: Iterator[Life], tokens: Tokens, size: int) -> None:
        self._lives = lives
        self._size = size
        self._chance = Random(size)
        self._head = (
            "Content-Type: application/cloudevents-batch+json\r\n"
            f"Authorization: Bearer {tokens.source}\r\n"
        )
        self._waiting = deque(facts(next(lives)) for _ in range(OPEN))
        self._ready: deque[list[bytes]] = deque()
        self.recorded = 0

    def prepare(self, count: int) -> None:
        missing = count // _AVERAGE - len(self._ready)
        self._ready.extend(facts(life) for life in islice(self._lives, max(0, missing)))

    def ask(self) -> tuple[bytes, list[list[bytes]]] | None:
        sent: list[bytes] = []
        left: list[list[bytes]] = []
        while len(sent) < self._size:
            told = self._waiting.popleft() if self._waiting else self._new()
            many = min(self._chance.choice(_TELL_AT_ONCE), self._size - len(sent))
            sent += told[:many]
            left.append(told[many:])
        return post("/v1/events", self._head, b"[" + b",".join(sent) + b"]"), left

    def answered(self, about: list[list[bytes]], status: bytes, body: bytes) -> None:
        if status != b"200" or body.count(b'"outcome":"recorded"') != self._size:
            raise WrongAnswer(status, body)
        self.recorded += self._size
        self._waiting.extend(told or self._new() for told in about)

    def _new(self) -> list[bytes]:
        return self._ready.popleft() if self._ready else facts(next(self._lives))


class Questions:
    """Requests that read; `took` are the seconds of each answer where one caller sends them."""

    def __init__(self, requests: Iterable[bytes]) -> None:
        self._requests = iter(requests)
        self.took: list[float] = []

    def prepare(self, count: int) -> None:
        """Do nothing: they are made."""

    def ask(self) -> tuple[bytes, float] | None:
        request = next(self._requests, None)
        return None if request is None else (request, perf_counter())

    def answered(self, about: float, status: bytes, body: bytes) -> None:
        self.took.append(perf_counter() - about)
        if status != b"200":
            raise WrongAnswer(status, body)
