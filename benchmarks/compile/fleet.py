"""The same fleet of services twice: as specs of Sereno and of sloth, one service and one SLO a file.

Every other SLO is a ratio or a latency; names are as unlike in length as those of real fleets.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

_WORDS = ("api", "billing", "checkout", "fulfilment", "notification-gateway", "recommendation-engine")
_TEAMS = 20


def write_fleet(slos: int, sereno: Path, sloth: Path) -> None:
    """So many specs into each of the two folders."""
    for folder in (sereno, sloth):
        folder.mkdir(parents=True)
    for number, (service, team) in enumerate(_services(slos)):
        is_latency = number % 2 == 1
        _save(sereno / f"{service}.slo.yaml", _spec(service, team, is_latency=is_latency))
        _save(sloth / f"{service}.yaml", _spec_of_sloth(service, team, is_latency=is_latency))


def change_one(sereno: Path, objective: float) -> None:
    """Another objective for the service in the middle."""
    paths = sorted(sereno.iterdir())
    path = paths[len(paths) // 2]
    spec = yaml.safe_load(path.read_text(encoding="utf-8"))
    spec["slos"][0]["objective"] = objective
    _save(path, spec)


def _services(count: int) -> Iterator[tuple[str, str]]:
    for number in range(count):
        yield f"{_WORDS[number % len(_WORDS)]}-{number}", f"team-{number % _TEAMS}"


def _spec(service: str, team: str, *, is_latency: bool) -> dict[str, Any]:
    slo: dict[str, Any] = {
        "name": "latency" if is_latency else "availability",
        "objective": 99.0 if is_latency else 99.9,
        "description": "Calls answered within 250 ms" if is_latency else "Calls answered without an error",
        "impact": f"Customers of {service} wait" if is_latency else f"Customers can't use {service}",
    }
    match = f'job="{service}"'
    if is_latency:
        metric = "http_server_request_duration_seconds"
        slo["indicator"] = {"latency": {"metric": metric, "match": match, "threshold": "250ms"}}
    else:
        slo["indicator"] = {"ratio": {"metric": "http_requests_total", "match": match, "bad": 'code=~"5.."'}}
    return {"version": "sereno/v1", "service": service, "owner": team, "slos": [slo]}


def _spec_of_sloth(service: str, team: str, *, is_latency: bool) -> dict[str, Any]:
    """What sloth documents (sloth.dev, "Examples"): two queries, a page and a ticket."""

    def rate(metric: str, matchers: str = "") -> str:
        return f'sum(rate({metric}{{job="{service}"{matchers}}}[{{{{.window}}}}]))'

    if is_latency:
        name, objective = "latency", 99.0
        total = rate("http_server_request_duration_seconds_count")
        fast = rate("http_server_request_duration_seconds_bucket", ',le="0.25"')
        errors = f"{total} - {fast}"
    else:
        name, objective = "availability", 99.9
        total, errors = rate("http_requests_total"), rate("http_requests_total", ',code=~"5.."')
    slo = {
        "name": name,
        "objective": objective,
        "description": f"Customers of {service}",
        "sli": {"events": {"error_query": errors, "total_query": total}},
        "alerting": {
            "name": "ErrorBudgetBurn",
            "annotations": {"summary": f"Customers of {service} are affected"},
            "page_alert": {"labels": {"severity": "critical"}},
            "ticket_alert": {"labels": {"severity": "warning"}},
        },
    }
    return {"version": "prometheus/v1", "service": service, "labels": {"owner": team}, "slos": [slo]}


def _save(path: Path, document: dict[str, Any]) -> None:
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
