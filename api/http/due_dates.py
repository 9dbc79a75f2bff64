"""Due dates: why a dossier's are what they are, and what one would be."""

from typing import Final

from litestar import Response, get, post
from litestar.params import FromPath

from api.http.dossiers import seen
from api.http.requests import (
    FRESH,
    AnyRequest,
    answer,
    at_least,
    body_of,
    instant,
    known,
    sender_of,
    services_of,
    single,
)
from api.naming import dossier_ref, known_position, rules_known
from api.showing.due_dates import due_date_body, preview_body
from domain.dossier.explanation.explanation import explained, standpoint
from domain.dossier.explanation.preview import DuePreview, previewed
from domain.ledger.access import Action
from streams.wire.inputs import Shape


@get("/v1/dossiers/{dossier:str}/due-date")
async def get_due_date(request: AnyRequest, dossier: FromPath[str]) -> Response[bytes]:
    """Return every date of a dossier: by which rules, day by day, and who must do what by when."""
    known(request, "as_of", "known_at", "at", *FRESH)
    sender = await sender_of(request, Action.READ)
    as_of, at = instant(request, "as_of"), instant(request, "at")
    await at_least(request, views=False)
    services = services_of(request)
    found, events, position = await seen(services, sender, dossier_ref(dossier))
    known_at = await known_position(services, single(request, "known_at"))
    told = standpoint(
        events,
        await rules_known(services, known_at),
        at=at or as_of or services.now(),
        as_of=as_of,
        known_at=known_at,
    )
    shown = position if known_at is None else min(known_at, position)
    headers = {"ETag": f'"{found.version}"', "Hoso-Position": str(position)}
    return answer(due_date_body(explained(told), shown), headers=headers)


PREVIEW: Final = Shape(DuePreview, {})


@post("/v1/due-previews", status_code=200)
async def preview_due_date(request: AnyRequest) -> Response[bytes]:
    """Say when a dossier would be due that is received so, and why. Nothing is recorded."""
    known(request, *FRESH)
    sender = await sender_of(request, Action.READ)
    said, _ = PREVIEW.decode(await body_of(request))
    await at_least(request, views=False)
    services = services_of(request)
    reading = await services.store.read()
    told = previewed(DuePreview(**said), services.store.rules, sender.unit)
    body = {"position": reading.position, **preview_body(explained(told))}
    return answer(body, headers={"Hoso-Position": str(reading.position)})
