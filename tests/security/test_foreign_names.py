"""A web page that makes its own name lead to this machine reads nothing of the incident records, and writes nothing."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from support.command_line import sereno
from support.incidents import PAGE, at, reported, running_receiver, webhook
from support.prometheus import RunningProcess

REBOUND = ("evil.example", "evil.example:19093", "127.0.0.1.evil.example", "localhost.evil.example", "")


@pytest.fixture(scope="module")
def incidents(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningProcess]:
    """On loopback, without users, with one name of a proxy."""
    database = tmp_path_factory.mktemp("incidents") / "incidents.sqlite"
    with running_receiver(database, "--public-name", "Incidents.Example.org") as server:
        yield server


def status(server: RunningProcess, path: str, host: str, method: str = "GET") -> int:
    """What is answered under the name."""
    body = webhook([reported(PAGE, at(10))]) if method == "POST" else None
    headers = {"Host": host}
    answer = httpx.request(method, server.url + path, headers=headers, json=body, trust_env=False, timeout=20)
    return answer.status_code


@pytest.mark.parametrize("host", REBOUND)
def test_under_a_foreign_name_nothing_is_read_and_nothing_written(incidents: RunningProcess, host: str) -> None:
    """Records, pages, the description of the interface, and the webhook: 421."""
    for path in ("/", "/api/v1/incidents", "/openapi.json", "/docs"):
        assert status(incidents, path, host) == 421, path
    assert status(incidents, "/api/v1/alertmanager", host, "POST") == 421


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:1", "[::1]:80", "incidents.example.org", "LOCALHOST:8080"])
def test_under_our_own_names_everything_is_as_before(incidents: RunningProcess, host: str) -> None:
    """This machine's names, and the one that was said."""
    assert status(incidents, "/api/v1/incidents", host) == 200
    assert status(incidents, "/api/v1/alertmanager", host, "POST") == 200


def test_what_probes_and_pagerduty_ask_is_left_to_itself(incidents: RunningProcess) -> None:
    """Health and metrics tell of nobody, and PagerDuty's webhook shows a signature under whatever name it has."""
    assert status(incidents, "/health", "10.0.0.7") == 200
    assert status(incidents, "/metrics", "10.0.0.7") == 200
    assert status(incidents, "/api/v1/pagerduty", "10.0.0.7", "POST") == 403


def test_the_refusal_says_what_to_do(incidents: RunningProcess) -> None:
    """As JSON where machines ask."""
    answer = httpx.get(f"{incidents.url}/api/v1/incidents", headers={"Host": "a.example"}, trust_env=False)
    assert "sereno incidents serve --public-name" in answer.json()["error"]


def test_a_name_that_is_none_is_told(tmp_path: Path) -> None:
    """Exit 2."""
    answer = sereno("incidents", "serve", "--public-name", "https://a.example", cwd=tmp_path)
    assert answer.returncode == 2
    assert "is no host name" in answer.stderr
