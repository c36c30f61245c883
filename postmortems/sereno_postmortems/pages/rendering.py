"""Incidents in, HTML out: pure. Every value is escaped, and only addresses of the web become links."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from importlib import resources
from urllib.parse import urlsplit

import jinja2
from sereno_backends.incidents import EntryKind, Incident, IncidentAlert, IncidentEntry

from sereno_postmortems.draft.words import duration
from sereno_postmortems.pages.happenings import happenings

LINKS = (
    ("runbook_url", "Runbook: what to do"),
    ("dashboard_url", "Dashboard of that time"),
    ("logs_url", "Logs of that time"),
)


def incident_page(incident: Incident, now: datetime) -> str:
    """One incident, as of now."""
    return _rendered(
        "incident.html.j2",
        incident=incident,
        now=now,
        subject=_subject(incident),
        impact=_told(incident, EntryKind.IMPACT) or _annotation(incident.alerts, "impact"),
        told_severity=_told(incident, EntryKind.SEVERITY),
        links=[(text, url) for name, text in LINKS if (url := _web(_annotation(incident.alerts, name)))],
        happenings=happenings(incident),
    )


def list_page(
    incidents: Sequence[Incident], now: datetime, *, service: str = "", slo: str = "", unknown: str = ""
) -> str:
    """These incidents; `service` and `slo` are what was asked for, `unknown` is an id that none of them has."""
    asked = "/".join(filter(None, (service, slo)))
    listed = [(each, _subject(each)) for each in incidents]
    return _rendered("incidents.html.j2", incidents=listed, now=now, asked=asked, unknown=unknown)


def _subject(incident: Incident) -> str:
    """What it is about: service and SLO, else what its alerts have in common."""
    return "/".join(filter(None, (incident.service, incident.slo))) or ", ".join(incident.group_labels.values())


def _told(incident: Incident, kind: EntryKind) -> str:
    """The latest words of people of this kind."""
    return next((entry.text for entry in reversed(incident.standing_entries) if entry.kind is kind), "")


def _annotation(alerts: Sequence[IncidentAlert], name: str) -> str:
    """Of the youngest alert that has it: its window is the one to look at."""
    return next((alert.annotations[name] for alert in reversed(alerts) if alert.annotations.get(name)), "")


def _web(url: str) -> str:
    """An address of the web, or nothing: what `javascript:` leads to is no link of ours."""
    try:
        return url if urlsplit(url).scheme in ("http", "https") else ""
    except ValueError:
        return ""


def _entry_link(entry: IncidentEntry) -> str:
    return _web(entry.text.split(" ", 1)[0]) if entry.kind is EntryKind.LINK else ""


def _ago(moment: datetime, now: datetime) -> str:
    return f"{duration(now - moment)} ago" if now >= moment else "in a moment"


@cache
def _environment() -> jinja2.Environment:
    folder = resources.files(__package__) / "templates"
    templates = {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}
    environment = jinja2.Environment(
        loader=jinja2.DictLoader(templates),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "clock": lambda moment: f"{moment:%H:%M:%S}",
        "day": lambda moment: f"{moment:%d %B %Y}".lstrip("0"),
        "ago": _ago,
        "lasting": duration,
        "entry_link": _entry_link,
    }
    return environment


def _rendered(name: str, **words: object) -> str:
    return _environment().get_template(name).render(words)
