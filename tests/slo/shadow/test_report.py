"""Sereno's alerts and others' as a real server recorded them: matched, and differences explained by its figures."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sereno_cli.exit_codes import ExitCode
from sereno_slo import Settings, SourceFile, compile_specs
from slo.backtest.conftest import PAST
from support.command_line import sereno
from support.ports import free_port

from benchmarks.backtest.past import SPEC, series_of
from benchmarks.simulation import (
    HOUR,
    MINUTE,
    AlertingRule,
    Interval,
    Plan,
    RuleGroup,
    Series,
    Server,
    evaluate,
    evaluation_runs,
    read_rule_groups,
    results,
    running_prometheus,
    stale_markers,
    write,
)

SHADOWED = SPEC + "    alerting: {shadow: true}\n"
_BEGIN = PAST.end_ms - PAST.length_ms
_PLAN = Plan(Interval(_BEGIN + 5 * MINUTE, PAST.end_ms))
OUTAGE = PAST.end_ms - 30 * HOUR
HICCUP = PAST.end_ms - 9 * HOUR
_SLOTH = {"alertname": "ShopOrders", "sloth_service": "shop", "sloth_slo": "orders", "sloth_severity": "page"}
_PYRRA = {"alertname": "ErrorBudgetBurn", "slo": "shop-orders", "exhaustion": "2d", "severity": "critical"}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Four days of a shop with Sereno's rules in the shadow; the others page for the outage, and for a hiccup."""
    artefacts = compile_specs([SourceFile("shop.slo.yaml", SHADOWED)], Settings()).artefacts
    (rules,) = (artefact.content for artefact in artefacts if artefact.name.endswith(".rules.yaml"))
    groups = read_rule_groups(rules)
    with running_prometheus(tmp_path_factory.mktemp("shadow")) as server:
        write(server, series_of(PAST))
        evaluate(server, groups, _PLAN)
        for labels in (_SLOTH, _PYRRA):
            spans = [(OUTAGE + 6 * MINUTE, OUTAGE + 50 * MINUTE), (HICCUP + 2 * MINUTE, HICCUP + 6 * MINUTE)]
            write(server, [_alerts(labels, [time for span in spans for time in range(*span, MINUTE)])])
        write(server, _ours(server, groups))
        yield server.url


def _ours(server: Server, groups: tuple[RuleGroup, ...]) -> Iterator[Series]:
    for group in groups:
        for rule in group.rules:
            if isinstance(rule, AlertingRule) and rule.labels.get("burn"):
                for run in evaluation_runs(group, _PLAN):
                    found = [times for times, _ in results(server, rule.expr, run).values()]
                    if found:
                        yield _alerts(
                            {"alertname": rule.alert, **rule.labels}, np.unique(np.concatenate(found)).tolist()
                        )


def _alerts(labels: dict[str, str], times_ms: list[int]) -> Series:
    """As the rule manager records what fires: a marker where it doesn't any more."""
    times = np.array(times_ms, dtype=np.int64)
    ends = np.setdiff1d(times + MINUTE, times)
    both = np.concatenate([times, ends])
    values = np.concatenate([np.ones(len(times)), stale_markers(len(ends))])
    order = np.argsort(both)
    return Series({"__name__": "ALERTS", "alertstate": "firing", **labels}, both[order], values[order])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The spec."""
    (tmp_path / "shop.slo.yaml").write_text(SHADOWED, encoding="utf-8")
    return tmp_path


def _arguments(url: str, *more: str) -> list[str]:
    to = f"{datetime.fromtimestamp(PAST.end_ms / 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"
    return ["shadow", "report", "shop.slo.yaml", "--prometheus", url, "--days", "3", "--to", to, *more]


def _document(folder: Path, url: str, *more: str) -> dict[str, Any]:
    done = sereno(*_arguments(url, "--format", "json", *more), cwd=folder)
    assert done.returncode == ExitCode.OK, done.stderr
    (slo,) = json.loads(done.stdout)["slos"]
    document: dict[str, Any] = slo
    return document


def _is_at(moment: str, begin_ms: int) -> bool:
    return 0 <= datetime.fromisoformat(moment).timestamp() * 1000 - begin_ms < 10 * MINUTE


@pytest.mark.parametrize("more", [[], ["--rules", "pyrra", "--their-slo", "shop-orders"]])
def test_what_both_told_is_matched_and_what_one_told_is_explained(folder: Path, url: str, more: list[str]) -> None:
    """The outage is in both; the hiccup only in theirs, by too few failures; the slow burn only in Sereno's."""
    found = _document(folder, url, *more)
    assert found["told_by_theirs"] == 2
    (both,) = found["both"]
    assert _is_at(both["sereno"]["from"], OUTAGE)
    assert _is_at(both["theirs"]["from"], OUTAGE)
    (hiccup,) = (each for each in found["differences"] if each["only"] == "theirs")
    assert _is_at(hiccup["from"], HICCUP)
    assert hiccup["bad_events"] < 12
    lacked = {each["rule"]: each["conditions"] for each in hiccup["not_met"]}
    assert set(lacked) == {"outage (2m)", "fast (1h)", "slow (6h)"}
    fast = {each["what"]: each for each in lacked["fast (1h)"]}
    assert any(what.startswith("bad events in 1h") for what in fast)
    assert all(each["value"] < each["needed"] for each in fast.values())
    only_ours = [each for each in found["differences"] if each["only"] == "sereno" and each["kind"] == "page"]
    assert only_ours
    assert all(each["events"] > each["bad_events"] > 0 for each in only_ours)
    assert all(each["budget_spent_ratio"] > 0 for each in only_ours)


def test_text_says_who_told_what(folder: Path, url: str) -> None:
    """A line for each, with its figures and what the other one lacked."""
    done = sereno(*_arguments(url), cwd=folder)
    assert done.returncode == ExitCode.OK
    assert not done.stderr
    assert "sloth 2;" in done.stdout
    assert "only sloth" in done.stdout
    assert "only Sereno" in done.stdout
    assert "Sereno fast (1h): bad events in 5m (budget at usual traffic) " in done.stdout
    assert "\n  = page " in done.stdout


def test_missing_rules_are_told_and_not_taken_for_silence(folder: Path, url: str) -> None:
    """A ledger that isn't recorded, and alerts under another name, are said."""
    (folder / "shop.slo.yaml").write_text(SHADOWED.replace("orders\n", "refunds\n"), encoding="utf-8")
    done = sereno(*_arguments(url), cwd=folder)
    assert done.returncode == ExitCode.OK
    assert "Sereno's ledger isn't recorded here" in done.stdout
    assert "sloth told nothing; if it should have" in done.stdout


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--slo", "shop/order"], "no SLO is called shop/order; did you mean shop/orders?"),
        (["--to", "2999-01-01T00:00:00Z"], "lies in the future"),
    ],
)
def test_wrong_arguments_are_told(folder: Path, url: str, more: list[str], said: str) -> None:
    """With exit code 2."""
    done = sereno(*_arguments(url, *more), cwd=folder)
    assert done.returncode == ExitCode.INVALID_INPUT
    assert said in done.stderr


def test_a_server_that_does_not_answer_is_exit_code_3(folder: Path) -> None:
    """Nothing is compared."""
    done = sereno(*_arguments(f"http://127.0.0.1:{free_port()}"), cwd=folder)
    assert done.returncode == ExitCode.UNREACHABLE
    assert "nothing was compared" in done.stderr
    assert not done.stdout
