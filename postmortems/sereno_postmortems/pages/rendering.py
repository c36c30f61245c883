"""Incidents in, HTML out: pure. Every value is escaped, and only addresses of the web become links."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from importlib import resources
from urllib.parse import urlsplit

import jinja2
from sereno_backends.incidents import EntryKind, Incident, IncidentEntry

from sereno_postmortems.draft.words import duration
from sereno_postmortems.pages.happenings import happenings
from sereno_postmortems.pages.reading import LINKS, annotation_of, impact_of, subject_of, told_of


def incident_page(incident: Incident, now: datetime) -> str:
    """One incident, as of now."""
    return _rendered(
        "incident.html.j2",
        incident=incident,
        now=now,
        subject=subject_of(incident),
        impact=impact_of(incident),
        told_severity=told_of(incident, EntryKind.SEVERITY),
        links=[(text, url) for name, text in LINKS if (url := _web(annotation_of(incident.alerts, name)))],
        happenings=happenings(incident),
    )


def list_page(
    incidents: Sequence[Incident], now: datetime, *, service: str = "", slo: str = "", unknown: str = ""
) -> str:
    """These incidents; `service` and `slo` are what was asked for, `unknown` is an id that none of them has."""
    asked = "/".join(filter(None, (service, slo)))
    listed = [(each, subject_of(each)) for each in incidents]
    return _rendered("incidents.html.j2", incidents=listed, now=now, asked=asked, unknown=unknown)


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
