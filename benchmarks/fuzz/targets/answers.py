"""What a Prometheus, or something else at its address, answers: to the client, and to the portal's pages over it."""

import gc
import re
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle
from typing import Any, Final
from urllib.parse import unquote_plus

import httpx
from fastapi.dependencies import models
from sereno_backends.prometheus import PrometheusClient, PrometheusError
from sereno_portal import PortalConfiguration, create_portal

from benchmarks.fuzz.asking import App, Asked, ask, require_sound
from benchmarks.fuzz.target import ROOT, Target

_PLACE: Final = re.compile(rb"\$of")
_NAMED: Final = re.compile(r'"portal_of", "([^"]+)"')
_NOW: Final = datetime(2026, 11, 22, 12, tzinfo=UTC)
_LABELS = (
    '{"__name__":"m","service":"transactions-api","slo":"availability","severity":"critical","long_window":"1h",'
    '"portal_of":"$of"}'
)


def _success(kind: str, result: str) -> bytes:
    return f'{{"status":"success","data":{{"resultType":"{kind}","result":{result}}}}}'.encode()


_ALERT = (
    f'{{"labels":{_LABELS[:-1]},"alertname":"SLOErrorBudgetBurn"}},"annotations":{{"summary":"x"}},"state":"firing",'
    '"activeAt":"2026-11-22T11:00:00.123456789Z","value":"1e+00"}'
)
_RULE = (
    '{"name":"sereno:events:1h","query":"up","labels":{},"health":"ok","type":"recording","evaluationTime":0.1,'
    '"lastEvaluation":"2026-11-22T11:59:59Z","lastError":""}'
)
_ALERTING = '"service":"transactions-api","slo":"availability","alertname":"SLOErrorBudgetBurn","severity":"critical"'
_FIRING = f'{{"metric":{{"__name__":"ALERTS","alertstate":"firing",{_ALERTING}}},"value":[1795348800,"1"]}}'
_SINCE = f'{{"metric":{{"__name__":"ALERTS_FOR_STATE",{_ALERTING}}},"value":[1795348800,"NaN"]}}'
_SEEDS = (
    _success(
        "vector",
        f'[{{"metric":{_LABELS},"value":[1795348800.123,"0.42"]}},{{"metric":{{}},"value":[1795348800,"NaN"]}}]',
    ),
    _success("scalar", '[1795348800,"+Inf"]'),
    _success("vector", f"[{_FIRING},{_SINCE}]"),
    _success("matrix", f'[{{"metric":{_LABELS},"values":[[1795348740,"1"],[1795348800,"-Inf"]]}}]'),
    _success("vector", f'[{{"metric":{_LABELS},"histogram":[1795348800,{{"count":"1","sum":"2","buckets":[]}}]}}]'),
    f'{{"status":"success","data":{{"alerts":[{_ALERT}]}}}}'.encode(),
    f'{{"status":"success","data":{{"groups":[{{"name":"g","file":"f","interval":60,"rules":[{_RULE}]}}]}}}}'.encode(),
    b'{"status":"success","data":["m","n"],"warnings":["partial"]}',
    b'{"status":"success","data":{"m":[{"type":"counter","help":"","unit":""}]}}',
    b'{"status":"success","data":{"headStats":{"numSeries":3,"minTime":1795340000000}}}',
    b'{"status":"success","data":{"storageRetention":"15d"}}',
    b'{"status":"error","errorType":"bad_data","error":"parse error"}',
)
_WORDS = (
    *(b'"vector"', b'"matrix"', b'"scalar"', b'"string"', b'"NaN"', b'"+Inf"', b'"-Inf"', b'"0"', b'"1e309"', b'"1_0"'),
    *(
        b'"value"',
        b'"values"',
        b'"metric"',
        b'"histogram"',
        b'"warnings"',
        b'"infos"',
        b"1e400",
        b"-62135596800",
        b"[[]]",
    ),
)


def _questions(client: PrometheusClient) -> tuple[Callable[[], Any], ...]:
    before = _NOW - timedelta(hours=1)
    return (
        lambda: client.instant("up", _NOW),
        lambda: client.range("up", before, _NOW, timedelta(minutes=1)),
        lambda: client.columns("up", before, _NOW, timedelta(minutes=1)),
        lambda: client.stored("up[5m]", _NOW),
        client.alerts,
        client.rules,
        client.head_start,
        lambda: client.metric_names(["up"], before, _NOW),
        lambda: client.metric_types("m"),
        client.retention,
        client.ready,
    )


def check_client(data: bytes) -> None:
    """Every answer is values, or one of the client's own errors."""
    status = 503 if data.startswith(b"<") else 200
    transport = httpx.MockTransport(lambda _: httpx.Response(status, content=data))
    with PrometheusClient("http://prometheus.invalid", transport=transport) as client:
        for question in _questions(client):
            try:
                question()
            except PrometheusError as error:
                str(error)


class _Anything(BaseHTTPRequestHandler):
    """Answers the same bytes whatever is asked; where they hold `$of`, the next name of the question."""

    body = b""

    def do_GET(self) -> None:
        asked = unquote_plus(self.rfile.read(int(self.headers.get("content-length", 0))).decode())
        names = cycle(_NAMED.findall(asked) or [""])
        body = _PLACE.sub(lambda _: next(names).encode(), self.body)
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815 - as http.server calls it

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@cache
def _address() -> str:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Anything)
    threading.Thread(target=server.serve_forever, daemon=True, name="anything").start()
    return f"http://127.0.0.1:{server.server_address[1]}"


_PAGES = (
    *(b"/", b"/wall", b"/api/v1/overview", b"/api/v1/wall", b"/services/transactions-api", b"/metrics"),
    *(b"/services/transactions-api/availability", b"/services/transactions-api/availability/explain"),
    *(b"/api/v1/slos/transactions-api/availability", b"/api/v1/slos/transactions-api/availability/explain"),
    *(b"/api/v1/slos/transactions-api/availability/charts/budget", b"/api/v1/services/transactions-api"),
    *(b"/api/v1/services/transactions-api/charts/traffic", b"/dashboards/sereno-overview"),
    b"/api/v1/dashboards/sereno-overview/panels/1",
)


def _new_portal() -> App:
    """A new one for each answer: nothing is remembered of the one before."""
    return create_portal(PortalConfiguration(prometheus=_address(), root=ROOT, clock=lambda: _NOW))


def _forget_applications() -> None:
    """FastAPI remembers the functions of all applications that there ever were; in use there is one."""
    for each in vars(models).values():
        if hasattr(each, "cache_clear"):
            each.cache_clear()
    gc.collect()


def check_portal(data: bytes) -> None:
    """Pages and figures say what they know, or that Prometheus doesn't answer as one; none is a 500."""
    _Anything.body = data
    portal = _new_portal()
    for path in _PAGES:
        require_sound(ask(portal, Asked("GET", path, ((b"host", b"127.0.0.1:8000"),))), also=(503,))
    del portal
    _forget_applications()


TARGETS = (
    Target("prometheus-answers", "values, or the client's own errors", _SEEDS, _WORDS, check_client),
    Target("prometheus-pages", "pages say what they know, no 500", _SEEDS, _WORDS, check_portal),
)
