"""One scrape: all parts of all targets that are asked for, at the same time, and what they became."""

import sys
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from threading import Lock
from typing import Any

from sereno_exporters.frame.configuration import ConfiguredTarget
from sereno_exporters.frame.deadline import Deadline
from sereno_exporters.frame.exposing import Exposition, PartScrape, TargetScrape, exposed
from sereno_exporters.frame.fetching import Failed, Fetcher, Waited
from sereno_exporters.frame.model import Part

Report = Callable[[str], None]


def to_stderr(message: str) -> None:
    """Tell whoever runs the exporter."""
    print(f"sereno exporter: {message}", file=sys.stderr, flush=True)  # noqa: T201 - its log


class Scrapers:
    """All configured targets, ready to be asked. Thread-safe."""

    def __init__(self, targets: Iterable[ConfiguredTarget], *, report: Report = to_stderr) -> None:
        self._scrapers = tuple(_Scraper(target) for target in targets)
        self._failing: dict[tuple[str, str, str], Failed] = {}
        self._lock = Lock()
        self._report = report

    @property
    def targets(self) -> tuple[ConfiguredTarget, ...]:
        """As configured."""
        return tuple(scraper.target for scraper in self._scrapers)

    def scrape(
        self, kind: str | None = None, target: str | None = None, *, most_seconds: float | None = None
    ) -> Exposition:
        """Ask all targets, or those of a kind, or one; returns after the longest timeout at the latest.

        Args:
            kind: None is all.
            target: None is all.
            most_seconds: what the asking Prometheus grants, when that is less than a target's own timeout.
        """
        chosen = [one for one in self._scrapers if one.is_meant(kind, target)]
        begun = time.monotonic()
        # All begin before any is waited for: none stands behind one that hangs.
        waiting = [scraper.begin(begun, most_seconds) for scraper in chosen]
        exposition = exposed(wait() for wait in waiting)
        self._tell(exposition, chosen)
        return exposition

    def close(self) -> None:
        """Hang up everywhere."""
        for scraper in self._scrapers:
            scraper.close()

    def troubles(self) -> dict[tuple[str, str], dict[str, str]]:
        """By exporter and target: the parts that failed the last time they were asked, and why."""
        with self._lock:
            found: dict[tuple[str, str], dict[str, str]] = {}
            for (kind, target, part), why in self._failing.items():
                found.setdefault((kind, target), {})[part] = why.message
            return found

    def _tell(self, exposition: Exposition, asked: Sequence["_Scraper"]) -> None:
        """Say a part's trouble once while its reason stays, and its end."""
        now = {(scrape.kind, scrape.target, part): why for scrape, part, why in exposition.failures}
        with self._lock:
            for kind, target, part in (key for scraper in asked for key in scraper.keys):
                key = (kind, target, part)
                why, before = now.get(key), self._failing.pop(key, None)
                if why is not None:
                    self._failing[key] = why
                    if before is None or why.reason is not before.reason:
                        self._report(f"{kind}/{target}, {part}: {why.message}")
                elif before is not None:
                    self._report(f"{kind}/{target}, {part}: answers again")


class _Scraper:
    """One target."""

    def __init__(self, target: ConfiguredTarget) -> None:
        self.target = target
        self._source = target.kind.connect(target.target)
        self._fetchers = tuple(Fetcher(part) for part in self._source.parts)

    @property
    def keys(self) -> list[tuple[str, str, str]]:
        """Exporter, target and part of each part."""
        return [(self.target.kind.name, self.target.target.name, fetcher.part.name) for fetcher in self._fetchers]

    def is_meant(self, kind: str | None, target: str | None) -> bool:
        return kind in (None, self.target.kind.name) and target in (None, self.target.target.name)

    def begin(self, begun: float, most_seconds: float | None) -> Callable[[], TargetScrape]:
        """Ask for all parts; calling the result waits for them."""
        own_seconds = self.target.timeout_seconds
        deadline = Deadline(begun + (own_seconds if most_seconds is None else min(own_seconds, most_seconds)))
        waiting = [(fetcher.part, fetcher.begin(deadline)) for fetcher in self._fetchers]
        return partial(self._scraped, begun, waiting)

    def _scraped(self, begun: float, waiting: Sequence[tuple[Part[Any], Callable[[], Waited]]]) -> TargetScrape:
        waited = [(part, wait()) for part, wait in waiting]
        parts = tuple(PartScrape(part, each.outcome) for part, each in waited)
        seconds = max((each.at for _, each in waited), default=begun) - begun
        return TargetScrape(self.target.kind.name, self.target.target.name, self.target.series_limit, parts, seconds)

    def close(self) -> None:
        for fetcher in self._fetchers:
            fetcher.close()
        self._source.close()
