"""Headers that travel with requests and messages, written by anybody: telemetry measures, and is never in the way."""

from functools import cache
from typing import Any

from fastapi import FastAPI, Request
from opentelemetry.sdk.trace import TracerProvider
from prometheus_client import CollectorRegistry, generate_latest
from sereno_telemetry.http.instrumenting import instrument
from sereno_telemetry.work import headers as message_headers

from benchmarks.fuzz.asking import App, ask, request_of
from benchmarks.fuzz.target import Target, require

_TRACE = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
_SEEDS = (
    b"GET /items/7 HTTP/1.1\nhost: x\ntraceparent: " + _TRACE + b"\ntracestate: a=b,c=d\nbaggage: k=v;p=1,l=%20x\n\n",
    b"POST /items/7?a=b HTTP/1.1\nhost: x\ncontent-length: 3\nuser-agent: y\nx-forwarded-for: 1.2.3.4\n\nabc",
    b"FOO /nowhere/%ff/%00/%2e%2e HTTP/1.1\ntraceparent: ff-0-0-0\n\n",
    b'{"sereno-envelope":1,"headers":{"traceparent":"' + _TRACE + b'","sereno-enqueued-at":"1.5"},"text":"x"}',
    b'{"sereno-envelope":1,"headers":{},"base64":"AAEC"}',
)
_WORDS = (
    *(
        b"traceparent: ",
        b"tracestate: ",
        b"baggage: ",
        b"00-",
        b"-01",
        b"ff",
        b"0" * 32,
        b"content-length: -1",
        b"HEAD ",
        b"OPTIONS ",
    ),
    *(
        b'"sereno-enqueued-at":"',
        b"1e999",
        b"nan",
        b'"headers":',
        b'"text":',
        b'"base64":"=',
        b"%F0%9F%92%A9",
        b"QUERY ",
    ),
)
_MOST_SERIES = 3_000


@cache
def _service() -> tuple[App, CollectorRegistry]:
    """An instrumented service that answers what it was asked."""
    app, registry = FastAPI(), CollectorRegistry()

    @app.api_route("/items/{item}", methods=["GET", "POST"])
    async def item(item: str, request: Request) -> dict[str, Any]:
        return {"item": item, "bytes": len(await request.body())}

    instrument(app, service="fuzz", registry=registry, tracer_provider=TracerProvider())
    return app, registry


def check(data: bytes) -> None:
    """Requests are answered, messages are opened, and neither makes series without end."""
    request = request_of(data)
    if request is not None:
        app, registry = _service()
        answered = ask(app, request)
        require(answered.status in (200, 307, 404, 405), f"answered {answered.status}")
        series = generate_latest(registry).count(b"\n")
        require(series < _MOST_SERIES, f"{series} lines of metrics")
    for payload in (data, data.decode(errors="replace"), data.decode("utf-8", "surrogateescape")):
        carried, body = message_headers.opened(payload)
        require(type(body) is type(payload) or isinstance(body, bytes), "a body of another kind")
        _read(carried)
    lines = [line.partition(b": ") for line in data.split(b"\n")]
    _read({name: value for name, _, value in lines})
    _read({name.decode(errors="replace"): value.decode(errors="surrogateescape") for name, _, value in lines})


def _read(carried: Any) -> None:
    context = message_headers.context_of(carried)
    message_headers.span_context_of(context)
    age = message_headers.age_seconds(message_headers.enqueued_at_seconds(carried), 1.8e9)
    require(age is None or age >= 0, f"an age of {age} s")
    message_headers.carries_context(carried)


TARGETS = (Target("headers", "telemetry is never in the way; series stay few", _SEEDS, _WORDS, check),)
