"""The HTTP application, given everything it needs."""

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Final

from litestar import HttpMethod, Litestar
from litestar import Request as RoutedRequest
from litestar import Response as RoutedResponse
from litestar.enums import ScopeType
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler
from litestar.types import HTTPScope, Receive, Scope, Send

from api.http.counting import Counts
from api.http.declared import Operation
from api.http.openapi import operations
from api.http.problems import crashed, not_served, refused
from api.http.requests import Request, Serving
from api.http.responses import Response
from api.services import Services

_NAMED: Final = re.compile(r"\{(\w+)\}")
_USUAL_HOST: Final = re.compile(rb"[0-9A-Za-z.:\[\]-]*")
_Routed = RoutedRequest[Any, Any, Any]
_Handler = Callable[[_Routed], Awaitable[RoutedResponse[bytes]]]


class Application:
    """The ASGI application. What is sent by POST comes in directly, all else by the router.

    Desks send thousands of commands a second to few addresses, and the way through a router that
    can do everything costs as much as the rest of HTTP (ADR 16). Both ways end in the same
    operation; whatever is unusual about an address or a host takes the router's.
    """

    def __init__(self, services: Services, counts: Counts) -> None:
        self._serving = Serving(services, counts)
        self._posts = _Posts(each for each in operations() if each.method is HttpMethod.POST)
        self.router = Litestar(
            [
                HTTPRouteHandler(each.address, http_method=each.method)(self._routed(each))
                for each in operations()
            ],
            exception_handlers={HTTPException: _not_served, Exception: _crashed},
            request_max_body_size=None,  # Whoever reads a body refuses it.
            openapi_config=None,
            logging_config=None,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.HTTP and (found := self._posts.find(scope)) is not None:
            operation, named = found
            response = await self._answer(operation, scope, receive, named)
            await response.send(send)
        else:
            await self.router(scope, receive, send)

    async def _answer(
        self, operation: Operation, scope: HTTPScope, receive: Receive, named: Mapping[str, str]
    ) -> Response:
        try:
            return await operation.answer(Request(scope, receive, named, self._serving))
        except Exception as error:  # noqa: BLE001  # the edge of an operation: all is answered
            lost = self._serving.services.lost
            return refused(error, lost, f"{operation.method} {operation.path}")

    def _routed(self, operation: Operation) -> _Handler:
        async def handle(request: _Routed) -> RoutedResponse[bytes]:
            return _as_routed(
                await self._answer(operation, request.scope, request.receive, request.path_params)
            )

        return handle


class _Posts:
    """Finds the operation for an address of what is sent, where that is as usual."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._plain: dict[str, Operation] = {}
        self._around: dict[tuple[str, str], tuple[Operation, str]] = {}
        for each in operations:
            before, *name_and_after = _NAMED.split(each.path)
            if name_and_after:
                name, after = name_and_after
                self._around[before, after] = each, name
            else:
                self._plain[before] = each

    def find(self, scope: HTTPScope) -> tuple[Operation, Mapping[str, str]] | None:
        """Return the operation and what the address names; None: let the router look."""
        if scope["method"] != "POST" or b"%" in scope["raw_path"]:
            return None
        for name, value in scope["headers"]:
            if name == b"host" and _USUAL_HOST.fullmatch(value) is None:
                return None
        path = scope["path"]
        operation = self._plain.get(path)
        if operation is not None:
            return operation, {}
        most, _, last = path.rpartition("/")
        start, slash, named = most.rpartition("/")
        found = self._around.get((start + slash, "/" + last))
        if found is None or not named:
            return None
        operation, parameter = found
        return operation, {parameter: named}


def _as_routed(response: Response) -> RoutedResponse[bytes]:
    return RoutedResponse(
        response.content,
        status_code=response.status,
        media_type=response.media,
        headers=dict(response.headers),
    )


def _not_served(_: _Routed, error: HTTPException) -> RoutedResponse[bytes]:
    return _as_routed(not_served(error))


def _crashed(request: _Routed, error: Exception) -> RoutedResponse[bytes]:
    return _as_routed(crashed(error, f"{request.method}, on its way to an operation,"))
