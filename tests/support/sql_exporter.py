"""The SQL exporter in tests: a configuration as users write it, scraped on real databases."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from prometheus_client.metrics_core import Metric
from sereno_exporters.frame.configuration import grammar_of, targets_of
from sereno_exporters.frame.exposing import Exposition
from sereno_exporters.frame.scraping import Scrapers
from sereno_exporters.sql.kind import KIND
from sereno_slo.parse import Parsed, parse_as
from sereno_slo.source import SourceFile

Sample = tuple[str, frozenset[tuple[str, str]]]
HEAD = "version: sereno/v1\nexporters:\n  sql:\n    targets:\n"


@dataclass(frozen=True, slots=True)
class Scrape:
    """What a scrape brought."""

    exposition: Exposition

    @property
    def metrics(self) -> dict[str, Metric]:
        """By name."""
        return {metric.name: metric for metric in self.exposition.metrics}

    def series(self, name: str) -> dict[tuple[str, ...], float]:
        """Values of a metric by its labels' values without `target`, in the order of the labels' names."""
        samples = [sample for metric in self.exposition.metrics for sample in metric.samples if sample.name == name]
        return {
            tuple(value for key, value in sorted(each.labels.items()) if key != "target"): each.value
            for each in samples
        }

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


def read(text: str) -> Parsed[object]:  # type: ignore[type-var]
    """A configuration file's text."""
    return parse_as(SourceFile("exporters.yaml", text), grammar_of((KIND,)))  # type: ignore[return-value]


def mistakes(targets: str) -> list[str]:
    """What is wrong with these targets (indented by six), as users see it."""
    return [str(each) for each in read(HEAD + targets).diagnostics]


@contextmanager
def scraping(targets: str, folder: Path) -> Iterator[Scrapers]:
    """The targets (indented by six), ready to be scraped; files of the configuration are in `folder`."""
    parsed = read(HEAD + targets)
    assert parsed.document is not None, [str(each) for each in parsed.diagnostics]
    scrapers = Scrapers(targets_of(parsed.document, (KIND,), folder), report=lambda _: None)  # type: ignore[arg-type]
    try:
        yield scrapers
    finally:
        scrapers.close()


def scraped(targets: str, folder: Path) -> Scrape:
    """One scrape of these targets."""
    with scraping(targets, folder) as scrapers:
        return Scrape(scrapers.scrape())


def write_secrets(folder: Path, secrets: Mapping[str, str]) -> None:
    """Files that the configuration names."""
    for name, text in secrets.items():
        (folder / name).write_text(f"{text}\n", encoding="utf-8")
