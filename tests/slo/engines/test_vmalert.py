"""Compiled rules in vmalert and VictoriaMetrics: they load, and count what Prometheus counts (docs/engines.md)."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest
import yaml
from sereno_slo import RuleFormat, Settings, validate_specs
from sereno_slo.render.engine_rules import render_engine_rules
from sereno_slo.source import SourceFile
from support.slo_specs import EXAMPLES, example_names, settings_beside, source_of, spec_text
from support.victoria_metrics import needs_vmalert, replay, vmalert

from benchmarks.simulation import (
    HOUR,
    MINUTE,
    VICTORIA_METRICS,
    Interval,
    Plan,
    Series,
    Server,
    evaluate,
    evaluation_order,
    is_stale,
    read_rule_groups,
    running_prometheus,
    stale_markers,
    write,
)

pytestmark = needs_vmalert

START = 1_700_000_400_000  # a multiple of five minutes
DURING = Interval(START, START + 4 * HOUR)
SCRAPE = 30_000
# The process ends and begins anew within a scrape; the error series is born minutes later.
RESTART = START + 2 * HOUR + 10_000
FIGURES = ("sereno:events:window", "sereno:bad_events:window", "sereno:error_budget_remaining:ratio")
NATIVE = "native-histogram"


@pytest.mark.parametrize("name", [name for name in example_names() if name != NATIVE])
def test_every_rule_loads(name: str, tmp_path: Path) -> None:
    """In the form vmalert, each example's file is taken; in Prometheus' own at most keep_firing_for is unknown."""
    spec = EXAMPLES / f"{name}.slo.yaml"
    settings = settings_beside(spec)
    (service,) = validate_specs([source_of(spec)], settings).services
    for rule_format in (RuleFormat.VMALERT, RuleFormat.PROMETHEUS):
        rules = tmp_path / f"{rule_format}.rules.yaml"
        rules.write_text(render_engine_rules(service, settings, rule_format)[0].content, encoding="utf-8")
        answer = vmalert("-dryRun", f"-rule={rules}")
        is_old = rule_format is RuleFormat.PROMETHEUS and "unknown fields in rule: keep_firing_for" in answer.stderr
        assert answer.returncode == 0 or is_old, answer.stderr


def test_native_histograms_are_what_it_lacks(tmp_path: Path) -> None:
    """1.79 has no functions of native histograms, and says so when it loads the rules; newer ones load them."""
    spec = EXAMPLES / f"{NATIVE}.slo.yaml"
    (service,) = validate_specs([source_of(spec)], Settings()).services
    rules = tmp_path / "native.rules.yaml"
    rules.write_text(render_engine_rules(service, Settings(), RuleFormat.VMALERT)[0].content, encoding="utf-8")
    answer = vmalert("-dryRun", f"-rule={rules}")
    assert answer.returncode == 0 or "histogram_" in answer.stderr


def _history() -> Iterator[Series]:
    """One target, scraped every 30 s: 60 events a minute, some bad; a restart in the middle."""
    times = np.arange(START - 10 * MINUTE, DURING.end, SCRAPE, dtype=np.int64)
    alive = times >= RESTART
    elapsed = (times - np.where(alive, RESTART, START - 24 * HOUR)) // SCRAPE
    target = {"job": "api", "instance": "a"}

    def series(name: str, values: np.ndarray, **labels: str) -> Series:
        return Series({"__name__": name, **target, **labels}, times, values.astype(np.float64))

    yield series("up", np.ones(len(times)))
    yield series("process_start_time_seconds", np.where(alive, RESTART, START - 24 * HOUR) / 1000)
    yield series("requests_total", 29 * elapsed, code="200")
    bad = series("requests_total", np.where(alive, elapsed // 7, elapsed // 3), code="500")
    bad.values[np.flatnonzero(alive)[0]] = stale_markers(1)[0]  # the scrape that no longer brings it marks it
    seen = ~alive | (elapsed >= 7) | is_stale(bad.values)
    yield Series(bad.labels, times[seen], bad.values[seen])


def _figures(server: Server) -> Mapping[str, float]:
    found = {}
    for name in FIGURES:
        (sample,) = server.query(name, DURING.end - 1)["result"]
        found[name] = float(sample["value"][1])
    return found


def _needed(text: str) -> str:
    """The rule file with only the rules that the figures are made of: a replay waits after each of them."""
    steps = evaluation_order(read_rule_groups(text), FIGURES)
    kept = {(step.group.name, step.rule.record) for step in steps}
    groups = yaml.safe_load(text)["groups"]
    for group in groups:
        group["rules"] = [rule for rule in group["rules"] if (group["name"], rule.get("record")) in kept]
    return yaml.safe_dump({"groups": groups}, sort_keys=False)


def test_budgets_are_those_of_prometheus(tmp_path: Path) -> None:
    """Replayed by the real vmalert on VictoriaMetrics, the budget is the one that Prometheus has, and right."""
    (service,) = validate_specs([SourceFile("api.slo.yaml", spec_text())], Settings()).services
    text = render_engine_rules(service, Settings(), RuleFormat.VMALERT)[0].content
    rules = tmp_path / "api.rules.yaml"
    rules.write_text(_needed(text), encoding="utf-8")
    with running_prometheus(tmp_path / "prometheus") as server:
        write(server, _history())
        evaluate(server, read_rule_groups(rules.read_text("utf-8")), Plan(DURING, wanted=FIGURES))
        expected = _figures(server)
    with running_prometheus(tmp_path / "victoria", program=VICTORIA_METRICS) as server:
        write(server, _history())
        replay(rules, server, DURING)
        server.flush()
        found = _figures(server)
    assert found == pytest.approx(expected, rel=1e-9)
    # 29 good events every 30 s for four hours, and those bad ones; the last five minutes aren't summed yet.
    assert expected["sereno:events:window"] == pytest.approx(4 * 120 * 29 + 240 / 3 + 240 / 7, rel=0.03)
