"""The story of a fault: each step is observed over a real HTTP API, or the story has failed.

`make demo-once` tells that of transactions-api's `errors`. It stays below what trips the six-hour tier, whose 30-minute
window would hold the alert: 60 % of the requests fail for about two minutes, which is 75 s of full outage; the one-hour
tier needs 52 s, the six-hour tier 130 s (2 % and 5 % of a 30-day budget of 0.1 %). Nothing in the rules is softened.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

import click
import httpx
from prometheus_client.parser import text_string_to_metric_families
from sereno_backends.prometheus import PrometheusClient, PrometheusError
from sereno_slo.model import ServiceLevelObjective
from sereno_slo.plan import series
from sereno_slo.plan.ledger import remaining_to_the_minute
from sereno_slo.plan.series import Ledger

from sereno_cli.demo.budget import budgets, number
from sereno_cli.demo.draft import write_draft
from sereno_cli.demo.places import DemoError
from sereno_cli.demo.screen import as_lines
from sereno_cli.demo.scripts import fault_url
from sereno_cli.demo.world import World

_COUNTED_BY_ANSWERS = ("transactions-api", "errors")
"""Whose bad events are exactly the failed answers, which the service counts itself."""
_SERVED_AT = "transactions-api.api"
_POLL_SECONDS = 1.0
_PROGRESS_SECONDS = 20.0

# The page needs two evaluations of the rules; the alert ends when the five-minute window has forgotten the fault.
_LIVE_SECONDS = 90.0
_PAGE_SECONDS = 200.0
_RESOLVED_SECONDS = 460.0

Seen = TypeVar("Seen")


class StoryFailed(DemoError):  # noqa: N818 - reads as what happened
    """A step wasn't observed in time."""


@dataclass(frozen=True, slots=True)
class Ending:
    """What was measured on the way."""

    budget_before: float
    budget_after: float
    failed_by_service: int | None
    """Answers that weren't 200 or 201, by the service's own counters; None where other events are bad."""
    failed_by_ledger: int
    """Bad events in the ledger since the demo's start."""
    seconds_to_page: float
    seconds_to_resolution: float
    draft: str


def tell_story(world: World) -> Ending:
    """Budget, fault, page, cure, resolution, draft.

    Raises:
        StoryFailed: a step was not observed.
        DemoError: a part died.
    """
    started = time.monotonic()
    begin = datetime.now(UTC)
    slo = _broken_slo(world)
    with PrometheusClient(world.addresses.url("prometheus")) as client:
        teller = _Teller(world, client, started)
        teller.say("waiting for live traffic in the ledger")
        before = teller.wait("the ledger counts live events", _LIVE_SECONDS, lambda: _live_budget(client, slo, begin))
        teller.say(f"budget of {slo.service}/{slo.name} before: {before:.2%}")
        broken_at = time.monotonic()
        teller.switch_fault(on=True)
        incident = teller.wait(
            f"{world.fault.expects} arrives at the incident receiver", _PAGE_SECONDS, lambda: _told(world)
        )
        seconds_to_page = time.monotonic() - broken_at
        _show_page(incident, seconds_to_page)
        teller.switch_fault(on=False)
        mended_at = time.monotonic()
        incident_id = str(incident["incident_id"])
        teller.wait("the incident is resolved", _RESOLVED_SECONDS, lambda: _resolved(world, incident_id))
        seconds_to_resolution = time.monotonic() - mended_at
        teller.say(f"resolved {seconds_to_resolution:.0f} s after the cure")
        failed, counted = teller.wait(
            "the ledger has counted what the service has counted",
            _LIVE_SECONDS,
            lambda: _counted(world, client, slo, begin),
        )
        after = _budget(client, slo) or before
        if after >= before:
            raise StoryFailed(f"the budget should have fallen: {before:.4%} before, {after:.4%} after")
        teller.say("drafting the postmortem")
        draft = write_draft(world, incident_id, failed)
    ending = Ending(before, after, failed, counted, seconds_to_page, seconds_to_resolution, str(draft))
    _show_ending(ending, time.monotonic() - started)
    return ending


def _broken_slo(world: World) -> ServiceLevelObjective:
    """The SLO that the story's fault breaks."""
    expected = world.fault.expects.labels
    for service in world.services:
        for slo in service.slos:
            if slo.name == expected.get("slo") and slo.service == expected.get("service", slo.service):
                return slo
    raise StoryFailed(
        f"the fault {world.fault.name} expects {world.fault.expects}, of which nothing that runs is an SLO"
    )


class _Teller:
    """Says what happens and waits for what must happen, watching the parts meanwhile."""

    def __init__(self, world: World, client: PrometheusClient, started: float) -> None:
        self._world = world
        self._client = client
        self._started = started

    def say(self, line: str) -> None:
        click.echo(f"{time.monotonic() - self._started:5.0f} s  {line}")

    def wait(self, what: str, timeout_seconds: float, look: Callable[[], Seen | None]) -> Seen:
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
                self.say(f"waiting until {what} ({self._figures()})")
            time.sleep(_POLL_SECONDS)

    def _figures(self) -> str:
        return _quietly(lambda: as_lines(budgets(self._client, self._world.services))) or "Prometheus doesn't answer"

    def switch_fault(self, *, on: bool) -> None:
        """By the service's admin port, as a person would with curl."""
        fault = self._world.fault
        url = fault_url(self._world.run, fault)
        try:
            with httpx.Client(trust_env=False, timeout=5.0) as http:
                answer = http.put(url, json=dict(fault.switch.parameters)) if on else http.delete(url)
        except httpx.HTTPError as error:
            raise StoryFailed(f"the fault can't be switched: {error}") from None
        if not answer.is_success:
            raise StoryFailed(f"the fault can't be switched: {url} answered {answer.status_code} {answer.text[:200]}")
        self.say(f"fault on: {fault.on}" if on else "fault off")


def _quietly(look: Callable[[], Seen | None]) -> Seen | None:
    """Nothing is seen while a server doesn't answer; the deadline of the waiting stays."""
    try:
        return look()
    except (PrometheusError, httpx.HTTPError):
        return None


def _budget(client: PrometheusClient, slo: ServiceLevelObjective) -> float | None:
    return number(client, str(remaining_to_the_minute(slo)), datetime.now(UTC))


def _live_budget(client: PrometheusClient, slo: ServiceLevelObjective, begin: datetime) -> float | None:
    """The budget, once a live entry with events stands in the ledger."""
    entry = Ledger.of(slo).series(series.EVENTS_ENTRY)
    newest = number(client, f"timestamp({entry} > 0)", datetime.now(UTC))
    return _budget(client, slo) if newest is not None and newest >= begin.timestamp() else None


def _incidents(world: World) -> list[dict[str, Any]]:
    answer = httpx.get(f"{world.addresses.url('incidents')}/api/v1/incidents", trust_env=False, timeout=5.0)
    answer.raise_for_status()
    document = answer.json()
    found: list[dict[str, Any]] = document["incidents"] if isinstance(document, dict) else document
    return found


def _told(world: World) -> dict[str, Any] | None:
    """The incident that the expected alert has opened."""
    incidents = _incidents(world)
    _nothing_else(world, incidents)
    for incident in incidents:
        if incident["notifications"] and any(map(world.fault.expects.is_met_by, _labels(incident))):
            return incident
    return None


def _labels(incident: dict[str, Any]) -> list[dict[str, str]]:
    """The labels of its alerts."""
    return [{**alert["labels"], "alertname": alert["name"]} for alert in incident["alerts"]]


def _nothing_else(world: World, incidents: list[dict[str, Any]]) -> None:
    """One fault, one page."""
    pages = [labels for incident in incidents for labels in _labels(incident) if labels.get("severity") == "critical"]
    expected = world.fault.expects
    others = [labels for labels in pages if not replace(expected, severity="critical").is_met_by(labels)]
    if others:
        told = "; ".join(", ".join(f"{name}={value}" for name, value in sorted(labels.items())) for labels in others)
        raise StoryFailed(f"{expected} is expected, and nothing else pages; there is also: {told}")


def _resolved(world: World, incident_id: str) -> bool | None:
    """True once it is; another page meanwhile ends the story."""
    incidents = _incidents(world)
    _nothing_else(world, incidents)
    return True if any(i["incident_id"] == incident_id and i["status"] == "resolved" for i in incidents) else None


def _counted(
    world: World, client: PrometheusClient, slo: ServiceLevelObjective, begin: datetime
) -> tuple[int | None, int] | None:
    """Failed answers by the service's own counters and bad events of the ledger, once they are the same number."""
    now = datetime.now(UTC)
    seconds = int((now - begin).total_seconds())
    counted = number(client, f"sum_over_time({Ledger.of(slo).series(series.BAD_EVENTS_ENTRY)}[{seconds}s])", now)
    if counted is None or counted < 1:
        return None
    if (slo.service, world.fault.name) != _COUNTED_BY_ANSWERS:
        return None, round(counted)
    failed = _failed_answers(world)
    return (failed, round(counted)) if failed == round(counted) else None


def _failed_answers(world: World) -> int:
    text = httpx.get(f"{world.addresses.url(_SERVED_AT)}/metrics", trust_env=False, timeout=5.0).text
    return round(
        sum(
            sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == "http_server_request_duration_seconds_count"
            and sample.labels["http_response_status_code"] not in ("200", "201")
        )
    )


def _show_page(incident: dict[str, Any], seconds: float) -> None:
    click.echo(f"\n  ┌─ page after {seconds:.0f} s, incident {incident['incident_id']}")
    for alert in incident["alerts"]:
        notes = alert["annotations"]
        for name in ("summary", "description", "runbook_url"):
            if notes.get(name):
                click.echo(f"  │ {notes[name]}")
    click.echo("  └─\n")


def _show_ending(ending: Ending, seconds: float) -> None:
    click.echo(
        f"\n  budget before        {ending.budget_before:.2%}"
        f"\n  budget after         {ending.budget_after:.2%}"
        f"\n  bad events           {ending.failed_by_ledger} in the ledger"
        + (f", {ending.failed_by_service} by the service" if ending.failed_by_service is not None else "")
        + f"\n  page after           {ending.seconds_to_page:.0f} s of fault"
        f"\n  resolved after       {ending.seconds_to_resolution:.0f} s of health"
        "\n  (what lies before the start of this run is simulated history)"
        f"\n  postmortem draft     {ending.draft}"
        f"\n  the whole story      {seconds:.0f} s\n"
    )
