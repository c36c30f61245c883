"""What a page says: first what users feel, then how fast the budget burns and what is left, then where to look.

A description has one fact a line: it is read on a telephone.
Texts are Prometheus' alert templates: `$value` is the alert's value, `query` asks Prometheus when it fires.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import quote
from zlib import crc32

from sereno_slo.duration import FIVE_MINUTES, Duration
from sereno_slo.model import (
    BurnTier,
    Journey,
    Latency,
    Objective,
    OtherAlert,
    ServiceLevelObjective,
    Settings,
    SloReference,
)
from sereno_slo.plan import dependencies
from sereno_slo.plan.ledger import exhausted_at_pace, remaining_to_the_minute
from sereno_slo.plan.series import DEPLOYED, Ledger
from sereno_slo.plan.spenders import spending_labels, top_spenders
from sereno_slo.promql import Call, Expr, Matcher, MatchOp, Selector

_UID_LENGTH = 40
_HOUR = Duration.parse("1h")
# Shown before the window that an alert judges, so that one sees what it looked like when all was well.
_LEAD = _HOUR


def burn(slo: Objective, tier: BurnTier, settings: Settings, ledger: Ledger) -> dict[str, str]:
    """Annotations of a tier's alert."""
    speed = (
        f'Over {tier.long} errors came {{{{ $value | printf "%.1f" }}}} times as fast as the objective of '
        f"{slo.objective_percent:g}% allows; this alert means {tier.budget_spent_ratio * 100:g}% of the budget of "
        f"{_window(slo)} within {tier.long}."
    )
    what = f"burns its error budget ({tier.burn}, {tier.long})"
    return _burning(slo, settings, ledger, what=what, speed=speed, window=tier.long)


def outage(slo: Objective, window: Duration, settings: Settings, ledger: Ledger) -> dict[str, str]:
    """Annotations of the outage alert."""
    what_was = (
        f"Each minute of the last {window} was" if slo.is_sliced else "More than half of the last minutes' events were"
    )
    speed = (
        f"{what_was} bad: "
        f'{{{{ $value | printf "%.0f" }}}} times as many as the objective of {slo.objective_percent:g}% allows.'
    )
    what = "is failing for most of its events"
    return _burning(slo, settings, ledger, what=what, speed=speed, window=FIVE_MINUTES)


def targets_gone(slo: Objective, settings: Settings) -> dict[str, str]:
    """Annotations of the alert for missing targets."""
    text = "No target of this SLO is up: either the service is down or Prometheus has lost it. Nothing is counted."
    if isinstance(slo, ServiceLevelObjective):
        text += _causes_below(slo)
    return _annotations(slo, "SLONoData", "has no target that is up", text, settings)


def nothing_matches(slo: ServiceLevelObjective, settings: Settings) -> dict[str, str]:
    """Annotations of the alert for selectors that match nothing."""
    text = "Targets are up, but the SLO's selector counts nothing: a renamed metric or label"
    text += "." if slo.is_sliced else ", or no request since the start of the process."
    if isinstance(slo.indicator, Latency):
        text += f" Or {slo.indicator.threshold_seconds:g} s is no bucket bound of {slo.indicator.metric}."
    return _annotations(slo, "SLONoData", "counts no events", text, settings)


def step_unseen(journey: Journey, settings: Settings) -> dict[str, str]:
    """Annotations of the alert for a step that nothing is known of."""
    text = (
        "The step {{ $labels.step }} has recorded nothing for an hour: nobody knows whether this journey holds, and "
        "nothing is counted. Look at that SLO's own alerts, and whether this Prometheus has its rules."
    )
    return _annotations(journey, "SLONoData", "counts nothing: a step has no data", text, settings)


def traffic_drop(slo: Objective, settings: Settings) -> dict[str, str]:
    """Annotations of the alert for traffic that stays away."""
    text = (
        "Only {{ $value | humanizePercentage }} of the events that the same hour of past weeks had. What never arrives "
        "burns no budget: look at load balancers, DNS, certificates, and at the clients."
    )
    return _annotations(slo, "SLOTrafficDrop", "has lost its traffic", text, settings)


def exhausted(slo: Objective, settings: Settings) -> dict[str, str]:
    """Annotations of the alert for a budget that is gone."""
    text = (
        f"The budget of {_window(slo)} is spent: {{{{ $value | humanizePercentage }}}} of it is left. More events "
        f"failed than the objective of {slo.objective_percent:g}% allows; what changes is decided with fewer risks "
        f"until {'some of it is back' if slo.calendar is None else f'the next {slo.calendar.unit} begins'}."
    )
    return _annotations(slo, "SLOBudgetExhausted", "has no error budget left", text, settings)


def _window(slo: Objective) -> str:
    return str(slo.window) if slo.calendar is None else f"this calendar {slo.calendar.unit}"


def _burning(
    slo: Objective, settings: Settings, ledger: Ledger, *, what: str, speed: str, window: Duration
) -> dict[str, str]:
    this = _of_alert(ledger)
    percentage = 100 * remaining_to_the_minute(slo, this)
    left = f"Error budget left: {_asked(percentage, _PERCENTAGE, missing='not known')}"
    gone = _asked(exhausted_at_pace(slo, window, this), f", at the pace of the last {window} gone in {_TIME}")
    group = "".join(f" {{{{ $labels.{label} }}}}" for label in ledger.group_labels)
    text = f"{speed}\n{left}{gone}.{_causes(slo, window, settings, ledger)}"
    return _annotations(slo, "SLOErrorBudgetBurn", what, text, settings, window=window, group=group)


_VALUE = "{{ . | first | value%s }}"
# humanizePercentage writes -49,900 % of a young SLO as -4.99e+04%.
_PERCENTAGE = _VALUE % ' | printf "%.1f"' + "%"
_TIME = _VALUE % " | humanizeDuration"
# Go's verb for a quoted text: a group's labels are known when its alert fires.
_LABEL = "%q"


def _of_alert(ledger: Ledger) -> Ledger:
    """The ledger of the alert's own group."""
    group = tuple(Matcher(label, MatchOp.EQUAL, _LABEL) for label in ledger.group_labels)
    return replace(ledger, group=group)


def _asked(expr: Expr, found: str, *, missing: str = "") -> str:
    """`found` with the value of an expression when the alert fires; `missing` where it has none."""
    otherwise = f"{{{{ else }}}}{missing}" if missing else ""
    return f"{{{{ with query {_query(expr)} }}}}{found}{otherwise}{{{{ end }}}}"


def _query(expr: Expr) -> str:
    """A query as an argument in a template; the labels of the alert's group are filled in by `printf`."""
    text = str(expr)
    labels = re.findall(f'([a-zA-Z_][a-zA-Z0-9_]*)="{_LABEL}"', text)
    if labels:
        text = text.replace(f'"{_LABEL}"', _LABEL)
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    arguments = "".join(f" $labels.{label}" for label in labels)
    return f'(printf "{escaped}"{arguments})' if labels else f'"{escaped}"'


def _causes(slo: Objective, window: Duration, settings: Settings, ledger: Ledger) -> str:
    """Where to look: the steps of a journey; of an SLO deployments, who spends its budget, how its dependencies do."""
    match slo:
        case Journey(steps=steps):
            return _steps(steps, window)
        case ServiceLevelObjective():
            below, deployed = _causes_below(slo), _deployed(slo, window)
            return below + deployed + _spenders(slo, window, settings, ledger) + _dependencies(slo)
        case _:
            return ""


def _steps(steps: Sequence[SloReference], window: Duration) -> str:
    each = "{{ $found.Labels.service }}/{{ $found.Labels.slo }} {{ $found.Value | humanizePercentage }}"
    listed = f"{{{{ range $index, $found := . }}}}{{{{ if $index }}}}, {{{{ end }}}}{each}{{{{ end }}}}"
    recorded, asked = dependencies.failing_most(steps, window)
    return _asked(asked, f"\nFailures by step over {recorded}: {listed}.")


def _deployed(slo: ServiceLevelObjective, window: Duration) -> str:
    """What went out to production within the window, or shortly before; nothing where nobody runs the exporter."""
    age = Call("time", ()) - Selector(DEPLOYED).where(service=slo.service, production="true")
    what = '{{ with $found.Labels.version }}{{ . }} {{ end }}{{ $found.Labels.sha | printf "%.10s" }}'
    each = f"{{{{ $found.Labels.environment }}}} {{{{ $found.Value | humanizeDuration }}}} ago ({what})"
    listed = f"{{{{ range $index, $found := . }}}}{{{{ if $index }}}}, {{{{ end }}}}{each}{{{{ end }}}}"
    return _asked(age <= (window + _LEAD).seconds, f"\nDeployed to {listed}.")


def _spenders(slo: ServiceLevelObjective, window: Duration, settings: Settings, ledger: Ledger) -> str:
    """Which values of which labels have the most bad events; of one group, nothing: it is one value itself."""
    sentences = []
    for label in () if ledger.group_labels else spending_labels(slo, settings):
        spenders = top_spenders(slo, window, label, settings)
        if spenders is not None:
            each = f'{{{{ $found.Labels.{label} }}}} ({{{{ $found.Value | printf "%.0f" }}}})'
            listed = f"{{{{ range $index, $found := . }}}}{{{{ if $index }}}}, {{{{ end }}}}{each}{{{{ end }}}}"
            sentences.append(_asked(spenders, f"\nMost by {label}: {listed}."))
    return "".join(sentences)


def _dependencies(slo: ServiceLevelObjective) -> str:
    """How what it depends on does: the cause, perhaps, though it doesn't page, or not yet."""
    rate = _VALUE % ' | printf "%.1f"'
    each = (
        _asked(
            dependencies.burn_rate(on),
            f"\nDepends on {on}: over the last hour {rate} times as many failures as its objective allows.",
            missing=f"\nDepends on {on}, of which nothing is known.",
        )
        for on in slo.depends_on
    )
    return "".join(each)


def _causes_below(slo: ServiceLevelObjective) -> str:
    """Whether what it stands on fires: that page isn't sent while this one is (sereno_slo.plan.inhibition)."""
    each = "{{ $found.Labels.alertstate }}{{ with $found.Labels.instance }} on {{ . }}{{ end }}"
    listed = f"{{{{ range $index, $found := . }}}}{{{{ if $index }}}}, {{{{ end }}}}{each}{{{{ end }}}}"
    return "".join(
        _asked(
            _told(on), f"\nStands on {on.alert}, which is {listed}.", missing=f"\nStands on {on.alert}, which is calm."
        )
        for on in slo.stands_on
    )


def _told(cause: OtherAlert) -> Expr:
    """The alerts, also while they wait to fire: the SLO's page usually comes before."""
    name = Matcher("alertname", MatchOp.EQUAL, cause.alert)
    state = Matcher("alertstate", MatchOp.REGEX, "firing|pending")
    return Selector("ALERTS", (name, state, *cause.matchers))


def _annotations(
    slo: Objective,
    alert: str,
    what: str,
    text: str,
    settings: Settings,
    *,
    window: Duration = _HOUR,
    group: str = "",
) -> dict[str, str]:
    links = settings.links
    found = {
        "summary": f"{literal(slo.impact)}: {slo.service}/{slo.name}{group} {what}",
        "description": text,
        "impact": literal(slo.impact),
        "runbook_url": f"{links.runbooks}/{alert}.md" if links.runbooks else "",
        "dashboard_url": _dashboard_url(slo, settings, window),
        "logs_url": _logs_url(slo, settings, window),
        "logs_query": _logs_query(slo, window),
        "incident_url": f"{links.incidents}/incidents?service={quote(slo.service)}&slo={quote(slo.name)}"
        if links.incidents
        else "",
    }
    return {name: value for name, value in found.items() if value}


def _ago(window: Duration) -> str:
    """The moment so long before the alert, in milliseconds since 1970: a link shows the same window at any time."""
    return f'{{{{ with query "1000 * (time() - {window.seconds:g})" }}}}{_VALUE % _WHOLE}{{{{ end }}}}'


_WHOLE = ' | printf "%.0f"'
_NOW = f'{{{{ with query "1000 * time()" }}}}{_VALUE % _WHOLE}{{{{ end }}}}'


def _iso(moment: str) -> str:
    """A moment as RFC 3339, as Kibana wants it (`toTime`: Prometheus 2.38 and newer)."""
    printed = f'{{{{ (. | first | value | toTime).UTC.Format "{_GO_RFC_3339}" }}}}'
    return f'{{{{ with query "{moment}" }}}}{printed}{{{{ end }}}}'


_GO_RFC_3339 = "2006-01-02T15:04:05Z"


def _dashboard_url(slo: Objective, settings: Settings, window: Duration) -> str:
    if not settings.links.dashboards:
        return ""
    return f"{settings.links.dashboards}/d/{dashboard_uid(slo.service)}?from={_ago(window + _LEAD)}&to=now"


def _logs_url(slo: Objective, settings: Settings, window: Duration) -> str:
    places = {
        "{service}": quote(slo.service),
        "{slo}": quote(slo.name),
        "{window}": str(window),
        "{from}": _ago(window),
        "{to}": _NOW,
        "{from_iso}": _iso(f"time() - {window.seconds:g}"),
        "{to_iso}": _iso("time()"),
    }
    url = settings.links.logs
    for place, value in places.items():
        url = url.replace(place, value)
    return url


def _logs_query(slo: Objective, window: Duration) -> str:
    """Elasticsearch's query string for the errors of the service in that very window (ECS fields)."""
    when = f"@timestamp:[{_ago(window)} TO {_NOW}]"
    return f'service.name:"{slo.service}" AND log.level:(error OR critical OR fatal) AND {when}'


def dashboard_uid(service: str) -> str:
    """The uid of a service's dashboard: stable, within Grafana's 40 characters, and no other service's.

    Cutting alone would give one uid to two long names that begin alike, and a duplicate stops Grafana's provisioning.
    """
    uid = f"sereno-{service}"
    return uid if len(uid) <= _UID_LENGTH else f"{uid[: _UID_LENGTH - 9]}-{crc32(service.encode()):08x}"


def literal(words: str) -> str:
    """A human's words inside a template: braces must stay braces."""
    return words.replace("{{", '{{ "{{" }}')
