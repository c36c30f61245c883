"""What is known of the labels that a runbook asks for: by an incident's alerts, by the SLO's own runbook."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from sereno_backends.incidents import Incident, IncidentAlert

from sereno_postmortems.runbooks.blocks import blocks

_JOB = re.compile(r'\bjob="([^"\\]+)"')


@dataclass(frozen=True, slots=True)
class IncidentLabels:
    """What an incident's alerts of one name say."""

    agreed: Mapping[str, str]
    """Labels that all of these alerts have, with the same value."""
    differing: Mapping[str, tuple[str, ...]]
    """Labels with several values, sorted: a person must choose."""
    is_of_alert: bool
    """Whether the incident holds an alert of that name; otherwise all of its alerts were looked at."""


def labels_of(incident: Incident, alert: str) -> IncidentLabels:
    """What the incident says for the runbook of an alert."""
    of_name = [each for each in incident.alerts if each.name == alert]
    looked_at = of_name or list(incident.alerts)
    values = {name: _values(looked_at, name) for each in looked_at for name in each.labels}
    everywhere = {name for name in values if all(name in each.labels for each in looked_at)}
    return IncidentLabels(
        agreed={name: found[0] for name, found in values.items() if len(found) == 1 and name in everywhere},
        differing={name: found for name, found in values.items() if len(found) > 1},
        is_of_alert=bool(of_name),
    )


def _values(alerts: list[IncidentAlert], name: str) -> tuple[str, ...]:
    return tuple(sorted({alert.labels[name] for alert in alerts if name in alert.labels}))


def jobs_named(runbook: str) -> tuple[str, ...]:
    """The scrape jobs in the queries of an SLO's own runbook, sorted: alerts on SLOs have no label `job`."""
    return tuple(
        sorted({job for block in blocks(runbook) if block.kind == "promql" for job in _JOB.findall(block.text)})
    )
