"""The estimated cost of rules is what the engine counts."""

from pathlib import Path

import pytest
from sereno_slo import Settings
from sereno_slo.changes import cost_of
from sereno_slo.changes.cost import costs_of_rules
from sereno_slo.plan import plan_slo

from benchmarks.cost.comparison import AT_MOST_RAW_SAMPLES, END_MS
from benchmarks.cost.estimating import series_counts
from benchmarks.cost.measuring import Stage, measure, raw_history_ms, write_raw_history
from benchmarks.cost.raw import Kind, Size, raw_series
from benchmarks.cost.rulesets import Rule
from benchmarks.cost.specs import sereno_rules, sereno_slo
from benchmarks.simulation import running_prometheus

SIZE = Size(10, 2)


def _is_patient(rule: Rule) -> bool:
    """It reads whole minutes of what is recorded: an entry more where all groups are evaluated at one instant."""
    return "[10m]" in rule.expr or "[30m]" in rule.expr


@pytest.mark.parametrize("kind", list(Kind))
def test_is_within_one_percent_of_what_prometheus_counts(kind: Kind, tmp_path: Path) -> None:
    """Samples read in a minute and series recorded, with everything in place that the rules look back on."""
    rules = sereno_rules(kind)
    raw = tuple(raw_series(SIZE, END_MS))
    with running_prometheus(tmp_path / "prometheus") as server:
        history_ms = raw_history_ms([rules], raw, at_most_samples=AT_MOST_RAW_SAMPLES)
        stage = Stage(server, raw, END_MS, history_ms)
        write_raw_history(stage)
        measured = measure(stage, rules)
    estimated = cost_of(sereno_slo(kind), Settings())
    slo = sereno_slo(kind)
    per_rule = [
        one.read.at(series_counts(kind, SIZE)) for one in costs_of_rules(slo.indicator, plan_slo(slo, Settings()))
    ]
    for mine, theirs in zip(per_rule, measured.rules, strict=True):
        assert _is_patient(theirs.rule) or mine == pytest.approx(theirs.samples_per_minute, abs=0.1), theirs.rule.name
    assert estimated.read.at(series_counts(kind, SIZE)) == pytest.approx(measured.samples_per_minute, rel=0.01)
    assert estimated.recorded.at(series_counts(kind, SIZE)) == measured.recorded_series
