"""What a page says: first what users feel, then how fast the budget burns and what is left, then where to look.

Texts are Prometheus' alert templates: `$value` is the alert's burn rate, `query` asks Prometheus when it fires.
"""

from urllib.parse import quote
from zlib import crc32

from sereno_slo.duration import Duration
from sereno_slo.model import BurnTier, Latency, ServiceLevelObjective, Settings, TimeSlices
from sereno_slo.plan.ledger import remaining_to_the_minute
from sereno_slo.promql import Expr

_UID_LENGTH = 40


def burn(slo: ServiceLevelObjective, tier: BurnTier, settings: Settings) -> dict[str, str]:
    """Annotations of a tier's alert."""
    speed = (
        f'Over {tier.long} errors came {{{{ $value | printf "%.1f" }}}} times as fast as the objective of '
        f"{slo.objective_percent:g}% allows; this alert means {tier.budget_spent_ratio:.0%} of the budget of "
        f"{slo.window} within {tier.long}."
    )
    return _annotations(slo, f"burns its error budget ({tier.burn}, {tier.long})", speed, settings)


def outage(slo: ServiceLevelObjective, window: Duration, settings: Settings) -> dict[str, str]:
    """Annotations of the outage alert."""
    most = "Each of the minutes" if isinstance(slo.indicator, TimeSlices) else "More than half of the events"
    were = "was" if isinstance(slo.indicator, TimeSlices) else "were"
    speed = (
        f"{most} of the last {window} {were} bad: "
        f'{{{{ $value | printf "%.0f" }}}} times as many as the objective of {slo.objective_percent:g}% allows.'
    )
    return _annotations(slo, "is failing for most of its events", speed, settings)


def targets_gone(slo: ServiceLevelObjective, settings: Settings) -> dict[str, str]:
    """Annotations of the alert for missing targets."""
    text = "No target of this SLO is up: either the service is down or Prometheus has lost it. Nothing is counted."
    return _static(slo, "SLONoData", "has no target that is up", text, settings)


def nothing_matches(slo: ServiceLevelObjective, settings: Settings) -> dict[str, str]:
    """Annotations of the alert for selectors that match nothing."""
    text = "Targets are up, but the SLO's selector counts nothing: a renamed metric or label"
    text += "." if isinstance(slo.indicator, TimeSlices) else ", or no request since the start of the process."
    if isinstance(slo.indicator, Latency):
        text += f" Or {slo.indicator.threshold_seconds:g} s is no bucket bound of {slo.indicator.metric}."
    return _static(slo, "SLONoData", "counts no events", text, settings)


def _annotations(slo: ServiceLevelObjective, what: str, speed: str, settings: Settings) -> dict[str, str]:
    left = f"Error budget left: {_asked(remaining_to_the_minute(slo))}."
    return _static(slo, "SLOErrorBudgetBurn", what, f"{speed} {left}", settings)


def _asked(expr: Expr) -> str:
    """The value of an expression when the alert fires, as a percentage; a missing one says so."""
    query = str(expr).replace("\\", "\\\\").replace('"', '\\"')
    found = "{{ . | first | value | humanizePercentage }}"
    return f'{{{{ with query "{query}" }}}}{found}{{{{ else }}}}not known{{{{ end }}}}'


def _static(slo: ServiceLevelObjective, alert: str, what: str, text: str, settings: Settings) -> dict[str, str]:
    links = settings.links
    found = {
        "summary": f"{_literal(slo.impact)}: {slo.service}/{slo.name} {what}",
        "description": text,
        "impact": _literal(slo.impact),
        "runbook_url": f"{links.runbooks}/{alert}.md" if links.runbooks else "",
        "dashboard_url": _dashboard_url(slo, settings),
        "logs_url": links.logs.replace("{service}", quote(slo.service)) if links.logs else "",
    }
    return {name: value for name, value in found.items() if value}


def _dashboard_url(slo: ServiceLevelObjective, settings: Settings) -> str:
    if not settings.links.dashboards:
        return ""
    return f"{settings.links.dashboards}/d/{dashboard_uid(slo.service)}?from=now-3h&to=now"


def dashboard_uid(service: str) -> str:
    """The uid of a service's dashboard: stable, within Grafana's 40 characters, and no other service's.

    Cutting alone would give one uid to two long names that begin alike, and a duplicate stops Grafana's provisioning.
    """
    uid = f"sereno-{service}"
    return uid if len(uid) <= _UID_LENGTH else f"{uid[: _UID_LENGTH - 9]}-{crc32(service.encode()):08x}"


def _literal(words: str) -> str:
    """A human's words inside a template: braces must stay braces."""
    return words.replace("{{", '{{ "{{" }}')
