"""Whoever shows no credentials gets nothing of any server, by any route and any method; all servers are known."""

import re
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import click
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from prometheus_client import CollectorRegistry
from sereno_backends.devops.sqlite_store import SqliteDevOpsEventStore
from sereno_cli.main import root
from sereno_collectors.devops.receiver import ReceiverParts
from sereno_collectors.devops.receiver import create_receiver as create_devops
from sereno_exporters.frame.scraping import Scrapers
from sereno_exporters.frame.serving import create_app as create_exporter
from sereno_portal import PortalConfiguration, create_portal
from sereno_postmortems.receiver import create_receiver as create_incidents
from sereno_postmortems.store import IncidentStore
from support.listeners import ROOT, Listeners

pytestmark = pytest.mark.xdist_group("listeners")

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
OWN_CREDENTIALS = {
    ("devops", "/api/v1/devops/{source}"): "a webhook shows the credentials of its source",
    ("incidents", "/api/v1/pagerduty"): "PagerDuty's webhook shows a signature",
}
"""Routes that no user guards: what is sent there without credentials is refused as well."""
NOT_FOR_OTHERS = {
    "cli/sereno_cli/demo/control.py": "faults of the demo: on 127.0.0.1 only, under its names only",
    "systems/common/reference_system/serving.py": "reference systems: not in the wheel, their faults on 127.0.0.1 only",
    "telemetry/sereno_telemetry/work/serving.py": "metrics of a user's own process: it chooses the address, GET only",
    "alerting/sereno_alerting/routing/webhook.py": "`sereno alerting test` on 127.0.0.1, while it runs",
}
"""Servers that have no `--web-config`, and why that is right."""
PROTECTED = {
    "cli/sereno_cli/serving.py": "all commands",
    "cli/sereno_cli/background_serving.py": "beside a command's work",
    "collectors/sereno_collectors/logs/inputs/otlp/otlp_input.py": "by its guard",
}
_SERVES = re.compile(
    r"uvicorn\.(Server|run)\b|\bThreadingHTTPServer\b|\bHTTPServer\b|start_http_server\(|asyncio\.start_server"
    r"|start_unix_server|loop\.create_server|socketserver|make_server\("
)


def applications(folder: Path) -> dict[str, FastAPI]:
    """What the commands serve, to read its routes."""
    events = SqliteDevOpsEventStore(folder / "devops.sqlite")
    events.prepare()
    incidents = IncidentStore(folder / "incidents.sqlite")
    incidents.prepare()

    def now() -> datetime:
        return datetime.now(UTC)

    return {
        "exporter": create_exporter(Scrapers(())),
        "devops": create_devops(ReceiverParts((), events, CollectorRegistry(), now)),
        "incidents": create_incidents(incidents, clock=now),
        "portal": create_portal(PortalConfiguration(prometheus="http://127.0.0.1:1", root=ROOT)),
    }


def routes(app: FastAPI) -> set[str]:
    """The paths of all its routes, those that no schema tells of as well."""
    return {path for found in iter_route_contexts(app.routes) if (path := found.path)}


def filled(path: str) -> str:
    """The path with something for each of its parameters; sources of webhooks have names."""
    return re.sub(r"\{[^}]*\}", "github" if "devops/" in path else "x", path)


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """All paths of all servers; two of them have no table of routes."""
    found = {name: routes(app) for name, app in applications(tmp_path_factory.mktemp("applications")).items()}
    return {**found, "logs": {"/metrics", "/health", "/"}, "otlp": {"/v1/logs", "/health"}}


def test_no_route_answers_whoever_shows_nothing(listeners: Listeners, paths: dict[str, set[str]]) -> None:
    """Every route of every server, by every method: 401 before anything is looked at, unless it asks by itself."""
    assert set(paths) == set(listeners)
    assert {name: len(found) >= 2 for name, found in paths.items()} == dict.fromkeys(paths, True)
    open_doors = []
    for name, listener in listeners.items():
        with listener.client() as client:
            for path in sorted(paths[name]):
                expected = {401, 405, 403} if (name, path) in OWN_CREDENTIALS else {401}
                for method in METHODS if name != "otlp" else ("GET", "POST"):
                    answer = client.request(method, filled(path), content=b"{}" if method == "POST" else None)
                    if answer.status_code not in expected:
                        open_doors.append((name, method, path, answer.status_code))
    assert open_doors == []


def test_the_same_routes_answer_whoever_logs_in(listeners: Listeners, paths: dict[str, set[str]]) -> None:
    """So the refusals above are of the routes, and not of a server that refuses everybody."""
    for name, listener in listeners.items():
        with listener.client(logged_in=True) as client:
            statuses = {path: client.get(filled(path)).status_code for path in sorted(paths[name])}
        locked = {path for path, status in statuses.items() if status == 401}
        assert locked == set(), name
        assert statuses["/health"] == 200, name


@pytest.mark.parametrize("wrong", [("ada", "wrong"), ("nobody", "the password of the tests' user"), ("", "")])
def test_wrong_credentials_are_none(listeners: Listeners, wrong: tuple[str, str]) -> None:
    """A wrong password and an unknown name are answered like nothing at all."""
    for listener in listeners.values():
        with listener.client() as client:
            assert client.get("/health", auth=wrong).status_code == 401, listener.name


def test_webhooks_write_nothing_without_their_credentials(listeners: Listeners) -> None:
    """Their own doors, tried with the login of a user, with nothing, and with a signature of another secret."""
    signature = {"X-PagerDuty-Signature": "v1=" + "0" * 64, "X-Hub-Signature-256": "sha256=" + "0" * 64}
    for name, path in OWN_CREDENTIALS:
        for logged_in in (False, True):
            with listeners[name].client(logged_in=logged_in) as client:
                for headers in ({}, signature):
                    answer = client.post(filled(path), json={"event": {}}, headers=headers)
                    assert answer.status_code == 401, (name, headers)


def test_tls_is_asked_for_where_it_is_configured(listeners: Listeners) -> None:
    """Plain HTTP on such a port is no answer of the application."""
    for listener in (each for each in listeners.values() if each.authority is not None):
        with listener.client(logged_in=True) as client:
            assert client.get("/health").status_code == 200
        plain = subprocess.run(
            ["curl", "-sS", "--max-time", "20", listener.url.replace("https:", "http:") + "/health"],
            capture_output=True, check=False,
        )  # fmt: skip
        assert plain.stdout == b"", listener.name


def test_no_command_listens_without_a_web_config() -> None:
    """Whatever takes a port or an address to listen on takes `--web-config`."""
    listening = {path: flags for path, flags in _flags((), root) if flags & {"--port", "--host", "--otlp"}}
    assert len(listening) >= 5
    assert [path for path, flags in listening.items() if "--web-config" not in flags] == []


def test_every_server_in_the_code_is_known_here() -> None:
    """A new one is protected like the others, or has a reason not to be."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    serving = {
        name
        for name in listed.split("\0")
        if name and not name.startswith(("tests/", "benchmarks/", "scripts/")) and (ROOT / name).is_file()
        if _SERVES.search((ROOT / name).read_text())
    }
    assert serving == set(NOT_FOR_OTHERS) | set(PROTECTED)


def _flags(path: tuple[str, ...], command: click.Command) -> Iterator[tuple[tuple[str, ...], set[str]]]:
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from _flags((*path, name), below)
    else:
        yield path, {flag for parameter in command.params for flag in parameter.opts}
