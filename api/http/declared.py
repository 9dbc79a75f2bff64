"""One operation, one object: what is asked and answered, read from a handler's annotations.

The application serves these objects and the description describes them: there is no second table.
Everything is worked out when a handler is declared; a request only runs through the result.
"""

import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from inspect import cleandoc
from types import UnionType
from typing import Annotated, Any, Final, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from litestar import HttpMethod

from api.http.queries import Fresh, Query, QueryReader
from api.http.replies import File, Media, Replied, Reply, Schema, response_of
from api.http.requests import Request, body_of, pairs_of, reached, sender_of
from api.http.responses import JSON, Response
from api.services import Services
from api.showing.answers import Answer
from domain import errors as why
from domain.ledger.access import Action, Sender

Problems = tuple[type[why.DomainError], ...]
Handler = Callable[..., Awaitable[Replied]]
H = TypeVar("H", bound=Handler)

_KIND: Final = re.compile(r":[a-z]+(?=\})")
_READING: Final[Problems] = (why.InvalidRequest, why.Unauthorized, why.NotYet, why.Busy)
_WRITING: Final[Problems] = (
    why.InvalidRequest,
    why.Unauthorized,
    why.Forbidden,
    why.KeyReused,
    why.UnknownProcedure,
    why.UnknownUnit,
    why.UnitEnded,
    why.CalendarContradicts,
    why.TimeWithoutOffset,
    why.CodeTaken,
    why.StaleVersion,
    why.RulesChanged,
    why.Busy,
)


REF: Final = "#/components/schemas/{name}"


def ref(name: str) -> Schema:
    """Return the reference to a schema of the description by its name."""
    return {"$ref": REF.format(name=name)}


@dataclass(frozen=True, slots=True)
class Visitor:
    """Whoever asks without a token."""

    services: Services
    request: Request


@dataclass(frozen=True, slots=True)
class Caller(Visitor):
    """Whoever asks by a token."""

    sender: Sender


@dataclass(frozen=True, kw_only=True, slots=True)
class Parameter:
    """A part of the path, or a header; `read` takes it from a request, or refuses it."""

    name: str
    where: str
    schema: Schema
    description: str
    example: str
    read: Callable[[Request], object]
    required: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Body:
    """What is sent; `read` makes of its bytes what the handler takes, or refuses it."""

    media: str = JSON
    schema: Schema
    example: object
    read: Callable[[bytes], object] = bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Answered:
    """One kind of answer: the type of its body, or the media type of one without a schema."""

    status: int
    body: type[Answer] | None = None
    media: str = JSON
    headers: Mapping[str, Schema] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Operation:
    """All that there is to know of an operation. `actions`: one of them must be the sender's."""

    method: HttpMethod
    address: str
    name: str
    text: str
    actions: tuple[Action, ...]
    problems: Problems
    query: QueryReader[Query] | None
    parameters: tuple[Parameter, ...]
    bodies: tuple[Body, ...]
    answers: tuple[Answered, ...]
    answer: Callable[[Request], Awaitable[Response]]

    @property
    def path(self) -> str:
        """Return the address as OpenAPI writes it."""
        return _KIND.sub("", self.address)


class Resource:
    """The operations about one thing, as one tag of the description."""

    def __init__(self, name: str, about: str) -> None:
        self.name = name
        self.about = about
        self._operations: list[Operation] = []

    def __iter__(self) -> Iterator[Operation]:
        return iter(self._operations)

    def reads(
        self,
        address: str,
        action: Action,
        *,
        method: HttpMethod = HttpMethod.GET,
        views: bool = False,
        problems: Problems = (),
    ) -> Callable[[H], H]:
        """Declare a read. It waits for the position asked for; with `views`, in the lists too."""
        allowed = (*_READING, *problems)
        return self._declare(_Plan(method, address, (action,), allowed, Fresh, views))

    def writes(
        self,
        address: str,
        *actions: Action,
        name: str | None = None,
        text: str | None = None,
        problems: Problems = (),
    ) -> Callable[[H], H]:
        """Declare a write. What is repeated is recorded once."""
        plan = _Plan(HttpMethod.POST, address, actions, (*_WRITING, *problems))
        return self._declare(plan, name, text)

    def is_open(self, address: str, *, problems: Problems = ()) -> Callable[[H], H]:
        """Declare what anybody may ask, without a token."""
        return self._declare(_Plan(HttpMethod.GET, address, (), problems, None))

    def _declare(
        self, plan: "_Plan", name: str | None = None, text: str | None = None
    ) -> Callable[[H], H]:
        def declare(handler: H) -> H:
            self._operations.append(_operation(plan, handler, name, text))
            return handler

        return declare


@dataclass(frozen=True, slots=True)
class _Plan:
    method: HttpMethod
    address: str
    actions: tuple[Action, ...]
    problems: Problems
    query: type[Query] | None = Query
    views: bool = False


@dataclass(slots=True)
class _Takes:
    """What a handler takes, by the names of its arguments."""

    query: type[Query] | None
    asked: str | None = None
    caller: str | None = None
    parameters: dict[str, Parameter] = field(default_factory=dict)
    body: str | None = None
    bodies: tuple[Body, ...] = ()


def _operation(plan: _Plan, handler: Handler, name: str | None, text: str | None) -> Operation:
    hints = get_type_hints(handler, include_extras=True)
    answers = tuple(_answers(hints.pop("return")))
    takes = _takes(hints, plan.query)
    query = QueryReader(takes.query) if takes.query is not None else None
    large: Problems = (why.TooLarge,) if takes.bodies else ()
    return Operation(
        method=plan.method,
        address=plan.address,
        name=name or handler.__name__.replace("_", "-"),
        text=cleandoc(text or handler.__doc__ or ""),
        actions=plan.actions,
        problems=(*plan.problems, *large),
        query=query,
        parameters=tuple(takes.parameters.values()),
        bodies=takes.bodies,
        answers=answers,
        answer=_endpoint(plan, handler, takes, query),
    )


def _takes(hints: Mapping[str, Any], query: type[Query] | None) -> _Takes:
    takes = _Takes(query)
    for name, hint in hints.items():
        said = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
        if isinstance(hint, type) and issubclass(hint, query or Query):
            takes.query, takes.asked = hint, name
        elif isinstance(hint, type) and issubclass(hint, Visitor):
            takes.caller = name
        elif said and isinstance(said[0], Parameter):
            takes.parameters[name] = said[0]
        elif said and isinstance(said[0], Body):
            takes.body, takes.bodies = name, said
        else:
            raise TypeError(f"{name}: {hint}")
    return takes


def _answers(hint: Any) -> Iterator[Answered]:  # noqa: ANN401  # an annotation
    """Yield what a return annotation says that a handler answers."""
    options = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    for option in options:
        origin, said = get_origin(option), get_args(option)
        if origin is Annotated and said[0] is File:
            names = (name for media in said[1:] for name in cast("Media", media).names)
            yield from (Answered(status=200, media=name) for name in names)
        elif isinstance(origin, type) and issubclass(origin, Reply):
            yield Answered(status=origin.STATUS, body=said[0], headers=origin.HEADERS)


def _endpoint(
    plan: _Plan, handler: Handler, takes: _Takes, query: QueryReader[Query] | None
) -> Callable[[Request], Awaitable[Response]]:
    """Return what is run for a request. Who asks comes before all but a slip in a name."""
    readers = [(name, each.read) for name, each in takes.parameters.items()]

    async def endpoint(request: Request) -> Response:
        pairs = pairs_of(request) if query is not None else ()
        if pairs and query is not None:
            query.refuse_unknown(pairs)
        caller = await _caller(request, plan.actions)
        taken = {name: read(request) for name, read in readers}
        asked = query.read(pairs) if query is not None else None
        if takes.body is not None:
            taken[takes.body] = takes.bodies[0].read(await body_of(request))
        if isinstance(asked, Fresh) and plan.query is Fresh:
            await reached(caller.services, asked, views=plan.views)
        if takes.caller is not None:
            taken[takes.caller] = caller
        if takes.asked is not None:
            taken[takes.asked] = asked
        return response_of(await handler(**taken))

    return endpoint


async def _caller(request: Request, actions: tuple[Action, ...]) -> Visitor:
    services = request.serving.services
    if not actions:
        return Visitor(services, request)
    return Caller(services, request, await sender_of(request, *actions))
