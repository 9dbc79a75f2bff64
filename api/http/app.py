"""The HTTP application, given everything it needs."""

from litestar import Litestar
from litestar.datastructures import State
from litestar.exceptions import HTTPException

from api.http.counting import Counts
from api.http.openapi import operations
from api.http.problems import away, crashed, not_served, refused
from api.services import Services
from domain.errors import DomainError

MAX_BODY = 8 << 20


def create_app(services: Services, counts: Counts) -> Litestar:
    return Litestar(
        [each.handler for each in operations()],
        state=State({"services": services, "counts": counts}),
        exception_handlers={
            DomainError: refused,
            HTTPException: not_served,
            **dict.fromkeys(services.lost, away),
            Exception: crashed,
        },
        request_max_body_size=MAX_BODY,
        openapi_config=None,
        logging_config=None,
    )
