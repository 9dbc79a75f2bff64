"""What a handler returns: a body with its status and headers, by which it is also described."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Final, Generic, TypeVar

from api.http.problems import problem_response
from api.http.responses import Response
from api.showing.answers import Answer, encoded
from domain.ledger import appends

Schema = Mapping[str, object]
T_co = TypeVar("T_co", bound=Answer, covariant=True)

_POSITION: Final[Mapping[str, Schema]] = {
    "Hoso-Position": {"type": "string", "pattern": "^[0-9]+$"}
}
_VERSION: Final[Mapping[str, Schema]] = {"ETag": {"type": "string", "pattern": '^"[0-9]+"$'}}


@dataclass(frozen=True)
class Reply(Generic[T_co]):
    """An answer and no more."""

    STATUS: ClassVar[int] = 200
    HEADERS: ClassVar[Mapping[str, Schema]] = {}

    body: T_co

    def headers(self) -> dict[str, str]:
        return {}


@dataclass(frozen=True)
class At(Reply[T_co]):
    """An answer as of a position of the ledger."""

    HEADERS: ClassVar[Mapping[str, Schema]] = _POSITION

    position: int

    def headers(self) -> dict[str, str]:
        return {"Hoso-Position": str(self.position)}


@dataclass(frozen=True)
class Versioned(At[T_co]):
    """The answer of one version of something, as of a position."""

    HEADERS: ClassVar[Mapping[str, Schema]] = {**_VERSION, **_POSITION}

    version: int

    def headers(self) -> dict[str, str]:
        return {"ETag": f'"{self.version}"', "Hoso-Position": str(self.position)}


@dataclass(frozen=True)
class Created(Reply[T_co]):
    """What was recorded just now."""

    STATUS: ClassVar[int] = 201


@dataclass(frozen=True)
class Carried(Created[T_co]):
    """What a command did, and the version that it made."""

    HEADERS: ClassVar[Mapping[str, Schema]] = _VERSION

    version: int | None

    def headers(self) -> dict[str, str]:
        return {"ETag": f'"{self.version}"'}


@dataclass(frozen=True)
class File:
    """Bytes that have no schema."""

    STATUS: ClassVar[int] = 200

    content: bytes
    media: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Media:
    """The media types that a file may have: `Annotated[File, Media("text/css")]`."""

    names: tuple[str, ...]


Replied = Reply[Answer] | File | appends.Problem
"""A problem is a refusal that was stored, answered as it was the first time."""


def response_of(reply: Replied) -> Response:
    if isinstance(reply, Reply):
        content = encoded(reply.body)
        return Response(status=reply.STATUS, content=content, headers=reply.headers())
    if isinstance(reply, File):
        return Response(
            status=File.STATUS, content=reply.content, media=reply.media, headers=reply.headers
        )
    return problem_response(reply)
