"""exporters/standard/aws/yace.yaml: by the grammar of YACE's documentation, as YACE itself isn't at hand in tests."""

from pathlib import Path

import yaml
from sereno_exporters.aws.catalogue import METRICS

PATH = Path(__file__).resolve().parents[3] / "exporters/standard/aws/yace.yaml"
DOCUMENT = yaml.safe_load(PATH.read_text(encoding="utf-8"))
# From docs/configuration.md of prometheus-community/yet-another-cloudwatch-exporter.
JOB_KEYS = {"type", "regions", "period", "length", "delay", "metrics"}
METRIC_KEYS = {"name", "statistics", "nilToZero"}
STATISTICS = {"Maximum", "Minimum", "Sum", "SampleCount", "Average", "p99"}


def test_it_has_only_what_the_documentation_knows() -> None:
    """Keys and statistics are those of YACE's documentation; no period is longer than what is asked for."""
    assert DOCUMENT["apiVersion"] == "v1alpha1"
    for job in DOCUMENT["discovery"]["jobs"]:
        assert set(job) == JOB_KEYS
        assert job["length"] >= job["period"]
        for metric in job["metrics"]:
            assert set(metric) <= METRIC_KEYS
            assert set(metric["statistics"]) <= STATISTICS


def test_nothing_is_read_by_both() -> None:
    """A metric that Sereno's exporter reads would be billed twice."""
    read = {(metric.namespace, metric.name) for metric in METRICS}
    asked = {(job["type"], metric["name"]) for job in DOCUMENT["discovery"]["jobs"] for metric in job["metrics"]}
    assert not read & asked
