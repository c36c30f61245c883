"""The SQL exporter in tests: a configuration as users write it, scraped on real databases."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pydantic import BaseModel
from sereno_exporters.sql.kind import KIND
from sereno_slo.parse import Parsed

from support import configured_exporters


@dataclass(frozen=True, slots=True)
class Scrape(configured_exporters.Scrape):
    """What a scrape brought; users' own labels come in any order, so theirs are sorted."""

    def series(self, name: str) -> dict[tuple[str, ...], float]:
        """Values of a metric by its labels' values without `target`, in the order of the labels' names."""
        samples = [sample for metric in self.exposition.metrics for sample in metric.samples if sample.name == name]
        return {
            tuple(value for key, value in sorted(each.labels.items()) if key != "target"): each.value
            for each in samples
        }


def read(text: str) -> Parsed[BaseModel]:
    """A configuration file's text."""
    return configured_exporters.read((KIND,), text)


def mistakes(targets: str) -> list[str]:
    """What is wrong with these targets (indented by six), as users see it."""
    return [str(each) for each in read(f"version: sereno/v1\nexporters:\n  sql:\n    targets:\n{targets}").diagnostics]


scraping = partial(configured_exporters.scraping, KIND)
"""The targets (indented by six), ready to be scraped; files of the configuration are in the folder."""
write_secrets = configured_exporters.write_files


def scraped(targets: str, folder: Path) -> Scrape:
    """One scrape of these targets."""
    with scraping(targets, folder) as scrapers:
        return Scrape(scrapers.scrape())
