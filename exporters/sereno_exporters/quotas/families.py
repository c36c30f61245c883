"""The families of the exporter `quotas`, and what becomes of a snapshot. Pure."""

from collections.abc import Iterator

from prometheus_client.metrics_core import Metric

from sereno_exporters.frame.model import Family, FamilyKind
from sereno_exporters.quotas.snapshot import Usage

GAUGE = FamilyKind.GAUGE
_QUOTA = ("quota",)

INFO = Family("sereno_quotas_info", FamilyKind.INFO, "What a quota is counted in.", ("quota", "unit"))
USED = Family("sereno_quotas_used", GAUGE, "How much of the quota is used, in its unit.", _QUOTA)
LIMIT = Family("sereno_quotas_limit", GAUGE, "How much the plan allows, in the quota's unit.", _QUOTA)
RATIO = Family("sereno_quotas_used_ratio", GAUGE, "How much of the quota is used; 1 is all of it.", _QUOTA)
START = Family(
    "sereno_quotas_period_start_timestamp_seconds", GAUGE, "When the period began; no series of levels.", _QUOTA
)
END = Family(
    "sereno_quotas_period_end_timestamp_seconds", GAUGE, "When the next period begins; no series of levels.", _QUOTA
)
RUNS_OUT = Family(
    "sereno_quotas_runs_out_timestamp_seconds",
    GAUGE,
    "When it is used up if it goes on as since the period's start, also if that is after its end; no series of levels.",
    _QUOTA,
)
VARIATION = Family(
    "sereno_quotas_daily_variation_ratio",
    GAUGE,
    "How much days are taken to differ from their mean, by which forecasts are doubted; no series of levels.",
    _QUOTA,
)

ALL = (INFO, USED, LIMIT, RATIO, START, END, RUNS_OUT, VARIATION)


def of_usage(usage: Usage) -> Iterator[Metric]:
    """One quota."""
    name, quota, span = (usage.quota.name,), usage.quota, usage.span
    yield INFO.info([{"quota": quota.name, "unit": quota.unit}])
    yield USED.of([(name, usage.used)])
    yield LIMIT.of([(name, quota.limit)])
    yield RATIO.of([(name, usage.used_ratio)])
    if span is not None:
        yield START.of([(name, span.start)])
        yield END.of([(name, span.end)])
        yield VARIATION.of([(name, quota.daily_variation)])
    if usage.runs_out_at is not None:
        yield RUNS_OUT.of([(name, usage.runs_out_at)])
