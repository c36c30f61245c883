"""Forged, replayed, oversized and wrong deliveries: each is refused with its status, and none is stored."""

import base64
import gzip
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from sereno_collectors.devops.bodies import LARGEST_BODY_BYTES
from support.devops import (
    BASIC,
    GITHUB_SECRET,
    GITLAB_TOKEN,
    JSON,
    SIGNING_SECRET,
    basic,
    deployment_body,
    github,
    hub_signature,
    standard_headers,
)
from support.devops_receiver import Receiver
from support.devops_samples import sample

BODY = deployment_body(1)
LAB, AZURE, JENKINS, BUCKET, GENERIC = (
    sample(name).body
    for name in (
        "gitlab/deployment_success",
        "azure_devops/git_push",
        "jenkins/build_started",
        "bitbucket/push",
        "generic/all_kinds",
    )
)
OTHER_KEY = "whsec_" + base64.b64encode(b"x" * 32).decode()


@dataclass(frozen=True, slots=True)
class Case:
    """One delivery that is to be refused."""

    name: str
    status: int
    source: str
    headers: Mapping[str, str]
    body: bytes = BODY
    method: str = "POST"


def _without(headers: Mapping[str, str], *names: str) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name not in names}


def _github() -> Iterator[Case]:
    right = github("deployment_status", "d-1", BODY)
    signature = right["X-Hub-Signature-256"]
    for name, value in {
        "by another secret": hub_signature(BODY, "another secret"),
        "by an empty secret": hub_signature(BODY, ""),
        "of another body": hub_signature(BODY + b" "),
        "empty": "",
        "without its prefix": signature.removeprefix("sha256="),
        "with sha1's prefix": signature.replace("sha256", "sha1"),
        "in capitals": signature.upper(),
        "cut": signature[:-1],
        "longer": signature + "0",
        "the secret itself": GITHUB_SECRET,
        "no ASCII": "sha256=ü",
        "twice": f"{signature}, {signature}",
    }.items():
        yield Case(f"github signature {name}", 401, "github", {**right, "X-Hub-Signature-256": value})
    yield Case("github unsigned", 401, "github", _without(right, "X-Hub-Signature-256"))
    yield Case(
        "github signed by SHA-1 only",
        401,
        "github",
        {**_without(right, "X-Hub-Signature-256"), "X-Hub-Signature": signature},
    )
    yield Case("github changed by one byte", 401, "github", right, BODY.replace(b"production", b"Production", 1))
    yield Case("github signed, of no event", 400, "github", _without(right, "X-GitHub-Event"))
    yield Case(
        "github with basic authentication",
        401,
        "github",
        {**_without(right, "X-Hub-Signature-256"), "Authorization": basic()},
    )
    for name, body in {
        "empty": b"",
        "a form": b"payload=%7B%7D",
        "half": BODY[:-10],
        "no UTF-8": b'{"action": "\xff"}',
        "UTF-16": BODY.decode().encode("utf-16"),
        "a lone surrogate": b'{"action": "\\ud800"}',
        "endlessly nested": b"[" * 100_000,
        "no number": b'{"a": NaN}',
    }.items():
        yield Case(f"github signed, body {name}", 400, "github", github("deployment_status", "d-1", body), body)
    for kind in ("application/x-www-form-urlencoded", "text/plain", "", "application/json; charset=utf-16", "json"):
        yield Case(f"github signed, media type {kind!r}", 415, "github", {**right, "Content-Type": kind})
    packed = gzip.compress(BODY)
    yield Case(
        "github signed, compressed",
        415,
        "github",
        {**github("push", "d-1", packed), "Content-Encoding": "gzip"},
        packed,
    )
    large = b" " * (LARGEST_BODY_BYTES + 1)
    yield Case("github signed, too large", 413, "github", github("push", "d-1", large), large)
    yield Case("github unsigned, too large", 401, "github", JSON, large)


def _tokens() -> Iterator[Case]:
    yield Case("gitlab without token", 401, "gitlab", JSON, LAB)
    for name, value in {
        "wrong": "gitlab-token-of-the-test",
        "empty": "",
        "longer": GITLAB_TOKEN + "x",
        "in capitals": GITLAB_TOKEN.upper(),
        "the signing key": SIGNING_SECRET,
        "no ASCII": "tökentökentökentöken",
    }.items():
        yield Case(f"gitlab token {name}", 401, "gitlab", {**JSON, "X-Gitlab-Token": value}, LAB)
    wrong = {**standard_headers(LAB, message_id="m", secret=OTHER_KEY), "X-Gitlab-Token": GITLAB_TOKEN}
    yield Case("gitlab wrongly signed beside the right token", 401, "gitlab", {**JSON, **wrong}, LAB)
    yield Case("gitlab of no kind", 400, "gitlab", {**JSON, "X-Gitlab-Token": GITLAB_TOKEN}, b"{}")
    for source, body in (("azure-devops", AZURE), ("jenkins", JENKINS)):
        yield Case(f"{source} without credentials", 401, source, JSON, body)
        for name, value in {
            "of another password": basic("sereno:another-password"),
            "of another user": basic(BASIC.replace("sereno", "admin")),
            "of a bearer": f"Bearer {BASIC}",
            "no base64": "Basic %%%",
            "empty": "Basic",
            "not encoded": f"Basic {BASIC}",
        }.items():
            yield Case(f"{source} credentials {name}", 401, source, {**JSON, "Authorization": value}, body)
    yield Case("azure-devops of no kind", 400, "azure-devops", {**JSON, "Authorization": basic()}, b"[]")
    signature = {**JSON, "X-Sereno-Signature-256": hub_signature(JENKINS, "wrong"), "Authorization": basic()}
    yield Case("jenkins wrongly signed beside right credentials", 401, "jenkins", signature, JENKINS)
    bucket = {**JSON, "X-Event-Key": "repo:push", "X-Hub-Signature": hub_signature(BUCKET, "wrong")}
    yield Case("bitbucket wrongly signed", 401, "bitbucket", bucket, BUCKET)
    yield Case("bitbucket unsigned", 401, "bitbucket", _without(bucket, "X-Hub-Signature"), BUCKET)


def _standard() -> Iterator[Case]:
    now = datetime.now(UTC)
    right = {**JSON, **standard_headers(GENERIC, message_id="m-1", at=now)}
    stale = standard_headers(GENERIC, message_id="m-1", at=now - timedelta(hours=6))
    early = standard_headers(GENERIC, message_id="m-1", at=now + timedelta(hours=6))
    yield Case("generic played again after six hours", 401, "generic", {**JSON, **stale}, GENERIC)
    yield Case("generic of the future", 401, "generic", {**JSON, **early}, GENERIC)
    yield Case(
        "generic with a fresh time behind the signature",
        401,
        "generic",
        {**JSON, **stale, "webhook-timestamp": right["webhook-timestamp"]},
        GENERIC,
    )
    yield Case("generic with another id", 401, "generic", {**right, "webhook-id": "m-2"}, GENERIC)
    yield Case("generic with another body", 401, "generic", right, GENERIC.replace(b"production", b"Production"))
    for name in ("webhook-id", "webhook-timestamp", "webhook-signature"):
        yield Case(f"generic without {name}", 401, "generic", _without(right, name), GENERIC)
    for time in ("soon", "1e9", "-1", "0", "9" * 30, "٣"):
        yield Case(f"generic at {time}", 401, "generic", {**right, "webhook-timestamp": time}, GENERIC)
    signature = right["webhook-signature"]
    for name, value in {
        "of another key": standard_headers(GENERIC, message_id="m-1", at=now, secret=OTHER_KEY)["webhook-signature"],
        "of another version": signature.replace("v1,", "v1a,"),
        "without version": signature.removeprefix("v1,"),
        "no base64": "v1,%%%",
        "empty": "",
        "many": " ".join(["v1,AAAA"] * 1000),
    }.items():
        yield Case(f"generic signature {name}", 401, "generic", {**right, "webhook-signature": value}, GENERIC)
    yield Case("generic by token", 401, "generic", {**JSON, "X-Gitlab-Token": SIGNING_SECRET}, GENERIC)


def _places() -> Iterator[Case]:
    right = github("deployment_status", "d-1", BODY)
    for source in ("nobody", "GitHub", "github%2F", "..%2fgithub", "%00"):
        yield Case(f"source {source}", 404, source, right)
    for method in ("GET", "PUT", "DELETE", "PATCH", "HEAD"):
        yield Case(f"method {method}", 405, "github", right, method=method)
    yield Case("gitlab's delivery to github", 401, "github", {**JSON, "X-Gitlab-Token": GITLAB_TOKEN}, LAB)


CASES = [*_github(), *_tokens(), *_standard(), *_places()]


def test_there_are_more_cases_than_the_promise() -> None:
    """At least forty, each with a name of its own."""
    assert len({case.name for case in CASES}) == len(CASES) >= 40


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_wrong_delivery_is_refused_and_not_stored(shared: Receiver, case: Case) -> None:
    """The answer has the case's status, and what is on disk is what was there before."""
    before = shared.kept()
    headers = [(name.encode(), value.encode()) for name, value in case.headers.items()]
    try:
        answer = shared.client.request(case.method, f"/api/v1/devops/{case.source}", headers=headers, content=case.body)
    except (httpx.WriteError, httpx.ReadError):  # refused by its head: the server needs not hear the rest
        assert len(case.body) > LARGEST_BODY_BYTES
        answer = None
    assert answer is None or answer.status_code == case.status, answer.text
    assert shared.kept() == before


def test_answers_show_no_secret(shared: Receiver) -> None:
    """Neither an answer nor the metrics hold a secret."""
    answer = shared.client.post("/api/v1/devops/gitlab", headers={**JSON, "X-Gitlab-Token": "wrong"}, content=LAB)
    shown = answer.text + json.dumps(dict(answer.headers)) + shared.client.get("/metrics").text
    assert not any(secret in shown for secret in (GITHUB_SECRET, GITLAB_TOKEN, SIGNING_SECRET, BASIC))


def test_refusals_are_counted_without_series_for_strangers(shared: Receiver) -> None:
    """Wrong signatures count for their source; unknown sources all count as one."""

    def count(source: str, outcome: str) -> float:
        return shared.metric("sereno_devops_deliveries_total", source=source, outcome=outcome) or 0

    before = count("github", "unauthenticated"), count("_unknown", "unknown_source")
    shared.client.post("/api/v1/devops/github", headers=JSON, content=BODY)
    shared.client.post("/api/v1/devops/whoever-this-is", headers=JSON, content=BODY)
    after = count("github", "unauthenticated"), count("_unknown", "unknown_source")
    assert after == (before[0] + 1, before[1] + 1)
    assert "whoever-this-is" not in shared.client.get("/metrics").text
