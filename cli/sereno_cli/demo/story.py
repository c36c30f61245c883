"""The story of faults: each step is observed over a real HTTP API, or the story has failed.

`make demo-once` tells that of transactions-api's `errors`. It stays below what trips the six-hour tier, whose 30-minute
window would hold the alert: 60 % of the requests fail for about two minutes, which is 75 s of full outage; the one-hour
tier needs 52 s, the six-hour tier 130 s (2 % and 5 % of a 30-day budget of 0.1 %). Nothing in the rules is softened.

Faults of one system are told one after the other, those of several systems side by side: each brings its own alert,
and there is no other page.
"""

import time
from collections.abc import Sequence
from datetime import UTC, datetime

import click
from sereno_backends.prometheus import PrometheusClient

from sereno_cli.demo.budget import budgets
from sereno_cli.demo.chapter import PAGE_SECONDS, Chapter, Ending, Story, StoryFailed, quietly
from sereno_cli.demo.observing import Incident, incidents, labels_of
from sereno_cli.demo.screen import as_lines
from sereno_cli.demo.systems import Expectation, Fault, System
from sereno_cli.demo.world import World

_POLL_SECONDS = 1.0
_PROGRESS_SECONDS = 20.0
_LATE_SECONDS = 60.0


def tell_story(world: World) -> tuple[Ending, ...]:
    """Budget, fault, page, cure, resolution, draft, of each of the world's faults.

    Raises:
        StoryFailed: a step was not observed.
        DemoError: a part died.
    """
    with PrometheusClient(world.addresses.url("prometheus")) as client:
        return _Teller(world, client).tell()


def tell_drill(world: World, *, hold_seconds: float, page_seconds: float) -> tuple[Chapter, str]:
    """The story of the world's first fault, which stays on that long; the chapter as far as it came, and what failed.

    Raises:
        DemoError: a part died.
    """
    with PrometheusClient(world.addresses.url("prometheus")) as client:
        # A page that comes late is told as that, not as one that never came.
        waited = max(PAGE_SECONDS, page_seconds + _LATE_SECONDS)
        teller = _Teller(world, client, hold_seconds, waited)
        try:
            teller.tell()
        except StoryFailed as error:
            return teller.chapters[0], str(error)
        return teller.chapters[0], ""


class _Teller:
    """Tells every system's chapters, watching the parts meanwhile."""

    def __init__(
        self,
        world: World,
        client: PrometheusClient,
        hold_seconds: float = 0.0,
        page_seconds: float = PAGE_SECONDS,
    ) -> None:
        self._world = world
        self._client = client
        self._started = time.monotonic()
        self._told = self._started
        self._story = Story(world, client, self._say, datetime.now(UTC), hold_seconds, page_seconds)
        self._left: dict[str, list[tuple[System, Fault]]] = {}
        for system, fault in world.faults:
            self._left.setdefault(system.name, []).append((system, fault))
        self.chapters: list[Chapter] = []

    def tell(self) -> tuple[Ending, ...]:
        self._say("waiting for live traffic in the ledger")
        for system in self._left:
            self._begin_next(system)
        while open_ones := [chapter for chapter in self.chapters if chapter.ending is None]:
            self._world.supervisor.check()
            found = quietly(lambda: incidents(self._world.run)) or []
            _nothing_else(found, [chapter.fault.expects for chapter in self.chapters])
            for chapter in open_ones:
                chapter.look(self._of(chapter, found))
                if chapter.ending is not None:
                    self._begin_next(chapter.name.partition("/")[0])
            self._progress(open_ones)
            time.sleep(_POLL_SECONDS)
        endings = tuple(chapter.ending for chapter in self.chapters if chapter.ending is not None)
        _show_endings(endings, time.monotonic() - self._started)
        return endings

    def _begin_next(self, name: str) -> None:
        if self._left[name]:
            system, fault = self._left[name].pop(0)
            self.chapters.append(Chapter(self._story, system, fault))

    def _of(self, chapter: Chapter, found: Sequence[Incident]) -> list[Incident]:
        """The incidents that may be this chapter's: no earlier one has them."""
        others = {each.incident.get("incident_id") for each in self.chapters if each is not chapter}
        return [incident for incident in found if incident["incident_id"] not in others]

    def _progress(self, waiting: Sequence[Chapter]) -> None:
        """Now and then a line."""
        if time.monotonic() - self._told > _PROGRESS_SECONDS:
            self._told = time.monotonic()
            services = [
                service for service in self._world.services if any(chapter.slo in service.slos for chapter in waiting)
            ]
            figures = quietly(lambda: as_lines(budgets(self._client, services))) or "no figures yet"
            awaited = "; ".join(f"{chapter.name}: {chapter.awaited}" for chapter in waiting)
            self._say(f"waiting until {awaited} ({figures})")

    def _say(self, line: str) -> None:
        click.echo(f"{time.monotonic() - self._started:5.0f} s  {line}")


def _nothing_else(found: Sequence[Incident], expected: Sequence[Expectation]) -> None:
    """One fault, one page."""
    pages = [labels for each in found for labels in labels_of(each) if labels.get("severity") == "critical"]
    others = [labels for labels in pages if not any(one.is_met_by(labels) for one in expected if one.alert)]
    if others:
        told = "; ".join(", ".join(f"{key}={value}" for key, value in sorted(each.items())) for each in others)
        raise StoryFailed(
            f"{' and '.join(map(str, expected))} is expected, and nothing else pages; there is also: {told}"
        )


def _show_endings(endings: Sequence[Ending], seconds: float) -> None:
    for ending in endings:
        click.echo(f"\n  {ending.fault}")
        if ending.budget_before is not None and ending.budget_after is not None:
            click.echo(
                f"  budget before        {ending.budget_before:.2%}"
                f"\n  budget after         {ending.budget_after:.2%}"
                f"\n  bad events           {ending.failed_by_ledger} in the ledger"
                + (f", {ending.failed_by_service} by the service" if ending.failed_by_service is not None else "")
            )
        if ending.seconds_to_resolution is None:
            click.echo(f"  in the log after     {ending.seconds_to_page:.0f} s of fault; nothing paged")
            continue
        click.echo(
            f"  page after           {ending.seconds_to_page:.0f} s of fault"
            f"\n  resolved after       {ending.seconds_to_resolution:.0f} s of health"
            f"\n  postmortem draft     {ending.draft}"
        )
    click.echo(
        f"\n  (what lies before the start of this run is simulated history)\n  the whole story      {seconds:.0f} s\n"
    )
