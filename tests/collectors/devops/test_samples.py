"""What each provider sends becomes exactly the documents that stand beside it."""

import json

import pytest
from sereno_backends.devops import Delivery, EventKind, Provider
from sereno_backends.devops.documents import event_document, event_from_document
from support.devops_samples import FOLDER, Sample, expectation, samples

SAMPLES = samples()


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_a_sample_becomes_its_documents(sample: Sample) -> None:
    """The outcome is the expected one, to the letter."""
    assert expectation(sample.outcome()) == sample.expected.read_text(encoding="utf-8")


def test_no_expectation_is_left_over() -> None:
    """Each expectation belongs to a sample."""
    assert {sample.expected for sample in SAMPLES} == set(FOLDER.glob("*/*.expected.json"))


@pytest.mark.parametrize("provider", Provider)
def test_each_provider_shows_events_and_what_is_not_taken(provider: Provider) -> None:
    """Every provider has samples that become events, that are ignored, and that are kept for their unknown schema."""
    outcomes = [sample.outcome() for sample in SAMPLES if sample.provider is provider]
    shown = {key for outcome in outcomes for key in ("events", "ignored", "unknown_schema") if key in outcome}
    wanted = {"events", "unknown_schema"} | (set() if provider is Provider.JENKINS else {"ignored"})
    assert wanted <= shown


def test_every_kind_is_shown() -> None:
    """Together the samples have every kind of event."""
    kinds = {event["devops"]["kind"] for sample in SAMPLES for event in sample.outcome().get("events", [])}
    assert kinds == {kind.value for kind in EventKind}


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_documents_lead_back_to_events(sample: Sample) -> None:
    """An event that went through JSON is the same event."""
    delivery = sample.delivery()
    if isinstance(delivery, Delivery):
        for event in delivery.events:
            assert event_from_document(json.loads(json.dumps(event_document(event)))) == event
