"""Evidence in, Markdown out: pure, the same evidence gives the same draft byte for byte."""

from collections.abc import Callable, Mapping
from functools import cache
from importlib import resources
from typing import Any

import jinja2

from sereno_postmortems.draft.charts import Chart, draw_charts
from sereno_postmortems.draft.delivery import deliveries
from sereno_postmortems.draft.evidence import Evidence
from sereno_postmortems.draft.facts import Measured
from sereno_postmortems.draft.hints import analysis
from sereno_postmortems.draft.log_evidence import MOST_DEEDS, MOST_MESSAGES, error_in_words
from sereno_postmortems.draft.markdown import Markdown, address, escaped, own_address
from sereno_postmortems.draft.source_numbers import SourceNumbers, source_in_words
from sereno_postmortems.draft.spans import loss_of_service
from sereno_postmortems.draft.timeline import alert_in_words, timeline
from sereno_postmortems.draft.words import count, duration, moment, percent, plural
from sereno_postmortems.measured_blocks import NAME, marked

TEMPLATE = "postmortem.md.j2"


def render_draft(evidence: Evidence, *, known: Mapping[str, str] | None = None) -> str:
    """The whole draft; it ends with one line feed. `known` are the numbers of sources in an earlier draft."""
    template = _environment().get_template(TEMPLATE)
    return whole(template.render(context(evidence, SourceNumbers(known))))


def whole(text: str) -> str:
    """As files are: no white space at the ends of lines, one line feed at the end."""
    return "\n".join(line.rstrip() for line in text.split("\n")).strip("\n") + "\n"


def context(evidence: Evidence, numbers: SourceNumbers) -> dict[str, Any]:
    """What a template may use; docs/postmortems.md lists it."""
    numbers.number(evidence.record)
    return {
        "evidence": evidence,
        "incident": evidence.incident,
        "windows": evidence.windows,
        "first_notification": min((told.received_at for told in evidence.incident.notifications), default=None),
        "owners": sorted({alert.labels["owner"] for alert in evidence.incident.alerts if alert.labels.get("owner")}),
        "loss": loss_of_service(evidence),
        "links": _links(evidence),
        "runbooks": _runbooks(evidence),
        "deliveries": deliveries(evidence.incident),
        "timeline": timeline(evidence),
        "questions": analysis(evidence),
        "charts": draw_charts(evidence),
        "most_deeds": MOST_DEEDS,
        "most_messages": MOST_MESSAGES,
        "mark": numbers.mark,
        "mark_of": numbers.mark_of,
        "numbered": numbers.numbered,
        "measured": _Marks().measured,
    }


def prepare(environment: jinja2.Environment) -> jinja2.Environment:
    """Give an environment the filters and tests that templates may use, and have every printed value escaped."""
    environment.filters |= FILTERS
    environment.tests |= {"measured": lambda fact: isinstance(fact, Measured)}
    return environment


OPTIONS: Mapping[str, Any] = {
    "undefined": jinja2.StrictUndefined,
    "trim_blocks": True,
    "lstrip_blocks": True,
    "finalize": escaped,  # forgetting a filter can't make a hole
    "autoescape": False,  # HTML escaping would be wrong in Markdown; `finalize` escapes
}


def builtin_template(name: str) -> str | None:
    """The text of Sereno's own template, which others may extend; None for any other name."""
    if name != TEMPLATE:
        return None
    return (resources.files(__package__) / "templates" / name).read_text(encoding="utf-8")


def picture(chart: Chart) -> Markdown:
    """The chart as an image; its path holds plain characters only."""
    return Markdown(f"![{escaped(chart.alt)}]({chart.file})")


FILTERS: Mapping[str, Callable[..., Any]] = {
    "address": address,
    "alert": alert_in_words,
    "count": count,
    "duration": duration,
    "error": error_in_words,
    "moment": moment,
    "own_address": own_address,
    "percent": percent,
    "picture": picture,
    "plural": plural,
    "source": source_in_words,
}


class _Marks:
    """Puts marks around what one draft measured; each name once, or `--update` couldn't tell the blocks apart."""

    def __init__(self) -> None:
        self._used: set[str] = set()

    def measured(self, name: str, caller: Callable[[], str]) -> Markdown:
        """Mark what stands between `call` and `endcall` in a template, so that `--update` renews it.

        Raises `ValueError` for a name that isn't lower-case words with hyphens, or that is used twice.
        """
        if not NAME.fullmatch(name):
            raise ValueError(f"measured({name!r}): write lower-case words with hyphens")
        if name in self._used:
            raise ValueError(f"measured({name!r}) is there twice: give each block a name of its own")
        self._used.add(name)
        return Markdown(f"{marked(name, whole(caller()))}\n")


def _links(evidence: Evidence) -> list[tuple[str, str]]:
    """The alerts' own links, as text: addresses from labels are not made clickable."""
    names = ("runbook_url", "dashboard_url", "logs_url")
    found = {
        (name.removesuffix("_url"), alert.annotations[name])
        for alert in evidence.incident.alerts
        for name in names
        if alert.annotations.get(name)
    }
    return sorted(found)


def _runbooks(evidence: Evidence) -> list[tuple[str, list[str]]]:
    """Each runbook with the names of the alerts that named it."""
    found: dict[str, set[str]] = {}
    for alert in evidence.incident.alerts:
        if alert.annotations.get("runbook_url"):
            found.setdefault(alert.annotations["runbook_url"], set()).add(alert.name)
    return sorted((link, sorted(names)) for link, names in found.items())


@cache
def _environment() -> jinja2.Environment:
    return prepare(jinja2.Environment(loader=jinja2.FunctionLoader(builtin_template), **OPTIONS))  # noqa: S701 - see OPTIONS
