"""Services as model values: what the tests of rendering render."""

from dataclasses import replace

from sereno_slo.duration import Duration
from sereno_slo.model import (
    Alerting,
    AlertingMode,
    BadEventsRatio,
    GoodEventsRatio,
    Indicator,
    Journey,
    Latency,
    Links,
    Service,
    ServiceLevelObjective,
    Settings,
    SloReference,
    Tier,
)
from sereno_slo.policy import WORKBOOK_TIERS
from sereno_slo.promql import Matcher, MatchOp, Selector

SETTINGS = Settings(
    links=Links(
        runbooks="https://runbooks.example.org/sereno",
        dashboards="https://grafana.example.org",
        logs="https://logs.example.org/app/discover?service={service}",
    )
)
HTTP = "http_server_request_duration_seconds"


def objective(
    service: str,
    name: str,
    objective_percent: float,
    indicator: Indicator,
    *,
    window: str = "30d",
    description: str = "",
    impact: str = "Users notice",
) -> ServiceLevelObjective:
    """An SLO with the usual alerting."""
    return ServiceLevelObjective(
        service=service,
        name=name,
        objective_percent=objective_percent,
        window=Duration.parse(window),
        indicator=indicator,
        alerting=Alerting(AlertingMode.BOTH, WORKBOOK_TIERS, min_bad_events=5, keep_firing_for=None),
        owner="payments",
        tier=Tier.CRITICAL,
        description=description,
        impact=impact,
    )


def _availability() -> ServiceLevelObjective:
    total = Selector(f"{HTTP}_count").where(
        Matcher("http_route", MatchOp.NOT_REGEX, "/health.*"), job="transactions-api"
    )
    bad = total.where(Matcher("http_response_status_code", MatchOp.NOT_REGEX, "20[01]"))
    return objective(
        "transactions-api",
        "availability",
        99.9,
        BadEventsRatio(total, bad),
        description="HTTP calls answered 200 or 201",
        impact="Customers can't pay",
    )


def _latency() -> ServiceLevelObjective:
    job = Selector("", ()).where(job="transactions-api").matchers
    fast = Selector(f"{HTTP}_bucket", job).where(Matcher("le", MatchOp.REGEX, "0.3"))
    return objective(
        "transactions-api",
        "latency",
        99.0,
        Latency(Selector(f"{HTTP}_count", job), fast, HTTP, 0.3),
        window="7d",
        description="HTTP calls answered within 300 ms |\nall routes",
        impact="Paying feels slow.",
    )


def transactions_api() -> Service:
    """A ratio of bad events and a latency of the same HTTP histogram."""
    availability = replace(_availability(), depends_on=(SloReference("etl-worker", "stage"),))
    slos = (availability, _latency())
    source = "slo/specs/transactions-api.slo.yaml"
    return Service("transactions-api", "payments", Tier.CRITICAL, slos, source, journeys=(journey(),))


def etl_worker() -> Service:
    """Good events of two metrics, and a histogram that isn't HTTP's."""
    total, good = (Selector(f"etl_rows_{what}_total").where(job="etl") for what in ("read", "loaded"))
    rows = objective("etl-worker", "rows", 97.5, GoodEventsRatio(total, good), description="Rows loaded")
    count = Selector("etl_stage_duration_seconds_count").where(job="etl", stage="load")
    fast = Selector("etl_stage_duration_seconds_bucket", count.matchers).where(
        Matcher("le", MatchOp.REGEX, "20(\\.0)?")
    )
    stage = objective("etl-worker", "stage", 95.0, Latency(count, fast, "etl_stage_duration_seconds", 20.0))
    return Service("etl-worker", "data", Tier.STANDARD, (rows, stage), "slo/specs/etl-worker.slo.yaml")


def journey() -> Journey:
    """Who calls the first service, and whose rows are loaded by the second."""
    return Journey(
        service="transactions-api",
        name="pay",
        objective_percent=97.0,
        window=Duration.parse("30d"),
        alerting=Alerting(AlertingMode.BOTH, WORKBOOK_TIERS, min_bad_events=5, keep_firing_for=None),
        owner="payments",
        tier=Tier.CRITICAL,
        description="A payment is taken and booked",
        impact="Customers can't pay",
        steps=(SloReference("transactions-api", "availability"), SloReference("etl-worker", "rows")),
    )


def all_services() -> tuple[Service, ...]:
    """Every example."""
    return (transactions_api(), etl_worker())
