"""Where the parts of an SLO stand in its spec."""

from typing import Any, assert_never

from sereno_slo.diagnostics import Span
from sereno_slo.model import (
    BadEventsRatio,
    GoodEventsRatio,
    Latency,
    NativeLatency,
    Probe,
    ServiceLevelObjective,
    Threshold,
)
from sereno_slo.parse.yaml_tree import Path, YamlTree


def indicator_path(slo: ServiceLevelObjective, index: int) -> Path:
    """The way to the indicator's kind; `index` is the SLO's place in the spec."""
    return ("slos", index, "indicator", _kind(slo))


def total_span(slo: ServiceLevelObjective, index: int, tree: YamlTree) -> Span:
    """Where the metric of all events is named."""
    path = indicator_path(slo, index)
    return tree.span((*path, "total" if isinstance(at(tree, (*path, "total")), str) else "metric"))


def match_span(slo: ServiceLevelObjective, index: int, tree: YamlTree) -> Span:
    """Where the matchers of all events stand: beside the metric, or in the selector of all events."""
    path = (*indicator_path(slo, index), "match")
    return tree.span(path) if at(tree, path) else total_span(slo, index, tree)


def part_span(slo: ServiceLevelObjective, index: int, tree: YamlTree) -> Span:
    """Where the bad or the good events of a ratio are named."""
    path = indicator_path(slo, index)
    return tree.span((*path, "good" if isinstance(slo.indicator, GoodEventsRatio) else "bad"))


def _kind(slo: ServiceLevelObjective) -> str:
    match slo.indicator:
        case BadEventsRatio() | GoodEventsRatio():
            return "ratio"
        case Latency() | NativeLatency():
            return "latency"
        case Threshold():
            return "threshold"
        case Probe():
            return "probe"
        case _:
            assert_never(slo.indicator)


def at(tree: YamlTree, path: Path) -> Any:
    """The value that stands there; None where nothing does."""
    value = tree.value
    for part in path:
        if isinstance(value, dict):
            value = value.get(part)
        else:
            value = value[part] if isinstance(value, list) and isinstance(part, int) else None
    return value
