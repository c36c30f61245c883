"""Who deployed is told by the platform, and read by those who ask what went out."""

import dataclasses
import re
from datetime import UTC, datetime, timedelta

import pytest
from sereno_backends.devops import Deployment, Pipeline, RunStatus, event_id_of
from sereno_postmortems.draft.deployment_evidence import ask_deployments, deployment_in_words
from sereno_postmortems.draft.facts import Measured
from sereno_postmortems.draft.windows import Window, Windows
from support.command_line import sereno
from support.devops import signed
from support.devops_receiver import Receiver
from support.devops_samples import sample

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def test_the_platforms_name_reaches_the_screen_and_the_postmortem(receiver: Receiver) -> None:
    """A deployment that GitHub says ada created is shown as hers by `dora deployments`, `dora why` and drafts."""
    told = sample("github/deployment_status_success")
    at = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=30)
    body = re.sub(r"2026-11-22T[0-9:]+Z", f"{at:%FT%TZ}", told.body.decode()).encode()
    answer = receiver.client.post("/api/v1/devops/github", content=body, headers=signed("github", told.headers, body))
    assert answer.json() == {"outcome": "stored", "events": 1}
    store = str(receiver.folder / "devops.sqlite")
    listed = sereno("dora", "deployments", "--store", store, cwd=receiver.folder).stdout
    assert " ada " in listed.splitlines()[1]
    why = sereno("dora", "why", "145988746", "--store", store, cwd=receiver.folder).stdout
    assert why.splitlines()[0].endswith(", by ada; github, acme/shop")
    around = Window(at - timedelta(minutes=10), at + timedelta(minutes=10))
    found = ask_deployments(receiver.store, Windows(around, around, around))
    assert isinstance(found, Measured)
    assert [deployment_in_words(one) for one in found.value] == ["shop: deployed f95f852bd8 to production by ada"]


@pytest.mark.parametrize(
    "subject",
    [
        Deployment("7", "production", is_production=True, status=RunStatus.SUCCEEDED, sha="a" * 40),
        Pipeline("7", RunStatus.SUCCEEDED, name="deploy"),
    ],
    ids=lambda subject: type(subject).__name__,
)
def test_who_it_was_makes_no_other_fact(subject: Deployment | Pipeline) -> None:
    """What was stored before Sereno read the name, and is told again with it, has the same id."""
    named = dataclasses.replace(subject, actor="ada")
    assert event_id_of("github", "acme/shop", NOON, named) == event_id_of("github", "acme/shop", NOON, subject)
