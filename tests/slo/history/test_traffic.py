"""What a real server knows of an SLO's events: the ledger's counts, or an estimate from raw series."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from sereno_backends.prometheus import PrometheusClient
from sereno_slo.history import Reader
from sereno_slo.history.traffic import sighting_of
from sereno_slo.model import (
    BadEventsRatio,
    GoodEventsRatio,
    Indicator,
    Latency,
    NativeLatency,
    Probe,
    ServiceLevelObjective,
)
from sereno_slo.promql import Matcher, MatchOp, Selector
from sereno_slo.validate.traffic import Sighting
from support.prometheus import HistorySample, running_prometheus
from support.slo_services import objective

from benchmarks.simulation import NativeHistograms, write
from benchmarks.simulation import running_prometheus as simulated_prometheus

NOW = datetime(2025, 6, 16, 12, 25, tzinfo=UTC)
END = int(NOW.timestamp())
HOUR, DAY = 3_600, 86_400
NIGHT = range(6)

Rate = Callable[[int], float]


def shop(at: int) -> float:
    """Events an hour: few by night."""
    return 60 if at // HOUR % 24 in NIGHT else 1_200


def counter(
    job: str, rate: Rate = shop, *, since: int = END - 8 * DAY, name: str = "calls_total"
) -> Iterator[HistorySample]:
    """A counter, scraped every five minutes."""
    count = 5_000.0
    for at in range(since // 300 * 300, END + 1, 300):
        yield HistorySample(name, {"job": job, "instance": "a:1"}, at, count)
        count += rate(at) / 12


def ledger(
    service: str, rate: Rate, *, since: int = END - 8 * DAY, expected: float | None = None, **labels: str
) -> Iterator[HistorySample]:
    """Roll-ups of five minutes, two minutes after the full five, and what is usual."""
    own = {"service": service, "slo": "calls", **labels}
    for at in range(since // 300 * 300 + 120, END + 1, 300):
        yield HistorySample("sereno:events:sum5m", own, at, rate(at - 300) / 12)
    if expected is not None:
        yield HistorySample("sereno:events:expected5m", own, END - 400, expected)


def past() -> Iterator[HistorySample]:
    """A service a test, named as its job."""
    yield from counter("raw")
    yield from counter("both")
    yield from ledger("both", lambda at: 2 * shop(at), expected=123.5)
    yield from counter("young")
    yield from ledger("young", shop, since=END - 5 * HOUR, expected=1.0)
    yield from counter("zeros")
    yield from ledger("zeros", lambda _: 0, expected=0)
    for replica in ("a", "b"):
        yield from ledger("pair", shop, expected=40.0, replica=replica)
    yield from counter("new", since=END - 1_200)
    yield from counter("idle", lambda _: 0)
    yield from counter("slept", lambda at: shop(at) if at < END - 3 * DAY else 0)
    yield from (HistorySample("up", {"job": "probed"}, at, 1) for at in range(END - 3 * DAY, END, 240))
    yield from counter("histogram", name="seconds_count")
    for bound in ("0.1", "1.0", "+Inf"):
        for sample in counter("histogram", name="seconds_bucket"):
            yield replace(sample, labels={**sample.labels, "le": bound})


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrometheusClient]:
    """A server with this past."""
    with (
        running_prometheus(tmp_path_factory.mktemp("traffic") / "prometheus", history=past()) as server,
        PrometheusClient(server.url) as asking,
    ):
        yield asking


def slo_of(service: str, indicator: Indicator | None = None) -> ServiceLevelObjective:
    """An SLO of the service's calls."""
    calls = Selector("calls_total").where(job=service)
    return objective(service, "calls", 99.0, indicator or BadEventsRatio(calls, calls.where(code="500")))


def seen(client: PrometheusClient, slo: ServiceLevelObjective) -> tuple[Sighting, int]:
    """What is known, and how many questions it took."""
    questions: list[None] = []
    sighting = sighting_of(Reader(client, lambda: questions.append(None)), slo, NOW)
    return sighting, len(questions)


def test_raw_series_tell_the_traffic_of_a_service_without_rules(client: PrometheusClient) -> None:
    """Each hour's events to a few percent (counters are read at their scrapes), and the usual ones."""
    sighting, _ = seen(client, slo_of("raw"))
    assert sighting.traffic is not None
    assert sighting.traffic.by_hour == pytest.approx([60] * 6 + [1_200] * 18, rel=0.05)
    assert sighting.traffic.usual == pytest.approx((6 * 60 + 18 * 1_200) / 288, rel=0.01)
    assert (sighting.is_from_ledger, sighting.matches, sighting.traffic.hours_seen) == (False, True, 167)


def test_the_ledger_goes_first(client: PrometheusClient) -> None:
    """Its counts, and what it takes for usual: that is what alerts compare with; two questions suffice."""
    sighting, questions = seen(client, slo_of("both"))
    assert sighting.traffic is not None
    assert sighting.is_from_ledger
    assert sighting.traffic.by_hour == pytest.approx([120] * 6 + [2_400] * 18)
    assert sighting.traffic.usual == 123.5
    assert questions == 2


@pytest.mark.parametrize("service", ["young", "zeros"])
def test_a_ledger_that_knows_less_than_the_series_waits(client: PrometheusClient, service: str) -> None:
    """Before it has seen a day, and where it counted nothing, raw series tell, and what is usual, too."""
    sighting, _ = seen(client, slo_of(service))
    assert sighting.traffic is not None
    assert not sighting.is_from_ledger
    assert sighting.traffic.by_hour == pytest.approx([60] * 6 + [1_200] * 18, rel=0.05)
    assert sighting.traffic.usual == pytest.approx((6 * 60 + 18 * 1_200) / 288, rel=0.01)


def test_two_replicas_count_one_traffic(client: PrometheusClient) -> None:
    """The ledgers of a pair are not added up."""
    sighting, _ = seen(client, slo_of("pair"))
    assert sighting.traffic is not None
    assert sighting.traffic.by_hour[12] == pytest.approx(1_200)
    assert sighting.traffic.usual == 40


def test_what_began_a_moment_ago_is_seen(client: PrometheusClient) -> None:
    """A service that hasn't lived through a whole hour has the events that it had so far."""
    sighting, _ = seen(client, slo_of("new"))
    assert sighting.traffic is not None
    assert sighting.traffic.hours_seen == 1
    assert sighting.traffic.by_hour[0] == pytest.approx(400, rel=0.3)


def test_traffic_that_was_lost_for_days_is_not_usual(client: PrometheusClient) -> None:
    """Medians of seven days of which four had traffic still tell what is usual."""
    sighting, _ = seen(client, slo_of("slept"))
    assert sighting.traffic is not None
    assert sighting.traffic.by_hour[15] == pytest.approx(1_200, rel=0.05)


def test_idle_series_match_without_traffic(client: PrometheusClient) -> None:
    """Nobody calls: the selector is right, and there is nothing to judge by."""
    sighting, _ = seen(client, slo_of("idle"))
    assert (sighting.traffic, sighting.matches) == (None, True)


def test_what_does_not_match_is_told_from_what_is_not_there(client: PrometheusClient) -> None:
    """How many series the metric has at all."""
    sighting, _ = seen(client, slo_of("nobody"))
    assert (sighting.traffic, sighting.matches) == (None, False)
    unknown = Selector("cals_total")
    sighting, _ = seen(client, slo_of("nobody", GoodEventsRatio(unknown, unknown)))
    assert not sighting.matches


def test_a_minute_is_an_event_of_time_slices(client: PrometheusClient) -> None:
    """However seldom a gauge is scraped."""
    sighting, _ = seen(client, slo_of("probed", Probe(Selector("up").where(job="probed"))))
    assert sighting.traffic is not None
    assert (sighting.traffic.by_hour, sighting.traffic.usual) == ((60.0,) * 24, 5.0)


def test_the_bounds_of_a_histogram_are_told(client: PrometheusClient) -> None:
    """Of those series that the indicator selects."""
    total = Selector("seconds_count").where(job="histogram")
    fast = Selector("seconds_bucket", (*total.matchers, Matcher("le", MatchOp.EQUAL, "0.1")))
    sighting, _ = seen(client, slo_of("histogram", Latency(total, fast, "seconds", 0.1)))
    assert sighting.bounds_seconds == (0.1, 1.0, float("inf"))
    without = Latency(Selector("calls_total").where(job="raw"), fast, "calls", 0.1)
    assert seen(client, slo_of("histogram", without))[0].bounds_seconds == ()


def test_a_server_of_ledgers_only_tells_nothing_of_buckets(client: PrometheusClient) -> None:
    """Where raw series are elsewhere, no bucket is missing."""
    total = Selector("seconds_count").where(job="pair")
    fast = Selector("seconds_bucket", (*total.matchers, Matcher("le", MatchOp.EQUAL, "0.1")))
    sighting, _ = seen(client, slo_of("pair", Latency(total, fast, "seconds", 0.1)))
    assert (sighting.is_from_ledger, sighting.bounds_seconds) == (True, None)


def test_native_histograms_tell_their_traffic(tmp_path: Path) -> None:
    """Observations an hour, on a server that reads native histograms."""
    times = np.arange((END - DAY) * 1_000, END * 1_000, 300_000, dtype=np.int64)
    labels = {"__name__": "seconds", "job": "native", "instance": "a:1"}
    buckets = np.array([[50.0 * (at + 1), 5.0 * (at + 1)] for at in range(len(times))])
    histogram = NativeHistograms(labels, times, buckets, -2, np.zeros(len(times), dtype=np.bool_))
    with simulated_prometheus(tmp_path, flags=["--enable-feature=native-histograms"]) as server:
        write(server, [histogram])
        with PrometheusClient(server.url) as client:
            indicator = NativeLatency(Selector("seconds").where(job="native"), 0.25)
            sighting, _ = seen(client, slo_of("native", indicator))
    assert sighting.traffic is not None
    assert sighting.traffic.by_hour == pytest.approx([660] * 24, rel=0.02)
