"""Dossiers for those who may see them: state, list, search, history, and what may happen next."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from typing import Annotated, ClassVar, Final
from uuid import UUID

import msgspec
from litestar import HttpMethod
from msgspec import Meta

from api.http.declared import Body, Caller, Resource, ref
from api.http.paths import DossierName
from api.http.queries import Fresh
from api.http.replies import At, Versioned
from api.naming import asked_about, known_position
from api.services import Services
from api.showing import examples
from api.showing.answers import Answer, Count, Moment, PortalStatus
from api.showing.dossiers import DossierItem, DossierState, History, history_items
from domain.dossier import history
from domain.dossier.chapters import COMMANDS
from domain.dossier.evolve import replay
from domain.dossier.regularity import allowed, refusal
from domain.dossier.state import Dossier
from domain.envelope import ProcedureCode, UnitCode
from domain.errors import Forbidden, InvalidRequest, NotFound, TimeWithoutOffset
from domain.ledger.access import Action, Sender
from domain.rules.naming import matching_procedures, matching_units
from projections import lists
from streams.wire.inputs import UNREADABLE, reason_of, refuse_doubles

_MOST: Final = 200
_CURSOR: Final = re.compile(rb"before:(\d{1,18})")

dossiers: Final = Resource(
    "Dossiers",
    "Dossiers within the sight of the token: state, lists, search, history, due dates and what may"
    " happen next. Outside of it a dossier does not exist.",
)


async def seen(
    services: Services, sender: Sender, ref: UUID | str
) -> tuple[Dossier, history.History, int]:
    """Return a dossier with its events and the position read, or raise NotFound.

    Outside of what the sender may see a dossier does not exist; until somebody opens it each sees
    what was told for units of his own, as if nothing else had been told.
    """
    reading = await services.store.read(asked_about(ref))
    if reading.stream is None or not reading.events:
        raise NotFound("such dossier")
    rules = services.store.rules
    dossier, events = reading.dossier.state(reading.stream, rules), reading.events
    if not sender.sees(dossier):
        raise NotFound("such dossier")
    if not dossier.opened:
        events = tuple(each for each in events if each.event.meta.acting_unit in sender.scope)
        dossier = replay(reading.stream, events, rules)
    return dossier, events, reading.position


@dossiers.reads("/v1/dossiers/{dossier:str}", Action.READ, problems=(NotFound,))
async def get_dossier(dossier: DossierName, caller: Caller) -> Versioned[DossierState]:
    """Return the present state of a dossier, folded from its events.

    It is never older than what was recorded before; its version is what the next If-Match names.
    """
    found, _, position = await seen(caller.services, caller.sender, dossier)
    return Versioned(DossierState.of(found, position), position, found.version)


_AS_OF: Final = Meta(description="What had happened by then.")
_KNOWN_AT: Final = Meta(description="What the ledger knew by then: a time or a position.")
_Position = Annotated[int, Meta(ge=0, lt=10**18)]


class AsKnown(Fresh):
    """Where one stands in time: as of a moment, and as known at a moment or a position."""

    as_of: Annotated[Moment, _AS_OF] | None = None
    known_at: Annotated[_Position | Moment, _KNOWN_AT] | None = None


@dossiers.reads(
    "/v1/dossiers/{dossier:str}/history", Action.READ, problems=(NotFound, TimeWithoutOffset)
)
async def get_history(dossier: DossierName, asked: AsKnown, caller: Caller) -> At[History]:
    """Return every event in legal order; void ones say what voids them.

    With `known_at` the history is told as the ledger knew it then, with `as_of` only as far as it
    had happened by then. Personal values are clear, sealed or erased, as the role may read them.
    """
    services, sender = caller.services, caller.sender
    _, events, position = await seen(services, sender, dossier)
    known_at = await known_position(services, asked.known_at)
    items = await history_items(
        services, events, asked.as_of, known_at, clear=sender.opens_personal_values
    )
    shown = position if known_at is None else min(known_at, position)
    return At(History(shown, items), position)


class Hindrance(msgspec.Struct):
    """A command that the state refuses."""

    command: str
    code: str
    why: str


class NextSteps(Answer):
    """What may happen next, and why not what may not."""

    EXAMPLE: ClassVar[Mapping[str, object]] = examples.NEXT_STEPS

    position: Count
    allowed: list[str]
    refused: list[Hindrance]


@dossiers.reads("/v1/dossiers/{dossier:str}/next", Action.READ, problems=(NotFound,))
async def get_next(dossier: DossierName, caller: Caller) -> At[NextSteps]:
    """Return the commands that the state allows, and why it refuses the others.

    What else a command needs (a right, a known unit, a date) is judged when it is sent.
    """
    found, _, position = await seen(caller.services, caller.sender, dossier)
    refused = [
        Hindrance(name, why.code, why.why)
        for name, command in COMMANDS.items()
        if (why := refusal(found, command)) is not None
    ]
    return At(NextSteps(position, allowed(found), refused), position)


class DossierList(Answer):
    """A page; `next` is the cursor of the page after it, null at the end."""

    EXAMPLE: ClassVar[Mapping[str, object]] = examples.DOSSIER_LIST

    items: list[DossierItem]
    next: str | None


_SHORT: Final = Meta(min_length=1, max_length=200)
_UNIT: Final = Meta(description="Dossiers that this unit or one below it has or had.")
_PROCEDURE: Final = Meta(description="The code of a procedure.")
_TEXT: Final = Meta(description="Part of a code, a procedure's or unit's name.")
_PAGE: Final = Meta(description="`next` of the page before.")


class ListAsked(Fresh):
    """Which dossiers, and which page of them."""

    unit: Annotated[UnitCode, _SHORT, _UNIT] | None = None
    status: Annotated[PortalStatus, Meta(description="Its status (TrangThaiHoSo).")] | None = None
    procedure: Annotated[ProcedureCode, _SHORT, _PROCEDURE] | None = None
    q: Annotated[str, _SHORT, _TEXT] | None = None
    irregular: Annotated[bool, Meta(description="Only dossiers with findings.")] = False
    limit: Annotated[int, Meta(ge=1, le=_MOST, description="How many at most.")] = 50
    cursor: Annotated[str, _SHORT, _PAGE] | None = None


@dossiers.reads("/v1/dossiers", Action.READ, views=True)
async def list_dossiers(asked: ListAsked, caller: Caller) -> At[DossierList]:
    """List dossiers, newest first.

    `q` finds codes by their beginning or end, procedures and units by their names, with or without
    accents. A page never repeats or loses a dossier, however many are opened meanwhile.
    """
    rules = caller.services.store.rules
    page = lists.Filter(
        scope=_scope(caller),
        unit=sorted(rules.subtree(asked.unit)) if asked.unit else None,
        status=asked.status,
        procedure=asked.procedure,
        irregular=asked.irregular,
        text=asked.q,
        text_procedures=matching_procedures(rules, asked.q) if asked.q else (),
        text_units=matching_units(rules, asked.q) if asked.q else (),
        before=_cursor(asked.cursor),
        limit=asked.limit,
    )
    return await _listed(caller.services, page)


def _scope(caller: Caller) -> list[str] | None:
    """Return the units to filter by; None where the sender's subtree is the whole register."""
    scope = caller.sender.scope
    whole = caller.services.store.rules.units.keys() <= scope
    return None if whole else sorted(scope)


async def _listed(services: Services, page: lists.Filter) -> At[DossierList]:
    found = await services.lists.page(page)
    items = [DossierItem.of(each.dossier) for each in found.items]
    more = len(items) == page.limit
    cursor = _cursor_text(found.items[-1].opened_seq) if more else None
    return At(DossierList(items, cursor), found.position)


def _cursor(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        found = _CURSOR.fullmatch(urlsafe_b64decode(text.encode()))
    except ValueError:
        found = None
    if found is None:
        raise InvalidRequest("cursor is not one that this service gave.")
    return int(found[1])


def _cursor_text(opened_seq: int) -> str:
    return urlsafe_b64encode(f"before:{opened_seq}".encode()).decode()


class PersonSearch(msgspec.Struct, forbid_unknown_fields=True):
    """Exactly one of the two. It goes in a body, so that it stays out of addresses and logs."""

    id_number: str | None = None
    phone: str | None = None

    @classmethod
    def read(cls, body: bytes) -> "PersonSearch":
        try:
            said = _searches.decode(body)
        except UNREADABLE as error:
            raise InvalidRequest(reason_of(error)) from error
        refuse_doubles(body)
        return said


_searches: Final = msgspec.json.Decoder(PersonSearch)
_SEARCH: Final = Body(
    schema=ref(PersonSearch.__name__),
    example={"id_number": "044190001234"},
    read=PersonSearch.read,
)


@dossiers.reads(
    "/v1/dossier-searches",
    Action.FIND_PERSON,
    method=HttpMethod.POST,
    views=True,
    problems=(Forbidden,),
)
async def search_dossiers(
    said: Annotated[PersonSearch, _SEARCH], caller: Caller
) -> At[DossierList]:
    """Find the dossiers of a person by exact identity number or phone.

    The newest 200 within the sight of the token; parts of a number find nothing.
    """
    given = [(k, v) for k, v in (("id_number", said.id_number), ("phone", said.phone)) if v]
    if len(given) != 1:
        raise InvalidRequest("Give an id_number or a phone.")
    found = await caller.services.find_person(*given[0])
    page = lists.Filter(scope=_scope(caller), dossiers=found, limit=_MOST)
    return await _listed(caller.services, page)
