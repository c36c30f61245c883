"""Exporters in tests: a configuration as users write it, scraped on real servers."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prometheus_client.metrics_core import Metric
from pydantic import BaseModel
from sereno_exporters.frame.configuration import grammar_of, targets_of
from sereno_exporters.frame.exposing import Exposition
from sereno_exporters.frame.model import ExporterKind
from sereno_exporters.frame.scraping import Scrapers
from sereno_slo.parse import Parsed, parse_as
from sereno_slo.source import SourceFile


@dataclass(frozen=True, slots=True)
class Scrape:
    """What a scrape brought."""

    exposition: Exposition

    @property
    def metrics(self) -> dict[str, Metric]:
        """By name."""
        return {metric.name: metric for metric in self.exposition.metrics}

    def series(self, name: str) -> dict[tuple[str, ...], float]:
        """Values of a metric by its labels' values without `target`, in the order of the family's labels."""
        samples = [sample for metric in self.exposition.metrics for sample in metric.samples if sample.name == name]
        return {tuple(value for key, value in each.labels.items() if key != "target"): each.value for each in samples}

    def value(self, name: str) -> float:
        """The only value of a metric."""
        (value,) = self.series(name).values()
        return value

    def failure(self, part: str) -> tuple[str, str]:
        """Reason and message of a part that failed."""
        (found,) = [why for _, each, why in self.exposition.failures if each == part]
        return str(found.reason), found.message

    @property
    def failed(self) -> dict[str, str]:
        """Part → message, of all that failed."""
        return {part: why.message for _, part, why in self.exposition.failures}


def read(kinds: tuple[ExporterKind[Any], ...], text: str) -> Parsed[BaseModel]:
    """A configuration file's text."""
    return parse_as(SourceFile("exporters.yaml", text), grammar_of(kinds))


def configuration(kind: ExporterKind[Any], targets: str, *, timeout: str = "8s") -> str:
    """A file with these targets, indented by six."""
    return f"version: sereno/v1\nexporters:\n  {kind.name}:\n    timeout: {timeout}\n    targets:\n{targets}"


def mistakes(kind: ExporterKind[Any], targets: str) -> list[str]:
    """What is wrong with these targets, as users see it."""
    return [str(each) for each in read((kind,), configuration(kind, targets)).diagnostics]


@contextmanager
def scraping(kind: ExporterKind[Any], targets: str, folder: Path, *, timeout: str = "8s") -> Iterator[Scrapers]:
    """The targets, ready to be scraped; files of the configuration are in `folder`."""
    parsed = read((kind,), configuration(kind, targets, timeout=timeout))
    assert parsed.document is not None, [str(each) for each in parsed.diagnostics]
    scrapers = Scrapers(targets_of(parsed.document, (kind,), folder), report=lambda _: None)
    try:
        yield scrapers
    finally:
        scrapers.close()


def scraped(kind: ExporterKind[Any], targets: str, folder: Path, *, timeout: str = "8s") -> Scrape:
    """One scrape of these targets."""
    with scraping(kind, targets, folder, timeout=timeout) as scrapers:
        return Scrape(scrapers.scrape())


def write_files(folder: Path, files: Mapping[str, str]) -> None:
    """Files that the configuration names."""
    for name, text in files.items():
        (folder / name).write_text(f"{text}\n", encoding="utf-8")
