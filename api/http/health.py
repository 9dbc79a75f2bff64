"""What those who run the service ask: is it alive, is it ready, how does it do."""

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Annotated, ClassVar, Final, Literal

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from api.http.declared import Resource, Visitor
from api.http.replies import File, Media, Reply
from api.services import Gauges, Services
from api.showing.answers import Answer, Count
from domain.errors import Busy, Forbidden

running: Final = Resource("Running", "What those who run the service ask: is it alive and well.")


class Health(Answer):
    """The process runs."""

    EXAMPLE: ClassVar[Mapping[str, object]] = {"status": "ok"}

    status: Literal["ok"]


@running.is_open("/health")
async def health() -> Reply[Health]:
    """Say that the process runs.

    It asks nobody else: the database may be away.
    """
    return Reply(Health("ok"))


class Readiness(Answer):
    """The service can answer; `position` is what every list shows."""

    EXAMPLE: ClassVar[Mapping[str, object]] = {"status": "ready", "position": 41}

    status: Literal["ready"]
    position: Count


@running.is_open("/ready", problems=(Busy,))
async def ready(visitor: Visitor) -> Reply[Readiness]:
    """Say whether the database answers and no read model has halted.

    A balancer sends requests elsewhere while it does not.
    """
    services = visitor.services
    await services.refresh_rules(0)
    halted = await _halted(services)
    if halted:
        raise Busy("A read model has halted: " + "; ".join(halted))
    return Reply(Readiness("ready", await services.views.position()))


async def _halted(services: Services) -> set[str]:
    """Return why the views do not go on: as every process can read it, and as this one knows."""
    here = services.runner.trouble
    return {*await services.views.halted(), *([here] if here is not None else [])}


class Figures(Collector):
    """The figures of the service, and of the views as they were read for it."""

    def __init__(self, writer: Gauges, position: int, halted: int) -> None:
        self._writer = writer
        self._position = position
        self._halted = halted

    def collect(self) -> list[Metric]:
        writer = self._writer
        return [
            GaugeMetricFamily("hoso_appends_queued", "Appends that wait.", value=writer.queued),
            CounterMetricFamily("hoso_commits", "Batches committed.", value=writer.batches),
            CounterMetricFamily("hoso_events_appended", "Events recorded.", value=writer.appended),
            GaugeMetricFamily(
                "hoso_views_position", "Position that every read model shows.", self._position
            ),
            GaugeMetricFamily("hoso_views_halted", "Read models halted.", self._halted),
        ]


@running.is_open("/metrics", problems=(Forbidden,))
async def metrics(visitor: Visitor) -> Annotated[File, Media(("text/plain",))]:
    """Return the figures of the service for Prometheus, on this machine only.

    How many appends wait and were committed, in all of its processes, and how far the read models
    are.
    """
    client = visitor.request.client
    if client is None or not ip_address(client).is_loopback:
        raise Forbidden("Metrics are for this machine only.")
    services = visitor.services
    position = await services.views.position()
    registry = CollectorRegistry()
    writer = visitor.request.serving.counts.total(services.gauges())
    registry.register(Figures(writer, position, len(await _halted(services))))
    return File(generate_latest(registry), CONTENT_TYPE_LATEST)
