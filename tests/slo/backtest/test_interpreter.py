"""The interpreter evaluates the compiler's rules as a real Prometheus does."""

from collections.abc import Iterator

import numpy as np
import pytest
from sereno_slo.backtest.arrays import InterpreterError
from sereno_slo.backtest.firing import recorded
from sereno_slo.backtest.interpreter import Samples
from sereno_slo.model import AlertingMode, Settings
from sereno_slo.plan import AlertingRule, RecordingRule
from sereno_slo.promql import Call, Selector

from benchmarks.alert_quality.policies import objective
from benchmarks.simulation import MINUTE, Series, Server, running_prometheus, write

_DAYS = 9
_MINUTES = _DAYS * 1440
# A midnight, so that the steps of subqueries fall where the interpreter has them.
_BEGIN_MS = 1_700_006_400_000
_SLO = objective(99.0, AlertingMode.BOTH)


@pytest.fixture(scope="module")
def evaluated() -> tuple[Samples, tuple[RecordingRule | AlertingRule, ...]]:
    """Nine days with an outage, a slow burn, an idle night, and a day of bots."""
    random = np.random.default_rng(4)
    events = random.poisson(40, _MINUTES).astype(float)
    bad_events = random.binomial(40, 0.002, _MINUTES).astype(float)
    bad_events[11_000:11_020] = events[11_000:11_020]
    bad_events[11_500:11_900] += 3
    events[5000:5300] = bad_events[5000:5300] = 0
    events[5 * 1440 : 6 * 1440] *= 100
    events[12_000:12_040] = np.nan  # a stop of Prometheus
    bad_events[12_000:12_040] = np.nan
    return recorded(_SLO, Settings(), events, bad_events)


@pytest.fixture(scope="module")
def samples(evaluated: tuple[Samples, tuple[RecordingRule | AlertingRule, ...]]) -> Samples:
    """What the rules recorded."""
    return evaluated[0]


@pytest.fixture(scope="module")
def rules(
    evaluated: tuple[Samples, tuple[RecordingRule | AlertingRule, ...]],
) -> tuple[RecordingRule | AlertingRule, ...]:
    """All rules that read only what rules record."""
    return evaluated[1]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, samples: Samples) -> Iterator[Server]:
    """A Prometheus that holds what the rules recorded."""
    times_ms = _BEGIN_MS + MINUTE * np.arange(_MINUTES, dtype=np.int64)
    labels = {"service": _SLO.service, "slo": _SLO.name}
    with running_prometheus(tmp_path_factory.mktemp("prometheus")) as running:
        for name, values in samples.series.items():
            there = ~np.isnan(values)
            if there.any():
                write(running, [Series(labels | {"__name__": name}, times_ms[there], values[there])])
        yield running


def test_every_rule_has_the_value_that_prometheus_gives(
    server: Server, samples: Samples, rules: tuple[RecordingRule | AlertingRule, ...]
) -> None:
    """At moments of every phase, in trouble and out of it, with and without a whole week behind them."""
    moments = [1500, 5100, 8003, 10_083, 11_001, 11_004, 11_017, 11_523, 11_899, 12_010, 12_043, 12_101, _MINUTES - 1]
    compared = 0
    for rule in rules:
        mine = samples.one(rule.expr)
        for minute in moments:
            answer = server.query(str(rule.expr), _BEGIN_MS + minute * MINUTE)["result"]
            theirs = float(answer[0]["value"][1]) if answer else float("nan")
            assert mine[minute] == pytest.approx(theirs, rel=1e-9, nan_ok=True), (minute, str(rule.expr))
            compared += not np.isnan(theirs)
    assert len(rules) > 30
    assert compared > 200


def test_says_what_it_doesn_t_know() -> None:
    """Never a guess: a function that no rule used until now is an error."""
    samples = Samples(10, {"events": np.ones(10)})
    with pytest.raises(InterpreterError, match=r"irate\(\) is not known"):
        samples.one(Call("irate", (Selector("events"),)))
    with pytest.raises(InterpreterError, match="nothing records other"):
        samples.one(Selector("other"))
