"""What `/metrics` answers."""

import subprocess
import time
from collections.abc import Callable, Iterable

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client import CollectorRegistry, Counter, ProcessCollector
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from prometheus_client.registry import Collector
from sereno_telemetry import DEFAULT_BUCKETS, instrument

Call = Callable[..., httpx.Response]

# What Prometheus 2.42 and 3.x send.
PROMETHEUS_2 = (
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)
PROMETHEUS_3 = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
    "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
    "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)


@pytest.fixture
def app(registry: CollectorRegistry) -> FastAPI:
    """An instrumented app with a catch-all route, which must not swallow `/metrics`."""
    app = FastAPI()

    @app.get("/{everything:path}")
    def catch_all(everything: str) -> str:
        return everything

    instrument(app, service="shop", registry=registry)
    return app


@pytest.mark.parametrize("accept", [PROMETHEUS_2, PROMETHEUS_3])
def test_prometheus_gets_openmetrics(call: Call, app: FastAPI, accept: str) -> None:
    """A scrape by Prometheus is valid OpenMetrics with exemplars, as the parser of prometheus_client reads it."""
    call(app, "GET", "/some/page")
    answer = call(app, "GET", "/metrics", headers={"accept": accept})
    assert answer.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    families = {family.name: family for family in text_string_to_metric_families(answer.text)}  # type: ignore[no-untyped-call]
    buckets = [s for s in families["http_server_request_duration_seconds"].samples if s.name.endswith("_bucket")]
    assert [sample.labels["http_route"] for sample in buckets] == ["/{everything}"] * (len(DEFAULT_BUCKETS) + 1)
    assert sum(sample.exemplar is not None for sample in buckets) == 1


@pytest.mark.parametrize("accept", ["", "*/*", "text/html", "application/openmetrics-text;version=nonsense"])
def test_everybody_else_gets_the_plain_format(call: Call, app: FastAPI, accept: str) -> None:
    """Browsers, curl and odd Accept headers get text that promtool finds nothing wrong with in what is ours."""
    call(app, "GET", "/some/page")
    answer = call(app, "GET", "/metrics", headers={"accept": accept})
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    check = subprocess.run(
        ["promtool", "check", "metrics"], input=answer.text, capture_output=True, text=True, check=False, timeout=30
    )
    assert (check.returncode, check.stdout, check.stderr) == (0, "", "")


def test_created_series_are_left_out(call: Call, app: FastAPI, registry: CollectorRegistry) -> None:
    """Neither format carries `_created` samples, also not of the app's own counters."""
    Counter("orders_total", "Orders.", registry=registry).inc()
    call(app, "GET", "/some/page")
    for accept in (PROMETHEUS_2, "text/plain"):
        text = call(app, "GET", "/metrics", headers={"accept": accept}).text
        assert "orders_total 1.0" in text
        assert "_created" not in text


def test_a_registry_of_its_own_exports_the_start_of_the_process(registry: CollectorRegistry) -> None:
    """The ledger needs `process_start_time_seconds` beside the counters, whichever registry they are in."""
    instrument(FastAPI(), service="shop", registry=registry)
    start = registry.get_sample_value("process_start_time_seconds")
    assert start is not None
    assert abs(time.time() - start) < 3600
    assert registry.get_sample_value("process_cpu_seconds_total")


def test_without_proc_the_start_is_still_exported(registry: CollectorRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the process collector finds nothing (macOS), the time of the import stands for the start."""

    def finds_nothing(registry: CollectorRegistry) -> None:
        ProcessCollector(proc="/nowhere", registry=registry)

    monkeypatch.setattr("sereno_telemetry.http.metrics.ProcessCollector", finds_nothing)
    instrument(FastAPI(), service="shop", registry=registry)
    start = registry.get_sample_value("process_start_time_seconds")
    assert start is not None
    assert abs(time.time() - start) < 3600
    assert registry.get_sample_value("process_cpu_seconds_total") is None


def test_a_route_of_the_apps_own_is_not_taken_away(registry: CollectorRegistry) -> None:
    """Two things at one path is a mistake that is told, with the cure."""
    app = FastAPI()

    @app.get("/metrics")
    def own() -> str:
        return "mine"

    with pytest.raises(ValueError, match="another metrics_path"):
        instrument(app, service="shop", registry=registry)


def test_the_path_is_free_to_choose(call: Call, registry: CollectorRegistry) -> None:
    """Metrics can be served elsewhere, or not at all by this app."""
    other, none = FastAPI(), FastAPI()
    instrument(other, service="shop", registry=registry, metrics_path="/internal/metrics")
    instrument(none, service="shop", registry=registry, metrics_path=None)
    assert "http_server_active_requests 0.0" in call(other, "GET", "/internal/metrics").text
    assert call(none, "GET", "/metrics").status_code == 404


def test_errors_and_active_requests_exist_from_the_start(call: Call, app: FastAPI) -> None:
    """Counters without labels are there at zero, so that their first increase is seen as one."""
    text = call(app, "GET", "/metrics").text
    assert "sereno_telemetry_errors_total 0.0" in text
    assert "http_server_active_requests 0.0" in text


class Broken(Collector):
    """A collector of the service's own that doesn't work."""

    def collect(self) -> Iterable[Metric]:
        """Half of it."""
        yield Metric("half", "The first half.", "gauge")
        raise ConnectionError("the database is down")


class Unwritable(Collector):
    """A collector whose family no format has a place for."""

    def collect(self) -> Iterable[Metric]:
        """One that can't be written, and one that can."""
        family = Metric("odd", "Odd.", "gauge")
        family.add_sample("odd", {}, "not a number")  # type: ignore[arg-type]
        yield family
        yield GaugeMetricFamily("even", "Even.", value=2)


@pytest.mark.parametrize("accept", [PROMETHEUS_3, "text/plain"])
def test_a_broken_collector_costs_only_its_own(
    call: Call, app: FastAPI, registry: CollectorRegistry, accept: str
) -> None:
    """What other collectors have is served in a valid format, and the error is counted."""
    registry.register(Broken())
    registry.register(Unwritable())
    Counter("orders_total", "Orders.", registry=registry).inc()
    for scrapes in (1, 2):
        answer = call(app, "GET", "/metrics", headers={"accept": accept})
        assert answer.status_code == 200
        assert "orders_total 1.0" in answer.text
        assert "even 2.0" in answer.text
        assert "half" not in answer.text
        assert "odd" not in answer.text
        assert registry.get_sample_value("sereno_telemetry_errors_total") == 2 * scrapes
    if accept == PROMETHEUS_3:
        assert answer.text.endswith("# EOF\n")
        assert list(text_string_to_metric_families(answer.text))  # type: ignore[no-untyped-call]


def test_target_info_is_served(call: Call, app: FastAPI, registry: CollectorRegistry) -> None:
    """What the service says of itself with prometheus_client's set_target_info comes with its metrics."""
    registry.set_target_info({"version": "42"})
    assert 'target_info{version="42"} 1.0' in call(app, "GET", "/metrics").text


@pytest.mark.parametrize(("encoding", "packed"), [("gzip, deflate", True), ("identity", False), ("", False)])
def test_answers_are_compressed_when_asked(call: Call, app: FastAPI, encoding: str, *, packed: bool) -> None:
    """Prometheus asks for gzip, and gets it."""
    call(app, "GET", "/some/page")
    answer = call(app, "GET", "/metrics", headers={"accept-encoding": encoding})
    assert answer.headers.get("content-encoding") == ("gzip" if packed else None)
    assert "http_server_active_requests 0.0" in answer.text


def test_what_cannot_be_added_up_is_not_served(
    call: Call, app: FastAPI, registry: CollectorRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Figures of one process out of several would look like a restart: the scrape fails, says why, and is counted."""

    def somebody_holds_the_lock(*_: object) -> None:
        raise TimeoutError("another process has held it for 5 s")

    monkeypatch.setattr("sereno_telemetry.metrics.exposition.scrape", somebody_holds_the_lock)
    answer = call(app, "GET", "/metrics")
    assert answer.status_code == 503
    assert "another process has held it" in answer.text
    assert registry.get_sample_value("sereno_telemetry_errors_total") == 1
