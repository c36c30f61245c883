"""Values of many processes made one: counters added, gauges by their mode. Pure: nothing here reads a file."""

import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from prometheus_client.metrics_core import Metric
from prometheus_client.samples import Exemplar
from prometheus_client.utils import floatToGoString

from sereno_telemetry.processes.mapped import Entry, Labels, Series, series

PER_PROCESS_MODE = "all"
"""Gauges that stay apart, under a label `pid`; so do those of `liveall`."""

Exemplars = Mapping[str, Exemplar]
"""By the key of the sample that they are of."""


class Source(NamedTuple):
    """Whose values are made one."""

    kind: str
    mode: str
    pid: int | None
    """Only for gauges that stay apart."""


class Amount(NamedTuple):
    """A value and, for gauges of the most recent process, its time."""

    value: float
    timestamp: float = 0.0


Amounts = dict[Source, dict[str, Amount]]
"""What was added up or chosen so far, by the key of each sample."""


def source_of(kind: str, mode: str, pid: int) -> Source:
    """Where the values of a process go."""
    return Source(kind, mode, pid if mode.removeprefix("live") == PER_PROCESS_MODE else None)


def add(amounts: Amounts, kind: str, mode: str, pid: int, entries: Iterable[Entry]) -> None:
    """Merge the values of one file into `amounts`."""
    known = amounts.setdefault(source_of(kind, mode, pid), {})
    for key, value, timestamp in entries:
        before = known.get(key)
        now = Amount(value, timestamp)
        known[key] = now if before is None else merged(mode, before, now)


def merged(mode: str, one: Amount, other: Amount) -> Amount:
    """Two values of one sample as one, by the mode of a gauge; everything else is added."""
    match mode.removeprefix("live"):
        case "" | "sum":
            return Amount(one.value + other.value)
        case "min":
            return min(one, other, key=_value)
        case "max":
            return max(one, other, key=_value)
        case "mostrecent":
            return other if other.timestamp > one.timestamp else one
        case _:
            return other


def _value(amount: Amount) -> float:
    return amount.value


def families(amounts: Amounts, exemplars: Exemplars) -> list[Metric]:
    """The merged values as prometheus_client's families, sorted by name; histograms' buckets are made cumulative.

    A family whose name is used for two kinds of metric is that of the first kind by name; keys of nobody are left out.
    """
    found: dict[str, _Family] = {}
    for source, values in sorted(amounts.items(), key=lambda item: item[0].kind):
        for key, amount in values.items():
            identity = series(key)
            if identity is None:
                continue
            family = found.get(identity.family)
            if family is None:
                family = found[identity.family] = _Family(source.kind, identity.documentation)
            if family.kind == source.kind:
                family.add(source, identity, amount, exemplars.get(key))
    return [family.metric(name) for name, family in sorted(found.items())]


class _Family:
    """The samples of one family while they are collected."""

    def __init__(self, kind: str, documentation: str) -> None:
        self.kind = kind
        self._documentation = documentation
        self._samples: dict[tuple[str, Labels], tuple[Amount, Exemplar | None]] = {}

    def add(self, source: Source, identity: Series, amount: Amount, exemplar: Exemplar | None) -> None:
        """One sample; the same one comes twice where its help text was changed between two processes."""
        labels = identity.labels if source.pid is None else (*identity.labels, ("pid", str(source.pid)))
        before = self._samples.get((identity.name, labels))
        if before is not None:
            amount = merged(source.mode, before[0], amount)
            exemplar = newest(before[1], exemplar)
        self._samples[identity.name, labels] = (amount, exemplar)

    def metric(self, name: str) -> Metric:
        """The family, ready to be exposed."""
        metric = Metric(name, self._documentation, self.kind)
        if self.kind == "histogram":
            self._add_histograms(metric, name)
            return metric
        for (sample, labels), (amount, exemplar) in self._samples.items():
            metric.add_sample(sample, dict(labels), amount.value, exemplar=exemplar)
        return metric

    def _add_histograms(self, metric: Metric, name: str) -> None:
        buckets: dict[Labels, list[tuple[float, float, Exemplar | None]]] = {}
        sums: dict[Labels, float] = {}
        for (sample, labels), (amount, exemplar) in self._samples.items():
            bound = next((value for label, value in labels if label == "le"), None)
            if bound is None:
                sums[labels] = amount.value
            elif sample.endswith("_bucket"):
                others = tuple(pair for pair in labels if pair[0] != "le")
                buckets.setdefault(others, []).append((_number(bound), amount.value, exemplar))
        for labels, ladder in buckets.items():
            total = 0.0
            for upper, count, exemplar in sorted(ladder, key=lambda rung: rung[0]):
                total += count
                bucket_labels = {**dict(labels), "le": floatToGoString(upper)}  # type: ignore[no-untyped-call]
                metric.add_sample(f"{name}_bucket", bucket_labels, total, exemplar=exemplar)
            metric.add_sample(f"{name}_count", dict(labels), total)
            metric.add_sample(f"{name}_sum", dict(labels), sums.get(labels, 0.0))


def newest(one: Exemplar | None, other: Exemplar | None) -> Exemplar | None:
    """The later of two exemplars."""
    if one is None or other is None:
        return one or other
    return other if float(other.timestamp or 0) > float(one.timestamp or 0) else one


def _number(bound: str) -> float:
    try:
        return float(bound)
    except ValueError:
        return math.nan
