"""Bucket bounds for telemetry."""

import json
from dataclasses import replace

from sereno_slo.conventions import HTTP_DURATION_BOUNDS_SECONDS
from sereno_slo.model import Latency, Service
from sereno_slo.render.artefact import Kind, Ownership
from sereno_slo.render.buckets import render_buckets
from support.slo_services import SETTINGS, etl_worker, transactions_api

HTTP = "http_server_request_duration_seconds"


def metrics_of(service: Service) -> dict[str, list[float]]:
    """The bounds of one service by metric."""
    (artefact,) = render_buckets((service,), SETTINGS)
    assert (artefact.kind, artefact.name) == (Kind.BUCKETS, f"{service.name}.json")
    assert artefact.ownership is Ownership.GENERATED
    document = json.loads(artefact.content)
    assert document.keys() == {"service", "metrics"}
    assert document["service"] == service.name
    metrics: dict[str, list[float]] = document["metrics"]
    return metrics


def test_thresholds_join_the_usual_bounds_in_order() -> None:
    """A latency SLO's threshold is a bound, once, where it belongs."""
    bounds = metrics_of(transactions_api())[HTTP]
    assert bounds == sorted({*HTTP_DURATION_BOUNDS_SECONDS, 0.3})


def test_a_threshold_on_a_usual_bound_adds_nothing() -> None:
    """500 ms is a bound already."""
    service = transactions_api()
    latency = service.slos[1]
    assert isinstance(latency.indicator, Latency)
    usual = replace(latency, indicator=replace(latency.indicator, threshold_seconds=0.5))
    assert metrics_of(replace(service, slos=(usual,)))[HTTP] == list(HTTP_DURATION_BOUNDS_SECONDS)


def test_a_service_without_latency_gets_the_usual_bounds() -> None:
    """Telemetry finds HTTP's bounds for every service."""
    service = transactions_api()
    assert metrics_of(replace(service, slos=service.slos[:1])) == {HTTP: list(HTTP_DURATION_BOUNDS_SECONDS)}


def test_each_histogram_has_its_own_thresholds() -> None:
    """A threshold of one histogram is no bound of another."""
    metrics = metrics_of(etl_worker())
    assert list(metrics) == ["etl_stage_duration_seconds", HTTP]
    assert 20.0 in metrics["etl_stage_duration_seconds"]
    assert 20.0 not in metrics[HTTP]
