"""The gauge of requests in progress, whatever fails."""

import pytest
from prometheus_client import CollectorRegistry
from sereno_telemetry.http.metrics import http_metrics


def test_an_end_that_could_not_be_counted_is_made_good(
    registry: CollectorRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If only the decrement fails, the next request brings the gauge back to what it should be."""
    metrics = http_metrics(registry, (0.1, 1), sizes=False, time_to_first_byte=False)
    add = metrics._add_to_active

    def refuse(_: float) -> None:
        raise RuntimeError("broken on purpose")

    metrics.enter()
    monkeypatch.setattr(metrics, "_add_to_active", refuse)
    with pytest.raises(RuntimeError, match="on purpose"):
        metrics.leave()
    monkeypatch.setattr(metrics, "_add_to_active", add)
    assert registry.get_sample_value("http_server_active_requests") == 1
    metrics.enter()
    assert registry.get_sample_value("http_server_active_requests") == 1
    metrics.leave()
    assert registry.get_sample_value("http_server_active_requests") == 0
