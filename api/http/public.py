"""What anybody may ask without a token: how far the dossier with this code has come."""

from collections.abc import Mapping
from typing import ClassVar, Final

from api.http.declared import Resource, Visitor
from api.http.paths import DossierCode
from api.http.queries import Fresh
from api.http.replies import At
from api.http.requests import reached
from api.showing import examples
from api.showing.answers import Answer
from domain.dossier.status import SHOWN
from domain.errors import Busy, InvalidRequest, NotFound, NotYet, TooManyRequests
from domain.ledger.appends import Question

public: Final = Resource(
    "Public", "What anybody may ask who has the code of a dossier: how far it has come."
)


BURST, RATE = 120, 10


class Completion(Answer):
    """All that the public sees of a dossier."""

    EXAMPLE: ClassVar[Mapping[str, object]] = examples.COMPLETION

    code: str
    completion: str
    label: str


@public.is_open(
    "/v1/public/dossiers/{code:str}",
    problems=(InvalidRequest, NotFound, TooManyRequests, NotYet, Busy),
)
async def look_up(code: DossierCode, asked: Fresh, visitor: Visitor) -> At[Completion]:
    """Return only the code and the completion level (TT 01/2018/TT-VPCP, Điều 16.2.d).

    An address may ask 120 times at once, and 10 times a second after that.
    """
    services, serving = visitor.services, visitor.request.serving
    serving.counts.spend(visitor.request.client or "", BURST, RATE)
    await reached(services, asked)  # Only now: who asks too often does not wait here.
    reading = await services.store.read(Question.about(code))
    if reading.stream is None:
        raise NotFound("such dossier")
    dossier = reading.dossier.state(reading.stream, services.store.rules)
    if dossier.status is None or dossier.code is None:
        raise NotFound("such dossier")
    shown = SHOWN[dossier.status]
    return At(Completion(dossier.code, shown.completion, shown.label), reading.position)
