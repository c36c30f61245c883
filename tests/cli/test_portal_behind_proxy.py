"""`sereno portal` behind a reverse proxy that says who asks, before a real receiver of incidents."""

import sys
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner
from sereno_cli.commands.portal import command
from support.incidents import PAGE, at, reported, running_receiver, webhook
from support.portal import ROOT
from support.ports import free_port
from support.prometheus import running


def test_entries_are_written_as_the_proxys_user(tmp_path: Path) -> None:
    """Into the receiver's record, also where the proxy tells the caller's address; nobody else writes."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    serve = ["-c", "from sereno_cli.main import main; main()", "portal", "--port", str(port), "--root", str(ROOT)]
    with running_receiver(tmp_path / "incidents.sqlite") as receiver:
        alert = webhook([reported(PAGE, at(10))])
        httpx.post(f"{receiver.url}/api/v1/alertmanager", json=alert, trust_env=False).raise_for_status()
        options = ["--incidents", receiver.url, "--user-header", "X-Forwarded-User", "--public-name", "Sereno.Example"]
        with running([sys.executable, *serve, *options], url=url, log=tmp_path / "log", ready_path="/health"):
            target = f"{url}/api/v1/incidents/2026-11-22-transactions-api-availability/entries"
            proxied = {"X-Forwarded-For": "203.0.113.9", "Host": "sereno.example"}
            answers = [
                httpx.post(
                    target,
                    json={"id": name, "kind": "note", "text": "seen"},
                    headers={**proxied, **({"X-Forwarded-User": name} if name != "nobody" else {})},
                    trust_env=False,
                )
                for name in ("ana", "nobody")
            ]
            rebound = httpx.post(
                target,
                json={"id": "rebound", "kind": "note", "text": "not hers"},
                headers={"Host": "evil.example", "X-Forwarded-User": "ana"},
                trust_env=False,
            )
        (incident,) = httpx.get(f"{receiver.url}/api/v1/incidents", trust_env=False).json()["incidents"]
    assert [answer.status_code for answer in (*answers, rebound)] == [200, 403, 421]
    assert [(entry["author"], entry["text"]) for entry in incident["entries"]] == [("ana", "seen")]


@pytest.mark.parametrize("header", ["X Forwarded", "X-Ü", ""])
def test_a_headers_name_is_one(header: str) -> None:
    """What no proxy can send is a mistake of the command line."""
    done = CliRunner().invoke(command, ["--root", str(ROOT), "--user-header", header])
    assert done.exit_code == 2
    assert "is no header's name; write for example X-Forwarded-User" in done.output


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--user-header", "X-Forwarded-User"], "--user-header needs --public-name"),
        (["--public-name", "https://sereno.example"], "is no host name; write for example sereno.example.org"),
        (["--public-name", "sereno.example:8443"], "is no host name"),
    ],
)
def test_the_proxys_name_is_told(arguments: list[str], told: str) -> None:
    """Without it every page whose name leads here would pass for the proxy's."""
    done = CliRunner().invoke(command, ["--root", str(ROOT), *arguments], standalone_mode=False)
    assert told in done.output or told in str(done.exception)
    assert 2 in (done.return_value, getattr(done.exception, "exit_code", None))
