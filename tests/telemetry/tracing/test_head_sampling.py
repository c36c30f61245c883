"""The head decision: the same as OpenTelemetry's, taken once, before any span is built."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry import baggage, context, propagate, trace
from opentelemetry.context import Context
from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware, asgi_getter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import (
    ALWAYS_OFF,
    ALWAYS_ON,
    DEFAULT_ON,
    Decision,
    ParentBased,
    ParentBasedTraceIdRatio,
    Sampler,
    SamplingResult,
    StaticSampler,
    TraceIdRatioBased,
)
from prometheus_client import CollectorRegistry
from sereno_telemetry import instrument
from sereno_telemetry.tracing.sampling import HeadPolicy, HeadSampling, head_policy

Call = Callable[..., httpx.Response]

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
STANDARD = [
    ALWAYS_ON,
    ALWAYS_OFF,
    DEFAULT_ON,
    TraceIdRatioBased(0.3),
    ParentBased(TraceIdRatioBased(0.3)),
    ParentBased(ALWAYS_OFF, remote_parent_sampled=TraceIdRatioBased(0.5), remote_parent_not_sampled=ALWAYS_ON),
    ParentBasedTraceIdRatio(0.3),  # what OTEL_TRACES_SAMPLER=parentbased_traceidratio makes
]

# Keeps what the caller decided, so that what was read is seen unchanged.
DECIDING = HeadSampling(HeadPolicy(root=1 << 64, parent_sampled=1 << 64, parent_not_sampled=0), RandomIdGenerator())

# Near misses of a valid header are more telling than noise.
hexadecimal = st.text("0123456789abcdefABCDEFg", min_size=0, max_size=34)
traceparents = st.one_of(
    st.binary(max_size=80),
    st.builds(
        lambda version, trace_id, span_id, flags, rest: f"{version}-{trace_id}-{span_id}-{flags}{rest}".encode(),
        st.sampled_from(["00", "01", "ff", "0", " 00", "\t00"]),
        st.sampled_from([TRACE, "0" * 32, TRACE.upper(), TRACE[:-1], "f" * 32]) | hexadecimal,
        st.sampled_from(["00f067aa0ba902b7", "0" * 16, "f" * 16, "00f067aa0ba902b"]) | hexadecimal,
        st.sampled_from(["00", "01", "02", "ff", "1", "0x"]),
        st.sampled_from(["", "-", "-more", " ", "\n", "\r\n", "\t", "\x00", "x" * 500]),
    ),
)
headers = st.lists(
    st.one_of(
        st.tuples(st.just(b"traceparent"), traceparents),
        st.tuples(st.just(b"tracestate"), st.sampled_from([b"a=1", b"a=1,b=2", b"=", b"\xff", b"a=1," * 40])),
        st.tuples(st.just(b"baggage"), st.sampled_from([b"user=7", b"user=7,=", b"\xff"])),
        st.tuples(st.just(b"host"), st.just(b"service.test")),
    ),
    max_size=4,
)


@settings(max_examples=600, deadline=None)
@given(headers)
def test_headers_are_read_as_opentelemetry_reads_them(pairs: list[tuple[bytes, bytes]]) -> None:
    """Whatever a client sends, the short way and OpenTelemetry's propagator find the same trace and baggage."""
    scope = {"type": "http", "headers": pairs}
    head = DECIDING.decide(scope)
    assert head is not None
    if any(b"\xff" in value or not value.isascii() for _, value in pairs):
        return  # OpenTelemetry's way to read headers itself raises for some of these
    expected: Context = propagate.extract(scope, Context(), asgi_getter)
    known = trace.get_current_span(expected).get_span_context()
    if known.is_valid:
        assert head.get_span_context() == known
    else:  # a trace of its own
        assert head.get_span_context().is_valid
        assert not head.get_span_context().is_remote
    assert baggage.get_all(head.carried) == baggage.get_all(expected)


@pytest.mark.parametrize("sampler", STANDARD, ids=Sampler.get_description)
def test_standard_samplers_decide_beforehand_as_they_would_themselves(sampler: Sampler) -> None:
    """For any trace id and any parent, the bounds say what the SDK's sampler says."""
    policy, ids = head_policy(sampler), RandomIdGenerator()
    assert policy is not None
    for _ in range(300):
        trace_id = ids.generate_trace_id()
        for flags in (None, 0, 1):
            around, parent = Context(), None
            if flags is not None:
                parent = trace.SpanContext(trace_id, 1, True, trace.TraceFlags(flags))  # noqa: FBT003
                around = trace.set_span_in_context(trace.NonRecordingSpan(parent), around)
            said = sampler.should_sample(around, trace_id, "GET").decision is Decision.RECORD_AND_SAMPLE
            assert policy.samples(parent, trace_id) == said


class Custom(Sampler):
    """Samples what has the route `/yes`."""

    def should_sample(self, *values: Any, **named: Any) -> SamplingResult:  # noqa: D102
        attributes = values[4] if len(values) > 4 else named.get("attributes")
        wanted = (attributes or {}).get("http.route") == "/yes"
        return SamplingResult(Decision.RECORD_AND_SAMPLE if wanted else Decision.DROP)

    def get_description(self) -> str:  # noqa: D102
        return "custom"


@pytest.mark.parametrize("sampler", [Custom(), ParentBased(Custom()), StaticSampler(Decision.RECORD_ONLY)])
def test_other_samplers_are_asked_with_a_span_at_hand(sampler: Sampler) -> None:
    """What isn't standard, or hides something that isn't, is left to OpenTelemetry's middleware."""
    assert head_policy(sampler) is None


class Shop:
    """An app whose answers tell what is in its context."""

    def __init__(self, sampler: Sampler) -> None:
        self.spans = InMemorySpanExporter()
        self.registry = CollectorRegistry()
        provider = TracerProvider(sampler=sampler)
        provider.add_span_processor(SimpleSpanProcessor(self.spans))
        self.app = FastAPI()

        @self.app.get("/yes")
        @self.app.get("/no")
        async def tell() -> dict[str, Any]:
            outgoing: dict[str, str] = {}
            propagate.inject(outgoing)
            return outgoing | {"baggage": dict(baggage.get_all())}

        instrument(self.app, service="shop", registry=self.registry, tracer_provider=provider)


def test_a_custom_sampler_sees_the_route(call: Call) -> None:
    """A sampler that decides by route gets it, and its decision stands."""
    shop = Shop(Custom())
    call(shop.app, "GET", "/no")
    call(shop.app, "GET", "/yes")
    assert [span.name for span in shop.spans.get_finished_spans()] == ["GET /yes"]


@pytest.mark.parametrize("sampled", [True, False])
@pytest.mark.parametrize("sampler", [ParentBased(TraceIdRatioBased(0)), DEFAULT_ON], ids=Sampler.get_description)
def test_the_callers_decision_is_kept_and_handed_on(call: Call, sampler: Sampler, sampled: bool) -> None:
    """With a parent, its flag decides: for the span, for the services that are called, and for exemplars."""
    shop = Shop(sampler)
    sent = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-0{int(sampled)}", "tracestate": "a=1", "baggage": "user=7"}
    told = call(shop.app, "GET", "/yes", headers=sent).json()
    version, trace_id, _, flags = told["traceparent"].split("-")
    assert (version, trace_id, flags) == ("00", TRACE, f"0{int(sampled)}")
    assert told["tracestate"] == "a=1"
    assert told["baggage"] == {"user": "7"}
    assert len(shop.spans.get_finished_spans()) == sampled
    text = call(shop.app, "GET", "/metrics", headers={"accept": "application/openmetrics-text; version=1.0.0"}).text
    assert (f'# {{trace_id="{TRACE}"}}' in text) == sampled


def test_a_ratio_is_applied_once_and_to_the_id_that_the_span_has(call: Call) -> None:
    """At 30 % the requests that say so have a span, of that very id, and no others: not 30 % of 30 %."""
    shop = Shop(ParentBased(TraceIdRatioBased(0.3)))
    told = [call(shop.app, "GET", "/yes").json()["traceparent"].split("-") for _ in range(200)]
    sampled = [trace_id for _, trace_id, _, flags in told if int(flags, 16) & 1]
    assert 30 <= len(sampled) <= 95  # five standard deviations from 60
    built = [span.context.trace_id for span in shop.spans.get_finished_spans() if span.context]
    assert [trace.format_trace_id(trace_id) for trace_id in built] == sampled
    assert all((int(trace_id, 16) & (1 << 64) - 1) < round(0.3 * (1 << 64)) for trace_id in sampled)


def test_what_is_not_sampled_never_meets_opentelemetrys_middleware(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unsampled requests go past it, with ids of their own in the context."""
    shop = Shop(ParentBased(ALWAYS_OFF))

    def refuse(*_: object) -> None:
        raise AssertionError("called")

    monkeypatch.setattr(OpenTelemetryMiddleware, "__call__", refuse)
    first, second = (call(shop.app, "GET", "/yes").json()["traceparent"] for _ in range(2))
    assert first[-2:] == second[-2:] == "02"  # random, not sampled
    assert first[3:35] != second[3:35]


def test_a_request_within_a_request_is_a_trace_of_its_own(call: Call) -> None:
    """The decision about a request doesn't reach what the app begins with an empty context."""
    shop = Shop(DEFAULT_ON)

    @shop.app.get("/outer")
    async def outer() -> str:
        async def ask() -> str:
            token = context.attach(Context())
            try:
                transport = httpx.ASGITransport(app=shop.app)
                async with httpx.AsyncClient(transport=transport, base_url="http://service.test") as client:
                    return str((await client.get("/yes")).json()["traceparent"])
            finally:
                context.detach(token)

        return await asyncio.create_task(ask())

    call(shop.app, "GET", "/outer")
    inner, outer_span = shop.spans.get_finished_spans()
    assert (inner.name, outer_span.name) == ("GET /yes", "GET /outer")
    assert inner.context is not None
    assert outer_span.context is not None
    assert inner.context.trace_id != outer_span.context.trace_id
