"""What anybody may ask without a token: how far the dossier with this code has come."""

from time import monotonic

from litestar import Response, get
from litestar.params import FromPath

from api.http.requests import FRESH, AnyRequest, answer, at_least, known, services_of
from api.naming import dossier_ref, stream_named
from domain.dossier.evolve import replay
from domain.dossier.status import SHOWN
from domain.errors import NotFound, TooManyRequests


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


@get("/v1/public/dossiers/{code:str}")
async def look_up(request: AnyRequest, code: FromPath[str]) -> Response[bytes]:
    """Return only the code and the completion level (TT 01/2018/TT-VPCP, Điều 16.2.d)."""
    known(request, *FRESH)
    request.app.state.allowance.spend(request.client.host if request.client else "")
    await at_least(request, views=False)
    services = services_of(request)
    ref = dossier_ref(code)
    if not isinstance(ref, str):
        raise NotFound("such dossier")
    stream = await stream_named(services, ref)
    reading = await services.store.read(stream=stream)
    dossier = replay(stream, reading.events, services.store.rules)
    if dossier.status is None:
        raise NotFound("such dossier")
    shown = SHOWN[dossier.status]
    body = {"code": dossier.code, "completion": shown.completion, "label": shown.label}
    return answer(body, headers={"Hoso-Position": str(reading.position)})
