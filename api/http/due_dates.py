"""Due dates: why a dossier's are what they are, and what one would be."""

from typing import Annotated, Final

from litestar import HttpMethod
from msgspec import Meta

from api.http.declared import Body, Caller, Resource, ref
from api.http.dossiers import AsKnown, seen
from api.http.paths import DossierName
from api.http.replies import At, Versioned
from api.naming import known_position, rules_known
from api.showing.answers import Moment
from api.showing.due_dates import DueDate, DuePreviewed
from domain import errors as why
from domain.dossier.explanation.explanation import explained, present, standpoint
from domain.dossier.explanation.preview import DuePreview, previewed
from domain.ledger.access import Action
from streams.wire.examples import PREVIEW as PREVIEW_EXAMPLE
from streams.wire.inputs import Shape, refuse_doubles

due_dates: Final = Resource(
    "Due dates",
    "When a dossier is due and why, day by day, with the decisions and articles behind it.",
)

_AT: Final = Meta(description="When the clock would resume and duties are judged. Default: now.")


class DueAsked(AsKnown):
    """Where one stands in time, and when the dates are judged."""

    at: Annotated[Moment, _AT] | None = None


@due_dates.reads(
    "/v1/dossiers/{dossier:str}/due-date",
    Action.READ,
    problems=(why.NotFound, why.TimeWithoutOffset),
)
async def get_due_date(dossier: DossierName, asked: DueAsked, caller: Caller) -> Versioned[DueDate]:
    """Return every date of a dossier, and why it is that one.

    By which versions of the rules, day by day, what moved it, and who must do what by when.
    """
    services = caller.services
    found, events, position = await seen(services, caller.sender, dossier)
    known_at = await known_position(services, asked.known_at)
    at = asked.at or asked.as_of or services.now()
    if asked.as_of is None and known_at is None:
        told = present(found, events, services.store.rules, at)
    else:
        rules = await rules_known(services, known_at)
        told = standpoint(events, rules, at=at, as_of=asked.as_of, known_at=known_at)
    shown = position if known_at is None else min(known_at, position)
    return Versioned(DueDate.of(explained(told), shown), position, found.version)


PREVIEW: Final = Shape(DuePreview, {})


def _preview(body: bytes) -> DuePreview:
    said, _ = PREVIEW.decode(body)
    refuse_doubles(body)
    return DuePreview(**said)


_PREVIEW: Final = Body(schema=ref(DuePreview.__name__), example=PREVIEW_EXAMPLE, read=_preview)


@due_dates.reads(
    "/v1/due-previews",
    Action.READ,
    method=HttpMethod.POST,
    problems=(
        why.UnknownProcedure,
        why.UnknownUnit,
        why.UnitEnded,
        why.CalendarLacksYear,
        why.CalendarContradicts,
        why.TimeWithoutOffset,
    ),
)
async def preview_due_date(
    said: Annotated[DuePreview, _PREVIEW], caller: Caller
) -> At[DuePreviewed]:
    """Say when a dossier would be due that is received so, and why. Nothing is recorded.

    The rules are those known now; the moment of receipt may lie in the future.
    """
    services = caller.services
    reading = await services.store.read()
    told = previewed(said, services.store.rules, caller.sender.unit)
    return At(DuePreviewed.of(explained(told), reading.position), reading.position)
