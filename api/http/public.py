"""What anybody may ask without a token: how far the dossier with this code has come."""

from collections.abc import Mapping
from time import monotonic
from typing import ClassVar, Final

from api.http.declared import Resource, Visitor
from api.http.paths import DossierCode
from api.http.queries import Fresh
from api.http.replies import At
from api.http.requests import reached
from api.showing import examples
from api.showing.answers import Answer
from domain.dossier.evolve import replay
from domain.dossier.status import SHOWN
from domain.errors import Busy, InvalidRequest, NotFound, NotYet, TooManyRequests
from domain.ledger.commands import question_about

public: Final = Resource(
    "Public", "What anybody may ask who has the code of a dossier: how far it has come."
)


class Allowance:
    """So many requests at once for each address, and so many a second after that."""

    def __init__(self, burst: float, rate: float) -> None:
        self._burst = burst
        self._rate = rate
        self._left: dict[str, tuple[float, float]] = {}

    def spend(self, address: str) -> None:
        """Raise TooManyRequests when an address has used up what it has."""
        now = monotonic()
        left, since = self._left.pop(address, (self._burst, now))
        left = min(self._burst, left + (now - since) * self._rate)
        if len(self._left) > 10_000:  # noqa: PLR2004  # forget who came longest ago
            self._left.pop(next(iter(self._left)))
        self._left[address] = (left - 1 if left >= 1 else left), now
        if left < 1:
            raise TooManyRequests


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
    services, client = visitor.services, visitor.request.client
    visitor.request.app.state.allowance.spend(client.host if client else "")
    await reached(services, asked)  # Only now: who asks too often does not wait here.
    reading = await services.store.read(question_about(code))
    if reading.stream is None:
        raise NotFound("such dossier")
    dossier = replay(reading.stream, reading.events, services.store.rules)
    if dossier.status is None or dossier.code is None:
        raise NotFound("such dossier")
    shown = SHOWN[dossier.status]
    return At(Completion(dossier.code, shown.completion, shown.label), reading.position)
