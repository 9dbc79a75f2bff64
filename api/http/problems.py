"""Refusals as RFC 9457 problem details: one table, and no try/except elsewhere."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, ClassVar, Self

from litestar import Response
from litestar.exceptions import HTTPException
from msgspec import UNSET, Meta, UnsetType

from api.http.requests import AnyRequest
from api.showing.answers import Answer, PortalStatus, encoded
from api.showing.examples import PROBLEM
from api.showing.refusals import TITLES
from domain import errors as why
from domain.ledger import appends

_log = logging.getLogger(__name__)

STATUS: dict[str, HTTPStatus] = {
    why.InvalidRequest.code: HTTPStatus.BAD_REQUEST,
    why.KeyRequired.code: HTTPStatus.BAD_REQUEST,
    why.Unauthorized.code: HTTPStatus.UNAUTHORIZED,
    why.Forbidden.code: HTTPStatus.FORBIDDEN,
    why.NotFound.code: HTTPStatus.NOT_FOUND,
    why.IllegalTransition.code: HTTPStatus.CONFLICT,
    why.CodeTaken.code: HTTPStatus.CONFLICT,
    why.StaleVersion.code: HTTPStatus.PRECONDITION_FAILED,
    why.TooLarge.code: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    why.KeyReused.code: HTTPStatus.UNPROCESSABLE_ENTITY,
    why.UnknownProcedure.code: HTTPStatus.UNPROCESSABLE_ENTITY,
    why.UnknownUnit.code: HTTPStatus.UNPROCESSABLE_ENTITY,
    why.UnitEnded.code: HTTPStatus.UNPROCESSABLE_ENTITY,
    why.CalendarLacksYear.code: HTTPStatus.UNPROCESSABLE_ENTITY,
    why.CalendarContradicts.code: HTTPStatus.UNPROCESSABLE_ENTITY,
    why.TimeInFuture.code: HTTPStatus.UNPROCESSABLE_ENTITY,
    why.TimeWithoutOffset.code: HTTPStatus.UNPROCESSABLE_ENTITY,
    why.VersionRequired.code: HTTPStatus.PRECONDITION_REQUIRED,
    why.TooManyRequests.code: HTTPStatus.TOO_MANY_REQUESTS,
    why.RulesChanged.code: HTTPStatus.SERVICE_UNAVAILABLE,
    why.Busy.code: HTTPStatus.SERVICE_UNAVAILABLE,
    why.NotYet.code: HTTPStatus.SERVICE_UNAVAILABLE,
    "method-not-allowed": HTTPStatus.METHOD_NOT_ALLOWED,
    "internal-error": HTTPStatus.INTERNAL_SERVER_ERROR,
}

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER = "1"


class Problem(Answer, kw_only=True):
    """A refusal (RFC 9457). `status` is HTTP's; the dossier's own is `dossier_status`."""

    EXAMPLE: ClassVar[Mapping[str, object]] = PROBLEM

    type: str
    title: str
    status: Annotated[int, Meta(ge=400, le=599)]
    detail: str
    code: str
    dossier_status: PortalStatus | UnsetType | None = UNSET
    allowed: list[str] | UnsetType = UNSET

    @classmethod
    def of(cls, problem: appends.Problem) -> Self:
        illegal = problem.allowed is not None
        return cls(
            type=f"urn:hoso:problem:{problem.code}",
            title=TITLES[problem.code],
            status=int(STATUS[problem.code]),
            detail=problem.detail,
            code=problem.code,
            dossier_status=problem.status if illegal else UNSET,
            allowed=list(problem.allowed) if problem.allowed is not None else UNSET,
        )


def problem_response(problem: appends.Problem) -> Response[bytes]:
    status = STATUS[problem.code]
    headers = {}
    if status in (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS):
        headers["Retry-After"] = RETRY_AFTER
    if status is HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return Response(
        encoded(Problem.of(problem)),
        status_code=status,
        media_type=MEDIA_TYPE,
        headers=headers,
    )


def refused(_: AnyRequest, refusal: why.DomainError) -> Response[bytes]:
    return problem_response(appends.Problem.of(refusal))


def not_served(_: AnyRequest, error: HTTPException) -> Response[bytes]:
    """Answer what the framework refuses: unknown addresses, other methods, bodies too large."""
    if error.status_code == HTTPStatus.NOT_FOUND:
        return problem_response(appends.Problem.of(why.NotFound("such address")))
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        detail = "This address does not support the method."
        response = problem_response(appends.Problem(code="method-not-allowed", detail=detail))
        response.headers.update(error.headers or {})
        return response
    if error.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return problem_response(appends.Problem.of(why.TooLarge("8 MiB")))
    return problem_response(appends.Problem.of(why.InvalidRequest(error.detail)))


def away(_: AnyRequest, error: Exception) -> Response[bytes]:
    """Answer while the database is away: it comes back, and the same request may be sent again."""
    _log.warning("the database is away: %s", type(error).__name__)
    return problem_response(appends.Problem.of(why.Busy("The database is away.")))


def crashed(request: AnyRequest, error: Exception) -> Response[bytes]:
    """Answer a bug. It is logged once, here, with nothing of what was sent."""
    _log.error("%s %s failed", request.method, request.scope["path_template"], exc_info=error)
    detail = "The service failed; it is logged. Sending it again is safe."
    return problem_response(appends.Problem(code="internal-error", detail=detail))
