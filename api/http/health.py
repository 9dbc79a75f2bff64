"""What those who run the service ask: is it alive, is it ready, how does it do."""

from ipaddress import ip_address

from litestar import Response, get
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from api.http.problems import problem_response
from api.http.requests import AnyRequest, answer, services_of
from api.services import Services
from domain.errors import Busy, Forbidden
from domain.ledger.appends import Problem


@get("/health")
async def health() -> Response[bytes]:
    """Say that the process runs."""
    return answer({"status": "ok"})


@get("/ready")
async def ready(request: AnyRequest) -> Response[bytes]:
    """Say whether the database answers and no read model has halted."""
    services = services_of(request)
    await services.refresh_rules(0)
    if services.runner.halted:
        refusal = Busy("A read model has halted: " + "; ".join(services.runner.halted.values()))
        return problem_response(Problem.of(refusal))
    return answer({"status": "ready", "position": services.runner.position})


class Figures(Collector):
    """The figures of this process, read when they are asked for."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def collect(self) -> list[Metric]:
        writer = self._services.gauges()
        runner = self._services.runner
        return [
            GaugeMetricFamily("hoso_appends_queued", "Appends that wait.", value=writer.queued),
            CounterMetricFamily("hoso_commits", "Batches committed.", value=writer.batches),
            CounterMetricFamily("hoso_events_appended", "Events recorded.", value=writer.appended),
            GaugeMetricFamily(
                "hoso_views_position", "Position that every read model shows.", runner.position
            ),
            GaugeMetricFamily("hoso_views_halted", "Read models halted.", len(runner.halted)),
        ]


@get("/metrics")
async def metrics(request: AnyRequest) -> Response[bytes]:
    """Prometheus figures, for this machine only."""
    if request.client is None or not ip_address(request.client.host).is_loopback:
        raise Forbidden("Metrics are for this machine only.")
    registry = CollectorRegistry()
    registry.register(Figures(services_of(request)))
    return Response(generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})
