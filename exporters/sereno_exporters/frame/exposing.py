"""From what was fetched to metric families: pure, and bounded in series."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from prometheus_client.metrics_core import Metric
from prometheus_client.samples import Sample

from sereno_exporters.frame.fetching import Failed, Fetched, Outcome
from sereno_exporters.frame.model import TARGET_LABEL, Part
from sereno_exporters.frame.trouble import Reason


@dataclass(frozen=True, slots=True)
class PartScrape:
    """One part, and what a scrape brought of it."""

    part: Part[Any]
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class TargetScrape:
    """One target, and what a scrape brought."""

    kind: str
    """Name of the exporter."""
    target: str
    series_limit: int
    parts: tuple[PartScrape, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class Exposition:
    """What a scrape serves, and what failed on the way."""

    metrics: tuple[Metric, ...]
    failures: tuple[tuple[TargetScrape, str, Failed], ...]
    """Target, part, why."""


def exposed(scrapes: Iterable[TargetScrape]) -> Exposition:
    """All targets' families, one of each name, with the label `target` on every series."""
    merged: dict[str, Metric] = {}
    failures: list[tuple[TargetScrape, str, Failed]] = []
    for scrape in scrapes:
        kept, failed = _own(scrape, {name: metric.type for name, metric in merged.items()})
        failures.extend((scrape, part, why) for part, why in failed)
        for metric in kept:
            into = merged.setdefault(metric.name, Metric(metric.name, metric.documentation, metric.type, metric.unit))
            into.samples.extend(metric.samples)
    return Exposition(tuple(merged.values()), tuple(failures))


def _own(scrape: TargetScrape, types: Mapping[str, str]) -> tuple[list[Metric], list[tuple[str, Failed]]]:
    """One target's families, the frame's own after the kind's; `types` are those of the families that are there."""
    metrics: list[Metric] = []
    failed: list[tuple[str, Failed]] = []
    up: list[tuple[str, bool]] = []
    budget = _Budget(scrape.series_limit, scrape.target)
    for each in scrape.parts:
        found = _families(each, types)
        if isinstance(found, Failed):
            failed.append((each.part.name, found))
        else:
            metrics.extend(budget.within(metric) for metric in found)
        up.append((each.part.name, not isinstance(found, Failed)))
    metrics.extend(_about(scrape, up, budget))
    return metrics, failed


def _families(scrape: PartScrape, types: Mapping[str, str]) -> Sequence[Metric] | Failed:
    match scrape.outcome:
        case Failed() as failed:
            return failed
        case Fetched(snapshot):
            try:
                found = list(scrape.part.families(snapshot))
            except Exception as error:  # noqa: BLE001 - a bug in one exporter must not take the others along
                return Failed(Reason.UNEXPECTED, f"{type(error).__name__}: {error}")
            # A name that is a gauge here and a counter there is no exposition at all: Prometheus would take nothing.
            for metric in found:
                if (other := types.get(metric.name, metric.type)) != metric.type:
                    why = f"{metric.name} is a {metric.type} here, and a {other} in another target: rename one"
                    return Failed(Reason.CONFIGURATION, why)
            return found


class _Budget:
    """Counts the series of one target: those beyond the limit, and those that are there already, are left out."""

    def __init__(self, limit: int, target: str) -> None:
        self._left = limit
        self._target = target
        self._known: set[tuple[str, tuple[tuple[str, str], ...]]] = set()
        self.series = 0
        self.over_limit = 0
        self.doubled = 0

    def within(self, metric: Metric) -> Metric:
        kept = Metric(metric.name, metric.documentation, metric.type, metric.unit)
        for sample in metric.samples:
            labels = {name: _printable(value) for name, value in sample.labels.items()}
            key = (sample.name, tuple(sorted(labels.items())))
            if key in self._known:  # Prometheus would refuse the whole scrape
                self.doubled += 1
            elif self.series >= self._left:
                self.over_limit += 1
            else:
                self._known.add(key)
                self.series += 1
                kept.samples.append(Sample(sample.name, {TARGET_LABEL: self._target, **labels}, sample.value))
        return kept


def _printable(value: str) -> str:
    """Without lone surrogates, which no exposition can hold."""
    return value.encode(errors="replace").decode()


def _about(scrape: TargetScrape, up: Sequence[tuple[str, bool]], budget: _Budget) -> Iterator[Metric]:
    """What the frame says of every target; help texts are documentation."""

    def family(name: str, text: str, samples: Iterable[tuple[dict[str, str], float]]) -> Metric:
        metric = Metric(f"sereno_{scrape.kind}_{name}", text, "gauge")
        for labels, value in samples:
            metric.add_sample(metric.name, {TARGET_LABEL: scrape.target, **labels}, value)
        return metric

    yield family(
        "up",
        "1 if the target answered for at least one part of this scrape, else 0.",
        [({}, any(ok for (_, ok), each in zip(up, scrape.parts, strict=True) if each.part.asks_target))],
    )
    yield family(
        "part_up",
        "1 if this part of the target's metrics was fetched in this scrape, else 0, and its families are absent.",
        [({"part": part}, ok) for part, ok in up],
    )
    yield family("scrape_duration_seconds", "How long asking the target took.", [({}, scrape.seconds)])
    ages = [
        ({"part": each.part.name}, each.outcome.age_seconds)
        for each in scrape.parts
        if isinstance(each.outcome, Fetched) and each.part.reuse_seconds > 0
    ]
    if ages:
        yield family("part_age_seconds", "Age of a part that is fetched less often than it is scraped.", ages)
    yield family("series", "Series of the target that this scrape serves.", [({}, budget.series)])
    yield family(
        "series_left_out",
        "Series that this scrape leaves out: beyond the target's series_limit, or the same series twice.",
        [({"why": "limit"}, budget.over_limit), ({"why": "double"}, budget.doubled)],
    )
