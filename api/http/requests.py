"""What is read from a request: the services, who asks, what was sent, and from which position."""

import asyncio
import re
from hashlib import sha256
from time import monotonic
from typing import Any, cast
from urllib.parse import parse_qsl

import msgspec
from litestar import Request
from litestar.datastructures import State

from api.http.queries import Fresh, Pairs
from api.services import Services
from domain.errors import (
    Forbidden,
    InvalidRequest,
    KeyRequired,
    NotYet,
    Unauthorized,
    VersionRequired,
)
from domain.ledger.access import Action, Sender, authenticate

AnyRequest = Request[Any, Any, State]

_KEY = re.compile(r"[\x21-\x7e]{1,200}")
_VERSION = re.compile(r'(?:W/)?"(\d{1,9})"')
_MARGIN = 64
_LOOK_AGAIN = 0.05
_STALE_RULES = 0.5  # Seconds after which a revoked token is refused for sure.


def services_of(request: AnyRequest) -> Services:
    return cast("Services", request.app.state.services)


async def sender_of(request: AnyRequest, action: Action, *others: Action) -> Sender:
    """Return who asks, if one of the actions is theirs, or raise Unauthorized or Forbidden."""
    services = services_of(request)
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
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


def pairs_of(request: AnyRequest) -> Pairs:
    """Return the parameters after the ?, as they were sent."""
    text = request.scope["query_string"]
    return parse_qsl(text.decode("latin-1"), keep_blank_values=True) if text else ()


def key_of(request: AnyRequest) -> str | None:
    """Return the Idempotency-Key, or raise KeyRequired for what can be none."""
    key = request.headers.get("idempotency-key")
    if key is None:
        return None
    if _KEY.fullmatch(key) is None:
        raise KeyRequired
    return key


def version_of(request: AnyRequest) -> int:
    """Return the version in If-Match, or raise VersionRequired or InvalidRequest."""
    text = request.headers.get("if-match")
    if text is None:
        raise VersionRequired
    found = _VERSION.fullmatch(text.strip())
    if found is None:
        raise InvalidRequest('If-Match must be like "3".')
    return int(found[1])


async def body_of(request: AnyRequest) -> bytes:
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
