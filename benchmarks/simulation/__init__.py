"""Months of Prometheus in seconds: a real server, samples written at any time, rules evaluated as its manager does."""

from benchmarks.simulation.evaluation import STEPS_PER_QUERY, EvaluationError, Plan, evaluate, evaluation_runs, results
from benchmarks.simulation.remote_write import (
    STALE,
    AnySeries,
    NativeHistograms,
    Series,
    WriteError,
    is_stale,
    stale_markers,
    write,
)
from benchmarks.simulation.rules import (
    AlertingRule,
    RecordingRule,
    RuleFileError,
    RuleGroup,
    evaluation_order,
    read_rule_groups,
)
from benchmarks.simulation.server import VICTORIA_METRICS, Server, ServerError, find_prometheus, running_prometheus
from benchmarks.simulation.times import DAY, HOUR, MINUTE, SECOND, Interval, Run

__all__ = [
    "DAY",
    "HOUR",
    "MINUTE",
    "SECOND",
    "STALE",
    "STEPS_PER_QUERY",
    "VICTORIA_METRICS",
    "AlertingRule",
    "AnySeries",
    "EvaluationError",
    "Interval",
    "NativeHistograms",
    "Plan",
    "RecordingRule",
    "RuleFileError",
    "RuleGroup",
    "Run",
    "Series",
    "Server",
    "ServerError",
    "WriteError",
    "evaluate",
    "evaluation_order",
    "evaluation_runs",
    "find_prometheus",
    "is_stale",
    "read_rule_groups",
    "results",
    "running_prometheus",
    "stale_markers",
    "write",
]
