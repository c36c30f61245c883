"""A scenario on an instrumentation, from the bare app to the judgement."""

import asyncio
import importlib
from collections.abc import Sequence

from fastapi import FastAPI
from opentelemetry import metrics, trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import CollectorRegistry

from benchmarks.telemetry.correctness.evidence import (
    Evidence,
    Request,
    Series,
    difference,
    read_counts,
    read_series,
    read_sum,
)
from benchmarks.telemetry.correctness.judging import Judgement
from benchmarks.telemetry.correctness.scenarios import Scenario
from benchmarks.telemetry.correctness.shop import shop
from benchmarks.telemetry.driving import Answer, Exchange, http_scope
from benchmarks.telemetry.faults.stages import Faults, provider_for
from benchmarks.telemetry.instruments import METRICS_PATH, Instrument, Setting

_USUAL = ((b"host", b"shop.example.com"), (b"accept", b"*/*"))
_REDIRECT = 307


def play(instrument: Instrument, scenario: Scenario, registry: CollectorRegistry) -> Judgement:
    """Build the app, instrument it, send the scenario's requests, and judge; in a process of its own."""
    app = shop()
    if scenario.prepare is not None:
        scenario.prepare(app)
    exporter, provider = InMemorySpanExporter(), provider_for(scenario.faults)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with Faults(scenario.faults) as faults:
        if scenario.has_global_providers:
            _set_global_providers(provider, registry)
        instrument.install(app, Setting(provider if instrument.traces else None, 1.0, registry))
        evidence = _observed(
            app, instrument, requests=scenario.requests, registry=registry, exporter=exporter, faults=faults
        )
    if scenario.faults and not faults.hits:
        return Judgement(None, "never called")
    return scenario.judge(evidence)


def _observed(
    app: FastAPI,
    instrument: Instrument,
    *,
    requests: Sequence[Request],
    registry: CollectorRegistry,
    exporter: InMemorySpanExporter,
    faults: Faults,
) -> Evidence:
    naming = instrument.naming
    seen: list[float] = []

    def active() -> float:
        seen.append(read_sum(registry, naming.active))
        return seen[-1]

    app.state.active = active
    counts, seconds = read_counts(registry, naming), read_sum(registry, naming.seconds)
    with faults.armed():
        answers, series_after_first = asyncio.run(_answers(app, requests, registry))
    return Evidence(
        answers=answers,
        counts=difference(read_counts(registry, naming), counts),
        seconds=read_sum(registry, naming.seconds) - seconds,
        series_after_first=series_after_first,
        series_after_all=read_series(registry),
        active_during=seen[0] if seen else None,
        active_after=read_sum(registry, naming.active),
        spans=exporter.get_finished_spans(),
    )


async def _answers(
    app: FastAPI, requests: Sequence[Request], registry: CollectorRegistry
) -> tuple[list[Answer], Series]:
    answers = [await _answer(app, requests[0])]
    series = read_series(registry)
    answers += [await _answer(app, request) for request in requests[1:]]
    return answers, series


async def _answer(app: FastAPI, request: Request) -> Answer:
    answer = await _exchange(app, request, request.path)
    if request.path == METRICS_PATH and answer.status_code == _REDIRECT:  # a mounted endpoint has a slash at its end
        answer = await _exchange(app, request, f"{request.path}/")
    return answer


async def _exchange(app: FastAPI, request: Request, path: str) -> Answer:
    given = {name for name, _ in request.headers}
    headers = [*(one for one in _USUAL if one[0] not in given), *request.headers]
    scope = http_scope(request.method, path, headers, root_path=request.root_path)
    exchange = Exchange(is_body_cut=request.is_body_cut, leaves_after=request.leaves_after)
    return await exchange.run(app, scope)


def _set_global_providers(provider: TracerProvider, registry: CollectorRegistry) -> None:
    trace.set_tracer_provider(provider)
    exporter = importlib.import_module("opentelemetry.exporter.prometheus")
    sdk = importlib.import_module("opentelemetry.sdk.metrics")
    metrics.set_meter_provider(sdk.MeterProvider(metric_readers=[exporter.PrometheusMetricReader(registry=registry)]))
