"""The rules that sloth and pyrra make of the same SLOs, written from what they document; or by the sloth program.

Sources: sloth.dev (pages "SLO windows", "SLI recording rules", "Metadata recording rules", "Alerts"; its example of a
latency SLO subtracts the bucket from the count); pyrra's README, docs/performance-mode.md and the examples of rules in
its tests (window 4w, evaluated every 2m30s; burn rates every 30 s). Where a tool can't group, it gets one SLO a group.
"""

import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from benchmarks.cost.raw import JOB, PATHS, Kind
from benchmarks.cost.rulesets import RuleSet, read_rules
from benchmarks.cost.specs import SLO_NAMES

_SLOTH_WINDOWS = ("5m", "30m", "1h", "2h", "6h", "1d", "3d")
_PYRRA_WINDOWS = ("5m", "30m", "1h", "2h", "6h", "1d", "4d")
_OBJECTIVE_RATIO = {Kind.RATIO: 0.999, Kind.LATENCY: 0.99, Kind.GROUPED: 0.999}
# Factor, long and short window: sloth's page and ticket from the SRE Workbook, pyrra's four alerts for four weeks.
_SLOTH_ALERTS = (((14.4, "1h", "5m"), (6, "6h", "30m")), ((3, "1d", "2h"), (1, "3d", "6h")))
_PYRRA_ALERTS = ((14, "1h", "5m"), (7, "6h", "30m"), (2, "1d", "2h"), (1, "4d", "6h"))

Group = dict[str, Any]


class PeerError(Exception):
    """The program of a peer is missing or fails; the message says what it said."""


def sloth_documented(kind: Kind) -> RuleSet:
    """Sloth's recording rules, metadata and two alerts, every 30 seconds."""
    groups = [group for name, sli in _slis(kind) for group in _sloth_groups(name, sli, _OBJECTIVE_RATIO[kind])]
    return _rule_set("sloth (documented)", groups)


def sloth_generated(kind: Kind, program: str, folder: Path) -> RuleSet:
    """What the sloth program generates; `folder` takes its files.

    Raises:
        PeerError: the program fails.
    """
    slos = [_sloth_spec(name, sli, _OBJECTIVE_RATIO[kind]) for name, sli in _slis(kind)]
    spec, rules = folder / f"{SLO_NAMES[kind]}.yml", folder / f"{SLO_NAMES[kind]}.rules.yml"
    spec.write_text(yaml.safe_dump({"version": "prometheus/v1", "service": JOB, "slos": slos}), encoding="utf-8")
    command: list[str | Path] = [program, "generate", "-i", spec, "-o", rules]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise PeerError(f"{program} refuses its spec: {done.stderr.strip()[-500:]}")
    return RuleSet("sloth (program)", read_rules(rules.read_text(encoding="utf-8")))


def pyrra_documented(kind: Kind) -> RuleSet:
    """Pyrra's increase over the whole window, burn rates and alerts, as it makes them by default."""
    slo = SLO_NAMES[kind]
    increases = [
        _record(f"{_METRICS[kind]}:increase4w", f"sum{_by(kind)} (increase({counter}[4w]))", labels)
        for counter, labels in _pyrra_counters(kind, slo)
    ]
    increase = {"name": "increase", "interval": "2m30s", "rules": [*increases, *_pyrra_absent(kind, slo)]}
    return _rule_set("pyrra (documented)", [increase, _pyrra_burn_rates(kind, slo)])


def pyrra_performance_mode(kind: Kind) -> RuleSet:
    """Pyrra with `performanceOverAccuracy`: increases of five minutes every 30 s, a subquery over them instead."""
    slo = f"{SLO_NAMES[kind]}-performance"
    short, long = [], []
    for counter, labels in _pyrra_counters(kind, slo):
        name = f"{_METRICS[kind]}:increase5m"
        matchers = ", ".join(f'{label}="{value}"' for label, value in labels.items())
        unlike = "" if "le" in labels or kind is not Kind.LATENCY else ', le=""'
        recorded = f"sum_over_time({name}{{{matchers}{unlike}}}[4w:5m])"
        short.append(_record(name, f"sum{_by(kind)} (increase({counter}[5m]))", labels))
        long.append(_record(f"{_METRICS[kind]}:increase4w", f"sum{_by(kind)} ({recorded})", labels))
    groups = [
        {"name": "short", "interval": "30s", "rules": short},
        {"name": "long", "interval": "2m30s", "rules": [*long, *_pyrra_absent(kind, slo)]},
        _pyrra_burn_rates(kind, slo),
    ]
    return _rule_set("pyrra (performance mode)", groups)


def _rule_set(tool: str, groups: list[Group]) -> RuleSet:
    return RuleSet(tool, read_rules(yaml.safe_dump({"groups": groups})))


def _slis(kind: Kind) -> Iterator[tuple[str, tuple[str, str]]]:
    """The names and the two queries (errors, total) of the SLOs that sloth needs."""
    match kind:
        case Kind.RATIO:
            yield SLO_NAMES[kind], _ratio_sli(f'job="{JOB}"')
        case Kind.LATENCY:
            total = f'sum(rate(http_request_duration_seconds_count{{job="{JOB}"}}[{{{{.window}}}}]))'
            fast = f'sum(rate(http_request_duration_seconds_bucket{{job="{JOB}", le="0.25"}}[{{{{.window}}}}]))'
            yield SLO_NAMES[kind], (f"{total} - {fast}", total)
        case Kind.GROUPED:
            yield SLO_NAMES[kind], _ratio_sli(f'job="{JOB}"')
            for path in range(PATHS):
                yield f"{SLO_NAMES[kind]}-{path}", _ratio_sli(f'job="{JOB}", path="/path-{path}"')


def _ratio_sli(matchers: str) -> tuple[str, str]:
    errors, total = (f"http_requests_total{{{matchers}{more}}}" for more in (', code=~"5.."', ""))
    return f"sum(rate({errors}[{{{{.window}}}}]))", f"sum(rate({total}[{{{{.window}}}}]))"


def _sloth_spec(name: str, sli: tuple[str, str], objective_ratio: float) -> dict[str, Any]:
    errors, total = sli
    return {
        "name": name,
        "objective": round(100 * objective_ratio, 6),
        "sli": {"events": {"error_query": errors, "total_query": total}},
        "alerting": {"name": "ErrorBudgetBurn", "page_alert": {}, "ticket_alert": {}},
    }


def _sloth_groups(name: str, sli: tuple[str, str], objective_ratio: float) -> list[Group]:
    labels = {"sloth_id": f"{JOB}-{name}", "sloth_service": JOB, "sloth_slo": name}
    matchers = "{" + ", ".join(f'{label}="{value}"' for label, value in labels.items()) + "}"
    errors, total = sli
    indicators = [
        _record(
            f"slo:sli_error:ratio_rate{window}",
            f"({errors}) / ({total})".replace("{{.window}}", window),
            labels | {"sloth_window": window},
        )
        for window in _SLOTH_WINDOWS
    ]
    ratios = f"slo:sli_error:ratio_rate5m{matchers}[30d]"
    average = f"sum_over_time({ratios}) / ignoring (sloth_window) count_over_time({ratios})"
    indicators.append(_record("slo:sli_error:ratio_rate30d", average, labels | {"sloth_window": "30d"}))
    budget = f"on (sloth_id, sloth_slo, sloth_service) group_left slo:error_budget:ratio{matchers}"
    metadata = [
        _record("slo:objective:ratio", f"vector({objective_ratio})", labels),
        _record("slo:error_budget:ratio", f"vector(1 - {objective_ratio})", labels),
        _record("slo:time_period:days", "vector(30)", labels),
        _record("slo:current_burn_rate:ratio", f"slo:sli_error:ratio_rate5m{matchers} / {budget}", labels),
        _record("slo:period_burn_rate:ratio", f"slo:sli_error:ratio_rate30d{matchers} / {budget}", labels),
        _record("slo:period_error_budget_remaining:ratio", f"1 - slo:period_burn_rate:ratio{matchers}", labels),
        _record("sloth_slo_info", "vector(1)", labels | {"sloth_spec": "prometheus/v1"}),
    ]
    alerts = [
        {
            "alert": "ErrorBudgetBurn",
            "expr": " or ".join(_sloth_condition(tier, matchers, objective_ratio) for tier in two),
        }
        for two in _SLOTH_ALERTS
    ]
    return [
        {"name": f"{part}-{name}", "interval": "30s", "rules": rules}
        for part, rules in (("indicators", indicators), ("metadata", metadata), ("alerts", alerts))
    ]


def _sloth_condition(tier: tuple[float, str, str], matchers: str, objective_ratio: float) -> str:
    factor, *windows = tier
    parts = (
        f"max(slo:sli_error:ratio_rate{window}{matchers} > ({factor} * {1 - objective_ratio})) without (sloth_window)"
        for window in windows
    )
    return f"({' and '.join(parts)})"


_METRICS = {
    Kind.RATIO: "http_requests",
    Kind.LATENCY: "http_request_duration_seconds",
    Kind.GROUPED: "http_requests",
}


def _pyrra_counters(kind: Kind, slo: str) -> Iterator[tuple[str, dict[str, str]]]:
    """The counters whose increase is recorded, and the labels of what is recorded."""
    labels = {"job": JOB, "slo": slo}
    if kind is Kind.LATENCY:
        yield f'http_request_duration_seconds_count{{job="{JOB}"}}', labels
        yield f'http_request_duration_seconds_bucket{{job="{JOB}", le="0.25"}}', labels | {"le": "0.25"}
    else:
        yield f'http_requests_total{{job="{JOB}"}}', labels


def _pyrra_absent(kind: Kind, slo: str) -> list[dict[str, Any]]:
    return [
        {"alert": "SLOMetricAbsent", "expr": f"absent({counter}) == 1", "labels": labels}
        for counter, labels in _pyrra_counters(kind, slo)
    ]


def _by(kind: Kind) -> str:
    return {Kind.RATIO: " by (code)", Kind.LATENCY: "", Kind.GROUPED: " by (code, path)"}[kind]


def _pyrra_burn_rates(kind: Kind, slo: str) -> Group:
    labels = {"job": JOB, "slo": slo}
    matchers = f'{{job="{JOB}", slo="{slo}"}}'
    name = f"{_METRICS[kind]}:burnrate"
    rules = [_record(f"{name}{window}", _pyrra_burn_rate(kind, window), labels) for window in _PYRRA_WINDOWS]
    rules += [
        {
            "alert": "ErrorBudgetBurn",
            "expr": " and ".join(
                f"{name}{window}{matchers} > ({factor} * (1 - {_OBJECTIVE_RATIO[kind]}))" for window in (short, long)
            ),
            "labels": labels | {"short": short, "long": long},
        }
        for factor, long, short in _PYRRA_ALERTS
    ]
    return {"name": "burn-rates", "interval": "30s", "rules": rules}


def _pyrra_burn_rate(kind: Kind, window: str) -> str:
    by = " by (path)" if kind is Kind.GROUPED else ""
    if kind is Kind.LATENCY:
        total, fast = (f"sum(rate({counter}[{window}]))" for counter, _ in _pyrra_counters(kind, ""))
        return f"({total} - {fast}) / {total}"
    total = f'sum{by} (rate(http_requests_total{{job="{JOB}"}}[{window}]))'
    errors = f'sum{by} (rate(http_requests_total{{code=~"5..", job="{JOB}"}}[{window}]))'
    return f"{errors} / {total}"


def _record(name: str, expr: str, labels: Mapping[str, str]) -> dict[str, Any]:
    return {"record": name, "expr": expr, "labels": dict(labels)}
