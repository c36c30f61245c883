"""All that a draft knows about an incident, asked in the order in which one answer narrows the next question."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeAlias

from sereno_backends.devops import DevOpsEventStore
from sereno_backends.gate_overrides import GateOverride
from sereno_backends.incidents import Incident

from sereno_postmortems.draft.affected_evidence import AffectedSlo, ask_affected, services_to_search
from sereno_postmortems.draft.alert_evidence import AlertEvidence, ask_alerts, first_sign
from sereno_postmortems.draft.client_evidence import Clients, ask_clients
from sereno_postmortems.draft.deployment_evidence import WentOut, ask_deployments
from sereno_postmortems.draft.facts import Fact, NotMeasured, Question, SourceKind
from sereno_postmortems.draft.log_evidence import LogEvidence, ask_logs
from sereno_postmortems.draft.logs_source import Logs
from sereno_postmortems.draft.metrics_source import Metrics, SloName
from sereno_postmortems.draft.override_evidence import ask_overrides
from sereno_postmortems.draft.request_evidence import Curve, RequestEvidence, ask_curves, ask_requests
from sereno_postmortems.draft.request_series import (
    RequestSeries,
    series_of_service,
    series_of_slo,
    threshold_of,
    usual_series,
)
from sereno_postmortems.draft.slo_evidence import SloEvidence, ask_slo
from sereno_postmortems.draft.windows import Windows, windows_of

EVENTS, BAD_EVENTS = "sereno:events:delta1m", "sereno:bad_events:delta1m"
Rules: TypeAlias = Mapping[str, Mapping[SloName, str]]


@dataclass(frozen=True, slots=True)
class Evidence:
    """The incident's record and what Prometheus and the log store answered."""

    incident: Incident
    record: Question
    """Where the incident's record was read."""
    drafted_at: datetime
    windows: Windows
    alerts: AlertEvidence
    slos: tuple[SloEvidence, ...]
    """The SLOs that the incident's alerts belong to; empty for alerts without SLO."""
    affected: Fact[tuple[AffectedSlo, ...]]
    requests: tuple[RequestEvidence, ...]
    """How each of the incident's services answered."""
    latency: Mapping[SloName, Fact[tuple[Curve, ...]]]
    """Of the SLOs that count requests of a histogram."""
    thresholds: Mapping[SloName, float]
    """Seconds within which a request is good, of the SLOs that have such a promise."""
    logs: LogEvidence
    clients: Fact[Clients]
    """Who called, as far as log lines name it."""
    overrides: Fact[tuple[GateOverride, ...]]
    """Deployments that went out against a gate."""
    deployments: Fact[tuple[WentOut, ...]]
    """Deployments to production, as webhooks told them."""
    warnings: tuple[str, ...]
    """Why a whole source is missing; each is told once."""


def gather(
    incident: Incident,
    place: str,
    metrics: Metrics,
    logs: Logs,
    *,
    now: datetime,
    progress: Callable[[str], None],
    overrides_file: Path | None = None,
    devops: DevOpsEventStore | None = None,
) -> Evidence:
    """Ask all sources. Nothing here raises for a source that fails: what it would have told is `NotMeasured`."""
    progress("asking for the alerts")
    alerts = ask_alerts(metrics, incident, now)
    windows = windows_of(incident, first_sign=first_sign(incident, alerts.pending), now=now)
    names = _slo_names(incident)
    progress("counting failed requests and budget")
    slos = tuple(ask_slo(metrics, service, slo, windows, now) for service, slo in names)
    progress("looking for other SLOs that got worse")
    affected = ask_affected(metrics, windows, frozenset(names))
    progress("comparing answers, latency and resources with before")
    rules = metrics.expressions() if names else {}
    series = {name: _series_of(rules, name) for name in names}
    requests = tuple(
        ask_requests(metrics, service, series_of_service(rules.get(EVENTS, {}), service, names), windows)
        for service in dict.fromkeys(service for service, _ in names)
    )
    latency = {name: ask_curves(metrics, found, windows.evidence) for name, found in series.items() if found}
    progress("searching the logs")
    services = services_to_search(incident.service, affected)
    log_evidence = ask_logs(logs, services, windows)
    overrides = ask_overrides(overrides_file, windows)
    deployments = ask_deployments(devops, windows)
    return Evidence(
        incident=incident,
        record=Question(SourceKind.INCIDENT, place, f"incident {incident.incident_id}", "as of this draft"),
        drafted_at=now,
        windows=windows,
        alerts=alerts,
        slos=slos,
        affected=affected,
        requests=requests,
        latency=latency,
        thresholds=_thresholds(rules, names),
        logs=log_evidence,
        clients=ask_clients(logs, services, windows),
        overrides=overrides,
        deployments=deployments,
        warnings=_warnings(metrics, logs, affected, log_evidence.errors, overrides, deployments),
    )


def _slo_names(incident: Incident) -> tuple[SloName, ...]:
    names = ((alert.labels.get("service", ""), alert.labels.get("slo", "")) for alert in incident.alerts)
    return tuple(dict.fromkeys(name for name in names if all(name)))


def _series_of(rules: Rules, name: SloName) -> RequestSeries | None:
    """What an SLO's rule counts; where its rule isn't known, what a service usually has."""
    counted = rules.get(EVENTS, {})
    return series_of_slo(counted[name]) if name in counted else usual_series(name[0])


def _thresholds(rules: Rules, names: tuple[SloName, ...]) -> Mapping[SloName, float]:
    counted = rules.get(BAD_EVENTS, {})
    found = {name: threshold_of(counted[name]) for name in names if name in counted}
    return {name: seconds for name, seconds in found.items() if seconds is not None}


def _warnings(metrics: Metrics, logs: Logs, *facts: Fact[Any]) -> tuple[str, ...]:
    """A source that was missing from the beginning, or that failed on the way."""
    late = [fact.reason for fact in facts if isinstance(fact, NotMeasured)]
    return tuple(dict.fromkeys(reason for reason in (metrics.missing, logs.missing, *late) if reason))
