"""What the generator fakes is what the receiver's providers know."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from devops_events.envelope import enclose
from devops_events.generator.deliveries import Deliveries, Delivery
from devops_events.generator.platforms import PLATFORMS
from devops_events.platforms import PROVIDERS, idempotency_key, sources
from devops_events.processing.normalising import normalised
from devops_events.shared_secrets import make_missing
from sereno_collectors.devops.authentication import authenticate, offered
from sereno_collectors.devops.model import Message
from sereno_collectors.devops.providers import ADAPTERS
from sereno_collectors.devops.secret_files import SecretFiles

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
SECRET = "whsec_" + "A" * 44


def some(count: int, seed: int = 1) -> list[Delivery]:
    """Deliveries of all platforms."""
    deliveries = Deliveries(Random(seed))
    return [deliveries.next(NOW + timedelta(seconds=number)) for number in range(count)]


def message_of(delivery: Delivery, secret: str = SECRET) -> Message:
    """As a node would read it."""
    headers = {name.lower(): value for name, value in delivery.signed(secret, NOW).items()}
    return Message(headers, delivery.body, json.loads(delivery.body))


def test_every_platform_is_faked_and_known() -> None:
    """Generator and receiver speak of the same platforms."""
    assert list(PLATFORMS) == list(PROVIDERS)


def test_each_platform_is_believed_with_its_own_secret_only(tmp_path: Path) -> None:
    """Webhooks are signed as the platform does it, with secrets that are made once; no other one opens anything."""
    make_missing(tmp_path)
    before = {path.name: path.read_text() for path in tmp_path.iterdir()}
    make_missing(tmp_path)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == before
    assert set(before) == set(PROVIDERS)
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}
    seen = set()
    for delivery in some(60):
        source = sources(tmp_path)[delivery.platform]
        secrets = SecretFiles(source.secret_files).current()
        message = message_of(delivery, before[delivery.platform])
        scheme = offered(ADAPTERS[source.provider].schemes, message.headers, secrets)
        assert scheme is not None
        assert authenticate(scheme, message.headers, message.body, secrets, NOW) is None
        others = ("whsec_" + "A" * 44, "someone:else-entirely", "b" * 64)
        assert authenticate(scheme, message.headers, message.body, others, NOW) is not None
        seen.add(delivery.platform)
    assert seen == set(PROVIDERS)


def test_commits_requests_and_pipelines_of_all_platforms_come_into_one_schema() -> None:
    """Of 600 deliveries none is ignored or of an unknown shape; each platform tells the kinds that it knows."""
    kinds: dict[str, Counter[str]] = {name: Counter() for name in PROVIDERS}
    for delivery in some(600):
        record = normalised(envelope_of(delivery))
        assert (record.disposition, record.reason) == ("translated", ""), delivery
        kinds[delivery.platform].update(event.kind for event in record.events)
    assert set(kinds.pop("jenkins")) == {"pipeline", "deployment"}
    for name, counted in kinds.items():
        assert {"commit", "pull_request", "pipeline"} <= set(counted), name


def envelope_of(delivery: Delivery) -> Any:
    """What a node would put on the queue."""
    source, message = sources()[delivery.platform], message_of(delivery)
    key, event_type = idempotency_key(source, message), ADAPTERS[source.provider].event_type(message)
    return enclose(message, key=key, platform=delivery.platform, event_type=event_type, received_at=NOW, node="node-1")


@pytest.mark.parametrize("platform", PROVIDERS)
def test_a_delivery_sent_again_has_the_same_key_and_another_one_has_another(platform: str) -> None:
    """By the platform's own id, signed anew or not; Jenkins has none, there the content tells."""
    mine = [delivery for delivery in some(120) if delivery.platform == platform]
    keys = [envelope_of(delivery).key for delivery in mine]
    assert len(set(keys)) == len(mine) > 5
    assert keys == [envelope_of(delivery).key for delivery in mine]
    assert all(key.startswith(f"{platform}/") for key in keys)
    if platform != "jenkins":
        assert [key.partition("/")[2] for key in keys] == [delivery.delivery_id for delivery in mine]


def test_no_credentials_go_over_the_queue() -> None:
    """What is kept of the headers says something about the event, and opens nothing."""
    for delivery in some(60):
        message = message_of(delivery)
        headers = {**message.headers, "cookie": "c", "x-gitlab-token": SECRET, "authorization": "Basic x"}
        envelope = enclose(
            Message(headers, message.body, None), key="k", platform="p", event_type="e", received_at=NOW, node="n"
        )
        assert not any("sha256=" in value or SECRET in value or "v1," in value for value in envelope.headers.values())
        assert not {"authorization", "cookie", "host", "content-type"} & set(envelope.headers)


def test_a_rest_answers_what_the_webhooks_told() -> None:
    """Each platform's REST lists its newest commits, in its own words."""
    deliveries = Deliveries(Random(3))
    for number in range(900):
        deliveries.next(NOW + timedelta(seconds=number))
    answers = {name: PLATFORMS[name].rest(deliveries.pasts[name]) for name in PLATFORMS}
    commits = answers["github"]["repos/acme/shop/commits"]
    assert commits[0]["sha"] == commits[0]["commit"]["id"] == deliveries.pasts["github"].commits("shop")[0].sha
    assert answers["gitlab"]["api/v4/projects/15/pipelines"][0]["status"] in ("running", "success", "failed")
    assert answers["azure_devops"]["Fabrikam/_apis/build/builds"]["count"] > 0
    assert answers["bitbucket"]["2.0/repositories/acme/shop/pullrequests"]["values"][0]["state"] in ("OPEN", "MERGED")
    job = answers["jenkins"]["api/json"]["jobs"][0]["name"]
    assert answers["jenkins"][f"job/{job}/api/json"]["builds"]
    assert answers["cloud_ci"]["v1/shop/runs"]["events"]
