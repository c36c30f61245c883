"""In whose form rules are written; the rules themselves are the same."""

from enum import StrEnum


class RuleFormat(StrEnum):
    """The engines' forms of rule files (docs/engines.md)."""

    PROMETHEUS = "prometheus"
    """What Prometheus, Thanos' ruler and newer vmalert load."""
    OPERATOR = "operator"
    """PrometheusRule objects of the Prometheus Operator, for kubectl."""
    MIMIR = "mimir"
    """One namespace a file, for mimirtool and cortextool."""
    VMALERT = "vmalert"
    """Without what vmalert 1.79, Debian 12's, refuses."""
