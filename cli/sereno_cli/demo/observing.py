"""What a story looks at: incidents of the receiver, the ledger in Prometheus, the counters of a service."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families
from sereno_backends.logs.model import LogQuery
from sereno_backends.logs.sqlite_store import SqliteLogStore
from sereno_backends.prometheus import PrometheusClient
from sereno_slo.model import Service, ServiceLevelObjective
from sereno_slo.plan import series
from sereno_slo.plan.ledger import remaining_to_the_minute
from sereno_slo.plan.series import Ledger

from sereno_cli.demo.budget import number
from sereno_cli.demo.parts import Run
from sereno_cli.demo.systems import Expectation

Incident = Mapping[str, Any]

_TOLD_OF_EVERY_ALERT = ("summary", "impact", "description", "runbook_url")
_TOLD_OF_SLOS = ("dashboard_url", "logs_query")
_TEMPLATE_TRACES = ("{{", "<error expanding template", "<no value>", "%!")
"""What Prometheus leaves of a template that it can't fill in."""


def broken_slo(expected: Expectation, services: Iterable[Service]) -> ServiceLevelObjective | None:
    """The SLO that the expected alert is about; None: it is about something else, a server or a log."""
    wanted = expected.labels
    for service in services:
        for slo in service.slos:
            if slo.name == wanted.get("slo") and slo.service == wanted.get("service", slo.service):
                return slo
    return None


def budget(client: PrometheusClient, slo: ServiceLevelObjective) -> float | None:
    """What is left of it now."""
    return number(client, str(remaining_to_the_minute(slo)), datetime.now(UTC))


def live_budget(client: PrometheusClient, slo: ServiceLevelObjective, begin: datetime) -> float | None:
    """The budget, once a live entry with events stands in the ledger."""
    # timestamp() of anything but a selector is the moment of the question.
    entry = Ledger.of(slo).series(series.EVENTS_ENTRY)
    newest = number(client, f"timestamp({entry}) and {entry} > 0", datetime.now(UTC))
    return budget(client, slo) if newest is not None and newest >= begin.timestamp() else None


def bad_events_since(client: PrometheusClient, slo: ServiceLevelObjective, begin: datetime) -> int | None:
    """What the ledger has counted; None while there is none."""
    now = datetime.now(UTC)
    seconds = int((now - begin).total_seconds())
    counted = number(client, f"sum_over_time({Ledger.of(slo).series(series.BAD_EVENTS_ENTRY)}[{seconds}s])", now)
    return None if counted is None or counted < 1 else round(counted)


def incidents(run: Run) -> list[Incident]:
    """All that the receiver knows. Raises httpx.HTTPError."""
    answer = httpx.get(f"{run.addresses.url('incidents')}/api/v1/incidents", trust_env=False, timeout=5.0)
    answer.raise_for_status()
    document = answer.json()
    found: list[Incident] = document["incidents"] if isinstance(document, dict) else document
    return found


def labels_of(incident: Incident) -> list[dict[str, str]]:
    """The labels of its alerts."""
    return [{**alert["labels"], "alertname": alert["name"]} for alert in incident["alerts"]]


def told_badly(incident: Incident, root: Path) -> tuple[str, ...]:
    """What whoever is woken would miss in what was told of the alerts, in words."""
    return tuple(
        mistake
        for alert in incident["alerts"]
        for mistake in _missed_in(alert["annotations"], root, of_slo="slo" in alert["labels"])
    )


def _missed_in(annotations: Mapping[str, str], root: Path, *, of_slo: bool) -> Iterator[str]:
    for name in (*_TOLD_OF_EVERY_ALERT, *(_TOLD_OF_SLOS if of_slo else ())):
        text = annotations.get(name, "").strip()
        if not text:
            yield f"{name} is empty"
        if any(trace in text for trace in _TEMPLATE_TRACES):
            yield f"{name} holds a template that failed: {text}"
    page = annotations.get("runbook_url", "").rpartition("/runbooks/")[2]
    if not (root / "runbooks" / page).is_file():
        yield f"there is no runbook {page}"


def logged_since(run: Run, words: str, begin: datetime) -> int:
    """How many records with all these words have come into the log store. Raises LogStoreError."""
    with closing(SqliteLogStore(run.places.log_store)) as store:
        return store.count(LogQuery(begin, datetime.now(UTC), text=words))


def failed_answers(run: Run, program: str) -> int:
    """What isn't 200 or 201, as a service counts its answers itself. Raises httpx.HTTPError."""
    text = httpx.get(f"{run.addresses.url(program)}/metrics", trust_env=False, timeout=5.0).text
    return round(
        sum(
            sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == "http_server_request_duration_seconds_count"
            and sample.labels["http_response_status_code"] not in ("200", "201")
        )
    )
