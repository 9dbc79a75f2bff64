"""What every endpoint reads from a request: the services, who asks, and from which position."""

import asyncio
import re
from datetime import datetime
from hashlib import sha256
from time import monotonic
from typing import Any, cast

import msgspec
import orjson
from litestar import Request, Response
from litestar.datastructures import State

from api.services import Services
from domain.errors import (
    InvalidRequest,
    KeyRequired,
    NotYet,
    Unauthorized,
    VersionRequired,
)
from domain.ledger.access import Action, Sender, authenticate
from streams.wire.inputs import moment

AnyRequest = Request[Any, Any, State]

_KEY = re.compile(r"[\x21-\x7e]{1,200}")
_VERSION = re.compile(r'(?:W/)?"(\d{1,9})"')
_MARGIN = 64
_LOOK_AGAIN = 0.05
_STALE_RULES = 0.5  # Seconds after which a revoked token is refused for sure.
_LONGEST_WAIT = 30
FRESH = ("min_position", "wait")  # What every read knows.


def services_of(request: AnyRequest) -> Services:
    return cast("Services", request.app.state.services)


async def sender_of(request: AnyRequest, action: Action) -> Sender:
    """Return who asks, or raise Unauthorized or Forbidden."""
    services = services_of(request)
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthorized
    digest = sha256(token.strip().encode()).hexdigest()
    age = _STALE_RULES if digest in services.store.rules.tokens else 0
    await services.refresh_rules(age)
    sender = authenticate(services.store.rules, digest, services.now())
    sender.must(action)
    return sender


def key_of(request: AnyRequest) -> str | None:
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


def number(request: AnyRequest, name: str, default: int, low: int, high: int) -> int:
    """Return a whole number of the query, or raise InvalidRequest."""
    text = single(request, name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit()) or not low <= int(text[:19]) <= high:
        raise InvalidRequest(f"{name} must be a whole number from {low} to {high}.")
    return int(text)


def single(request: AnyRequest, name: str) -> str | None:
    """Return the one value of a parameter; more than one is no request that can be answered."""
    values = request.query_params.getall(name, [])
    if len(values) > 1:
        raise InvalidRequest(f"{name} may be given once.")
    if values and (not values[0] or "\0" in values[0]):
        raise InvalidRequest(f"{name} must have a value, without U+0000.")
    return values[0] if values else None


def flag(request: AnyRequest, name: str) -> bool:
    text = single(request, name)
    if text not in (None, "true", "false"):
        raise InvalidRequest(f"{name} must be true or false.")
    return text == "true"


def instant(request: AnyRequest, name: str) -> datetime | None:
    text = single(request, name)
    return moment(text, name) if text is not None else None


def known(request: AnyRequest, *names: str) -> None:
    """Refuse parameters that the endpoint does not know: a slip must not widen an answer."""
    unknown = set(request.query_params).difference(names)
    if unknown:
        raise InvalidRequest(f"There is no parameter {min(unknown)[:40]!a} here.")


async def at_least(request: AnyRequest, *, views: bool) -> None:
    """Wait for the position that the caller asks for, or raise NotYet."""
    position = number(request, "min_position", 0, 0, 2**62)
    wait = number(request, "wait", 5, 0, _LONGEST_WAIT)
    services = services_of(request)
    deadline = monotonic() + wait
    while position and await services.log.head() < position:
        if monotonic() >= deadline:
            raise NotYet(position)
        await asyncio.sleep(_LOOK_AGAIN)
    left = max(0.0, deadline - monotonic())
    if views and position and not await services.runner.reached(position, left):
        raise NotYet(position)


def answer(
    body: object, *, status: int = 200, headers: dict[str, str] | None = None
) -> Response[bytes]:
    return Response(
        orjson.dumps(body, option=orjson.OPT_UTC_Z),
        status_code=status,
        media_type="application/json",
        headers=headers,
    )
