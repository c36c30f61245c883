"""The labels that every alert of an SLO carries: who is told, and of what."""

from sereno_slo.model import AlertSeverity, Objective, Settings

NOBODY = "info"
"""The severity of alerts that nobody is told of."""


def alert_labels(slo: Objective, settings: Settings, severity: AlertSeverity, **more: str) -> dict[str, str]:
    """Severity, service, SLO and owner, and what tells this alert from the SLO's others.

    A shadow alert is `info`, which no Alertmanager routes to a person and nothing is inhibited by; its label `shadow`
    says what it would have been.
    """
    of_shadow = {"severity": NOBODY, "shadow": str(severity)} if slo.alerting.shadow else {"severity": str(severity)}
    return {**of_shadow, "service": slo.service, "slo": slo.name, settings.owner_label: slo.owner, **more}
