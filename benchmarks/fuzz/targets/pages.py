"""What browsers and programs ask the portal and the exporters: paths, parameters, cookies, forms."""

import re
import socket
from functools import cache
from typing import Final

from sereno_exporters.frame.scraping import Scrapers
from sereno_exporters.frame.serving import create_app
from sereno_portal import PortalConfiguration, create_portal
from sereno_postmortems.sources import DatabaseIncidents
from sereno_postmortems.store import IncidentStore
from sereno_postmortems.webhook import Delivery, read_delivery

from benchmarks.fuzz.asking import App, ask, request_of, require_sound
from benchmarks.fuzz.target import ROOT, Target, require
from benchmarks.fuzz.targets.webhooks import INCIDENT_BODIES, NOW, scratch

_MARK: Final = b"<x9z"
_INCIDENT: Final = b"2026-11-22-api-availability"


def _closed_port() -> int:
    """Where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@cache
def _portal() -> App:
    store = IncidentStore(scratch() / "incidents.sqlite")
    store.prepare()
    for body in INCIDENT_BODIES:
        delivery = read_delivery(body, NOW)
        if isinstance(delivery, Delivery):
            store.record(delivery, body)
    return create_portal(
        PortalConfiguration(
            prometheus=f"http://127.0.0.1:{_closed_port()}",
            root=ROOT,
            incidents=DatabaseIncidents(store),
            clock=lambda: NOW,
        )
    )


@cache
def _exporters() -> App:
    return create_app(Scrapers((), report=lambda _: None))


def check(data: bytes) -> None:
    """No error of the server but that Prometheus is away, and no markup of a request in a page."""
    request = request_of(data)
    if request is None:
        return
    answered = ask(_portal(), request)
    require_sound(answered, also=(503,))
    if "html" in answered.headers.get("content-type", ""):
        require(_MARK not in answered.body.lower(), "markup of the request is in the page")
        require("content-security-policy" in answered.headers, "a page without a policy")
    own_name = dict(request.headers).get(b"host", b"127.0.0.1:8000").decode("latin-1")
    location = answered.headers.get("location", "/").removeprefix(f"http://{own_name}")
    require(not re.match(r"(?:[a-z]+:|//|/\\|\\)", location, re.IGNORECASE), f"leads away: {location}")
    require_sound(ask(_exporters(), request))


def _get(path: bytes, *headers: bytes) -> bytes:
    return b"GET " + path + b" HTTP/1.1\nhost: 127.0.0.1:8000\n" + b"".join(line + b"\n" for line in headers) + b"\n"


_FORM = b"kind=note&text=hello+%3Cx9z%3E&token=x&id=e1&author=Ana&at=2026-11-22T11%3A00&helped=yes"
_SEEDS = (
    *map(
        _get,
        (
            *(b"/", b"/?owner=payments&tier=critical&language=es&theme=dark", b"/wall?owner=x", b"/api/v1/wall"),
            *(
                b"/services/transactions-api?range=7d&at=2026-11-22T11:00:00Z",
                b"/services/transactions-api/availability",
            ),
            b"/services/transactions-api/availability/explain?from=2026-11-21T00:00:00Z&to=2026-11-22T00:00:00Z",
            b"/api/v1/slos/transactions-api/availability/charts/budget?range=1h&end=1795348800",
            *(b"/dashboards", b"/dashboards/sereno-overview?from=now-6h&to=now&var-service=a&var-service=b&refresh=5s"),
            *(b"/d/sereno-overview/x?var-job=%3Cx9z&orgId=1", b"/dashboards/sereno-overview/panels/1?from=1&to=2"),
            *(
                b"/api/v1/dashboards/sereno-overview/panels/2?from=now-30d&to=now",
                b"/incidents?service=api&status=open",
            ),
            *(b"/incidents/" + _INCIDENT, b"/incidents/" + _INCIDENT + b"/draft", b"/api/v1/incidents/" + _INCIDENT),
            *(b"/runbooks", b"/runbooks/SLONoData?incident=" + _INCIDENT, b"/runbooks/transactions-api/availability"),
            *(
                b"/backtest?service=transactions-api&slo=availability&days=7",
                b"/static/portal.css",
                b"/static/../app.py",
            ),
            *(b"/probe?exporter=sql&target=x", b"/metrics", b"/openapi.json", b"/health", b"/nowhere/%3Cx9z%3E"),
            *(b"/incidents/" + _INCIDENT + b"/draft/" + _INCIDENT + b"/budget.svg", b"/incidents/%2e%2e/draft.zip"),
        ),
    ),
    _get(b"/", b"cookie: sereno_language=es; sereno_theme=<x9z; sereno_form=abc", b"accept-language: es;q=9,*;q=nan"),
    _get(
        b"/metrics",
        b"accept: application/openmetrics-text;version=1.0.0;q=x",
        b"x-prometheus-scrape-timeout-seconds: 1",
    ),
    b"POST /incidents/" + _INCIDENT + b" HTTP/1.1\nhost: 127.0.0.1:8000\norigin: http://127.0.0.1:8000\n"
    b"content-type: application/x-www-form-urlencoded\ncookie: sereno_form=" + b"a" * 32 + b"\n\n" + _FORM,
    b"POST /backtest HTTP/1.1\nhost: 127.0.0.1:8000\ncontent-type: application/x-www-form-urlencoded\n\n" + _FORM,
)
_WORDS = (
    *(
        b"?from=",
        b"&to=",
        b"&at=",
        b"&range=",
        b"now-1h",
        b"now/d",
        b"now-99999999999d",
        b"9999-12-31T23:59:59Z",
        b"1e400",
    ),
    *(
        b"%3Cx9z%3E",
        b"%22%3E%3Cx9z",
        b"%00",
        b"%0d%0a",
        b"..%2f",
        b"%ff",
        b"%ED%A0%80",
        b"&var-service=",
        b"&var-job=.*",
    ),
    *(
        b"//evil.example",
        b"/%5cevil.example",
        b"\nhost: evil.example",
        b"\ncookie: ",
        b"\naccept: ",
        b"&language=",
        b"&theme=",
    ),
    *(
        b"transactions-api",
        b"availability",
        b"/explain",
        b"/charts/",
        b"/panels/",
        b"/draft",
        b".zip",
        b"-1",
        b"POST ",
        b"HEAD ",
    ),
)
TARGETS = (Target("portal-requests", "no 500, no markup of a request in a page", _SEEDS, _WORDS, check),)
