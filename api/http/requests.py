"""What is read from a request: the services, who asks, what was sent, and from which position."""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from time import monotonic
from typing import Final
from urllib.parse import parse_qsl

import msgspec
from litestar.types import HTTPScope, Receive

from api.http.counting import Counts
from api.http.queries import Fresh, Pairs
from api.services import Services
from domain.errors import (
    Forbidden,
    InvalidRequest,
    KeyRequired,
    NotYet,
    TooLarge,
    Unauthorized,
    VersionRequired,
)
from domain.ledger.access import Action, Sender, authenticate

MAX_BODY: Final = 8 << 20

_KEY = re.compile(r"[\x21-\x7e]{1,200}")
_QUOTED = re.compile(r'"(.*)"')
_VERSION = re.compile(r'(?:W/)?"(\d{1,9})"')
_MARGIN = 64
_LOOK_AGAIN = 0.05
_STALE_RULES = 0.5  # Seconds after which a revoked token is refused for sure.


@dataclass(frozen=True, slots=True)
class Serving:
    """What the operations of a process work with."""

    services: Services
    counts: Counts


class Request:
    """What was sent, by whichever way it came in: its head, and its body, which is read once."""

    __slots__ = ("_headers", "_receive", "path_params", "scope", "serving")

    def __init__(
        self, scope: HTTPScope, receive: Receive, path_params: Mapping[str, str], serving: Serving
    ) -> None:
        self.scope = scope
        self.path_params = path_params
        self.serving = serving
        self._receive = receive
        self._headers = dict(reversed(list(scope["headers"])))  # Of each name the first.

    def header(self, name: bytes) -> str | None:
        """Return the first header of a name, which is in lower case."""
        value = self._headers.get(name)
        return None if value is None else value.decode("latin-1")

    def count(self, name: bytes) -> int:
        """Return how often a header was sent."""
        return sum(each == name for each, _ in self.scope["headers"])

    @property
    def client(self) -> str | None:
        """Return the address that asks."""
        client = self.scope["client"]
        return None if client is None else client[0]

    async def body(self) -> bytes:
        """Return the body. TooLarge for one of more than 8 MiB, as soon as that is known."""
        announced = self._headers.get(b"content-length")
        if announced is not None and int(announced) > MAX_BODY:  # The server has checked its form.
            raise TooLarge("8 MiB")
        parts: list[bytes] = []
        size = 0
        while True:
            message = await self._receive()
            if message["type"] != "http.request":
                raise InvalidRequest("The body did not come to its end.")
            parts.append(message["body"])
            size += len(message["body"])
            if size > MAX_BODY:
                raise TooLarge("8 MiB")
            if not message["more_body"]:
                return parts[0] if len(parts) == 1 else b"".join(parts)


async def sender_of(request: Request, action: Action, *others: Action) -> Sender:
    """Return who asks, if one of the actions is theirs, or raise Unauthorized or Forbidden."""
    services = request.serving.services
    scheme, _, token = (request.header(b"authorization") or "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthorized
    digest = sha256(token.strip().encode()).hexdigest()
    age = _STALE_RULES if digest in services.store.rules.tokens else 0
    await services.refresh_rules(age)
    sender = authenticate(services.store.rules, digest, services.now())
    _must(sender, action, others)
    return sender


def _must(sender: Sender, action: Action, others: tuple[Action, ...]) -> None:
    try:
        sender.must(action)
    except Forbidden:
        if not others:
            raise
        _must(sender, others[0], others[1:])


def pairs_of(request: Request) -> Pairs:
    """Return the parameters after the ?, as they were sent."""
    text = request.scope["query_string"]
    return parse_qsl(text.decode("latin-1"), keep_blank_values=True) if text else ()


def key_of(request: Request) -> str | None:
    """Return the Idempotency-Key, or raise KeyRequired for what can be none.

    It may stand in quotation marks, as the draft of its standard writes it.
    """
    key = request.header(b"idempotency-key")
    if key is None:
        return None
    if request.count(b"idempotency-key") > 1:
        raise InvalidRequest("Send one Idempotency-Key.")
    quoted = _QUOTED.fullmatch(key)
    key = key if quoted is None else quoted[1]
    if _KEY.fullmatch(key) is None:
        raise KeyRequired
    return key


def version_of(request: Request) -> int:
    """Return the version in If-Match, or raise VersionRequired or InvalidRequest."""
    text = request.header(b"if-match")
    if text is None:
        raise VersionRequired
    found = _VERSION.fullmatch(text.strip())
    if found is None:
        raise InvalidRequest('If-Match must be like "3".')
    return int(found[1])


async def body_of(request: Request) -> bytes:
    """Return the body. InvalidRequest for one that no decoder may meet: not UTF-8, or too deep."""
    body = await request.body()
    try:
        # Some levels deeper than it will be read, so that it is never too deep there.
        msgspec.json.decode(b"[" * _MARGIN + body + b"]" * _MARGIN)
    except msgspec.DecodeError:
        return body  # Whoever reads it by its type says better what is wrong.
    except UnicodeDecodeError as error:
        raise InvalidRequest("It is not UTF-8.") from error
    except RecursionError as error:
        raise InvalidRequest("It is nested too deeply.") from error
    return body


async def reached(services: Services, asked: Fresh, *, views: bool = False) -> None:
    """Wait for the position that is asked for, in the lists too if `views`, or raise NotYet."""
    position = asked.min_position
    if not position:
        return
    deadline = monotonic() + asked.wait
    while await services.log.head() < position:
        if monotonic() >= deadline:
            raise NotYet(position)
        await asyncio.sleep(_LOOK_AGAIN)
    left = max(0.0, deadline - monotonic())
    if views and not await services.views.reached(position, left):
        raise NotYet(position)
