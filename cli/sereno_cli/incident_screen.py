"""What `sereno incidents list` and `show` print. Everything that came from outside is made harmless for terminals."""

import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import click

from sereno_cli.figures_in_words import length
from sereno_cli.plain_text import plain

if TYPE_CHECKING:
    from sereno_backends.incidents import Incident, IncidentEntry

_PIPE_WIDTH = 140
_LINKS = (("runbook", "runbook_url"), ("dashboard", "dashboard_url"), ("logs", "logs_url"))


def print_list(incidents: "Sequence[Incident]", now: datetime) -> None:
    """A line for each incident."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    table.add_column("incident", overflow="fold")
    for heading in ("", "severity", "opened (UTC)"):
        table.add_column(heading, no_wrap=True)
    table.add_column("lasts", justify="right", no_wrap=True)
    table.add_column("acknowledged by", overflow="fold")
    for incident in incidents:
        acknowledgement = incident.acknowledgement
        table.add_row(
            incident.incident_id,
            incident.status.value,
            escape(plain(incident.severity)),
            f"{incident.opened_at:%Y-%m-%d %H:%M}",
            length(((incident.resolved_at or now) - incident.opened_at).total_seconds()),
            "-" if acknowledgement is None else escape(plain(acknowledgement.author)),
            style="bold" if incident.resolved_at is None else None,
        )
    Console(width=None if sys.stdout.isatty() else _PIPE_WIDTH, highlight=False).print(table)


def print_incident(incident: "Incident", now: datetime) -> None:
    """All that is on record about one."""
    for line in _lines(incident, now):
        click.echo(line)


def _lines(incident: "Incident", now: datetime) -> Iterator[str]:
    lasted = length(((incident.resolved_at or now) - incident.opened_at).total_seconds())
    yield f"{incident.incident_id}: {incident.status.value}, {plain(incident.severity) or 'no severity'}, {lasted}"
    yield f"opened {_moment(incident.opened_at)}" + (
        f", resolved {_moment(incident.resolved_at)}" if incident.resolved_at is not None else ""
    )
    acknowledgement = incident.acknowledgement
    if acknowledgement is None:
        yield "acknowledged by nobody"
    else:
        yield f"acknowledged {_moment(acknowledgement.happened_at)} by {plain(acknowledgement.author)}"
    for alert in incident.alerts:
        until = "fires" if alert.ends_at is None else f"to {_moment(alert.ends_at)}"
        yield f"  alert {plain(alert.name)} ({plain(alert.severity)}) from {_moment(alert.starts_at)} {until}"
        if summary := alert.annotations.get("summary"):
            yield f"    {plain(summary)}"
    for name, annotation in _LINKS:
        for address in dict.fromkeys(filter(None, (one.annotations.get(annotation) for one in incident.alerts))):
            yield f"  {name} {plain(address)}"
    told = len(incident.notifications)
    yield f"  {told} notification{'' if told == 1 else 's'}" + (
        f", the first {_moment(incident.notifications[0].received_at)}" if told else ""
    )
    yield from _entries(incident)


def _entries(incident: "Incident") -> Iterator[str]:
    if not incident.entries:
        yield "no entries yet; sereno incidents ack|note|mitigation writes them"
        return
    yield "entries (UTC):"
    standing = {entry.entry_id for entry in incident.standing_entries}
    for entry in incident.entries:
        yield f"  {_moment(entry.happened_at)} {entry_in_words(entry)}  [{entry.entry_id}]" + (
            "" if entry.entry_id in standing or entry.kind == "withdrawal" else "  (corrected)"
        )


def entry_in_words(entry: "IncidentEntry") -> str:
    """Who did what, in one line."""
    helped = {True: " (helped)", False: " (didn't help)", None: ""}[entry.helped]
    text = f": {plain(entry.text)}" if entry.text else ""
    via = ", PagerDuty" if entry.source == "pagerduty" and entry.author != "PagerDuty" else ""
    corrects = f" of {entry.corrects}" if entry.kind == "withdrawal" else ""
    return f"{entry.kind.value}{helped}{corrects} by {plain(entry.author)}{via}{text}"


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}"
