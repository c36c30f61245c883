"""Metrics pushed over OTLP, received by a stand-in that decodes them."""

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, Summary
from sereno_telemetry import MetricsPush, flush_metrics, start_metrics_push
from support.otlp_receiver import Receiver, otlp_receiver
from support.ports import free_port
from support.waiting import wait_for

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
VARIABLE = "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver on loopback."""
    with otlp_receiver() as receiver:
        yield receiver


def pushed(registry: CollectorRegistry, receiver: Receiver) -> MetricsPush:
    """Push once; the push, which has ended."""
    push = start_metrics_push("shop", registry=registry, environment={VARIABLE: receiver.url})
    assert push is not None
    assert push.flush(20)
    push.stop(20)
    return push


def test_names_and_kinds_are_those_of_metrics(registry: CollectorRegistry, receiver: Receiver) -> None:
    """Every series has the name and labels that a scrape shows, and no unit from which a receiver would make others."""
    Counter("orders_total", "Orders.", ["kind"], registry=registry).labels("a").inc(3)
    Gauge("queue_depth", "Depth.", registry=registry).set(2.5)
    Summary("size_bytes", "Size.", registry=registry).observe(7)
    Info("build", "Build.", registry=registry).info({"version": "1"})
    pushed(registry, receiver)
    (instance,) = receiver.instances.values()
    assert instance.service == "shop"
    assert {metric.unit for metric in instance.metrics.values()} == {""}
    kinds = {name: metric.WhichOneof("data") for name, metric in instance.metrics.items()}
    assert kinds == {
        "orders_total": "sum",
        "queue_depth": "gauge",
        "size_bytes_count": "sum",
        "size_bytes_sum": "sum",
        "build_info": "gauge",
        "sereno_telemetry_errors_total": "sum",
    }
    assert instance.value("orders_total", kind="a") == 3
    assert instance.value("queue_depth") == 2.5
    assert instance.value("size_bytes_sum") == 7
    assert instance.value("build_info", version="1") == 1
    assert instance.metrics["orders_total"].sum.is_monotonic
    assert not instance.metrics["size_bytes_count"].sum.is_monotonic  # or Prometheus would call it …_count_total
    assert instance.metrics["orders_total"].sum.aggregation_temporality == 2  # cumulative


def test_families_that_nothing_was_counted_in_are_no_obstacle(registry: CollectorRegistry, receiver: Receiver) -> None:
    """Families without children have no points, for which Prometheus would refuse the whole message."""
    for kind in (Counter, Gauge, Histogram, Summary):
        kind(f"some_{kind.__name__.lower()}", "Nothing yet.", ["label"], registry=registry)
    pushed(registry, receiver)
    (instance,) = receiver.instances.values()
    assert set(instance.metrics) == {"sereno_telemetry_errors_total"}


def test_histograms_carry_bounds_start_and_trace(registry: CollectorRegistry, receiver: Receiver) -> None:
    """Buckets aren't cumulative on the wire; exemplars have their trace id; counting began with the process."""
    histogram = Histogram("took_seconds", "Took.", registry=registry, buckets=(0.1, 1))
    histogram.observe(0.05)
    histogram.observe(0.5, {"trace_id": TRACE})
    histogram.observe(9, {"trace_id": "not hexadecimal", "tenant": "a"})
    pushed(registry, receiver)
    (instance,) = receiver.instances.values()
    (point,) = instance.metrics["took_seconds"].histogram.data_points
    assert list(point.explicit_bounds) == [0.1, 1]
    assert list(point.bucket_counts) == [1, 1, 1]
    assert (point.count, point.sum) == (3, 9.55)
    assert not point.HasField("min")
    traced, other = point.exemplars
    assert traced.trace_id.hex() == TRACE
    assert not any(traced.span_id)  # all zeros: there is none
    assert traced.as_double == 0.5
    assert {each.key: each.value.string_value for each in other.filtered_attributes} == {
        "trace_id": "not hexadecimal",
        "tenant": "a",
    }
    assert point.start_time_unix_nano < point.time_unix_nano
    assert abs(point.time_unix_nano / 1e9 - time.time()) < 3600


def test_a_receiver_that_is_down_costs_a_count(registry: CollectorRegistry, caplog: pytest.LogCaptureFixture) -> None:
    """What can't be delivered is counted and logged once, with the reason; the exporter's own lines are kept out."""
    environment = {VARIABLE: f"http://127.0.0.1:{free_port()}/v1/metrics", "OTEL_METRIC_EXPORT_INTERVAL": "60000"}
    with pytest.MonkeyPatch.context() as patch, caplog.at_level(logging.DEBUG, logger="opentelemetry"):
        patch.setenv("OTEL_EXPORTER_OTLP_METRICS_TIMEOUT", "0.2")
        push = start_metrics_push("shop", registry=registry, environment=environment)
        assert push is not None
        assert [push.flush(10), push.flush(10)] == [False, False]
        push.stop(10)
    failures = registry.get_sample_value("sereno_telemetry_errors_total")
    assert failures is not None
    assert failures >= 2
    ours = [record for record in caplog.records if record.name == "sereno_telemetry"]
    assert len(ours) == 1
    assert "127.0.0.1" in str(ours[0].exc_info)
    assert [record for record in caplog.records if record.name.startswith("opentelemetry.exporter")] == []


def test_counts_of_a_receivers_absence_are_not_lost(registry: CollectorRegistry, receiver: Receiver) -> None:
    """Pushes are cumulative: the first one that arrives says all."""
    orders = Counter("orders_total", "Orders.", registry=registry)
    orders.inc(3)
    push = pushed(registry, receiver)
    orders.inc(4)  # while nothing is pushed
    push.start()
    assert push.flush(20)
    push.stop(20)
    assert [instance.value("orders_total") for instance in receiver.instances.values()] == [7]


JOB = """
from prometheus_client import Counter
from sereno_telemetry import flush_metrics, start_metrics_push
orders = Counter("orders_total", "Orders.")
start_metrics_push("nightly")
orders.inc(5)
FLUSH
"""


def run_job(receiver: Receiver, flush: str = "") -> subprocess.CompletedProcess[str]:
    """A short job that pushes, to its end."""
    return subprocess.run(
        [sys.executable, "-c", JOB.replace("FLUSH", flush)],
        env={**os.environ, VARIABLE: receiver.url},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


def test_a_short_job_pushes_before_it_ends(receiver: Receiver) -> None:
    """A job that ends within a second is seen, with and without a flush of its own."""
    assert run_job(receiver).stderr == ""
    assert run_job(receiver, "print(flush_metrics())").stdout == "True\n"
    assert [instance.value("orders_total") for instance in receiver.instances.values()] == [5, 5]


def test_a_receiver_that_never_answers_holds_nobody_up(receiver: Receiver) -> None:
    """The end of a process waits two seconds at most; what did not arrive is told."""
    receiver.answering.clear()
    done = run_job(receiver)
    assert done.returncode == 0
    assert "the last metrics of nightly did not arrive within 2.0 s" in done.stderr


SERVICE = """
from fastapi import FastAPI
from sereno_telemetry import instrument
app = FastAPI()
instrument(app, service="shop")

@app.get("/items/{item}")
async def item(item: int) -> int:
    return item
"""
SERVERS = {
    "gunicorn": ["gunicorn", "shop:app", "-w", "2", "-k", "uvicorn_worker.UvicornWorker", "--preload"],
    "uvicorn": ["uvicorn", "shop:app", "--workers", "2"],
}
ADDRESS = {
    "gunicorn": ["--no-control-socket", "--graceful-timeout", "5", "--bind", "127.0.0.1:{}"],
    "uvicorn": ["--port", "{}"],
}


@pytest.mark.parametrize("server", ["gunicorn", "uvicorn"])
def test_every_worker_pushes_all_it_counted(tmp_path: Path, receiver: Receiver, server: str) -> None:
    """Each worker is an instance of its own and pushes for the last time when it is stopped; nobody else pushes."""
    port = free_port()
    (tmp_path / "shop.py").write_text(SERVICE)
    environment = {**os.environ, VARIABLE: receiver.url, "OTEL_METRIC_EXPORT_INTERVAL": "60000"}
    command = [sys.executable, "-m", *SERVERS[server], *(part.format(port) for part in ADDRESS[server])]
    with (
        (tmp_path / "server.log").open("w") as log,
        subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=log, stderr=log) as process,
        httpx.Client(limits=httpx.Limits(max_keepalive_connections=0), timeout=20) as client,
    ):
        try:
            wait_for(lambda: len(receiver.instances) == 2, what="the first push of two workers")
            for number in range(30):
                assert client.get(f"http://127.0.0.1:{port}/items/{number}").json() == number
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(20)
    labels = {"http_route": "/items/{item}", "http_request_method": "GET", "http_response_status_code": "200"}
    instances = receiver.instances.values()
    counted = [each.value("http_server_request_duration_seconds", **labels) or 0 for each in instances]
    assert (len(counted), sum(counted)) == (2, 30)
    assert {each.service for each in instances} == {"shop"}


def test_nothing_is_pushed_unless_asked_for(registry: CollectorRegistry) -> None:
    """The variable of all signals is set for traces, too: it doesn't switch metrics on."""
    for environment in ({}, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x"}, {VARIABLE: " "}):
        assert start_metrics_push("shop", registry=registry, environment=environment) is None
    off = {VARIABLE: "http://x", "OTEL_SDK_DISABLED": "true"}
    assert start_metrics_push("shop", registry=registry, environment=off) is None
    assert flush_metrics(0)


def test_without_the_extra_the_cure_is_told(
    registry: CollectorRegistry, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A service without the exporter starts, and says what to install."""
    monkeypatch.delitem(sys.modules, "sereno_telemetry.processes.receiver", raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http", None)
    assert start_metrics_push("shop", registry=registry, environment={VARIABLE: "http://x"}) is None
    assert "pip install 'sereno[otlp]'" in caplog.text


@pytest.mark.parametrize("named", ["soon", "-5", "nan", "0"])
def test_an_interval_that_is_none_is_told(
    registry: CollectorRegistry, receiver: Receiver, caplog: pytest.LogCaptureFixture, named: str
) -> None:
    """The usual interval stands in."""
    environment: Mapping[str, str] = {VARIABLE: receiver.url, "OTEL_METRIC_EXPORT_INTERVAL": named}
    push = start_metrics_push("shop", registry=registry, environment=environment)
    assert push is not None
    push.stop(20)
    assert "pushed every 15 s" in caplog.text


def test_a_child_is_another_instance(registry: CollectorRegistry, receiver: Receiver) -> None:
    """After a fork nothing of the parent's push is used: the child is named anew, and pushes once it is started."""
    push = pushed(registry, receiver)
    push.after_fork()
    assert not push.flush(0)
    push.start()
    assert push.flush(20)
    push.stop(20)
    assert len(receiver.instances) == 2
