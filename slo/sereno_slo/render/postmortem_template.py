"""The postmortem's form: sections, the questions to be answered, and the queries that measure the impact."""

from collections.abc import Sequence

from sereno_slo.duration import Duration
from sereno_slo.model import Service, Settings
from sereno_slo.plan import series
from sereno_slo.promql import Selector
from sereno_slo.render import queries
from sereno_slo.render.artefact import POSTMORTEM_TEMPLATE, Artefact, Kind, Ownership
from sereno_slo.render.links import LAST_HOUR, dashboard_url, logs_url
from sereno_slo.render.markdown import render_markdown
from sereno_slo.render.words import objective_in_words

# Any length would do; the reader replaces it by the incident's.
_INCIDENT = Duration.parse("1h")


def render_postmortem_template(services: Sequence[Service], settings: Settings) -> Artefact:
    """`postmortem-template.md`; written once, then the team's."""
    rows = [
        {
            "slo": slo,
            "objective_words": objective_in_words(slo),
            "dashboard": dashboard_url(settings.links, service.name),
        }
        for service in services
        for slo in service.objectives
    ]
    logs = {service.name: logs_url(settings.links, service.name, LAST_HOUR) for service in services}
    content = render_markdown(
        "postmortem-template.md.j2",
        rows=rows,
        logs={service: url for service, url in logs.items() if url},
        example_range=_INCIDENT.just_under(),
        ask={
            "bad_events": queries.measured_over(series.BAD_EVENTS_ENTRY, _INCIDENT),
            "events": queries.measured_over(series.EVENTS_ENTRY, _INCIDENT),
            "budget_spent": queries.budget_spent_over(_INCIDENT),
            "alerts": Selector("ALERTS").where(alertstate="firing"),
        },
    )
    return Artefact(Kind.POSTMORTEM_TEMPLATE, POSTMORTEM_TEMPLATE, content, Ownership.SCAFFOLDED)
