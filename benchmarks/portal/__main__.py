"""`python -m benchmarks.portal`: what pages cost with a thousand SLOs, and how fast they are for fifty people at once.

    python -m benchmarks.portal
    python -m benchmarks.portal --slos 100 --viewers 10 --seconds 5

A real Prometheus holds what the rules of so many SLOs record; `sereno portal` is a process of its own. Ends with 1
where the overview is larger than 300 KB, asks more than three questions, isn't painted within a second (where there is
a Chromium to ask), a page isn't answered, or one of twenty answers takes longer than 300 ms. A minute.
"""

import argparse
import importlib
import importlib.util
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
from rich.console import Console
from rich.table import Table

from benchmarks.portal.viewing import View, Visit, looked_at
from benchmarks.portal.world import SLOS_OF_A_SERVICE, Portal, name_of, portal, recorded, service_of, write_specs
from benchmarks.simulation.remote_write import write
from benchmarks.simulation.server import running_prometheus

MOST_BYTES, MOST_QUESTIONS, MOST_SECONDS, MOST_PAINT_SECONDS = 300_000, 3, 0.3, 1.0
SEED = 20_261
_QUESTIONS = re.compile(r"^sereno_portal_prometheus_questions_total (\S+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Page:
    """A page, asked for twice."""

    kind: str
    kilobytes: float
    cold_seconds: float
    warm_seconds: float
    questions: int
    """To Prometheus, of the first time; pages before have asked what they share."""


@dataclass(frozen=True, slots=True)
class Crowd:
    """What so many viewers saw."""

    viewers: int
    seconds: float
    views: tuple[View, ...]
    questions: int
    """To Prometheus, meanwhile."""
    processor_seconds: float
    """Of the portal, meanwhile."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--slos", type=int, default=1_000)
    parser.add_argument("--viewers", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=20)
    given = parser.parse_args(arguments)
    console = Console(width=120)
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="sereno-portal-") as folder:
        root = Path(folder) / "root"
        write_specs(root, given.slos)
        with running_prometheus(Path(folder) / "prometheus") as server:
            samples = write(server, recorded(given.slos, time.time()))
            with portal(root, server.url) as running:
                client = running.client
                pages = tuple(_measured(client, visit) for visit in _visits(given.slos))
                painted = _painted(str(client.base_url))
                crowds = tuple(
                    _looked_at(running, given.slos, viewers, given.seconds)
                    for viewers in sorted({max(1, given.viewers // 10), given.viewers})
                )
    console.print(
        f"{given.slos:,} SLOs, {samples:,} samples; the portal answered after {running.started_seconds:.1f} s"
    )
    console.print(f"load of the machine before: {load:.1f} on {os.cpu_count()} cores")
    console.print(_page_table(pages))
    console.print(f"first paint of the overview: {'nobody to ask' if painted is None else f'{painted:.2f} s'}")
    for crowd in crowds:
        console.print(_view_table(crowd))
        asked, used = crowd.questions / crowd.seconds, 1000 * crowd.processor_seconds / len(crowd.views)
        console.print(f"{asked:.1f} questions a second to Prometheus, {used:.1f} ms of a processor for each answer")
    return 0 if _is_well(pages, painted, crowds[-1].views) else 1


def _visits(slos: int) -> Iterator[Visit]:
    yield Visit("overview", "/")
    yield Visit("all SLOs", "/?show=all")
    if slos > SLOS_OF_A_SERVICE:
        yield Visit("filtered", "/?show=all&text=service-00")
    yield Visit("wall", "/wall")
    yield Visit("service", f"/services/{service_of(0)}")
    for number in range(3):
        yield Visit("SLO", f"/services/{service_of(0)}/{name_of(number)}")
    yield Visit("overview as JSON", "/api/v1/overview")


def _measured(client: httpx.Client, visit: Visit) -> Page:
    asked = _asked(client)
    begun = time.monotonic()
    cold = client.get(visit.address).raise_for_status()
    between = time.monotonic()
    client.get(visit.address).raise_for_status()
    after = time.monotonic()
    return Page(visit.kind, len(cold.content) / 1000, between - begun, after - between, _asked(client) - asked)


def _looked_at(running: Portal, slos: int, viewers: int, seconds: float) -> Crowd:
    client, used = running.client, running.processor_seconds
    before = _asked(client)
    views = looked_at(str(client.base_url), tuple(_visits(slos)), viewers=viewers, seconds=seconds, seed=SEED)
    return Crowd(viewers, seconds, views, _asked(client) - before, running.processor_seconds - used)


def _asked(client: httpx.Client) -> int:
    found = _QUESTIONS.search(client.get("/metrics").text)
    return round(float(found[1])) if found else 0


def _painted(base: str) -> float | None:
    """Seconds until a browser shows something of the overview; None where there is no browser."""
    chromium = shutil.which("chromium")
    if chromium is None or importlib.util.find_spec("playwright") is None:
        return None
    with importlib.import_module("playwright.sync_api").sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        tab = browser.new_page()
        tab.goto(f"{base}/?show=all")
        tab.wait_for_function("performance.getEntriesByName('first-contentful-paint').length > 0")
        painted = tab.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
        browser.close()
    return float(painted) / 1000


def _page_table(pages: Sequence[Page]) -> Table:
    table = Table("page", "KB", "first time", "again", "questions")
    for page in pages:
        times = (f"{page.cold_seconds * 1000:.0f} ms", f"{page.warm_seconds * 1000:.0f} ms")
        table.add_row(page.kind, f"{page.kilobytes:.0f}", *times, str(page.questions))
    return table


def _view_table(crowd: Crowd) -> Table:
    views, seconds = crowd.views, crowd.seconds
    title = f"{crowd.viewers} viewers, {seconds:g} s: {len(views) / seconds:.0f} answers a second"
    table = Table("answers", "count", "P50", "P95", "P99", "failed", title=title)
    for kind in (*dict.fromkeys(view.kind for view in views), "all"):
        chosen = [view for view in views if kind in (view.kind, "all")]
        times = (f"{_quantile(chosen, ratio) * 1000:.0f} ms" for ratio in (0.5, 0.95, 0.99))
        table.add_row(kind, str(len(chosen)), *times, str(sum(not view.is_well for view in chosen)))
    return table


def _quantile(views: Sequence[View], ratio: float) -> float:
    ordered = sorted(view.seconds for view in views)
    return ordered[min(len(ordered) - 1, int(ratio * len(ordered)))]


def _is_well(pages: Sequence[Page], painted: float | None, views: Sequence[View]) -> bool:
    overviews = [page for page in pages if page.kind in ("overview", "all SLOs")]
    return (
        all(page.kilobytes * 1000 <= MOST_BYTES and page.questions <= MOST_QUESTIONS for page in overviews)
        and (painted is None or painted <= MOST_PAINT_SECONDS)
        and all(view.is_well for view in views)
        and _quantile(views, 0.95) <= MOST_SECONDS
    )


if __name__ == "__main__":
    sys.exit(main())
