"""The story of faults: each step is observed over a real HTTP API, or the story has failed.

`make demo-once` tells that of transactions-api's `errors`. It stays below what trips the six-hour tier, whose 30-minute
window would hold the alert: 60 % of the requests fail for about two minutes, which is 75 s of full outage; the one-hour
tier needs 52 s, the six-hour tier 130 s (2 % and 5 % of a 30-day budget of 0.1 %). Nothing in the rules is softened.

Faults of several systems may be told together: each brings its own alert, and there is no other page.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import click
import httpx
from sereno_backends.prometheus import PrometheusClient, PrometheusError
from sereno_slo.model import ServiceLevelObjective

from sereno_cli.demo.budget import budgets
from sereno_cli.demo.draft import write_draft
from sereno_cli.demo.observing import (
    Incident,
    bad_events_since,
    broken_slo,
    budget,
    failed_answers,
    incidents,
    labels_of,
    live_budget,
)
from sereno_cli.demo.places import DemoError
from sereno_cli.demo.screen import as_lines
from sereno_cli.demo.systems import Fault, System
from sereno_cli.demo.world import World

_COUNTED_BY_ANSWERS = ("transactions-api", "errors")
"""Whose bad events are exactly the failed answers, which the service counts itself."""
_SERVED_AT = "transactions-api.api"
_POLL_SECONDS = 1.0
_PROGRESS_SECONDS = 20.0

# The page needs two evaluations of the rules; the alert ends when the five-minute window has forgotten the fault.
_LIVE_SECONDS = 150.0
_PAGE_SECONDS = 240.0
_RESOLVED_SECONDS = 460.0

Seen = TypeVar("Seen")


class StoryFailed(DemoError):  # noqa: N818 - reads as what happened
    """A step wasn't observed in time."""


@dataclass(frozen=True, slots=True)
class Ending:
    """What was measured of one fault on the way."""

    fault: str
    """`transactions-api/errors`."""
    budget_before: float | None
    """Of the SLO that it breaks; None where the alert is about something else, as are the next two."""
    budget_after: float | None
    failed_by_ledger: int | None
    """Bad events in the ledger since the demo's start."""
    failed_by_service: int | None
    """Answers that weren't 200 or 201, by the service's own counters; None where other events are bad."""
    seconds_to_page: float
    seconds_to_resolution: float
    draft: Path


@dataclass(slots=True)
class _Chapter:
    """One fault, and what has been seen of it."""

    system: System
    fault: Fault
    slo: ServiceLevelObjective | None
    budget_before: float | None = None
    broken_at: float = 0.0
    incident: Incident | None = None
    seconds_to_page: float = 0.0
    mended_at: float = 0.0
    seconds_to_resolution: float | None = None

    @property
    def name(self) -> str:
        return f"{self.system.name}/{self.fault.name}"


def tell_story(world: World) -> tuple[Ending, ...]:
    """Budget, fault, page, cure, resolution, draft, of each of the world's faults.

    Raises:
        StoryFailed: a step was not observed.
        DemoError: a part died.
    """
    with PrometheusClient(world.addresses.url("prometheus")) as client:
        return _Teller(world, client).tell()


class _Teller:
    """Says what happens and waits for what must happen, watching the parts meanwhile."""

    def __init__(self, world: World, client: PrometheusClient) -> None:
        self._world = world
        self._client = client
        self._started = time.monotonic()
        self._begin = datetime.now(UTC)
        self._chapters = [
            _Chapter(system, fault, broken_slo(fault.expects, world.services)) for system, fault in world.faults
        ]

    def tell(self) -> tuple[Ending, ...]:
        self._say("waiting for live traffic in the ledger")
        for chapter in self._chapters:
            self._look_at_budget(chapter)
        for chapter in self._chapters:
            self._break(chapter)
        self._wait("its page arrives at the incident receiver", self._untold, self._look_for_page)
        self._wait("its incident is resolved", self._unresolved, self._look_for_resolution)
        endings = tuple(map(self._ending, self._chapters))
        _show_endings(endings, time.monotonic() - self._started)
        return endings

    def _look_at_budget(self, chapter: _Chapter) -> None:
        slo = chapter.slo
        if slo is None:
            return
        chapter.budget_before = self._seen(
            f"the ledger of {slo.service}/{slo.name} counts live events",
            _LIVE_SECONDS,
            lambda: live_budget(self._client, slo, self._begin),
        )
        self._say(f"budget of {slo.service}/{slo.name} before: {chapter.budget_before:.2%}")

    def _break(self, chapter: _Chapter) -> None:
        self._world.switchboard.on(chapter.fault)
        chapter.broken_at = time.monotonic()
        self._say(f"{chapter.name} on: {chapter.fault.on}")

    def _untold(self) -> list[tuple[_Chapter, float]]:
        return [(each, each.broken_at + _PAGE_SECONDS) for each in self._chapters if each.incident is None]

    def _look_for_page(self, chapter: _Chapter, found: Sequence[Incident]) -> None:
        for incident in found:
            if incident["notifications"] and any(map(chapter.fault.expects.is_met_by, labels_of(incident))):
                chapter.incident = incident
                chapter.seconds_to_page = time.monotonic() - chapter.broken_at
                _show_page(chapter, incident)
                self._world.switchboard.off(chapter.fault)
                chapter.mended_at = time.monotonic()
                self._say(f"{chapter.name} off")
                return

    def _unresolved(self) -> list[tuple[_Chapter, float]]:
        return [
            (each, each.mended_at + _RESOLVED_SECONDS) for each in self._chapters if each.seconds_to_resolution is None
        ]

    def _look_for_resolution(self, chapter: _Chapter, found: Sequence[Incident]) -> None:
        known = chapter.incident or {}
        if any(i["incident_id"] == known["incident_id"] and i["status"] == "resolved" for i in found):
            chapter.seconds_to_resolution = time.monotonic() - chapter.mended_at
            self._say(f"{chapter.name} resolved {chapter.seconds_to_resolution:.0f} s after the cure")

    def _wait(
        self,
        what: str,
        left: Callable[[], list[tuple[_Chapter, float]]],
        look: Callable[[_Chapter, Sequence[Incident]], None],
    ) -> None:
        """Look at the incidents until no chapter is left; each has its deadline, and nothing else may page."""
        told = time.monotonic()
        while waiting := left():
            self._world.supervisor.check()
            found = _quietly(lambda: incidents(self._world.run)) or []
            self._nothing_else(found)
            for chapter, deadline in waiting:
                look(chapter, found)
                if time.monotonic() > deadline and any(chapter is each for each, _ in left()):
                    raise StoryFailed(f"not observed in time: {chapter.fault.expects} of {chapter.name}: {what}")
            if time.monotonic() - told > _PROGRESS_SECONDS:
                told = time.monotonic()
                self._say(f"{', '.join(each.name for each, _ in waiting)}: until {what} ({self._figures()})")
            time.sleep(_POLL_SECONDS)

    def _nothing_else(self, found: Sequence[Incident]) -> None:
        """One fault, one page."""
        expected = [replace(chapter.fault.expects, severity="critical") for chapter in self._chapters]
        pages = [labels for each in found for labels in labels_of(each) if labels.get("severity") == "critical"]
        others = [labels for labels in pages if not any(one.is_met_by(labels) for one in expected)]
        if others:
            wanted = " and ".join(str(chapter.fault.expects) for chapter in self._chapters)
            told = "; ".join(", ".join(f"{key}={value}" for key, value in sorted(each.items())) for each in others)
            raise StoryFailed(f"{wanted} is expected, and nothing else pages; there is also: {told}")

    def _ending(self, chapter: _Chapter) -> Ending:
        counted, failed, after = None, None, None
        slo = chapter.slo
        if slo is not None:
            counted, failed = self._seen(
                f"the ledger of {slo.service}/{slo.name} has counted what the service has counted",
                _LIVE_SECONDS,
                lambda: self._counted(chapter, slo),
            )
            before = chapter.budget_before or 0.0
            after = budget(self._client, slo) or before
            if after >= before:
                raise StoryFailed(f"the budget should have fallen: {before:.4%} before, {after:.4%} after")
        self._say(f"drafting the postmortem of {chapter.name}")
        incident_id = str((chapter.incident or {})["incident_id"])
        draft = write_draft(self._world, chapter.fault, incident_id, failed)
        return Ending(
            chapter.name,
            chapter.budget_before,
            after,
            counted,
            failed,
            chapter.seconds_to_page,
            chapter.seconds_to_resolution or 0.0,
            draft,
        )

    def _counted(self, chapter: _Chapter, slo: ServiceLevelObjective) -> tuple[int, int | None] | None:
        """Bad events of the ledger and failed answers by the service's own counters, once they are the same number."""
        counted = bad_events_since(self._client, slo, self._begin)
        if counted is None or (chapter.system.name, chapter.fault.name) != _COUNTED_BY_ANSWERS:
            return None if counted is None else (counted, None)
        failed = failed_answers(self._world.run, _SERVED_AT)
        return (counted, failed) if failed == counted else None

    def _seen(self, what: str, timeout_seconds: float, look: Callable[[], Seen | None]) -> Seen:
        """Look until something is seen, telling the live budget now and then."""
        deadline = time.monotonic() + timeout_seconds
        told = time.monotonic()
        while True:
            self._world.supervisor.check()
            seen = _quietly(look)
            if seen is not None:
                return seen
            if time.monotonic() > deadline:
                raise StoryFailed(f"not observed within {timeout_seconds:g} s: {what}")
            if time.monotonic() - told > _PROGRESS_SECONDS:
                told = time.monotonic()
                self._say(f"waiting until {what} ({self._figures()})")
            time.sleep(_POLL_SECONDS)

    def _figures(self) -> str:
        services = [
            service
            for service in self._world.services
            if any(chapter.slo in service.slos for chapter in self._chapters)
        ]
        return _quietly(lambda: as_lines(budgets(self._client, services))) or "Prometheus doesn't answer"

    def _say(self, line: str) -> None:
        click.echo(f"{time.monotonic() - self._started:5.0f} s  {line}")


def _quietly(look: Callable[[], Seen | None]) -> Seen | None:
    """Nothing is seen while a server doesn't answer; the deadline of the waiting stays."""
    try:
        return look()
    except (PrometheusError, httpx.HTTPError):
        return None


def _show_page(chapter: _Chapter, incident: Incident) -> None:
    kind = "page" if chapter.fault.expects.severity == "critical" else "ticket"
    click.echo(f"\n  ┌─ {kind} after {chapter.seconds_to_page:.0f} s, incident {incident['incident_id']}")
    for alert in incident["alerts"]:
        notes = alert["annotations"]
        for name in ("summary", "description", "runbook_url"):
            if notes.get(name):
                click.echo(f"  │ {notes[name]}")
    click.echo("  └─\n")


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
        click.echo(
            f"  page after           {ending.seconds_to_page:.0f} s of fault"
            f"\n  resolved after       {ending.seconds_to_resolution:.0f} s of health"
            f"\n  postmortem draft     {ending.draft}"
        )
    click.echo(
        f"\n  (what lies before the start of this run is simulated history)\n  the whole story      {seconds:.0f} s\n"
    )
