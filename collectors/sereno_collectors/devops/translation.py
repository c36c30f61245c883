"""From an authentic message to the delivery that is stored: pure, and never an exception."""

import hashlib
from dataclasses import replace
from datetime import datetime

from sereno_backends.devops import Delivery, Deployment, DevOpsEvent, Disposition, Pipeline, event_id_of

from sereno_collectors.devops.adapter import ProviderAdapter
from sereno_collectors.devops.model import (
    Conventions,
    Fact,
    Ignored,
    Message,
    Source,
    Translated,
    Translation,
    UnknownSchema,
)
from sereno_collectors.devops.reading import Misfit, Reader

LONGEST_ID = 200
"""Ids of deliveries beyond this are no provider's; the content's hash stands in."""


def delivery_of(
    source: Source, adapter: ProviderAdapter, message: Message, received_at: datetime
) -> Delivery | Ignored:
    """What is to be stored of a message.

    Args:
        source: by which it came.
        adapter: of the source's provider.
        message: authentic.
        received_at: aware UTC.
    """
    event_type = adapter.event_type(message)
    told = translate(adapter, event_type, message, source.conventions)
    if isinstance(told, Ignored):
        return told
    delivery = Delivery(
        source=source.name,
        provider=source.provider,
        delivery_id=delivery_id_of(adapter, message),
        content_hash=content_hash_of(message.body),
        event_type=event_type,
        received_at=received_at,
        body=message.body,
        events=(),
    )
    if isinstance(told, UnknownSchema):
        return replace(delivery, disposition=Disposition.UNKNOWN_SCHEMA, reason=told.reason)
    facts = with_deployments(told.facts, source.conventions)
    return replace(delivery, events=tuple(_event(source, delivery, fact) for fact in facts))


def delivery_id_of(adapter: ProviderAdapter, message: Message) -> str:
    """What a delivery is known by: the provider's id, the same when it is sent again; else a hash of the content."""
    given_id = adapter.delivery_id(message) or ""
    is_usable = 0 < len(given_id) <= LONGEST_ID and given_id.isprintable()
    return given_id if is_usable else content_hash_of(message.body)


def content_hash_of(body: bytes) -> str:
    """What tells contents apart."""
    return hashlib.sha256(body).hexdigest()


def translate(adapter: ProviderAdapter, event_type: str, message: Message, conventions: Conventions) -> Translation:
    """What a message tells."""
    translator = adapter.translators.get(event_type)
    if translator is None:
        return Ignored(f"{adapter.provider.value} tells of {event_type[:80]!r}, which is of no use here")
    try:
        found = translator(Reader(message.document), conventions)
    except Misfit as misfit:
        return UnknownSchema(str(misfit))
    except Exception as error:  # noqa: BLE001 - what a provider sends must be kept, whatever it does to a translator
        return UnknownSchema(f"the translator of {event_type!r} failed: {type(error).__name__}: {error}")
    return found if isinstance(found, Ignored) else Translated(found)


def with_deployments(facts: tuple[Fact, ...], conventions: Conventions) -> tuple[Fact, ...]:
    """The facts, and a deployment for each run of a pipeline that the configuration says deploys."""
    found: list[Fact] = []
    for fact in facts:
        found.append(fact)
        if isinstance(fact.subject, Pipeline) and (environment := conventions.deployed_by(fact.subject.name)):
            found.append(replace(fact, subject=_deployment(fact.subject, environment, conventions)))
    return tuple(found)


def _deployment(run: Pipeline, environment: str, conventions: Conventions) -> Deployment:
    return Deployment(
        deployment_id=f"{run.run_id}/{run.attempt}" if run.attempt > 1 else run.run_id,
        environment=environment,
        is_production=conventions.is_production(environment),
        status=run.status,
        sha=run.sha,
        branch=run.branch,
        created_at=run.created_at,
        started_at=run.started_at,
        finished_at=run.finished_at,
        url=run.url,
        actor=run.actor,
    )


def _event(source: Source, delivery: Delivery, fact: Fact) -> DevOpsEvent:
    return DevOpsEvent(
        event_id=event_id_of(source.name, fact.repository, fact.occurred_at, fact.subject),
        provider=source.provider,
        source=source.name,
        delivery_id=delivery.delivery_id,
        occurred_at=fact.occurred_at or delivery.received_at,
        received_at=delivery.received_at,
        repository=fact.repository,
        service=source.conventions.service_of(fact.repository),
        subject=fact.subject,
    )
