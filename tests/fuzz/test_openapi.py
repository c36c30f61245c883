"""What each application says of itself is true: every answer has a status, a type and a shape that it describes."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, settings
from schemathesis import checks
from sereno_exporters.frame.scraping import Scrapers
from sereno_exporters.frame.serving import create_app
from sereno_portal import PortalConfiguration, create_portal
from sereno_postmortems.receiver import create_receiver
from sereno_postmortems.sources import DatabaseIncidents
from sereno_postmortems.store import IncidentStore
from sereno_postmortems.webhook import Delivery, read_delivery
from support.ports import free_port

from benchmarks.fuzz.target import ROOT
from benchmarks.fuzz.targets.webhooks import INCIDENT_BODIES, NOW

KEPT = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    checks.unsupported_method,
]
"""Not that all JSON of a described shape is accepted: times, for one, have bounds that JSON Schema has no words for."""
AWAY = [check for check in KEPT if check is not checks.not_a_server_error]
"""Of the portal, whose Prometheus is away: it says so by 503."""
BOUNDED = settings(
    max_examples=12, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None
)


def _store(folder: Path) -> IncidentStore:
    """A record with an incident."""
    store = IncidentStore(folder / "incidents.sqlite")
    store.prepare()
    for body in INCIDENT_BODIES:
        delivery = read_delivery(body, NOW)
        assert isinstance(delivery, Delivery)
        store.record(delivery, body)
    return store


def _described(app: FastAPI) -> schemathesis.BaseSchema:
    found: schemathesis.BaseSchema = schemathesis.openapi.from_asgi("/openapi.json", app)
    return found


@pytest.fixture(scope="session")
def portal(tmp_path_factory: pytest.TempPathFactory) -> schemathesis.BaseSchema:
    """The portal over a Prometheus that is away."""
    place = DatabaseIncidents(_store(tmp_path_factory.mktemp("portal")))
    address = f"http://127.0.0.1:{free_port()}"
    return _described(
        create_portal(PortalConfiguration(address, ROOT, place, listens_locally=False, clock=lambda: NOW))
    )


@pytest.fixture(scope="session")
def incidents(tmp_path_factory: pytest.TempPathFactory) -> schemathesis.BaseSchema:
    """The receiver of incidents."""
    store = _store(tmp_path_factory.mktemp("incidents"))
    return _described(create_receiver(store, clock=lambda: datetime.now(UTC), pagerduty_secrets=lambda: ["secret"]))


@pytest.fixture(scope="session")
def exporters() -> schemathesis.BaseSchema:
    """The exporters' server without targets."""
    return _described(create_app(Scrapers((), report=lambda _: None)))


of_portal = schemathesis.pytest.from_fixture("portal")
of_incidents = schemathesis.pytest.from_fixture("incidents")
of_exporters = schemathesis.pytest.from_fixture("exporters")


@of_portal.parametrize()
@BOUNDED
def test_the_portal_answers_as_it_says(case: schemathesis.Case[Any]) -> None:
    """Figures, incidents and runbooks as JSON."""
    case.call_and_validate(checks=AWAY)


@of_incidents.parametrize()
@BOUNDED
def test_the_receiver_of_incidents_answers_as_it_says(case: schemathesis.Case[Any]) -> None:
    """Webhooks, entries, records and pages."""
    case.call_and_validate(checks=KEPT)


@of_exporters.parametrize()
@BOUNDED
def test_the_exporters_answer_as_they_say(case: schemathesis.Case[Any]) -> None:
    """Metrics, probes and discovery."""
    case.call_and_validate(checks=KEPT)
