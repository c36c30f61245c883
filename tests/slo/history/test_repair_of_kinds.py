"""Every kind of indicator, groups, delays and changed phases, repaired from a real Prometheus' samples."""

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sereno_backends.prometheus import PrometheusClient, StoredSeries, find_promtool, write_blocks
from sereno_slo import Settings
from sereno_slo.duration import Duration
from sereno_slo.history import AccountRepair, ForeignLabels, Reader, Span, repair_ledger
from sereno_slo.model import BadEventsRatio, GoodEventsRatio, GroupBy, Indicator, Latency, Probe, ServiceLevelObjective
from sereno_slo.promql import Matcher, MatchOp, Selector
from support.past import FIVE_MINUTES_MS, MINUTE_MS, Story, Truth, entry, recorded_ledger, told
from support.prometheus import running_prometheus
from support.slo_services import objective

HOUR_MS = 60 * MINUTE_MS
END_MS = int(time.time() * 1000) // HOUR_MS * HOUR_MS - 4 * HOUR_MS
BEGIN_MS = END_MS - 8 * HOUR_MS
SPAN = Span(BEGIN_MS, END_MS, END_MS + HOUR_MS)
SPAN_END = datetime.fromtimestamp(END_MS / 1000, UTC)
DAY = Duration.parse("1d")
CALLS = Selector("calls_total").where(job="kinds")
GOOD, BAD = CALLS.where(code="200"), CALLS.where(code="500")
HOLE = range(BEGIN_MS + 3 * HOUR_MS, BEGIN_MS + 5 * HOUR_MS)

STORIES = [
    Story("kinds", "a", BEGIN_MS, END_MS, 7_123, errors_from_ms=BEGIN_MS + HOUR_MS),
    # Out of sight for 40 minutes.
    Story(
        "kinds",
        "b",
        BEGIN_MS,
        END_MS,
        21_001,
        failed_ms=(range(HOLE.start, HOLE.start + 40 * MINUTE_MS),),
        errors_from_ms=BEGIN_MS + HOUR_MS,
    ),
]
TOLD = [told(story) for story in STORIES]
TARGETS = [target for target, _ in TOLD]
TRUTHS: list[Truth] = [truth for _, truth in TOLD]


def real(*codes: str, after_ms: int = BEGIN_MS + MINUTE_MS, until_ms: int = END_MS - MINUTE_MS) -> int:
    """How many events of these codes there really were, without the minute of their discovery and the last one."""
    counted = range(after_ms + 1, until_ms + 1)
    return sum(happened[code] for truth in TRUTHS for at_ms, happened in truth if at_ms in counted for code in codes)


def moved_ledger() -> Iterator[StoredSeries]:
    """A ledger whose rules moved to another file during a hole: entries and roll-ups in two phases."""
    for phase_ms, part in ((10_000, range(BEGIN_MS, HOLE.start)), (47_000, range(HOLE.stop, END_MS))):
        recorded = recorded_ledger(
            TARGETS,
            range(part.start + phase_ms, part.stop, MINUTE_MS),
            range(part.start + phase_ms + 2 * MINUTE_MS, part.stop, FIVE_MINUTES_MS),
            was_evaluated=lambda at: True,  # noqa: ARG005 - nothing else was missed
            was_rolled_up=lambda at: True,  # noqa: ARG005
        )
        yield from recorded.series("moved", "calls")


def sparse_errors() -> Iterator[StoredSeries]:
    """A target that fails once in each of two lives of its process; the error series is seen only while it is new."""
    identity = {"job": "sparse", "instance": "a"}
    scrapes = range(BEGIN_MS + 7_000, END_MS, 30_000)
    second_life = BEGIN_MS + HOUR_MS
    failures = (range(second_life - 10 * MINUTE_MS, second_life), range(second_life + 2 * HOUR_MS, END_MS))
    yield StoredSeries("up", identity, tuple((at, 1.0) for at in scrapes))
    started = (BEGIN_MS / 1000 - 9_000_000, second_life / 1000 - 10)
    yield StoredSeries(
        "process_start_time_seconds", identity, tuple((at, started[at >= second_life]) for at in scrapes)
    )
    calls = tuple((at, (at - (second_life if at >= second_life else BEGIN_MS)) / 1000) for at in scrapes)
    yield StoredSeries("calls_total", {**identity, "code": "200"}, calls)
    failed = tuple((at, 1.0) for at in scrapes if any(at in failure for failure in failures))
    yield StoredSeries("calls_total", {**identity, "code": "500"}, failed)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrometheusClient]:
    """A server with the targets' samples and the ledger that moved."""
    folder = tmp_path_factory.mktemp("kinds")
    promtool = find_promtool()
    assert promtool is not None
    gathered = StoredSeries(
        "sereno:events:delta1m", {"service": "gathered", "slo": "calls", "replica": "1"}, ((END_MS - HOUR_MS, 1.0),)
    )
    series = [*(one for target in TARGETS for one in target.series()), *moved_ledger(), *sparse_errors(), gathered]
    write_blocks(merged(series), folder / "data", promtool)
    with running_prometheus(folder) as server, PrometheusClient(server.url, timeout_seconds=60) as asked:
        yield asked


def merged(series: list[StoredSeries]) -> Iterator[StoredSeries]:
    """Each series once."""
    points: dict[tuple[str, tuple[tuple[str, str], ...]], list[tuple[int, float]]] = {}
    for one in series:
        points.setdefault((one.metric, tuple(sorted(one.labels.items()))), []).extend(one.points)
    for (metric, labels), of_series in points.items():
        yield StoredSeries(metric, dict(labels), tuple(sorted(of_series)))


def repaired(
    client: PrometheusClient, slo: ServiceLevelObjective, settings: Settings | None = None, span: Span = SPAN
) -> tuple[AccountRepair, ...]:
    """What the ledger lacks."""
    return repair_ledger(slo, settings or Settings(), Reader(client, lambda: None), span, DAY)


def slo_of(indicator: Indicator, service: str = "kinds") -> ServiceLevelObjective:
    """An SLO that has no ledger yet."""
    return objective(service, "calls", 99, indicator)


def points(repair: AccountRepair, metric: str, **labels: str) -> dict[int, float]:
    """What is to be added to one series."""
    (found,) = (
        series
        for series in repair.series
        if series.metric == metric and {**labels, **repair.ledger.labels} == dict(series.labels)
    )
    return dict(found.points)


@pytest.mark.parametrize(
    "indicator",
    [
        BadEventsRatio(CALLS, BAD),
        GoodEventsRatio(CALLS, GOOD),
        Latency(CALLS, GOOD, "calls", 0.3),
        BadEventsRatio(CALLS, Selector("calls_total").where(job="kinds", code="501")),
    ],
    ids=["bad events", "good events", "latency", "never a bad event"],
)
def test_every_counted_indicator_is_recounted(client: PrometheusClient, indicator: Indicator) -> None:
    """Events and bad events of a new SLO are the truth, a long gap of one target included."""
    (repair,) = repaired(client, slo_of(indicator))
    never = isinstance(indicator, BadEventsRatio) and indicator.bad != BAD
    for metric, expected in (("events", real("200", "500")), ("bad_events", 0 if never else real("500"))):
        entries = points(repair, f"sereno:{metric}:delta1m")
        assert sum(entries.values()) == pytest.approx(expected, rel=1e-3)
        assert sum(points(repair, f"sereno:{metric}:sum5m").values()) == pytest.approx(sum(entries.values()))
    assert (repair.gaps_caught_up, repair.minutes_unknown) == (1, 1)


def test_single_failures_of_several_lives_all_count(client: PrometheusClient) -> None:
    """What entries have counted rightly is never taken back by a longer look at the series of an earlier process."""
    calls = Selector("calls_total").where(job="sparse")
    (repair,) = repaired(client, slo_of(BadEventsRatio(calls, calls.where(code="500")), "sparse"))
    assert (repair.bad_events, repair.gaps_caught_up) == (2, 0)


def test_latency_without_its_bucket_stays_unknown(client: PrometheusClient) -> None:
    """Where the threshold is no bucket's bound, neither entries nor gaps say that all was slow."""
    (repair,) = repaired(client, slo_of(Latency(CALLS, CALLS.where(code="none"), "calls", 0.3)))
    assert repair.events == pytest.approx(real("200", "500"), rel=1e-3)
    assert repair.bad_events == 0
    assert not [series for series in repair.series if "bad_events" in series.metric]


def test_time_slices_are_recounted_minute_by_minute(client: PrometheusClient) -> None:
    """A probe's minutes are events, bad where it failed; nothing is caught up."""
    probe = Probe(Selector("up").where(job="kinds", instance="b"))
    (repair,) = repaired(client, slo_of(probe))
    assert (repair.events, repair.bad_events, repair.gaps_caught_up) == (479, 40, 0)


def test_groups_are_recounted_up_to_their_limit(client: PrometheusClient) -> None:
    """Each group has the truth; the first to appear are admitted, and the whole doesn't depend on them."""
    slo = slo_of(BadEventsRatio(CALLS, BAD))
    whole, groups = repaired(client, replace(slo, group_by=GroupBy(("code",), 5)))
    for code in ("200", "500"):
        entries = points(groups, "sereno:group_events:delta1m", code=code)
        assert sum(entries.values()) == pytest.approx(real(code), rel=2e-3)
        roll_ups = points(groups, "sereno:group_events:sum5m", code=code)
        assert sum(roll_ups.values()) == pytest.approx(sum(entries.values()))
    assert whole.events == groups.events
    _, one = repaired(client, replace(slo, group_by=GroupBy(("code",), 1)))
    assert {series.labels["code"] for series in one.series} == {"200"}


def test_an_evaluation_delay_is_kept(client: PrometheusClient) -> None:
    """With samples that arrive late, entries are those of the minute that the rules would have read."""
    settings = replace(Settings(), evaluation_delay=Duration.parse("2m"))
    (repair,) = repaired(client, slo_of(BadEventsRatio(CALLS, BAD)), settings)
    at_ms = END_MS - 2 * HOUR_MS
    found = points(repair, "sereno:events:delta1m")[at_ms]
    assert found == entry(TARGETS, ("200", "500"), at_ms - 2 * MINUTE_MS) != entry(TARGETS, ("200", "500"), at_ms)


def test_rules_that_moved_to_another_phase_lose_and_double_nothing(client: PrometheusClient) -> None:
    """Over a hole at whose ends the rules were evaluated in different phases, the truth comes out."""
    (repair,) = repaired(client, slo_of(BadEventsRatio(CALLS, BAD), "moved"))
    before = {
        round(point.timestamp.timestamp() * 1000): point.value
        for point in client.stored('sereno:events:delta1m{service="moved"}[8h]', SPAN_END)[0].points
    }
    added = points(repair, "sereno:events:delta1m")
    assert not before.keys() & added.keys()
    first, *_, last = sorted(before)
    found = sum(value for at_ms, value in {**before, **added}.items() if first < at_ms <= last)
    assert found == real("200", "500", after_ms=first, until_ms=last)


def test_a_server_that_gathers_several_is_refused(client: PrometheusClient) -> None:
    """Entries with labels that the rules don't give would be repaired beside the real ones: that is an error."""
    with pytest.raises(ForeignLabels, match="the label replica"):
        repaired(client, slo_of(BadEventsRatio(CALLS, BAD), "gathered"))


def test_matchers_other_than_equality_reach_the_server(client: PrometheusClient) -> None:
    """Any selector that a spec may have is asked as it is."""
    bad = CALLS.where(Matcher("code", MatchOp.REGEX, "5.."))
    (repair,) = repaired(client, slo_of(BadEventsRatio(CALLS, bad)))
    assert repair.bad_events == pytest.approx(real("500"), rel=1e-3)
