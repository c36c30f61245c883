"""Rules over simulated time against promtool, which evaluates the same file by the rule manager's own code."""

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from benchmarks.simulation import (
    HOUR,
    MINUTE,
    SECOND,
    EvaluationError,
    Interval,
    Plan,
    RuleFileError,
    Series,
    Server,
    evaluate,
    is_stale,
    read_rule_groups,
    running_prometheus,
    stale_markers,
    write,
)

START = 1_700_000_400_000  # a multiple of five minutes
STALE = "stale"
Sample = float | str | None

RULES = """
groups:
- name: minute
  interval: 1m
  rules:
  - record: requests:increase1m
    expr: |-
      sum by (job, code) (
        last_over_time(requests_total[59s999ms]) - last_over_time(requests_total[14m59s999ms] offset 1m)
      )
    labels: {service: shop}
  - record: failed:increase1m
    expr: requests:increase1m{code="500"} > 2 or ignoring (code) 0 * requests:increase1m{code="200"}
    labels: {kind: failed, code: ""}
  - record: failed:sum5m
    expr: sum_over_time(failed:increase1m[4m59s999ms])
  - alert: Failing
    expr: failed:sum5m > 10
    for: 0s
"""

INPUT: dict[str, Sequence[Sample]] = {
    'requests_total{job="a", code="200"}': [float(10 * minute) for minute in range(31)],
    # Born late, gone for a while with a marker, back with its count kept; a reset at the end.
    'requests_total{job="a", code="500"}': [
        *[None] * 4,
        3.0,
        5.0,
        9.0,
        10.0,
        STALE,
        *[None] * 6,
        *[12.0] * 8,
        1.0,
        8.0,
        9.0,
    ],
    'requests_total{job="b", code="500"}': [0.0, 5, 10, 15, None, None, None, 20, STALE],
    'requests_total{job="c", code="200"}': [7.0, 5.0, 9.0, 10.0],
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One empty Prometheus for all tests of this file; each has metrics of its own."""
    with running_prometheus(tmp_path_factory.mktemp("prometheus")) as running:
        yield running


def series_of(text: str, samples: Sequence[Sample]) -> Series:
    """The input as remote write takes it, a sample a minute."""
    name, _, rest = text.partition("{")
    labels = {"__name__": name} | {
        key.strip(): value.strip('"') for key, value in (pair.split("=") for pair in rest.rstrip("}").split(","))
    }
    known = [(index, value) for index, value in enumerate(samples) if value is not None]
    values = np.concatenate([stale_markers(1) if value == STALE else np.array([value], float) for _, value in known])
    return Series(labels, np.array([START + index * MINUTE for index, _ in known]), values)


def promtool_input(samples: Sequence[Sample]) -> str:
    """The same in promtool's notation."""
    return " ".join("_" if value is None else str(value) for value in samples)


def answers(server: Server, name: str, minute: int) -> list[dict[str, Any]]:
    """What an instant query finds at a minute, as promtool's `exp_samples`."""
    result = server.query(name, START + minute * MINUTE)["result"]
    return [{"labels": notation(one["metric"]), "value": float(one["value"][1])} for one in result]


def notation(labels: Mapping[str, str]) -> str:
    """`name{label="value"}`."""
    rest = ", ".join(f'{key}="{value}"' for key, value in sorted(labels.items()) if key != "__name__")
    return f"{labels['__name__']}{{{rest}}}"


def promtool(folder: Path, expectations: list[dict[str, Any]]) -> subprocess.CompletedProcess[str]:
    """Does promtool, which evaluates RULES over INPUT, find what is expected?"""
    (folder / "rules.yaml").write_text(RULES, encoding="utf-8")
    inputs = [{"series": name, "values": promtool_input(samples)} for name, samples in INPUT.items()]
    test = {"interval": "1m", "input_series": inputs, "promql_expr_test": expectations}
    document = {"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": [test]}
    (folder / "test.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    command = ["promtool", "test", "rules", str(folder / "test.yaml")]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_results_are_those_of_promtool(server: Server, tmp_path: Path) -> None:
    """At every minute every recorded series has promtool's value, or is as absent as there, markers included."""
    write(server, [series_of(name, samples) for name, samples in INPUT.items()])
    evaluate(server, read_rule_groups(RULES), Plan(Interval(START, START + 31 * MINUTE)))
    names = ("requests:increase1m", "failed:increase1m", "failed:sum5m")
    expectations: list[dict[str, Any]] = [
        {"expr": name, "eval_time": f"{minute}m", "exp_samples": answers(server, name, minute)}
        for name in names
        for minute in range(31)
    ]
    told = promtool(tmp_path, expectations)
    assert told.returncode == 0, told.stdout + told.stderr
    # The comparison would notice: something was recorded, and a value that is one off is refused.
    recorded = next(item for item in expectations if len(item["exp_samples"]) > 1)
    recorded["exp_samples"][0]["value"] += 1
    assert promtool(tmp_path, expectations).returncode != 0


def recorded_samples(server: Server, name: str, span: Interval) -> tuple[np.ndarray[Any, Any], list[str]]:
    """Times in milliseconds since `span.start`, and values, as stored: a range selector hides only the markers."""
    # A second longer: the range's left end is open on 3.x.
    data = server.query(f"{name}[{(span.end - span.start) // 1000 + 1}s]", span.end)["result"]
    values = data[0]["values"] if data else []
    return np.array([round(time * 1000) - span.start for time, _ in values]), [value for _, value in values]


def test_nothing_is_evaluated_while_prometheus_is_down(server: Server) -> None:
    """Inside `down` nothing is recorded, the phase stays, and the series isn't marked as ended."""
    write(server, [Series({"__name__": "alive"}, START + MINUTE * np.arange(60), np.ones(60))])
    rules = "groups: [{name: g, interval: 1m, rules: [{record: alive:copy, expr: alive}]}]"
    down = Interval(START + 10 * MINUTE, START + 20 * MINUTE)
    during = Interval(START, START + 30 * MINUTE)
    evaluate(server, read_rule_groups(rules), Plan(during, phases={"g": 7 * SECOND}, down=[down]))
    times, _ = recorded_samples(server, "alive:copy", during)
    expected = [minute * MINUTE + 7 * SECOND for minute in range(30) if not 10 <= minute < 20]
    assert times.tolist() == expected
    # No marker: the look-back of five minutes still finds the last value.
    assert server.query("alive:copy", START + 13 * MINUTE)["result"]


def test_a_series_that_is_gone_is_marked_at_once(server: Server) -> None:
    """One evaluation after its source has ended an instant query no longer finds a recorded series."""
    times = START + MINUTE * np.arange(11)
    ended = np.concatenate([np.ones(10), stale_markers(1)])
    write(server, [Series({"__name__": "short"}, times, ended)])
    rules = "groups: [{name: g, interval: 1m, rules: [{record: short:copy, expr: short}]}]"
    evaluate(server, read_rule_groups(rules), Plan(Interval(START, START + HOUR), steps_per_query=10))
    assert server.query("short:copy", START + 9 * MINUTE)["result"]
    assert not server.query("short:copy", START + 10 * MINUTE)["result"]


def test_a_long_history_in_small_queries_is_the_same(server: Server) -> None:
    """How many steps one query takes changes nothing, nor does a stride change what it keeps."""
    write(server, [Series({"__name__": "long"}, START + MINUTE * np.arange(200), np.arange(200.0))])
    during = Interval(START, START + 200 * MINUTE)
    for name, plan in {
        "long:a": Plan(during),
        "long:b": Plan(during, steps_per_query=7),
        "long:c": Plan(during, strides={"long:c": 50}),
    }.items():
        rules = f"groups: [{{name: g, interval: 1m, rules: [{{record: '{name}', expr: 'long * 2'}}]}}]"
        evaluate(server, read_rule_groups(rules), plan)
    everything = recorded_samples(server, "long:a", during)[1]
    assert everything == recorded_samples(server, "long:b", during)[1]
    assert recorded_samples(server, "long:c", during)[1] == everything[49::50]


def test_series_that_become_one_are_an_error(server: Server) -> None:
    """Two results with the same labels at one instant fail, as they would in Prometheus."""
    times = START + MINUTE * np.arange(10)
    write(server, [Series({"__name__": "twins", "label": label}, times, np.ones(10)) for label in "ab"])
    rules = "groups: [{name: g, interval: 1m, rules: [{record: t:one, expr: twins, labels: {label: c}}]}]"
    with pytest.raises(EvaluationError, match="t:one in g: two series"):
        evaluate(server, read_rule_groups(rules), Plan(Interval(START, START + HOUR)))


@pytest.mark.parametrize(
    ("rules", "complaint"),
    [
        ("[{record: 'a:x', expr: 'a:y offset 1m'}, {record: 'a:y', expr: 'a:x'}]", "reads itself"),
        ("[{record: 'a:x', expr: 'a:y'}, {record: 'a:y', expr: vector(1)}]", "its group records later"),
    ],
)
def test_circles_are_refused(server: Server, rules: str, complaint: str) -> None:
    """Rules whose whole history can't be computed one after the other are an error, never a wrong figure."""
    groups = read_rule_groups(f"groups: [{{name: g, interval: 1m, rules: {rules}}}]")
    with pytest.raises(RuleFileError, match=complaint):
        evaluate(server, groups, Plan(Interval(START, START + HOUR)))


def test_a_later_rule_may_be_read_in_the_past(server: Server) -> None:
    """What a later rule of the group recorded an evaluation ago is there."""
    rules = "[{record: 'p:x', expr: 'p:y offset 5m'}, {record: 'p:y', expr: vector(1)}]"
    groups = read_rule_groups(f"groups: [{{name: g, interval: 5m, rules: {rules}}}]")
    evaluate(server, groups, Plan(Interval(START, START + HOUR)))
    times, _ = recorded_samples(server, "p:x", Interval(START, START + HOUR))
    assert times[0] == 5 * MINUTE


def test_a_rule_may_read_what_it_recorded_before(server: Server) -> None:
    """A rule that reads its own past counts on from it; when it vanishes it is marked and begins anew."""
    on = np.array([1.0] * 8 + [0] * 2 + [1] * 10)
    write(server, [Series({"__name__": "switch"}, START + MINUTE * np.arange(20), on)])
    rules = "[{record: 'self:x', expr: '(1 + self:x or vector(1)) and on () (switch == 1)'}]"
    groups = read_rule_groups(f"groups: [{{name: g, interval: 1m, rules: {rules}}}]")
    during = Interval(START, START + 20 * MINUTE)
    evaluate(server, groups, Plan(during))
    _, values = recorded_samples(server, "self:x", during)
    assert values == [str(number) for number in [*range(1, 9), *range(1, 11)]]


def test_only_what_is_wanted_is_evaluated(server: Server) -> None:
    """With names asked for, their rules and what these read are evaluated, and nothing else."""
    rules = "[{record: 'w:x', expr: vector(1)}, {record: 'w:y', expr: 'w:x'}, {record: 'w:z', expr: 'w:x'}]"
    groups = read_rule_groups(f"groups: [{{name: g, interval: 5m, rules: {rules}}}]")
    evaluate(server, groups, Plan(Interval(START, START + HOUR), wanted={"w:y"}))
    found = server.query('{__name__=~"w:."}', START + 55 * MINUTE)["result"]
    assert sorted(one["metric"]["__name__"] for one in found) == ["w:x", "w:y"]


def test_unknown_settings_are_refused() -> None:
    """A setting that the simulation would ignore is an error."""
    with pytest.raises(RuleFileError, match="query_offset"):
        read_rule_groups("groups: [{name: g, interval: 1m, query_offset: 1m, rules: []}]")


def test_markers_are_told_from_other_nans() -> None:
    """Only the marker's own bits are a marker."""
    values = np.concatenate([np.array([1.0, float("nan")]), stale_markers(1)])
    assert is_stale(values).tolist() == [False, False, True]
