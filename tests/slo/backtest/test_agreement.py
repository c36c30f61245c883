"""A backtest fires what the real engine fires on the same samples, by the compiled rules as they are written."""

from collections.abc import Iterator

import numpy as np
import pytest
from sereno_backends.prometheus import PrometheusClient
from sereno_slo import Settings, SourceFile, compile_specs
from sereno_slo.backtest.asking import Minutes
from sereno_slo.backtest.collecting import collected
from sereno_slo.backtest.entries import Cause, Entries
from sereno_slo.backtest.firing import Replayed, replayed
from sereno_slo.backtest.raw import stretches
from sereno_slo.backtest.recorded import recorded_entries
from sereno_slo.history import Reader
from sereno_slo.model import ServiceLevelObjective
from slo.backtest.conftest import PAST

from benchmarks.backtest.past import SPEC, STOP_MS
from benchmarks.simulation import (
    MINUTE,
    AlertingRule,
    Interval,
    Plan,
    RuleGroup,
    Server,
    evaluate,
    evaluation_runs,
    read_rule_groups,
    results,
)

_BEGIN = PAST.end_ms - PAST.length_ms
_MINUTES = PAST.length_ms // MINUTE
_STOP = Interval(PAST.end_ms - PAST.stop_before_end_ms, PAST.end_ms - PAST.stop_before_end_ms + STOP_MS)
_PLAN = Plan(Interval(_BEGIN + 5 * MINUTE, PAST.end_ms), down=(_STOP,))

Episodes = dict[tuple[str, str, str], list[tuple[int, int]]]
"""From which minute to which, by alert, severity and burn."""


@pytest.fixture(scope="module")
def engine(server: Server) -> tuple[Server, tuple[RuleGroup, ...]]:
    """The server after its rules were evaluated."""
    artefacts = compile_specs([SourceFile("shop.slo.yaml", SPEC)], Settings()).artefacts
    (rules,) = (artefact.content for artefact in artefacts if artefact.name.endswith(".rules.yaml"))
    groups = read_rule_groups(rules)
    evaluate(server, groups, _PLAN)
    return server, groups


@pytest.fixture(scope="module")
def entries(server: Server, slo: ServiceLevelObjective) -> Entries:
    """What the backtest reads of raw series."""
    with PrometheusClient(server.url, timeout_seconds=60) as client:
        reader = Reader(client, lambda: None)
        return collected(slo, Settings(), reader, Minutes(_BEGIN, _MINUTES), lambda _: None)


@pytest.fixture(scope="module")
def replay(entries: Entries, slo: ServiceLevelObjective) -> Replayed:
    """What the backtest makes of it."""
    return replayed(slo, Settings(), entries)


def test_entries_are_those_of_the_ledger(engine: tuple[Server, tuple[RuleGroup, ...]], entries: Entries) -> None:
    """Minute by minute: through a restart, a stop of Prometheus, and targets that nobody reaches."""
    server, _ = engine
    moments = _BEGIN + MINUTE * np.arange(_MINUTES)
    evaluated = _PLAN.during.holds(moments) & ~_STOP.holds(moments)
    for name, mine in (
        ("events", entries.events),
        ("bad_events", entries.bad_events),
        ("coverage", entries.coverage),
    ):
        expr = f"last_over_time(sereno:{name}:delta1m[30s])"
        (series,) = server.query_range(expr, _BEGIN, PAST.end_ms - MINUTE, MINUTE)
        theirs = np.full(_MINUTES, np.nan)
        for seconds, value in series["values"]:
            theirs[round(1000 * seconds - _BEGIN) // MINUTE] = float(value)
        assert np.allclose(mine[evaluated], theirs[evaluated], rtol=1e-9, equal_nan=True), name


def test_what_rules_have_recorded_is_read_as_they_recorded_it(
    engine: tuple[Server, tuple[RuleGroup, ...]], entries: Entries, slo: ServiceLevelObjective
) -> None:
    """The same entries as from raw series, a hole while Prometheus stood, and the same burns."""
    server, _ = engine
    with PrometheusClient(server.url, timeout_seconds=60) as client:
        found = recorded_entries(slo, Settings(), Reader(client, lambda: None), Minutes(_BEGIN, _MINUTES), _no_progress)
    moments = _BEGIN + MINUTE * np.arange(_MINUTES)
    evaluated = _PLAN.during.holds(moments) & ~_STOP.holds(moments)
    for mine, theirs in ((found.events, entries.events), (found.bad_events, entries.bad_events)):
        assert np.array_equal(mine[evaluated], theirs[evaluated], equal_nan=True)
    assert np.isnan(found.events[~evaluated]).all()
    assert [hole.cause for hole in found.holes(0)] == [hole.cause for hole in entries.holes(0)]
    told, expected = (
        {
            (alert.name, alert.burn)
            for alert in replayed(slo, Settings(), each).alerts
            if alert.burn and alert.firing.any()
        }
        for each in (found, entries)
    )
    assert told == expected != set()


def _no_progress(_: float) -> None:
    pass


def test_alerts_fire_and_resolve_when_the_engines_do(
    engine: tuple[Server, tuple[RuleGroup, ...]], replay: Replayed
) -> None:
    """Every alert, within one evaluation: burns of all tiers, an outage, no data, an exhausted budget."""
    server, groups = engine
    theirs = _of_engine(server, groups)
    mine = _of_backtest(replay)
    assert {key for key, spans in mine.items() if spans} == {key for key, spans in theirs.items() if spans}
    for key, spans in theirs.items():
        assert len(mine[key]) == len(spans), (key, mine[key], spans)
        for (begin, end), (their_begin, their_end) in zip(mine[key], spans, strict=True):
            assert abs(begin - their_begin) <= 1, key
            assert abs(end - their_end) <= 1, key
    fired = {(alert, burn) for (alert, _, burn), spans in mine.items() if spans}
    assert fired >= {
        ("SLOErrorBudgetBurn", "outage"),
        ("SLOErrorBudgetBurn", "fast"),
        ("SLOErrorBudgetBurn", "slow"),
        ("SLONoData", ""),
        ("SLOBudgetExhausted", ""),
    }


def test_a_stop_of_prometheus_is_named(entries: Entries) -> None:
    """What nobody scraped is a hole, and so are targets that nobody reached; each with its cause."""
    holes = [(hole.cause, hole.end - hole.begin) for hole in entries.holes(0)]
    assert [cause for cause, _ in holes] == [Cause.NOTHING_SCRAPED, Cause.TARGETS_DOWN]
    assert holes[0][1] == pytest.approx(STOP_MS / MINUTE, abs=1)
    assert not entries.evaluated[entries.holes(0)[0].begin : entries.holes(0)[0].end].any()


def _of_backtest(replay: Replayed) -> Episodes:
    return {
        (alert.name, alert.severity, alert.burn or ""): list(stretches(alert.firing))
        for alert in sorted(replay.alerts, key=lambda alert: alert.long_window or "")
    }


def _of_engine(server: Server, groups: tuple[RuleGroup, ...]) -> Episodes:
    episodes: Episodes = {}
    for group in groups:
        for rule in group.rules:
            if isinstance(rule, AlertingRule):
                key = (rule.alert, rule.labels["severity"], rule.labels.get("burn", ""))
                episodes[key] = list(_firing(server, group, rule))
    return episodes


def _firing(server: Server, group: RuleGroup, rule: AlertingRule) -> Iterator[tuple[int, int]]:
    """As the rule manager does: active at every evaluation for `for`, then firing until it isn't active."""
    for run in evaluation_runs(group, _PLAN):
        active: set[int] = set()
        for times, _ in results(server, rule.expr, run).values():
            active |= {int(time - _BEGIN) // MINUTE for time in times}
        since: int | None = None
        for minute in range((run.first - _BEGIN) // MINUTE, (run.last - _BEGIN) // MINUTE + 2):
            if minute in active:
                since = minute if since is None else since
            elif since is not None:
                begin = since + rule.for_ms // MINUTE
                if begin < minute:
                    yield begin, minute
                since = None
