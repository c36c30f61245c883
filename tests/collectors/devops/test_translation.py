"""Translators are pure: whatever a provider sends, something is made of it, and the same every time."""

import copy
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from sereno_backends.devops import Delivery, Deployment, DevOpsEvent, Disposition, Pipeline, RunStatus
from sereno_collectors.devops.model import Conventions, Ignored, Message, Source
from sereno_collectors.devops.providers import ADAPTERS
from sereno_collectors.devops.reading import Reader
from sereno_collectors.devops.translation import delivery_of, with_deployments
from support.devops_samples import RECEIVED_AT, Sample, sample, samples

MISSING = "nothing at all"
ODD: list[Any] = [MISSING, None, True, -1, 2**70, 1.5, "", "x", "0001-01-01T00:00:00Z", "9999-12-31", [], {}, [None]]
FITTING = [one for one in samples() if "events" in one.outcome()]


def translated(told: Sample, document: Any, **changes: Any) -> Delivery | Ignored:
    """What a changed sample becomes."""
    source = Source("any", told.provider, (), changes.get("conventions", told.conventions))
    headers = {name.lower(): value for name, value in told.headers.items()}
    message = Message(headers, json.dumps(document).encode(), document)
    return delivery_of(source, ADAPTERS[told.provider], message, changes.get("received_at", RECEIVED_AT))


def events_of(told: Sample, **changes: Any) -> tuple[DevOpsEvent, ...]:
    """The events of a sample under other circumstances."""
    delivery = translated(told, json.loads(told.body), **changes)
    assert isinstance(delivery, Delivery)
    return delivery.events


def places(document: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a document."""
    inner = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    return [here, *(place for key, value in inner for place in places(value, (*here, key)))]


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_no_translator_stumbles(odd: Any) -> None:
    """With anything in any one place, a sample becomes events, is ignored, or is a misfit that says where."""
    for told in FITTING:
        document = json.loads(told.body)
        for place in places(document)[1:]:
            changed = copy.deepcopy(document)
            parent = changed
            for key in place[:-1]:
                parent = parent[key]
            if odd is MISSING:
                del parent[place[-1]]
            else:
                parent[place[-1]] = odd
            delivery = translated(told, changed)
            if isinstance(delivery, Delivery) and delivery.disposition is Disposition.UNKNOWN_SCHEMA:
                assert not delivery.events
                assert " is expected, not " in delivery.reason or "no field is called" in delivery.reason


@pytest.mark.parametrize("told", FITTING, ids=lambda told: told.name)
def test_ids_do_not_depend_on_receiving(told: Sample) -> None:
    """Received another time, and with another idea of services and production, the events have the same ids."""
    conventions = Conventions({"*": "other"}, ("nothing",), told.conventions.deployments)
    later = events_of(told, received_at=datetime(2030, 1, 1, tzinfo=UTC), conventions=conventions)
    first = events_of(told)
    assert [event.event_id for event in later] == [event.event_id for event in first]
    assert len({event.event_id for event in first}) == len(first)
    assert {event.service for event in later} == {"other"}


@pytest.mark.parametrize("told", FITTING, ids=lambda told: told.name)
def test_all_times_are_utc(told: Sample) -> None:
    """Every time of an event is aware and UTC."""
    for event in events_of(told):
        values = [getattr(event.subject, name) for name in event.subject.__dataclass_fields__]
        moments = [event.occurred_at, event.received_at, *(one for one in values if isinstance(one, datetime))]
        assert {moment.utcoffset() for moment in moments} == {UTC.utcoffset(None)}


@pytest.mark.parametrize(
    ("production", "told", "environment", "expected"),
    [
        (None, None, "production", True),
        (None, None, "Prod-EU", True),
        (None, None, "staging", False),
        (None, None, "reproduction", False),
        (None, False, "production", False),
        (None, True, "blue", True),
        (("blue", "eu-*"), None, "eu-1", True),
        (("blue", "eu-*"), True, "production", False),
        ((), True, "production", False),
    ],
)
def test_what_counts_as_production(
    production: tuple[str, ...] | None, told: bool | None, environment: str, expected: bool
) -> None:
    """The configuration decides; where it says nothing, the provider; where that says nothing, the usual names."""
    assert Conventions(production=production).is_production(environment, told) is expected


def test_a_pipeline_that_deploys_is_both() -> None:
    """A run of a named pipeline stays a pipeline's and is a deployment as well; other runs are not."""
    conventions = Conventions(deployments={"shop-*": "live"})
    for name, expected in (("shop-deploy", ["Pipeline", "Deployment"]), ("ci", ["Pipeline"])):
        (fact,) = [
            fact for fact in _facts("jenkins/build_finalized_that_deploys", name) if isinstance(fact.subject, Pipeline)
        ]
        found = with_deployments((fact,), conventions)
        assert [type(each.subject).__name__ for each in found] == expected
        deployed = [each.subject for each in found if isinstance(each.subject, Deployment)]
        assert all(one.is_production and one.status is RunStatus.SUCCEEDED for one in deployed)


def _facts(name: str, pipeline: str) -> Any:
    told = sample(name)
    document = {**json.loads(told.body), "name": pipeline}
    return ADAPTERS[told.provider].translators["build"](Reader(document), Conventions())
