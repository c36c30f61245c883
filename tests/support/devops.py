"""Signed webhook deliveries, and a receiver to send them to: within this process, or one of its own."""

import base64
import hashlib
import hmac
import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from support.ports import free_port
from support.prometheus import RunningProcess, running

GITHUB_SECRET = "github-secret-of-the-tests"  # noqa: S105 - shared with nobody
GITLAB_TOKEN = "gitlab-token-of-the-tests"  # noqa: S105
SIGNING_SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()
BASIC = "sereno:password-of-the-tests"
JSON = {"Content-Type": "application/json"}
SECRETS = {
    "github": (GITHUB_SECRET,),
    "gitlab": (GITLAB_TOKEN, SIGNING_SECRET),
    "azure-devops": (BASIC,),
    "jenkins": (BASIC, GITHUB_SECRET),
    "bitbucket": (GITHUB_SECRET,),
    "generic": (SIGNING_SECRET,),
}
"""By source; each is of the provider of its name."""


def write_configuration(folder: Path) -> Path:
    """A `devops.yaml` with a source for each provider, and the files of its secrets."""
    lines = ["version: sereno/v1", "sources:"]
    (folder / "secrets").mkdir(parents=True, exist_ok=True)
    for source, secrets in SECRETS.items():
        files = [f"secrets/{source}.{number}" for number in range(len(secrets))]
        for file, secret in zip(files, secrets, strict=True):
            (folder / file).write_text(f"{secret}\n", encoding="utf-8")
        named = f"provider: {source.replace('-', '_')}, secret_files: [{', '.join(files)}]"
        lines.append(f"  {source}: {{{named}}}")
    path = folder / "devops.yaml"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def hub_signature(body: bytes, secret: str = GITHUB_SECRET) -> str:
    """What GitHub and Bitbucket send as signature."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def basic(credentials: str = BASIC) -> str:
    """The value of `Authorization`."""
    return "Basic " + base64.b64encode(credentials.encode()).decode()


def standard_headers(
    body: bytes, *, message_id: str, at: datetime | None = None, secret: str = SIGNING_SECRET
) -> dict[str, str]:
    """The headers of Standard Webhooks, made by its own library."""
    from standardwebhooks import Webhook  # noqa: PLC0415 - of tests only

    moment = (at or datetime.now(UTC)).replace(microsecond=0)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": Webhook(secret).sign(message_id, moment, body.decode()),
    }


def github(event: str, delivery_id: str, body: bytes, **changes: str) -> dict[str, str]:
    """The headers of a delivery of GitHub."""
    return {
        **JSON,
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": delivery_id,
        "X-Hub-Signature-256": hub_signature(body),
        **changes,
    }


def signed(source: str, headers: Mapping[str, str], body: bytes) -> dict[str, str]:
    """The headers of a sample, with the credentials that its provider would send."""
    match source:
        case "github":
            proof = {"X-Hub-Signature-256": hub_signature(body)}
        case "bitbucket":
            proof = {"X-Hub-Signature": hub_signature(body)}
        case "gitlab":
            proof = {"X-Gitlab-Token": GITLAB_TOKEN}
        case "generic":
            proof = standard_headers(body, message_id=headers["webhook-id"])
        case _:
            proof = {"Authorization": basic()}
    return {**JSON, **headers, **proof}


def deployment_body(number: int, **changes: Any) -> bytes:
    """A successful deployment of GitHub's, told by its number."""
    at = f"2026-11-22T{number // 3600 % 24:02d}:{number // 60 % 60:02d}:{number % 60:02d}Z"
    deployment = {"id": number, "sha": f"{number:040x}", "ref": "main", "task": "deploy", "created_at": at}
    status = {"id": number, "state": "success", "environment": "production", "created_at": at, "updated_at": at}
    told = {
        "action": "created",
        "deployment_status": status,
        "deployment": {**deployment, "environment": "production"},
        "repository": {"full_name": "acme/shop"},
    }
    return json.dumps({**told, **changes}).encode()


@contextmanager
def running_receiver(configuration: Path, store: Path, *, port: int | None = None) -> Iterator[RunningProcess]:
    """A healthy `sereno collect devops` in a process of its own, gone when the block is left."""
    chosen = port or free_port()
    run = "from sereno_cli.main import main; main()"
    command = [sys.executable, "-c", run, "collect", "devops", "--config", str(configuration), "--port", str(chosen)]
    command += ["--store", str(store)]
    url = f"http://127.0.0.1:{chosen}"
    with running(command, url=url, log=store.with_suffix(".log"), ready_path="/health") as server:
        yield server
