"""The quotas exporter on a configuration, and what it tells."""

from contextlib import closing
from pathlib import Path

from sereno_exporters.frame.configuration import grammar_of, targets_of
from sereno_exporters.frame.exposing import Exposition
from sereno_exporters.frame.scraping import Scrapers
from sereno_exporters.quotas.kind import KIND
from sereno_slo.parse import Parsed, parse_as
from sereno_slo.source import SourceFile


def read(text: str) -> Parsed:  # type: ignore[type-arg]
    """A configuration."""
    return parse_as(SourceFile("exporters.yaml", text), grammar_of([KIND]))


def scraped(folder: Path, *quotas: str) -> Exposition:
    """One scrape of a target with these quotas, as YAML in one line each."""
    listed = "".join(f"          - {quota}\n" for quota in quotas)
    text = (
        "version: sereno/v1\nexporters:\n  quotas:\n    timeout: 2s\n    targets:\n      plan:\n        quotas:\n"
        + listed
    )
    parsed = read(text)
    assert parsed.document is not None, [str(each) for each in parsed.diagnostics]
    with closing(Scrapers(targets_of(parsed.document, [KIND], folder), report=lambda _: None)) as scrapers:
        return scrapers.scrape()
