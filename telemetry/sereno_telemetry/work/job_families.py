"""What one run adds to the file of its job, as families of samples.

Not by counters of prometheus_client in a registry of their own: where several processes share their metrics
(PROMETHEUS_MULTIPROC_DIR), counters of one name are one counter, whatever registry they are in.
"""

from prometheus_client.metrics_core import Metric

from sereno_telemetry.work.metrics import JOB_BOUNDS, JOB_FAMILIES


class JobFamilies:
    """All families of a job, at first without samples."""

    def __init__(self, job: str) -> None:
        self._job = job
        self._families = {name: Metric(name, text, kind) for name, (kind, text) in JOB_FAMILIES.items()}

    def all(self) -> tuple[Metric, ...]:
        """The families, those without samples as well."""
        return tuple(self._families.values())

    def gauges(self) -> tuple[Metric, ...]:
        """Those that say how things are, and not how often something was."""
        return tuple(family for family in self._families.values() if family.type == "gauge" and family.samples)

    def count(self, name: str, amount: float, **labels: str) -> None:
        """Add to a counter; its name is the family's, without `_total`."""
        self._add(name, "_total", amount, labels)

    def set(self, name: str, value: float) -> None:
        """Set a gauge."""
        self._add(name, "", value, {})

    def observe(self, name: str, seconds: float, **labels: str) -> None:
        """Observe one duration in a histogram with `JOB_BOUNDS`."""
        for bound in JOB_BOUNDS:
            self._add(name, "_bucket", float(seconds <= bound), {**labels, "le": repr(bound)})
        self._add(name, "_bucket", 1.0, {**labels, "le": "+Inf"})
        self._add(name, "_count", 1.0, labels)
        self._add(name, "_sum", seconds, labels)

    def _add(self, name: str, suffix: str, value: float, labels: dict[str, str]) -> None:
        self._families[name].add_sample(f"{name}{suffix}", {"job_name": self._job, **labels}, value)
