"""What CloudWatch answered, frozen."""

from collections.abc import Mapping
from dataclasses import dataclass

from sereno_exporters.aws.catalogue import CloudWatchMetric


@dataclass(frozen=True, slots=True)
class Series:
    """One metric of one resource."""

    metric: CloudWatchMetric
    resource: str


@dataclass(frozen=True, slots=True)
class Reading:
    """A series and its value, in CloudWatch's unit."""

    series: Series
    value: float | None
    """None: a gauge without a datapoint within the last minutes."""
    age_seconds: float | None
    """Since the newest minute with a datapoint ended; None: there has been none."""


@dataclass(frozen=True, slots=True)
class ServiceSnapshot:
    """One service."""

    service: str
    readings: tuple[Reading, ...]
    lost_minutes: int
    resources: int
    left_out: int
    """Resources that were found beyond the limit."""
    connections_limits: Mapping[str, int]
    """Aurora's, as configured."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What was asked of CloudWatch."""

    calls: Mapping[tuple[str, str], int]
    """API and outcome → calls since the state's file was made."""
    metrics: int
    """Metrics that GetMetricData was asked for, since then."""
    calls_today: int
    metrics_today: int
    calls_a_day: int
    metrics_a_day: int
