"""Exporters whose parts tests decide, and what a scrape of them says."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families
from pydantic import Field
from sereno_exporters.frame.configuration import ConfiguredTarget
from sereno_exporters.frame.deadline import Deadline
from sereno_exporters.frame.exposing import Exposition
from sereno_exporters.frame.http import HttpSettings, HttpTarget
from sereno_exporters.frame.model import ExporterKind, Family, FamilyKind, Part, Parts, Target
from sereno_exporters.frame.words import Grammar

VALUE = Family("sereno_counting_value", FamilyKind.GAUGE, "What the part brought.", ("of",))
LENGTH = Family("sereno_asking_length", FamilyKind.GAUGE, "Elements of the list that the target answers.")

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


class NoSettings(Grammar):
    """Nothing to say."""


def values(snapshot: Mapping[str, float]) -> Iterable[Metric]:
    """Families of a snapshot that is names and numbers."""
    yield VALUE.of([((name,), value) for name, value in snapshot.items()])


def part(name: str, fetch: Callable[[Deadline], Any], *, reuse_seconds: float = 0.0) -> Part[Any]:
    """A part that brings names and numbers."""
    return Part(name, fetch, values, reuse_seconds)


def counting(*parts: Part[Any], name: str = "counting") -> ExporterKind[NoSettings]:
    """A kind whose targets have these parts."""
    return ExporterKind(name, "Counts, for tests", NoSettings, lambda _: Parts(parts), (VALUE,))


def configured(
    kind: ExporterKind[Any],
    name: str = "one",
    settings: Any = None,
    *,
    timeout_seconds: float = 5.0,
    limit: int = 10_000,
) -> ConfiguredTarget:
    """A target of a kind."""
    return ConfiguredTarget(kind, Target(name, settings or NoSettings(), Path()), timeout_seconds, limit)


class AskingSettings(HttpSettings):
    """A target that answers a list."""

    path: str = Field("/list", examples=["/list"])


def _asking(target: Target[AskingSettings]) -> Parts:
    http = HttpTarget(target, target.settings)

    def fetch(deadline: Deadline) -> int:
        return len(http.get_json(target.settings.path, deadline))

    return Parts((Part("list", fetch, lambda length: [LENGTH.value(length)]),), http.close)


ASKING = ExporterKind("asking", "Asks by HTTP, for tests", AskingSettings, _asking, (LENGTH,))


def samples(exposition: Exposition) -> Samples:
    """By name and labels, in order."""
    return {
        (sample.name, tuple(sample.labels.items())): sample.value
        for metric in exposition.metrics
        for sample in metric.samples
    }


def samples_of(text: str) -> Samples:
    """The same, of what was served."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
