"""One fault of a story, from the budget before it to the draft after it: what has to be seen next, and until when."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import click
import httpx
from sereno_backends.logs.model import LogStoreError
from sereno_backends.prometheus import PrometheusClient, PrometheusError

from sereno_cli.demo.draft import write_draft
from sereno_cli.demo.observing import (
    Incident,
    bad_events_since,
    broken_slo,
    budget,
    failed_answers,
    labels_of,
    live_budget,
    logged_since,
    told_badly,
)
from sereno_cli.demo.places import DemoError
from sereno_cli.demo.systems import Fault, System
from sereno_cli.demo.world import World

_COUNTED_BY_ANSWERS = ("transactions-api", "errors")
"""Whose bad events are exactly the failed answers, which the service counts itself."""
_SERVED_AT = "transactions-api.api"

# The page needs two evaluations of the rules, and three minutes more where it is a server's own.
_LIVE_SECONDS = 150.0
PAGE_SECONDS = 330.0
RESOLVED_SECONDS = 530.0
"""Half a minute until a server is back, one until the last bad entry, five until the short window has forgotten it, two
that the alert goes on firing, and what Alertmanager waits."""
HELD_SECONDS = 1_900.0
"""More, where a fault stays on: the page over six hours comes, too, and its short window is half an hour."""
# As long as an outage takes to page.
_CALM_SECONDS = 130.0

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
    """Until the alert, or the records in the log, had been seen."""
    seconds_to_resolution: float | None
    """None where the logs alone tell it: nothing was open."""
    draft: Path | None
    seconds_to_draft: float = 0.0


@dataclass(frozen=True, slots=True)
class Story:
    """What all of its chapters share."""

    world: World
    client: PrometheusClient
    say: Callable[[str], None]
    began: datetime
    hold_seconds: float = 0.0
    """How long a fault stays on at least, also when it has paged: what else would page if nobody mended it?"""
    page_seconds: float = PAGE_SECONDS
    """How long its page, or its records in the log, are waited for."""


class Chapter:
    """One fault. `look` is called again and again until there is an `ending`."""

    def __init__(self, story: Story, system: System, fault: Fault) -> None:
        self.fault = fault
        self.name = f"{system.name}/{fault.name}"
        self.slo = broken_slo(fault.expects, story.world.services)
        self.awaited = ""
        """What has to be seen next."""
        self.ending: Ending | None = None
        self.incident: Incident = {}
        """The one that the expected alert has opened, once it has, as it was seen last."""
        self.on_at: datetime | None = None
        self.off_at: datetime | None = None
        self._counts_answers = (system.name, fault.name) == _COUNTED_BY_ANSWERS
        self._world, self._client, self._say, self._began = story.world, story.client, story.say, story.began
        self._budget_before: float | None = None
        self._switched_at = 0.0
        self._hold_seconds, self._page_seconds = story.hold_seconds, story.page_seconds
        self._seconds_to_page = 0.0
        self._seconds_to_resolution = 0.0
        self._deadline = 0.0
        self._next: Callable[[Sequence[Incident]], None] = self._is_live
        self._await("the ledger counts live events", _LIVE_SECONDS, self._is_live)

    def look(self, found: Sequence[Incident]) -> None:
        """See whether it has come, and go on.

        Args:
            found: all incidents that no other chapter has.

        Raises:
            StoryFailed: it hasn't, and time is up.
            DemoError: the fault couldn't be switched, or no draft was written.
        """
        before = self._next
        before(found)
        if self.ending is None and self._next == before and time.monotonic() > self._deadline:
            raise StoryFailed(f"{self.name}: not observed in time: {self.awaited}")

    def _await(self, what: str, seconds: float, look: Callable[[Sequence[Incident]], None]) -> None:
        self.awaited, self._next, self._deadline = what, look, time.monotonic() + seconds

    def _is_live(self, _: Sequence[Incident]) -> None:
        slo = self.slo
        if slo is not None:
            self._budget_before = quietly(lambda: live_budget(self._client, slo, self._began))
            if self._budget_before is None:
                return
            self._say(f"{self.name}: budget of {slo.service}/{slo.name} before: {self._budget_before:.2%}")
        self.on_at = datetime.now(UTC)
        self._world.switchboard.on(self.fault)
        self._switched_at = time.monotonic()
        self._say(f"{self.name} on: {self.fault.on}")
        if self.fault.expects.alert:
            self._await(f"{self.fault.expects} arrives at the incident receiver", self._page_seconds, self._is_told)
        else:
            self._await(f"{self.fault.expects}", self._page_seconds, self._is_logged)

    def _is_told(self, found: Sequence[Incident]) -> None:
        for incident in found:
            if incident["notifications"] and any(map(self.fault.expects.is_met_by, labels_of(incident))):
                if mistakes := told_badly(incident, self._world.places.root):
                    raise StoryFailed(f"{self.name}: the page can't be acted on: {'; '.join(mistakes)}")
                self.incident = incident
                self._seconds_to_page = time.monotonic() - self._switched_at
                self._show_page()
                held = f"the fault has been on for {self._hold_seconds:.0f} s"
                self._await(held, self._hold_seconds + PAGE_SECONDS, self._is_held)
                self._is_held(found)
                return

    def _is_held(self, found: Sequence[Incident]) -> None:
        """Pages of others are looked for all the time; the page itself may neither end meanwhile nor come again."""
        self._see_again(found)
        if self._hold_seconds and self.incident["status"] == "resolved":
            raise StoryFailed(f"{self.name}: the incident was resolved while the fault was on")
        for each in found:
            is_other = each["incident_id"] != self.incident["incident_id"]
            if is_other and any(map(self.fault.expects.is_met_by, labels_of(each))):
                raise StoryFailed(f"{self.name}: it paged a second time, as {each['incident_id']}")
        if time.monotonic() - self._switched_at >= self._hold_seconds:
            self._world.switchboard.off(self.fault)
            self.off_at = datetime.now(UTC)
            self._switched_at = time.monotonic()
            self._say(f"{self.name} off")
            self._await("the incident is resolved", resolved_within(self._hold_seconds), self._is_resolved)

    def _see_again(self, found: Sequence[Incident]) -> None:
        known = self.incident["incident_id"]
        self.incident = next((each for each in found if each["incident_id"] == known), self.incident)

    def _is_logged(self, _: Sequence[Incident]) -> None:
        expected = self.fault.expects
        count = quietly(lambda: logged_since(self._world.run, expected.log, self.on_at or self._began))
        if count:
            self._seconds_to_page = time.monotonic() - self._switched_at
            self._say(f"{self.name}: {expected} after {self._seconds_to_page:.0f} s")
            self._await("nothing has paged meanwhile", self._calm_seconds() + PAGE_SECONDS, self._is_calm)

    def _is_calm(self, _: Sequence[Incident]) -> None:
        """Pages are looked for all the time; this is how long a fault must bring none."""
        if time.monotonic() - self._switched_at > self._calm_seconds():
            self._world.switchboard.off(self.fault)
            self.off_at = datetime.now(UTC)
            self._say(f"{self.name} off; nothing has paged")
            self.ending = Ending(self.name, None, None, None, None, self._seconds_to_page, None, None)

    def _calm_seconds(self) -> float:
        return max(_CALM_SECONDS, self._hold_seconds)

    def _is_resolved(self, found: Sequence[Incident]) -> None:
        self._see_again(found)
        if self.incident["status"] == "resolved":
            self._seconds_to_resolution = time.monotonic() - self._switched_at
            self._say(f"{self.name} resolved {self._seconds_to_resolution:.0f} s after the cure")
            self._await("the ledger has counted what the service has counted", _LIVE_SECONDS, self._is_counted)

    def _is_counted(self, _: Sequence[Incident]) -> None:
        counted = failed = after = None
        slo = self.slo
        if slo is not None:
            counted = quietly(lambda: bad_events_since(self._client, slo, self._began))
            if self._counts_answers:
                failed = quietly(lambda: failed_answers(self._world.run, _SERVED_AT))
            if counted is None or (self._counts_answers and failed != counted):
                return
            before = self._budget_before or 0.0
            after = quietly(lambda: budget(self._client, slo))
            if after is None:
                return
            if after >= before:
                raise StoryFailed(f"{self.name}: the budget should have fallen: {before:.4%} before, {after:.4%} after")
        self._say(f"{self.name}: drafting the postmortem")
        began = time.monotonic()
        draft = write_draft(self._world, self.fault, str(self.incident["incident_id"]), failed)
        self.ending = Ending(
            self.name,
            self._budget_before,
            after,
            counted,
            failed,
            self._seconds_to_page,
            self._seconds_to_resolution,
            draft,
            time.monotonic() - began,
        )

    def _show_page(self) -> None:
        kind = "page" if self.fault.expects.severity == "critical" else "ticket"
        click.echo(f"\n  ┌─ {kind} after {self._seconds_to_page:.0f} s, incident {self.incident['incident_id']}")
        for alert in self.incident["alerts"]:
            notes = alert["annotations"]
            for name in ("summary", "description", "runbook_url"):
                if notes.get(name):
                    click.echo(f"  │ {notes[name]}")
        click.echo("  └─\n")


def resolved_within(hold_seconds: float) -> float:
    """How long after the cure an incident may stay open, in seconds."""
    return RESOLVED_SECONDS + (HELD_SECONDS if hold_seconds else 0.0)


def quietly(look: Callable[[], Seen | None]) -> Seen | None:
    """Nothing is seen while a server doesn't answer; the deadline of the waiting stays."""
    try:
        return look()
    except (PrometheusError, LogStoreError, httpx.HTTPError):
        return None
