"""Histogram bounds that a service's telemetry needs, so that every latency objective lies on a bound."""

import json
from collections.abc import Sequence

from sereno_slo.conventions import HTTP_DURATION_BOUNDS_SECONDS, HTTP_DURATION_METRIC
from sereno_slo.model import Latency, Service, Settings
from sereno_slo.render.artefact import Artefact, Kind


def render_buckets(services: Sequence[Service], settings: Settings) -> tuple[Artefact, ...]:  # noqa: ARG001 - one signature for all
    """`<service>.json`: sorted bounds in seconds of every histogram that the service's telemetry may write.

    HTTP's histogram is always there; each bound is a usual one or the threshold of a latency SLO.
    """
    return tuple(Artefact(Kind.BUCKETS, f"{service.name}.json", _document(service)) for service in services)


def _document(service: Service) -> str:
    bounds = {HTTP_DURATION_METRIC: set(HTTP_DURATION_BOUNDS_SECONDS)}
    for slo in service.slos:
        if isinstance(slo.indicator, Latency):
            metric = bounds.setdefault(slo.indicator.metric, set(HTTP_DURATION_BOUNDS_SECONDS))
            metric.add(slo.indicator.threshold_seconds)
    metrics = {metric: sorted(seconds) for metric, seconds in sorted(bounds.items())}
    return json.dumps({"service": service.name, "metrics": metrics}, indent=2) + "\n"
