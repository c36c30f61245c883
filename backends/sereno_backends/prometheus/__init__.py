"""Prometheus HTTP API: questions in, frozen values out; what was not answered is an error, never a zero."""

from sereno_backends.prometheus.blocks import (
    BlocksNotWritten,
    StoredSeries,
    blocks_in,
    find_promtool,
    write_blocks,
)
from sereno_backends.prometheus.client import PrometheusClient
from sereno_backends.prometheus.errors import (
    PrometheusAddressInvalid,
    PrometheusError,
    PrometheusIncomplete,
    PrometheusRefused,
    PrometheusUnreachable,
)
from sereno_backends.prometheus.model import (
    ActiveAlert,
    AlertingRule,
    Columns,
    Point,
    RecordingRule,
    Rule,
    RuleGroup,
    Sample,
    Series,
)
from sereno_backends.prometheus.telling import told_apart

__all__ = [
    "ActiveAlert",
    "AlertingRule",
    "BlocksNotWritten",
    "Columns",
    "Point",
    "PrometheusAddressInvalid",
    "PrometheusClient",
    "PrometheusError",
    "PrometheusIncomplete",
    "PrometheusRefused",
    "PrometheusUnreachable",
    "RecordingRule",
    "Rule",
    "RuleGroup",
    "Sample",
    "Series",
    "StoredSeries",
    "blocks_in",
    "find_promtool",
    "told_apart",
    "write_blocks",
]
