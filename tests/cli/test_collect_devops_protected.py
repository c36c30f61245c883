"""`sereno collect devops --web-config`: TLS for everything, users for all but the webhooks."""

import hashlib
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import bcrypt
import httpx
import pytest
from support.certificates import Certificate, authority, issued
from support.command_line import SERENO, files_below, sereno
from support.devops import deployment_body, github, signed, write_configuration
from support.ports import free_port
from support.prometheus import stop
from support.waiting import wait_for

PASSWORD = "the scraper's password"  # noqa: S105 - shared with nobody
SCRAPER = ("prometheus", PASSWORD)


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """The authority of the tests, with a certificate for the receiver and its renewal."""
    made = authority(tmp_path_factory.mktemp("authority"))
    for name in ("server", "renewed"):
        issued(made.path.parent, made, name)
    return made


def web_configuration(folder: Path, ours: Certificate) -> Path:
    """TLS and one user."""
    for kind in ("chain", "key"):
        shutil.copy(ours.path.parent / f"server.{kind}", folder / f"server.{kind}")
    hashed = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
    path = folder / "web.yml"
    path.write_text(
        "tls_server_config: {cert_file: server.chain, key_file: server.key}\n"
        f"basic_auth_users: {{prometheus: {hashed}}}\n"
        "http_server_config: {headers: {X-Content-Type-Options: nosniff}}\n"
    )
    return path


@contextmanager
def receiving(folder: Path, ours: Certificate) -> Iterator[httpx.Client]:
    """A receiver of its own process, and a client that trusts its authority."""
    port, log = free_port(), folder / "devops.log"
    command = [*SERENO, "collect", "devops", "--config", str(write_configuration(folder)), "--port", str(port)]
    command += ["--store", str(folder / "devops.sqlite"), "--web-config", str(web_configuration(folder, ours))]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
    try:
        url = f"https://127.0.0.1:{port}"
        wait_for(
            lambda: f"listening on {url} for" in log.read_text() or process.poll() is not None, what="the receiver"
        )
        trusting = ssl.create_default_context(cafile=ours.path)
        with httpx.Client(base_url=url, verify=trusting, trust_env=False, timeout=20) as client:
            wait_for(lambda: _answers(client), what="an answer")
            yield client
    finally:
        stop(process)
    assert "Traceback" not in log.read_text()


def _answers(client: httpx.Client) -> bool:
    try:
        return client.get("/health").status_code in (200, 401)
    except httpx.TransportError:
        return False


@contextmanager
def connected(url: httpx.URL, ours: Certificate) -> Iterator[ssl.SSLSocket]:
    """A connection after its handshake."""
    context = ssl.create_default_context(cafile=ours.path)
    plain = socket.create_connection((url.host, url.port or 0), 10)
    with context.wrap_socket(plain, server_hostname=url.host) as wrapped:
        yield wrapped


def shown(url: httpx.URL, ours: Certificate) -> str:
    """The fingerprint of the certificate that a handshake sees; nothing is asked after it."""
    with connected(url, ours) as connection:
        return hashlib.sha256(connection.getpeercert(binary_form=True) or b"").hexdigest()


def fingerprint(path: Path) -> str:
    """Of a certificate's file."""
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(path.read_text())).hexdigest()


def test_webhooks_show_their_own_credentials_and_all_else_asks_for_a_user(tmp_path: Path, ours: Certificate) -> None:
    """Over TLS a user of the web configuration opens everything but the webhooks, which a source's credentials open."""
    body = deployment_body(1)
    with receiving(tmp_path, ours) as client:
        for path in ("/metrics", "/docs", "/openapi.json", "/health", "/", "/api/v1/devops", "/api/v1/devopsx/github"):
            assert client.get(path).status_code == 401, path
            assert client.get(path, auth=SCRAPER).status_code in (200, 404), path
        for climbing in ("/api/v1/devops/../../../metrics", "/api/v1/devops/%2e%2e/%2e%2e/%2e%2e/metrics"):
            assert raw_status(client, climbing, ours) in (401, 404, 405), climbing
        stored = client.post("/api/v1/devops/github", content=body, headers=github("deployment_status", "1", body))
        assert (stored.status_code, stored.json()["outcome"]) == (200, "stored")
        assert stored.headers["x-content-type-options"] == "nosniff"
        # Azure DevOps and Jenkins use the very header that the web configuration's users do.
        azure = client.post("/api/v1/devops/azure-devops", content=b"{}", headers=signed("azure-devops", {}, b"{}"))
        assert azure.status_code == 400
        for source in ("github", "azure-devops"):
            refused = client.post(f"/api/v1/devops/{source}", json={}, auth=SCRAPER)
            assert refused.status_code == 401, source
        metrics = client.get("/metrics", auth=SCRAPER).text
    assert 'sereno_devops_deliveries_total{outcome="stored",source="github"} 1.0' in metrics


def raw_status(client: httpx.Client, target: str, ours: Certificate) -> int:
    """The answer to a path exactly as it stands: clients would tidy it up."""
    with connected(client.base_url, ours) as connection:
        connection.sendall(f"GET {target} HTTP/1.1\r\nHost: receiver\r\nConnection: close\r\n\r\n".encode())
        return int(connection.recv(4096).split(b" ")[1])


def test_a_renewed_certificate_is_shown_without_a_restart_and_without_a_request(
    tmp_path: Path, ours: Certificate
) -> None:
    """Handshakes alone are enough to see it: who finds an expired certificate sends no request."""
    with receiving(tmp_path, ours) as client:
        before = shown(client.base_url, ours)
        for kind in ("chain", "key"):
            shutil.copy(ours.path.parent / f"renewed.{kind}", tmp_path / f"server.{kind}")
        time.sleep(1.1)  # files are looked at once a second
        wait_for(lambda: shown(client.base_url, ours) != before, what="the renewed certificate", timeout_seconds=10)
        assert shown(client.base_url, ours) == fingerprint(ours.path.parent / "renewed.crt")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("basic_auth_users: {a: b}\n", "web.yml:1:23: error[SLO006]: the password is no bcrypt hash"),
        ("tls_server_config: {cert_file: a.crt, key_file: a.key}\n", "a.crt and a.key can't be used: No such file"),
    ],
)
def test_a_protection_that_can_not_be_had_is_no_start(tmp_path: Path, text: str, told: str) -> None:
    """A wrong web configuration is told with exit 2; nothing is served, and no store is made."""
    configuration = write_configuration(tmp_path)
    (tmp_path / "web.yml").write_text(text)
    before = files_below(tmp_path)
    answer = sereno("collect", "devops", "--config", configuration, "--web-config", "web.yml", cwd=tmp_path)
    assert answer.returncode == 2
    assert told in answer.stderr
    assert files_below(tmp_path) == before
