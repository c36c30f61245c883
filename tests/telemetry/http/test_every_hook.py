"""Whatever the instrumentation calls while a request is served may raise: the answer stays the same.

The hooks are found in the code itself: every function and method of the modules on a request's path, and every
function of other packages that they call by name. Something new is tried without anybody adding it here. What only
runs when an app is set up, and what is itself the net that catches, is named below.
"""

import ast
import asyncio
import importlib
import inspect
import sys
import textwrap
from collections.abc import AsyncIterator, Callable, Iterator
from types import FrameType, ModuleType
from typing import Any

import pytest
from fastapi import BackgroundTasks, FastAPI
from fastapi.responses import StreamingResponse
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, Sampler, SamplingResult
from prometheus_client import CollectorRegistry
from sereno_telemetry import instrument
from starlette.responses import PlainTextResponse

MODULES = [
    importlib.import_module(f"sereno_telemetry.{name}")
    for name in (
        "failed_requests",
        "http.exchange",
        "http.metrics",
        "http.middleware",
        "http.naming",
        "http.routes",
        "metrics.families",
        "tracing.call",
        "tracing.layers",
        "tracing.sampling",
        "tracing.server",
    )
]

# The nets: what is raised inside them is caught inside them, so there is nothing to catch what they raise themselves.
NETS = {
    "http.exchange.Exchange._code_of_end",
    "http.exchange.Exchange.end",
    "http.exchange.Exchange.receive",
    "http.exchange.Exchange.send",
    "http.exchange.Exchange._finish",
    "http.metrics.HttpMetrics.leave",
    "http.middleware.RequestMetrics.__call__",
    "http.middleware.RequestMetrics._begin",
    "tracing.call.TracedCall.__init__",
    "tracing.call.TracedCall.from_application",
    "tracing.call.TracedCall.to_server",
    "tracing.layers._RecordedExceptions.__call__",
    "tracing.layers._RecordedExceptions._record",
    "tracing.server.ServerTracing.__call__",
    "tracing.server.ServerTracing._attach",
    "tracing.server.ServerTracing._decide",
    "tracing.server.ServerTracing._detach",
    "tracing.server.ServerTracing._enter",
    "tracing.server.ServerTracing._remember_span",
    "tracing.server.ServerTracing._trace",
}

# What runs while `instrument` does, or for what isn't a request; test_set_up_names_nothing_that_requests_use holds it.
SET_UP = {
    "failed_requests.failed_request",
    "http.metrics.HttpMetrics.__init__",
    "http.metrics._Durations.__init__",
    "http.metrics._Sizes.__init__",
    "http.metrics._StartTime.collect",
    "http.metrics.ensure_start_time",
    "http.metrics._first_bytes",
    "http.metrics.http_metrics",
    "http.routes._flattening",
    "http.routes.naming_for",
    "metrics.families.CounterFamily.__init__",
    "metrics.families.GaugeFamily.__init__",
    "metrics.families.HistogramFamily.__init__",
    "metrics.families._Family.__init__",
    "metrics.families._Limits.__init__",
    "metrics.families.adding_to",
    "tracing.layers.provider_source",
    "tracing.layers.trace_app",
    "tracing.sampling._Headers.keys",
    "tracing.sampling._DecidedSampler.get_description",
    "tracing.sampling.UnbuiltSpan.__repr__",
}

# What the counting of errors itself stands on.
SURE = {"contextlib.suppress"}

# Methods of other packages that are called on objects, and what OpenTelemetry's middleware does before and after the
# app has run. These can't be read off the code.
METHODS = [
    "opentelemetry.baggage.propagation.W3CBaggagePropagator.extract",
    "opentelemetry.instrumentation.asgi.OpenTelemetryMiddleware.__call__",
    "opentelemetry.instrumentation.asgi.OpenTelemetryMiddleware._get_otel_receive",
    "opentelemetry.instrumentation.asgi.OpenTelemetryMiddleware._get_otel_send",
    "opentelemetry.instrumentation.asgi.OpenTelemetryMiddleware._set_server_span",
    "opentelemetry.instrumentation.asgi._collect_target_attribute",
    "opentelemetry.instrumentation.asgi.collect_request_attributes",
    "opentelemetry.instrumentation.asgi.get_host_port_url_tuple",
    "opentelemetry.instrumentation.asgi.set_status_code",
    "opentelemetry.sdk.trace.Span.end",
    "opentelemetry.sdk.trace.Span.get_span_context",
    "opentelemetry.sdk.trace.Span.is_recording",
    "opentelemetry.sdk.trace.Span.record_exception",
    "opentelemetry.sdk.trace.Span.set_attribute",
    "opentelemetry.sdk.trace.Span.set_status",
    "opentelemetry.sdk.trace.Span.update_name",
    "opentelemetry.sdk.trace.SynchronousMultiSpanProcessor.on_end",
    "opentelemetry.sdk.trace.SynchronousMultiSpanProcessor.on_start",
    "opentelemetry.sdk.trace.Tracer.start_span",
    "opentelemetry.sdk.trace.TracerProvider.get_tracer",
    "opentelemetry.sdk.trace.id_generator.RandomIdGenerator.generate_span_id",
    "opentelemetry.sdk.trace.id_generator.RandomIdGenerator.generate_trace_id",
    "opentelemetry.sdk.trace.id_generator.RandomIdGenerator.is_trace_id_random",
    "opentelemetry.sdk.trace.sampling.StaticSampler.should_sample",
    "opentelemetry.trace.get_tracer_provider",
    "opentelemetry.trace.propagation.tracecontext.TraceContextTextMapPropagator.extract",
    "prometheus_client.metrics.Histogram.observe",
    "prometheus_client.metrics.MetricWrapperBase.labels",
    "prometheus_client.values.MutexValue.inc",
]


def own_hooks() -> dict[str, tuple[Any, str]]:
    """Functions and methods that are written in `MODULES`: name → where it is, and what it is called there."""
    found: dict[str, tuple[Any, str]] = {}
    for module in MODULES:
        owners = [module, *(kind for kind in vars(module).values() if inspect.isclass(kind))]
        for owner in owners:
            for name, value in vars(owner).items():
                code = getattr(inspect.unwrap(getattr(value, "__func__", value)), "__code__", None)
                if code is not None and code.co_filename == module.__file__ and value.__module__ == module.__name__:
                    path = f"{module.__name__}.{getattr(value, '__qualname__', name)}"
                    found[path.removeprefix("sereno_telemetry.")] = (owner, name)
    return found


def foreign_hooks() -> dict[str, tuple[Any, str]]:
    """Functions of other packages that `OWN` ones call by name: name → where to replace them."""
    found: dict[str, tuple[Any, str]] = {}
    for path, (owner, own) in OWN.items():
        if path in SET_UP:
            continue
        module = sys.modules[owner.__name__ if isinstance(owner, ModuleType) else owner.__module__]
        function = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(getattr(owner, own))))).body[0]
        assert isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef))
        for node in (node for statement in function.body for node in ast.walk(statement)):
            match node:
                case ast.Call(func=ast.Name(id=name)) if callable(value := vars(module).get(name)):
                    if not getattr(value, "__module__", "").startswith("sereno_telemetry"):
                        found[f"{name} in {module.__name__}"] = (module, name)
                case ast.Call(func=ast.Attribute(value=ast.Name(id=holder), attr=name)) if isinstance(
                    package := vars(module).get(holder), ModuleType
                ):
                    found[f"{holder}.{name}"] = (package, name)
    return {name: place for name, place in found.items() if name not in SURE}


def resolve(path: str) -> tuple[Any, str]:
    """Where the function of that dotted path is, and what it is called there."""
    parts = path.split(".")
    for length in range(len(parts) - 1, 0, -1):
        try:
            owner: Any = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for part in parts[length:-1]:
            owner = getattr(owner, part)
        assert hasattr(owner, parts[-1]), path
        return owner, parts[-1]
    raise AssertionError(path)


OWN = own_hooks()
HOOKS = (
    {name: place for name, place in OWN.items() if name not in NETS | SET_UP}
    | foreign_hooks()
    | {path: resolve(path) for path in METHODS}
)


class Fault:
    """Takes the place of a function, and raises when the instrumentation calls it."""

    def __init__(self, patch: pytest.MonkeyPatch, owner: Any, name: str) -> None:
        self.calls = 0
        original = inspect.getattr_static(owner, name)
        function = getattr(owner, name)
        everywhere = [owner]
        if isinstance(owner, ModuleType) and owner.__name__.startswith("sereno_telemetry"):
            everywhere = [module for module in sys.modules.values() if vars(module).get(name) is function]
        for place in everywhere:
            patch.setattr(place, name, self.raising(original, function))

    def raising(self, original: Any, function: Callable[..., Any]) -> Any:
        """The broken function, of the same kind as `original`."""
        kept: Any = getattr(original, "__func__", original)

        def fail_for(caller: FrameType) -> None:
            # prometheus_client must go on counting the errors, and the app's own parts are not on trial.
            if caller.f_globals["__name__"].split(".")[0] in {"sereno_telemetry", "opentelemetry"}:
                self.calls += 1
                raise RuntimeError("broken on purpose")

        def broken(*values: Any, **named: Any) -> Any:
            fail_for(sys._getframe(1))
            return kept(*values, **named)

        async def broken_later(*values: Any, **named: Any) -> Any:
            fail_for(sys._getframe(1))
            return await kept(*values, **named)

        chosen = broken_later if inspect.iscoroutinefunction(function) else broken
        return staticmethod(chosen) if isinstance(original, staticmethod) else chosen


class Custom(Sampler):
    """A sampler that can't be asked beforehand."""

    def should_sample(self, *values: Any, **named: Any) -> SamplingResult:  # noqa: D102
        return ALWAYS_ON.should_sample(*values, **named)

    def get_description(self) -> str:  # noqa: D102
        return "custom"


def shop(ran: list[str]) -> FastAPI:
    """An app with everything that requests can come to."""
    app = FastAPI()

    @app.get("/ok")
    async def ok(tasks: BackgroundTasks) -> str:
        tasks.add_task(ran.append, "task")
        return "fine"

    @app.post("/echo")
    async def echo(body: dict[str, str]) -> dict[str, str]:
        return body

    @app.get("/boom")
    async def boom() -> None:
        raise LookupError("the app's own")

    async def half() -> AsyncIterator[bytes]:
        yield b"half"
        raise LookupError("the app's own")

    @app.get("/half")
    async def break_off() -> StreamingResponse:
        return StreamingResponse(half())

    async def left(scope: Any, receive: Any, send: Any) -> None:  # noqa: ARG001 - ASGI's signature
        await receive()
        raise ConnectionResetError("the client is gone")

    app.mount("/mounted", PlainTextResponse("below"))
    app.mount("/left", left)
    return app


CARRIED = [
    (b"traceparent", b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
    (b"tracestate", b"vendor=1"),
    (b"baggage", b"user=7"),
]
REQUESTS = [
    ("GET", "/ok", []),
    ("GET", "/ok", CARRIED[:1]),
    ("GET", "/ok", CARRIED),
    ("POST", "/echo", [(b"content-type", b"application/json")]),
    ("GET", "/boom", CARRIED[:1]),
    ("GET", "/half", []),
    ("BREW", "/nothing", []),
    ("GET", "/mounted/below", []),
    ("GET", "/nothing/metrics", []),
    ("GET", "/left/by/its/client", []),
]


async def answers(app: FastAPI) -> list[object]:
    """What a server would see of all `REQUESTS`: each message, and each exception."""
    seen: list[object] = []
    bodies: list[bytes] = []

    async def receive() -> dict[str, Any]:
        if path.startswith("/left"):
            return {"type": "http.disconnect"}
        if not bodies:
            await asyncio.Event().wait()  # the client stays
        return {"type": "http.request", "body": bodies.pop(), "more_body": False}

    async def send(message: Any) -> None:
        if path.startswith("/left"):
            raise BrokenPipeError("the client is gone")
        seen.append(dict(message))

    for method, path, headers in REQUESTS:
        bodies[:] = [b'{"a": "b"}']
        scope = {"type": "http", "method": method, "path": path, "headers": list(headers), "query_string": b""}
        try:
            await app(scope, receive, send)
        except Exception as error:  # noqa: BLE001 - the server sees it too
            seen.append(repr(error))
    return seen


def apps(ran: list[str]) -> Iterator[tuple[FastAPI, CollectorRegistry]]:
    """The same app under each way of tracing: ids alone, spans decided beforehand, spans decided by a sampler."""
    for sampler in (None, ALWAYS_ON, Custom()):
        registry, app = CollectorRegistry(), shop(ran)
        provider = TracerProvider(sampler=sampler) if sampler else None
        if provider is not None:
            provider.add_span_processor(SimpleSpanProcessor(InMemorySpanExporter()))
        instrument(
            app,
            service="shop",
            registry=registry,
            tracer_provider=provider,
            sizes=True,
            time_to_first_byte=True,
        )
        yield app, registry


def bare() -> tuple[list[object], int]:
    """What the app answers without us, and how many of its background tasks run."""
    ran: list[str] = []
    return asyncio.run(answers(shop(ran))), len(ran)


EXPECTED, TASKS = bare()


@pytest.mark.parametrize("hook", sorted(HOOKS))
def test_a_hook_that_raises_changes_no_answer(hook: str) -> None:
    """Each message goes out once and unchanged, exceptions stay the app's own, the fault is counted, nothing leaks."""
    calls, errors = 0, 0.0
    ran: list[str] = []
    for app, registry in apps(ran):
        with pytest.MonkeyPatch.context() as patch:
            fault = Fault(patch, *HOOKS[hook])
            assert asyncio.run(answers(app)) == EXPECTED
            calls += fault.calls
        errors += registry.get_sample_value("sereno_telemetry_errors_total") or 0
        asyncio.run(answers(app))  # whatever an update of the gauge lost is made good
        assert registry.get_sample_value("http_server_active_requests") == 0
    assert calls, "no request comes here: is it set-up?"
    assert errors
    assert len(ran) == 2 * 3 * TASKS


@pytest.mark.parametrize("hook", sorted(SET_UP))
def test_set_up_names_nothing_that_requests_use(hook: str) -> None:
    """What is left out above as set-up isn't called by any request."""
    for app, _ in apps([]):
        with pytest.MonkeyPatch.context() as patch:
            fault = Fault(patch, *OWN[hook])
            assert asyncio.run(answers(app)) == EXPECTED
            assert fault.calls == 0


@pytest.mark.parametrize("hook", sorted(NETS))
def test_nets_catch(hook: str) -> None:
    """What is left out above as a net has an `except`, or does nothing that could raise."""
    owner, name = OWN[hook]
    source = inspect.getsource(getattr(owner, name))
    assert "except" in source or "finally" in source or "self._server_error" in source


def test_without_faults_there_are_no_errors() -> None:
    """The comparison means something: untouched, every request is answered as without us, and nothing is noted."""
    ran: list[str] = []
    for app, registry in apps(ran):
        assert asyncio.run(answers(app)) == EXPECTED
        assert registry.get_sample_value("sereno_telemetry_errors_total") == 0
