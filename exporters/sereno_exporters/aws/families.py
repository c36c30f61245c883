"""The metric families of AWS: declared, and made of snapshots."""

from collections.abc import Iterable

from prometheus_client.metrics_core import Metric

from sereno_exporters.aws.catalogue import METRICS
from sereno_exporters.aws.snapshot import Reading, ServiceSnapshot, Spent
from sereno_exporters.frame.model import Family, FamilyKind

DATAPOINT_AGE = Family(
    "sereno_aws_datapoint_age_seconds",
    FamilyKind.GAUGE,
    "Since the newest minute with a datapoint ended, as of when CloudWatch was asked; absent: there was none.",
    ("service", "resource", "metric", "statistic"),
)
RESOURCES = Family("sereno_aws_resources", FamilyKind.GAUGE, "Resources that are read.", ("service",))
RESOURCES_LEFT_OUT = Family(
    "sereno_aws_resources_left_out",
    FamilyKind.GAUGE,
    "Resources that were found beyond the limit of discover, and are not read.",
    ("service",),
)
LOST_MINUTES = Family(
    "sereno_aws_lost_minutes_total",
    FamilyKind.COUNTER,
    "Minutes that counters miss: the exporter was away for longer than CloudWatch keeps them; summed over series.",
    ("service",),
)
CONNECTIONS_LIMIT = Family(
    "sereno_aws_aurora_connections_limit",
    FamilyKind.GAUGE,
    "max_connections of the instance, as the configuration says.",
    ("db_instance",),
)
API_CALLS = Family(
    "sereno_aws_api_calls_total",
    FamilyKind.COUNTER,
    "Calls of AWS' APIs, second tries among them; kept over restarts.",
    ("api", "outcome"),
)
METRICS_REQUESTED = Family(
    "sereno_aws_metrics_requested_total",
    FamilyKind.COUNTER,
    "Metrics that GetMetricData was asked for: what AWS bills, at most; kept over restarts.",
)
BUDGET_USED = Family(
    "sereno_aws_budget_used_ratio", FamilyKind.GAUGE, "Of the day's budget (UTC), what was used.", ("budget",)
)

ALL = (
    *(metric.family for metric in METRICS),
    CONNECTIONS_LIMIT,
    DATAPOINT_AGE,
    RESOURCES,
    RESOURCES_LEFT_OUT,
    LOST_MINUTES,
    API_CALLS,
    METRICS_REQUESTED,
    BUDGET_USED,
)


def of_service(snapshot: ServiceSnapshot) -> Iterable[Metric]:
    """One service: its own families, and how fresh they are."""
    by_family: dict[str, list[Reading]] = {}
    for reading in snapshot.readings:
        by_family.setdefault(reading.series.metric.family.name, []).append(reading)
    for readings in by_family.values():
        metric = readings[0].series.metric
        yield metric.family.of(
            ((each.series.resource,), each.value / metric.divisor) for each in readings if each.value is not None
        )
    yield DATAPOINT_AGE.of(
        (
            (snapshot.service, each.series.resource, each.series.metric.name, each.series.metric.statistic),
            each.age_seconds,
        )
        for each in snapshot.readings
        if each.age_seconds is not None
    )
    yield CONNECTIONS_LIMIT.of(((name,), limit) for name, limit in snapshot.connections_limits.items())
    yield RESOURCES.of([((snapshot.service,), snapshot.resources)])
    yield RESOURCES_LEFT_OUT.of([((snapshot.service,), snapshot.left_out)])
    yield LOST_MINUTES.of([((snapshot.service,), snapshot.lost_minutes)])


def of_spent(spent: Spent) -> Iterable[Metric]:
    """What was asked of CloudWatch, and how much of it may still be."""
    yield API_CALLS.of(spent.calls.items())
    yield METRICS_REQUESTED.value(spent.metrics)
    yield BUDGET_USED.of(
        [
            (("calls",), spent.calls_today / spent.calls_a_day),
            (("metrics",), spent.metrics_today / spent.metrics_a_day),
        ]
    )
