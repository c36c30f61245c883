"""What rules read, measured on a real Prometheus that holds their data."""

from collections.abc import Iterator

import pytest

from benchmarks.cost.comparison import END_MS, Contest
from benchmarks.cost.counting import counted_samples
from benchmarks.cost.measuring import Cost, MeasuringError, Stage, measure, raw_history_ms, write_raw_history
from benchmarks.cost.peers import pyrra_documented, sloth_documented
from benchmarks.cost.raw import SIZES, Kind, raw_series
from benchmarks.cost.report import MUST_RATIO, missed
from benchmarks.cost.rulesets import Rule, RuleSet
from benchmarks.cost.specs import sereno_rules
from benchmarks.simulation import running_prometheus

_SIZE = SIZES[0]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A Prometheus with ten raw series and as much history as sloth reads."""
    with running_prometheus(tmp_path_factory.mktemp("prometheus")) as server:
        raw = tuple(raw_series(_SIZE, END_MS))
        history_ms = raw_history_ms([sloth_documented(Kind.RATIO)], raw, at_most_samples=1_000_000)
        stage = Stage(server, raw, END_MS, history_ms)
        write_raw_history(stage)
        yield stage


def _rule(expr: str, *, name: str = "recorded") -> Rule:
    return Rule(name, expr, {"slo": name}, records=True, interval_ms=60_000)


@pytest.fixture(scope="module")
def contests(stage: Stage) -> dict[Kind, Contest]:
    """Sereno beside sloth."""
    return {
        kind: Contest(kind, _SIZE, (measure(stage, sereno_rules(kind)), measure(stage, sloth_documented(kind))))
        for kind in (Kind.RATIO, Kind.LATENCY)
    }


def test_a_simple_rule_costs_what_one_counts_by_hand(stage: Stage) -> None:
    """Ten series with a sample every 30 s in 5 minutes, and one series in an hour, are 220 samples an evaluation."""
    rules = RuleSet(
        "test", (_rule('sum(rate(http_requests_total[5m])) + sum(rate(http_requests_total{code="500"}[1h]))'),)
    )
    cost = measure(stage, rules)
    assert (cost.samples_per_minute, cost.recorded_series, cost.all_measured) == (220, 1, True)


@pytest.mark.parametrize("kind", [Kind.RATIO, Kind.LATENCY])
def test_reads_a_small_part_of_what_sloth_reads(contests: dict[Kind, Contest], kind: Kind) -> None:
    """At ten raw series Sereno's rules read no more than the promised part of what sloth's rules read."""
    assert contests[kind].ratio >= MUST_RATIO[10]
    assert list(missed([contests[kind]])) == []


def test_a_missed_promise_is_told_with_the_dearest_rule(contests: dict[Kind, Contest]) -> None:
    """Where sloth reads too little in comparison, the miss is told together with the rule that costs most."""
    ours = contests[Kind.RATIO].sereno
    dearest = max(ours.rules, key=lambda cost: cost.samples_per_minute).rule.name
    (failure,) = missed([Contest(Kind.RATIO, _SIZE, (ours, ours))])
    assert dearest in failure


def test_everything_is_measured_over_full_windows(contests: dict[Kind, Contest]) -> None:
    """Every rule is measured by the engine, and the 30-day sums read all their 8,640 roll-ups."""
    ours = contests[Kind.RATIO].sereno
    assert ours.all_measured
    assert {cost.samples for cost in ours.rules if cost.rule.name == "sereno:events:window"} == {8640}


@pytest.fixture(scope="module")
def pyrra(stage: Stage) -> Cost:
    """Rules that look back on four weeks of raw series, of which three days exist."""
    return measure(stage, pyrra_documented(Kind.RATIO))


def test_counting_agrees_with_the_engine(stage: Stage, pyrra: Cost) -> None:
    """What the engine measured over ranges of minutes to days is what counting by hand says."""
    raw = tuple(stage.known())
    compared = [cost for cost in pyrra.rules if "http_requests_total" in cost.rule.expr and cost.measured]
    assert len(compared) > 5
    for cost in compared:
        assert cost.samples == counted_samples(cost.rule.expr, raw), cost.rule.expr


def test_what_reads_more_history_than_there_is_is_counted(pyrra: Cost) -> None:
    """A rule over four weeks is counted in full although only three days of scrapes were written."""
    (cost,) = [cost for cost in pyrra.rules if cost.rule.name == "http_requests:increase4w"]
    assert not cost.measured
    assert cost.samples == 10 * 28 * 2880


def test_rules_may_read_what_a_later_rule_records(stage: Stage) -> None:
    """A rule that stands before the one it reads is evaluated again once there is something to read."""
    first = _rule('sum_over_time(late{slo="late"}[10m])', name="early")
    cost = measure(stage, RuleSet("test", (first, _rule("vector(1)", name="late"))))
    assert cost.recorded_series == 2
    assert cost.rules[0].samples in (10, 11)


def test_a_rule_that_records_nothing_is_an_error(stage: Stage) -> None:
    """Rules that don't fit the data are told by name, rather than counted as free."""
    with pytest.raises(MeasuringError, match="barren"):
        measure(stage, RuleSet("test", (_rule("sum(no_such_metric)", name="barren"),)))
