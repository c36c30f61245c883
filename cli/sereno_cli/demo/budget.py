"""What the demo's screen shows: the live budget and alerts, asked of Prometheus' own API."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sereno_backends.prometheus import PrometheusClient
from sereno_slo.model import Objective, Service
from sereno_slo.plan import series
from sereno_slo.plan.ledger import remaining_to_the_minute
from sereno_slo.plan.series import Ledger


@dataclass(frozen=True, slots=True)
class BudgetNow:
    """One SLO or journey at one moment; None where Prometheus has no answer yet."""

    service: str
    slo: str
    objective_percent: float
    remaining_ratio: float | None
    burn_rate_1h: float | None
    events_per_minute: float | None
    bad_events_5m: float | None
    firing: tuple[str, ...]
    """Firing alerts of this SLO in a few words: `PAGE fast, outage`, `ticket slow`."""


def budgets(client: PrometheusClient, services: Sequence[Service]) -> tuple[BudgetNow, ...]:
    """The budgets of all SLOs and journeys of these services now; with several, each is named with its service.

    Raises:
        PrometheusError: the server can't be asked.
    """
    now = datetime.now(UTC)
    found = [_budget(client, slo, now) for service in services for slo in service.objectives]
    return tuple(found if len(services) == 1 else (replace(one, slo=f"{one.service}/{one.slo}") for one in found))


def _budget(client: PrometheusClient, slo: Objective, now: datetime) -> BudgetNow:
    ledger = Ledger.of(slo)
    alerts = client.instant(
        f'ALERTS{{alertstate="firing", service="{slo.service}", slo="{slo.name}", severity=~"critical|warning"}}', now
    )
    burn_rate = ledger.series("sereno:error_ratio:1h") / slo.error_budget_ratio
    return BudgetNow(
        service=slo.service,
        slo=slo.name,
        objective_percent=slo.objective_percent,
        remaining_ratio=number(client, str(remaining_to_the_minute(slo)), now),
        burn_rate_1h=number(client, str(burn_rate), now),
        events_per_minute=number(client, str(ledger.series(series.EVENTS_ENTRY)), now),
        bad_events_5m=number(client, str(ledger.series("sereno:bad_events:5m")), now),
        firing=_firing([alert.labels for alert in alerts]),
    )


def _firing(alerts: Sequence[Mapping[str, str]]) -> tuple[str, ...]:
    """One text for pages, one for tickets: short enough for a column."""
    return tuple(
        f"{word} {', '.join(causes)}"
        for severity, word in (("critical", "PAGE"), ("warning", "ticket"))
        if (causes := sorted({a.get("burn", a["alertname"]) for a in alerts if a.get("severity") == severity}))
    )


def number(client: PrometheusClient, expression: str, at: datetime) -> float | None:
    """The one value of an expression, or None."""
    samples = client.instant(expression, at)
    return samples[0].value if len(samples) == 1 and samples[0].is_finite else None
