"""The HTTP application: all exporters in one server, targets by name, never an address from a query."""

import difflib
from collections.abc import Callable, Iterable, Sequence
from threading import BoundedSemaphore
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse
from prometheus_client import CollectorRegistry, Counter, ProcessCollector
from prometheus_client.exposition import choose_encoder, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from sereno_backends.inert_json import InertJson
from starlette.datastructures import URL
from starlette.middleware.gzip import GZipMiddleware

from sereno_exporters.frame.configuration import ConfiguredTarget
from sereno_exporters.frame.exposing import Exposition
from sereno_exporters.frame.page import page_of
from sereno_exporters.frame.scraping import Scrapers

MOST_SCRAPES = 16
"""At the same time: each waits for its targets. More are answered 503."""
_MARGIN_SECONDS = 0.5
"""Of the time that Prometheus grants, kept for answering."""
_LEAST_GZIP_BYTES = 1_000
_TIMEOUT_HEADER = "x-prometheus-scrape-timeout-seconds"

_METRICS: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "Metrics, in the format that is asked for.",
        "content": {"text/plain": {}, "application/openmetrics-text": {}},
    }
}
_REFUSED: Final[dict[str, Any]] = {"description": "There are none; `error` says why."}


def create_app(scrapers: Scrapers) -> FastAPI:
    """The application on configured targets."""
    app = FastAPI(title="Sereno exporters", summary="Metrics of named targets.", docs_url=None, redoc_url=None)
    app.add_middleware(GZipMiddleware, minimum_size=_LEAST_GZIP_BYTES)
    serving = _Serving(scrapers)
    _add_metrics(app, serving)
    _add_looks(app, serving)
    return app


def as_text(metrics: Iterable[Metric]) -> str:
    """Metrics in Prometheus' text format."""
    return generate_latest(_Given(metrics)).decode()


class _Serving:
    """Scrapes for requests, bounded, and what the server tells of itself."""

    def __init__(self, scrapers: Scrapers) -> None:
        self.scrapers = scrapers
        self.registry = CollectorRegistry()
        self._places = BoundedSemaphore(MOST_SCRAPES)
        self._scrapes = Counter(
            "sereno_exporter_scrapes_total", "Scrapes by what became of them.", ["outcome"], registry=self.registry
        )
        for outcome in ("served", "refused"):  # born at zero, so that the first is an increase
            self._scrapes.labels(outcome)
        self._failures = Counter(
            "sereno_exporter_fetch_failures_total",
            "Parts of targets that could not be fetched, by the reason.",
            ["exporter", "target", "part", "reason"],
            registry=self.registry,
        )
        ProcessCollector(registry=self.registry)

    async def answer(
        self, request: Request, kind: str | None, target: str | None, own: Sequence[Collector]
    ) -> Response:
        """Scrape and encode, away from the event loop; 503 where too many wait already."""
        if not self._places.acquire(blocking=False):
            self._scrapes.labels("refused").inc()
            return _error(503, f"{MOST_SCRAPES} scrapes are waiting for their targets already")
        try:
            return await run_in_threadpool(self._answered, request, kind, target, own)
        finally:
            self._places.release()

    def _answered(self, request: Request, kind: str | None, target: str | None, own: Sequence[Collector]) -> Response:
        exposition = self.scrapers.scrape(kind, target, most_seconds=_granted(request))
        self._count(exposition)
        encode, content_type = _encoder(request)
        metrics = [*exposition.metrics, *(metric for collector in own for metric in collector.collect())]
        return Response(encode(_Given(metrics)), media_type=content_type)

    def _count(self, exposition: Exposition) -> None:
        self._scrapes.labels("served").inc()
        for scrape, part, why in exposition.failures:
            self._failures.labels(scrape.kind, scrape.target, part, why.reason.value).inc()


class _Given(Collector):
    """Metrics, as prometheus_client's encoders want them."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        """As they are."""
        return self._metrics


def _add_metrics(app: FastAPI, serving: _Serving) -> None:
    @app.get("/metrics", responses={**_METRICS, 503: _REFUSED})
    async def everything(request: Request) -> Response:
        """All targets of all exporters, and the server's own metrics: one scrape job for everything."""
        return await serving.answer(request, None, None, (serving.registry,))

    @app.get("/probe", responses={**_METRICS, 404: _REFUSED, 503: _REFUSED})
    async def one(request: Request, exporter: str = "", target: str = "") -> Response:
        """One target, by the names in the configuration: for a job of its own, as `/sd` lists them."""
        if problem := _unknown(serving.scrapers.targets, exporter, target):
            return _error(404, problem)
        return await serving.answer(request, exporter, target, ())

    @app.get("/self/metrics", responses=_METRICS)
    def own(request: Request) -> Response:
        """The server's own metrics only."""
        encode, content_type = _encoder(request)
        return Response(encode(serving.registry), media_type=content_type)


def _add_looks(app: FastAPI, serving: _Serving) -> None:
    @app.get("/sd")
    def discovery(request: Request) -> Response:
        """Prometheus' HTTP service discovery: each target as a scrape of `/probe` here."""
        return InertJson([_discovered(request.url, target) for target in serving.scrapers.targets])

    @app.get("/health")
    def health() -> Response:
        """200 while the server answers; targets have metrics of their own."""
        return InertJson({"status": "ok"})

    @app.get("/", response_class=HTMLResponse)
    def page() -> Response:
        """What people see: targets, and what troubles them."""
        return HTMLResponse(page_of(serving.scrapers.targets, serving.scrapers.troubles()))


def _discovered(asked: URL, target: ConfiguredTarget) -> dict[str, Any]:
    """An `instance` of its own: with the server's address alone, the targets' `up` would be one series.

    Whoever discovers by TLS scrapes by TLS. What comes without may have passed a proxy that has it: the job says how.
    """
    here, scheme = asked.netloc, {"__scheme__": "https"} if asked.scheme == "https" else {}
    names = {"exporter": target.kind.name, "target": target.target.name}
    parameters = {f"__param_{name}": value for name, value in names.items()}
    instance = f"{here}/{target.kind.name}/{target.target.name}"
    return {"targets": [here], "labels": {"__metrics_path__": "/probe", "instance": instance, **scheme, **parameters}}


def _unknown(targets: Sequence[ConfiguredTarget], exporter: str, target: str) -> str | None:
    """Why there is no such target, with the nearest names."""
    names = {(each.kind.name, each.target.name) for each in targets}
    if (exporter, target) in names:
        return None
    of_kind = sorted(name for kind, name in names if kind == exporter)
    if not of_kind:
        return f"no exporter of that name is configured{_nearest(exporter, sorted({kind for kind, _ in names}))}"
    return f"{exporter} has no target of that name: targets are named in the configuration{_nearest(target, of_kind)}"


def _nearest(name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name[:100], known, n=3, cutoff=0.5)
    return f"; did you mean {' or '.join(near)}?" if near else f"; there are: {', '.join(known[:10])}"


def _encoder(request: Request) -> tuple[Callable[[Collector], bytes], str]:
    """The format that is asked for; plain text where prometheus_client stumbles over what is asked."""
    try:
        return choose_encoder(request.headers.get("accept", ""))
    except (TypeError, ValueError):  # versions that aren't numbers
        return choose_encoder("")


def _granted(request: Request) -> float | None:
    """The seconds that the asking Prometheus waits, less a margin."""
    try:
        seconds = float(request.headers.get(_TIMEOUT_HEADER, ""))
    except ValueError:
        return None
    return max(seconds / 2, seconds - _MARGIN_SECONDS) if 0 < seconds < float("inf") else None


def _error(status: int, message: str) -> Response:
    return InertJson({"error": message}, status)
