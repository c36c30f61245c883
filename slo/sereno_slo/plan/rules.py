"""Rules as values, in Prometheus' own terms."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sereno_slo.duration import Duration
from sereno_slo.promql import Expr


@dataclass(frozen=True, slots=True)
class RecordingRule:
    """`record: expr` with labels added to the result."""

    record: str
    expr: Expr
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AlertingRule:
    """An alert that fires when `expr` has held for `for_`."""

    alert: str
    expr: Expr
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    for_: Duration | None = None
    keep_firing_for: Duration | None = None


@dataclass(frozen=True, slots=True)
class RuleGroup:
    """Rules that are evaluated one after the other, every `interval`."""

    name: str
    interval: Duration
    rules: tuple[RecordingRule | AlertingRule, ...]


@dataclass(frozen=True, slots=True)
class ServicePlan:
    """All rules of one service."""

    service: str
    groups: tuple[RuleGroup, ...]
