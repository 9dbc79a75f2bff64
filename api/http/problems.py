"""Refusals as RFC 9457 problem details: one table, and no try/except elsewhere."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Annotated, ClassVar, Self
from uuid import UUID

from litestar.exceptions import HTTPException
from msgspec import UNSET, Meta, Struct, UnsetType

from api.http.responses import Response
from api.showing.answers import Answer, Count, PortalStatus, encoded
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


class Error(Struct, kw_only=True):
    """What is wrong at one place of what was sent: `pointer` is a JSON pointer (RFC 6901)."""

    pointer: str
    detail: str
    allowed: list[str] | UnsetType = UNSET

    @classmethod
    def of(cls, mistake: why.Mistake) -> Self:
        allowed = list(mistake.allowed) if mistake.allowed is not None else UNSET
        return cls(pointer=mistake.pointer, detail=mistake.detail, allowed=allowed)


class Problem(Answer, kw_only=True):
    """A refusal (RFC 9457). `status` is HTTP's; the dossier's own is `dossier_status`.

    `dossier` and `seq` say where the event stands that came first under a key.
    """

    EXAMPLE: ClassVar[Mapping[str, object]] = PROBLEM

    type: str
    title: str
    status: Annotated[int, Meta(ge=400, le=599)]
    detail: str
    code: str
    dossier_status: PortalStatus | UnsetType | None = UNSET
    allowed: list[str] | UnsetType = UNSET
    errors: list[Error] | UnsetType = UNSET
    dossier: UUID | UnsetType = UNSET
    seq: Count | UnsetType = UNSET

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
            errors=list(map(Error.of, problem.errors)) if problem.errors else UNSET,
            dossier=problem.dossier or UNSET,
            seq=problem.seq or UNSET,
        )


def problem_response(problem: appends.Problem) -> Response:
    status = STATUS[problem.code]
    headers: dict[str, str] = {}
    if status in (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS):
        headers["Retry-After"] = RETRY_AFTER
    if status is HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return Response(
        status=status, content=encoded(Problem.of(problem)), media=MEDIA_TYPE, headers=headers
    )


def refused(error: Exception, lost: Sequence[type[Exception]], where: str) -> Response:
    """Answer whatever went wrong at an operation. `lost`: the database is away."""
    if isinstance(error, why.DomainError):
        return problem_response(appends.Problem.of(error))
    if isinstance(error, tuple(lost)):
        return _away(error)
    return crashed(error, where)


def not_served(error: HTTPException) -> Response:
    """Answer what the framework refuses: unknown addresses and other methods."""
    if error.status_code == HTTPStatus.NOT_FOUND:
        return problem_response(appends.Problem.of(why.NotFound("such address")))
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        detail = "This address does not support the method."
        response = problem_response(appends.Problem(code="method-not-allowed", detail=detail))
        return replace(response, headers={**response.headers, **(error.headers or {})})
    return problem_response(appends.Problem.of(why.InvalidRequest(error.detail)))


def _away(error: Exception) -> Response:
    """Answer while the database is away: it comes back, and the same request may be sent again."""
    _log.warning("the database is away: %s", type(error).__name__)
    return problem_response(appends.Problem.of(why.Busy("The database is away.")))


def crashed(error: Exception, where: str) -> Response:
    """Answer a bug. It is logged once, here, with nothing of what was sent."""
    _log.error("%s failed", where, exc_info=error)
    detail = "The service failed; it is logged. Sending it again is safe."
    return problem_response(appends.Problem(code="internal-error", detail=detail))
