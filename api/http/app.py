"""The HTTP application, given everything it needs."""

from litestar import Litestar
from litestar.datastructures import State
from litestar.exceptions import HTTPException

from api.http.commands import accept_dossier, get_command, send_command
from api.http.documentation import documentation, documentation_file
from api.http.dossiers import get_dossier, get_history, get_next, list_dossiers, search_dossiers
from api.http.due_dates import get_due_date, preview_due_date
from api.http.events import post_events
from api.http.health import health, metrics, ready
from api.http.openapi import openapi_document
from api.http.problems import away, crashed, not_served, refused
from api.http.public import Allowance, look_up
from api.services import Services
from domain.errors import DomainError

MAX_BODY = 8 << 20


def create_app(services: Services) -> Litestar:
    return Litestar(
        [
            post_events,
            accept_dossier,
            send_command,
            get_command,
            list_dossiers,
            search_dossiers,
            get_dossier,
            get_history,
            get_next,
            get_due_date,
            preview_due_date,
            look_up,
            health,
            ready,
            metrics,
            openapi_document,
            documentation,
            documentation_file,
        ],
        state=State({"services": services, "allowance": Allowance(burst=120, rate=10)}),
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
