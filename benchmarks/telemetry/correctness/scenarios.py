"""The rows of the table: what happens, and what is right."""

from collections.abc import Callable
from dataclasses import dataclass

from fastapi import FastAPI

from benchmarks.telemetry.correctness import judging, shop
from benchmarks.telemetry.correctness.evidence import Request
from benchmarks.telemetry.correctness.judging import Judge
from benchmarks.telemetry.driving import traceparent
from benchmarks.telemetry.faults.stages import METRIC_BACKENDS, SAMPLER
from benchmarks.telemetry.instruments import METRICS_PATH

_MANY = 20
_TRACE = 0x5E2E10
_OPEN_METRICS = (
    b"accept",
    b"application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
)
_ITEM = "/shops/{shop}/items/{item}"


@dataclass(frozen=True, slots=True)
class Scenario:
    """One row."""

    name: str
    right: str
    """What is right, in words."""
    requests: tuple[Request, ...]
    judge: Judge
    prepare: Callable[[FastAPI], None] | None = None
    """What is done to the app before it is instrumented."""
    faults: tuple[str, ...] = ()
    """Stages of `benchmarks.telemetry.faults` that raise while the requests are served."""
    has_global_providers: bool = False
    """Whether the process has OpenTelemetry's global providers, whoever uses them."""


ROUTES = (
    Scenario(
        "router in a router",
        "the whole template",
        (Request("/shops/7/items/4711"),),
        judging.counted_as(_ITEM, 200),
    ),
    Scenario(
        "FastAPI app below a mount",
        "the template with the mount's prefix",
        (Request("/tenants/acme/orders/4711"),),
        judging.counted_as("/tenants/{tenant}/orders/{order}", 200),
    ),
    Scenario(
        "router in an app below a mount",
        "the template with both prefixes",
        (Request("/tenants/acme/v1/items/4711"),),
        judging.counted_as("/tenants/{tenant}/v1/items/{item}", 200),
    ),
    Scenario(
        "Starlette routes below a mount",
        "the template with the mount's prefix",
        (Request("/plain/a/4711"),),
        judging.counted_as("/plain/a/{b}", 200),
    ),
    Scenario(
        "files below a mount",
        "one series, not one a file",
        tuple(Request(f"/files/{number}.js") for number in range(_MANY)),
        judging.grouped(200, raw=".js"),
    ),
    Scenario(
        "behind a proxy that takes a prefix off",
        "the app's own template",
        (Request("/behind/proxy/shops/7/items/4711", root_path="/behind/proxy"),),
        judging.counted_as(_ITEM, 200),
    ),
    Scenario(
        "slash redirect",
        "counted, without the raw path",
        (Request("/shops/7/items/4711/"),),
        judging.grouped(307, raw="4711"),
    ),
    Scenario(
        "404, twenty paths",
        "all counted, in one series",
        tuple(Request(f"/wp-{number}.php") for number in range(_MANY)),
        judging.grouped(404),
    ),
    Scenario(
        "404 below a mount, twenty paths",
        "all counted, in one series",
        tuple(Request(f"/tenants/acme/wp-{number}.php") for number in range(_MANY)),
        judging.grouped(404),
    ),
    Scenario(
        "404 of a handler",
        "its template",
        (Request("/shops/7/items/gone"),),
        judging.counted_as(_ITEM, 404),
    ),
    Scenario(
        "405",
        "counted, without the raw path",
        (Request("/shops/7/items/4711", method="DELETE"),),
        judging.grouped(405, raw="4711"),
    ),
    Scenario(
        "twenty invented methods",
        "one value of the label",
        tuple(Request("/shops/7/items/4711", method=f"BREW{number}") for number in range(_MANY)),
        judging.one_method,
    ),
    Scenario(
        "a middleware refuses",
        "the template that was meant",
        (Request("/shops/7/items/4711"),),
        judging.counted_as(_ITEM, 401),
        prepare=shop.refuse_everybody,
    ),
    Scenario(
        "a middleware copies the scope",
        "the template",
        (Request("/shops/7/items/4711"),),
        judging.counted_as(_ITEM, 200),
        prepare=shop.copy_scopes,
    ),
    Scenario(
        "twenty Host headers",
        "no new series",
        tuple(
            Request(
                "/shops/7/items/4711",
                headers=((b"host", f"h{number}.test".encode()), (b"x-forwarded-host", f"f{number}.test".encode())),
            )
            for number in range(_MANY)
        ),
        judging.no_new_series,
    ),
)

ENDINGS = (
    Scenario("unhandled exception", "500, and the server gets it", (Request("/boom"),), judging.failed("/boom")),
    Scenario(
        "the app's own answer to exceptions",
        "the code that was sent",
        (Request("/boom"),),
        judging.counted_as("/boom", 503),
        prepare=shop.answer_exceptions_itself,
    ),
    Scenario("stream that breaks off", "no success", (Request("/half"),), judging.failed("/half")),
    Scenario(
        "client leaves while it sends its body",
        "neither a success nor a failure of the service",
        (Request("/upload", method="POST", is_body_cut=True, leaves_after=0),),
        judging.left_by_client,
    ),
    Scenario(
        "client leaves a stream",
        "counted once, not as a failure of the service",
        (Request("/endless", leaves_after=2),),
        judging.left_in_stream,
    ),
    Scenario(
        f"background task of {shop.TASK_SECONDS:g} s",
        "not in the clock",
        (Request("/later"),),
        judging.without_background,
    ),
    Scenario(
        f"stream of {shop.CHUNKS * shop.PAUSE_SECONDS:.1f} s",
        "in the clock, to its last chunk",
        (Request("/stream"),),
        judging.with_whole_stream,
    ),
    Scenario(
        "requests in progress",
        "1 while it is served, 0 after failures",
        (Request("/active"), Request("/boom"), Request("/half"), Request("/endless", leaves_after=2)),
        judging.in_progress,
    ),
)

OUTPUT = (
    Scenario(
        "exemplars",
        "the trace id of a sampled caller",
        (
            Request("/shops/7/items/4711", headers=((b"traceparent", traceparent(_TRACE, sampled=True)),)),
            Request(METRICS_PATH, headers=(_OPEN_METRICS,)),
        ),
        judging.exemplar(f"{_TRACE:032x}"),
    ),
    Scenario(
        "scrape by Prometheus",
        "OpenMetrics, as asked for",
        (Request(METRICS_PATH, headers=(_OPEN_METRICS,)),),
        judging.open_metrics,
    ),
    Scenario(
        "scrapes",
        "no requests of customers",
        (Request(METRICS_PATH), Request(METRICS_PATH)),
        judging.scrapes_uncounted,
    ),
    Scenario(
        "OpenTelemetry's global providers are there",
        "one count, one span",
        (Request("/tenants/acme/orders/4711"),),
        judging.once_each,
        has_global_providers=True,
    ),
    Scenario(
        "span of a request below a mount",
        "one, with the whole template",
        (Request("/tenants/acme/orders/4711"),),
        judging.span_of("/tenants/{tenant}/orders/{order}"),
    ),
    Scenario(
        "the metrics raise",
        "the app's own answer",
        (Request("/shops/7/items/4711"),),
        judging.unharmed,
        faults=METRIC_BACKENDS,
    ),
    Scenario(
        "the sampler raises",
        "the app's own answer",
        (Request("/shops/7/items/4711"),),
        judging.unharmed,
        faults=(SAMPLER,),
    ),
)

SCENARIOS = {scenario.name: scenario for scenario in (*ROUTES, *ENDINGS, *OUTPUT)}
