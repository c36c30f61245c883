"""What is authentic is on disk before it is answered, once."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from sereno_backends.devops import Delivery, DevOpsQuery, Disposition, EventKind
from support.devops import (
    GITHUB_SECRET,
    GITLAB_TOKEN,
    JSON,
    SIGNING_SECRET,
    deployment_body,
    github,
    hub_signature,
    signed,
    standard_headers,
)
from support.devops_receiver import Receiver
from support.devops_samples import sample, samples

NEW_SECRET = "another-secret-of-the-tests"  # noqa: S105 - shared with nobody


def post(receiver: Receiver, source: str, headers: dict[str, str], body: bytes) -> httpx.Response:
    """Send one delivery."""
    return receiver.client.post(f"/api/v1/devops/{source}", headers=headers, content=body)


def deployment(receiver: Receiver, number: int, delivery_id: str, **changes: str) -> httpx.Response:
    """Send one deployment of GitHub's."""
    body = deployment_body(number)
    return post(receiver, "github", github("deployment_status", delivery_id, body, **changes), body)


def test_every_sample_is_stored_under_its_providers_credentials(receiver: Receiver) -> None:
    """Each sample's answer and what is in the store afterwards are what its translator says; all a second time: no."""
    wanted: set[str] = set()
    for repetition in range(2):
        for each in samples():
            source = each.provider.value.replace("_", "-")
            delivery = each.delivery()
            answer = post(receiver, source, signed(source, each.headers, each.body), each.body)
            if not isinstance(delivery, Delivery):
                assert (answer.status_code, answer.json()["outcome"]) == (202, "ignored")
            elif repetition:
                assert (answer.status_code, answer.json()) == (200, {"outcome": "duplicate"})
            elif delivery.disposition is Disposition.UNKNOWN_SCHEMA:
                assert answer.status_code == 202
                assert answer.json() == {"outcome": "unknown_schema", "reason": delivery.reason}
            else:
                assert (answer.status_code, answer.json()["outcome"]) == (200, "stored")
        told = [each.delivery() for each in samples()]
        # The samples have conventions of their own; the receiver's sources have none, so some kinds differ.
        wanted = {event.event_id for one in told if isinstance(one, Delivery) for event in one.events}
        stored = receiver.store.events(DevOpsQuery())
        assert {event.event_id for event in stored} <= wanted
        assert len({event.event_id for event in stored}) == len(stored) > 30


def test_the_original_is_kept_as_it_came(receiver: Receiver) -> None:
    """The payload of an event is in the store byte for byte."""
    body = deployment_body(7)
    deployment(receiver, 7, "d-7")
    (event,) = receiver.store.events(DevOpsQuery(kinds=(EventKind.DEPLOYMENT,)))
    assert receiver.store.original(event) == body


def test_a_delivery_that_does_not_fit_is_kept_with_the_reason(receiver: Receiver) -> None:
    """Of a known type and wrongly shaped: 202, the original on disk with the reason, counted."""
    body = deployment_body(1, deployment_status="none")
    answer = post(receiver, "github", github("deployment_status", "d-1", body), body)
    assert answer.status_code == 202
    (kept,) = receiver.store.kept(Disposition.UNKNOWN_SCHEMA)
    assert (kept.body, kept.reason, kept.delivery_id) == (body, answer.json()["reason"], "d-1")
    assert "deployment_status" in kept.reason
    labels = {"source": "github", "outcome": "unknown_schema"}
    assert receiver.metric("sereno_devops_deliveries_total", **labels) == 1


def test_the_same_delivery_id_is_stored_once(receiver: Receiver) -> None:
    """A redelivery is answered 200 and changes nothing, even when its content differs."""
    assert deployment(receiver, 1, "d-1").json() == {"outcome": "stored", "events": 1}
    before = receiver.kept()
    assert deployment(receiver, 1, "d-1").json() == {"outcome": "duplicate"}
    assert deployment(receiver, 2, "d-1").json() == {"outcome": "duplicate"}
    assert receiver.kept() == before


def test_the_same_content_under_another_delivery_id_is_stored_once(receiver: Receiver) -> None:
    """GitHub's signature doesn't cover the id: a captured delivery that is played again changes nothing."""
    deployment(receiver, 1, "d-1")
    before = receiver.kept()
    assert deployment(receiver, 1, "d-2").json() == {"outcome": "duplicate"}
    assert receiver.kept() == before


def test_the_same_fact_in_another_delivery_is_one_event(receiver: Receiver) -> None:
    """Two deliveries that tell one fact are both kept, and the fact once."""
    body = deployment_body(1)
    other = body[:-1] + b', "organization": {"login": "acme"}}'
    assert post(receiver, "github", github("deployment_status", "d-1", body), body).json()["events"] == 1
    assert post(receiver, "github", github("deployment_status", "d-2", other), other).json()["events"] == 0
    assert receiver.store.counts()[EventKind.DEPLOYMENT] == 1
    assert len(receiver.store.kept(Disposition.TRANSLATED)) == 2


def test_many_at_once_are_each_stored_once(receiver: Receiver) -> None:
    """Deliveries that come at the same time, some twice, are answered "stored" once each."""
    numbers = [number for number in range(100) for _ in range(2)]
    with ThreadPoolExecutor(8) as senders:
        answers = list(senders.map(lambda number: deployment(receiver, number, f"d-{number}").json(), numbers))
    assert sum(answer["outcome"] == "stored" for answer in answers) == 100
    assert sum(answer["outcome"] == "duplicate" for answer in answers) == 100
    assert receiver.store.counts()[EventKind.DEPLOYMENT] == 100


def test_metrics_are_born_at_zero_and_count(receiver: Receiver) -> None:
    """Each outcome and kind has a series from the start, and grows by what happens."""
    stored = {"source": "github", "outcome": "stored"}
    events = {"source": "github", "kind": "deployment"}
    assert receiver.metric("sereno_devops_deliveries_total", **stored) == 0
    assert receiver.metric("sereno_devops_events_total", **events) == 0
    deployment(receiver, 1, "d-1")
    assert receiver.metric("sereno_devops_deliveries_total", **stored) == 1
    assert receiver.metric("sereno_devops_events_total", **events) == 1
    assert receiver.metric("sereno_devops_store_up") == 1
    assert receiver.metric("sereno_devops_stored_events", kind="deployment") == 1
    assert (receiver.metric("sereno_devops_last_delivery_timestamp_seconds", source="github") or 0) > 1_700_000_000


def test_secrets_are_rotated_while_it_runs(receiver: Receiver) -> None:
    """A new secret counts as soon as its file has it, the old one until then; half-written files harm none."""
    file = receiver.folder / "secrets/github.0"
    new = {"X-Hub-Signature-256": hub_signature(deployment_body(2), NEW_SECRET)}
    assert deployment(receiver, 1, "d-1").status_code == 200
    assert deployment(receiver, 2, "d-2", **new).status_code == 401
    file.write_text("", encoding="utf-8")  # as an editor does before it writes
    assert deployment(receiver, 3, "d-3").status_code == 200
    file.write_text(NEW_SECRET, encoding="utf-8")
    assert deployment(receiver, 2, "d-2", **new).status_code == 200
    assert deployment(receiver, 4, "d-4").status_code == 401
    replacement = file.with_name("replacement")
    replacement.write_text(GITHUB_SECRET, encoding="utf-8")
    replacement.replace(file)  # as Kubernetes does it
    assert deployment(receiver, 4, "d-4").status_code == 200


def test_a_revoked_secret_counts_no_more(receiver: Receiver) -> None:
    """A secret whose file is gone is refused, others of the source stay; without any, the sender is to try again."""
    body = sample("gitlab/deployment_success").body
    token = {**JSON, "X-Gitlab-Token": GITLAB_TOKEN}
    (receiver.folder / "secrets/gitlab.0").unlink()
    assert post(receiver, "gitlab", token, body).status_code == 401
    assert post(receiver, "gitlab", JSON | standard_headers(body, message_id="m"), body).status_code == 200
    (receiver.folder / "secrets/gitlab.1").unlink()
    assert post(receiver, "gitlab", token, body).status_code == 503


@pytest.mark.parametrize("minutes", [-4, 0, 4])
def test_signed_times_within_the_window_are_taken(receiver: Receiver, minutes: int) -> None:
    """Clocks may differ by less than five minutes."""
    body = sample("generic/all_kinds").body
    headers = standard_headers(body, message_id="m", at=datetime.now(UTC) + timedelta(minutes=minutes))
    assert post(receiver, "generic", JSON | headers, body).json()["outcome"] == "stored"


def test_one_of_several_signatures_is_enough(receiver: Receiver) -> None:
    """Senders that rotate their key send a signature of each."""
    body = sample("generic/all_kinds").body
    headers = standard_headers(body, message_id="m", secret=SIGNING_SECRET)
    headers["webhook-signature"] = f"v1,AAAA v2,BBBB {headers['webhook-signature']}"
    assert post(receiver, "generic", JSON | headers, body).status_code == 200


def test_a_store_that_cannot_be_written_is_a_503(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """While another process holds the lock the sender is to try again; afterwards the same delivery is stored."""
    monkeypatch.setattr("sereno_backends.devops.sqlite_file.LOCK_WAIT_SECONDS", 0.05)
    blocker = sqlite3.connect(receiver.folder / "devops.sqlite", isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    refused = deployment(receiver, 1, "d-1")
    assert (refused.status_code, receiver.client.get("/health").status_code) == (503, 503)
    assert int(refused.headers["Retry-After"]) > 0
    blocker.execute("ROLLBACK")
    blocker.close()
    assert deployment(receiver, 1, "d-1").json() == {"outcome": "stored", "events": 1}
    labels = {"source": "github", "outcome": "unavailable"}
    assert receiver.metric("sereno_devops_deliveries_total", **labels) == 1


def test_a_store_that_cannot_be_read_is_down(receiver: Receiver) -> None:
    """The metrics are served without the store, and say that it is down."""
    (receiver.folder / "devops.sqlite").rename(receiver.folder / "elsewhere")
    assert receiver.metric("sereno_devops_store_up") == 0
    assert receiver.metric("sereno_devops_stored_events", kind="commit") is None
    assert deployment(receiver, 1, "d-1").status_code == 503
