"""What a real server tells of series: how many questions that takes, and what is known where some are refused."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

import httpx
import pytest
from sereno_backends.prometheus import PrometheusClient, PrometheusIncomplete
from sereno_slo.history import Reader
from sereno_slo.history.asking import Asker
from sereno_slo.history.surveying import survey_of
from sereno_slo.model import BadEventsRatio, GroupBy, Indicator, Latency, ServiceLevelObjective, Settings, Threshold
from sereno_slo.promql import Matcher, MatchOp, Selector
from sereno_slo.validate.survey import Survey
from support.prometheus import running_prometheus
from support.slo_services import objective
from support.waiting import wait_for

CONFIG = """\
global: {scrape_interval: 1s}
scrape_configs: [{job_name: itself, static_configs: [{targets: ["HOST"]}]}]
"""
CALLS = Selector("prometheus_http_requests_total").where(job="itself")
FAILED = CALLS.where(Matcher("code", MatchOp.REGEX, "5.."))


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Prometheus that scrapes itself, so that it knows the types of metrics."""
    directory = tmp_path_factory.mktemp("itself")
    with running_prometheus(directory) as server:
        config = CONFIG.replace("HOST", server.url.removeprefix("http://"))
        (directory / "prometheus.yml").write_text(config, encoding="utf-8")
        server.process.send_signal(1)  # SIGHUP: read the configuration
        with PrometheusClient(server.url) as client:
            query = f"count(increase({CALLS}[1m])) > 2"
            wait_for(lambda: bool(client.instant(query, datetime.now(UTC))), what="scrapes of itself")
            wait_for(lambda: bool(client.metric_types("go_goroutines")), what="metadata")
            # /metrics and the two that were just asked; groups are ordered by their growth, which takes two scrapes
            handlers = f"count(sum by (handler) (increase({CALLS}[1m]))) > 2"
            wait_for(lambda: bool(client.instant(handlers, datetime.now(UTC))), what="calls of three handlers")
        yield server.url


def slo_of(indicator: Indicator, group_by: GroupBy | None = None) -> ServiceLevelObjective:
    """An SLO of the server itself."""
    return replace(objective("itself", "calls", 99.9, indicator), group_by=group_by)


def asked(
    url: str, slo: ServiceLevelObjective, transport: httpx.BaseTransport | None = None
) -> tuple[Survey, list[float]]:
    """The survey, and a moment for each question."""
    moments: list[float] = []
    with PrometheusClient(url, transport=transport) as client:
        asker = Asker(Reader(client, lambda: moments.append(time.monotonic())), datetime.now(UTC))
        return survey_of(asker, slo, Settings()), moments


def test_six_questions_tell_of_an_slo_that_is_well(url: str) -> None:
    """Series, targets, kind, reach, retention: each once."""
    survey, questions = asked(url, slo_of(BadEventsRatio(CALLS, CALLS.where(code="200"))))
    assert survey.total.series > 0
    assert survey.targets is not None
    assert (survey.targets.targets, survey.targets.without_up, survey.targets.without_start) == (1, 0, 0)
    assert survey.reach is not None
    assert (survey.reach.days, str(survey.reach.kept)) == (0, "3650d")
    assert len(questions) == 6


def test_what_is_wrong_takes_few_more(url: str) -> None:
    """The worst case: two counters, both unknown in parts, and too many groups."""
    other = Selector("prometheus_tsdb_head_series_created_total").where(job="itselves", kind="x")
    slo = slo_of(BadEventsRatio(CALLS, other), GroupBy(("handler",), 1))
    survey, questions = asked(url, slo)
    assert survey.part is not None
    assert next(str(sight.matcher) for sight in survey.part.matchers if not sight.alone) == 'job="itselves"'
    assert survey.groups is not None
    assert (survey.groups.groups > 1, len(survey.groups.biggest)) == (True, 3)
    assert len(questions) <= 22


@pytest.mark.parametrize(
    ("indicator", "types"),
    [
        (
            BadEventsRatio(Selector("go_goroutines"), Selector("go_goroutines").where(job="x")),
            "gauge",
        ),
        (BadEventsRatio(CALLS, FAILED), "counter"),
        (Threshold(CALLS, None, 5.0), "counter"),
        (
            Latency(
                Selector("prometheus_http_request_duration_seconds_count"),
                Selector("prometheus_http_request_duration_seconds_bucket"),
                "prometheus_http_request_duration_seconds",
                0.1,
            ),
            "histogram",
        ),
    ],
)
def test_targets_say_what_a_metric_is(url: str, indicator: Indicator, types: str) -> None:
    """By the metadata that they expose; a histogram's under its own name."""
    survey, _ = asked(url, slo_of(indicator))
    assert survey.kinds[0].types == {types}


class Proxy(httpx.BaseTransport):
    """Passes questions on, but answers some of them itself."""

    def __init__(self, answer: Callable[[httpx.Request], httpx.Response | None]) -> None:
        self._answer = answer
        self._server = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Its own answer, else the server's."""
        return self._answer(request) or self._server.handle_request(request)

    def close(self) -> None:
        """Its connections to the server."""
        self._server.close()


def test_what_only_prometheus_tells_may_be_refused(url: str) -> None:
    """Other servers have no metadata and no retention: then that isn't known, and everything else is."""

    def refuse(request: httpx.Request) -> httpx.Response | None:
        is_own = "metadata" in request.url.path or "status" in request.url.path
        return httpx.Response(404, text="404 page not found") if is_own else None

    survey, _ = asked(url, slo_of(BadEventsRatio(CALLS, FAILED)), Proxy(refuse))
    assert survey.kinds[0].types == frozenset()
    assert survey.reach is not None
    assert survey.reach.kept is None
    assert survey.targets is not None


def test_a_partial_answer_is_named_and_not_used(url: str) -> None:
    """A gateway that couldn't ask all of its stores warns: nothing is concluded from the rest."""

    def warn(request: httpx.Request) -> httpx.Response | None:
        partial = {"status": "success", "warnings": ["store b:10901 didn't answer"], "data": []}
        return httpx.Response(200, json=partial) if "__name__" in request.url.path else None

    slo = slo_of(BadEventsRatio(Selector("prometheus_http_request_total"), FAILED))
    with pytest.raises(PrometheusIncomplete, match="store b:10901"):
        asked(url, slo, Proxy(warn))
