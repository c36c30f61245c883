"""A secret that was read from a file is told nobody: not in messages, logs, pages, metrics, queues or checkpoints."""

import base64
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import quote

import click
import httpx
import pytest
from sereno_cli.main import root
from support.command_line import SERENO
from support.listeners import ROOT
from support.misbehaving import Answer, garbage, misbehaving, ok
from support.ports import free_port
from support.prometheus import stop
from support.waiting import wait_for

pytestmark = pytest.mark.xdist_group("listeners")

MARKER = "M4rk3r/of secrets+that:nobody@may#see"
USER = "somebody"
URL_SECRET = quote(MARKER, safe="")
FAULTS: dict[str, Answer] = {
    "refused": ok(b"<html>Who are you?</html>", "401 Unauthorized", headers="WWW-Authenticate: Basic\r\n"),
    "broken": ok(b"{}", "500 Internal Server Error"),
    "garbage": garbage,
}
SECRET_WORDS = ("password", "secret", "token", "api-key", "apikey", "credential", "passphrase")


def forms() -> tuple[bytes, ...]:
    """The marker as it is, as an address has it, and as base64 in each of the places that it may have in a group."""
    plain = MARKER.encode()
    encoded = [base64.b64encode(b"x" * shift + plain)[(shift * 4 + 2) // 3 + 1 : -4] for shift in range(3)]
    return (plain, URL_SECRET.encode(), URL_SECRET.lower().encode(), *encoded)


def told(text: bytes) -> list[bytes]:
    """The forms that are in it."""
    return [form for form in forms() if form in text]


def test_the_search_finds_what_it_looks_for() -> None:
    """In a header of basic auth, with a user's name of any length before it, and in an address."""
    for name in ("a", "ab", "abc", USER):
        assert told(base64.b64encode(f"{name}:{MARKER}".encode())), name
    assert told(f"http://a:{URL_SECRET}@b".encode())
    assert told(MARKER.encode())
    assert not told(b"the secret")


def test_no_option_takes_a_secret_itself() -> None:
    """Only files: arguments are in the list of processes and in the shell's history."""
    named = [
        (path, option)
        for path, command in _leaves((), root)
        for parameter in command.params
        for option in parameter.opts
        if any(word in option.lower() for word in SECRET_WORDS)
    ]
    assert len(named) >= 3
    assert [each for each in named if not each[1].endswith("-file")] == []


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    """A folder with the marker in a file, and nothing else that has it."""
    (tmp_path / "secret").write_text(MARKER)
    (tmp_path / "user").write_text(USER)
    return tmp_path


def _commands(url: str) -> dict[str, list[str]]:
    """Commands that take a secret, asking a server at the address (`http://host:port`)."""
    with_login = url.replace("http://", f"http://{USER}:{URL_SECRET}@")
    slo = ["transactions-api/availability", "--prometheus", with_login]
    return {
        "push --token-file": ["push", "--url", url, "--token-file", "secret", str(ROOT / "slo/specs/etl.slo.yaml")],
        "budget": ["budget", *slo],
        "explain": ["explain", *slo],
        "incidents list": ["incidents", "list", "--incidents", with_login],
        "logs search": ["logs", "search", "x"],
    }


@pytest.mark.parametrize("fault", ["refused", "broken"])
def test_commands_that_fail_tell_no_secret(secrets: Path, fault: str) -> None:
    """Whatever the other side answers; the address without its password is told, so that somebody finds the place."""
    with misbehaving(FAULTS[fault]) as server:
        environment = {"SERENO_ELASTICSEARCH_URL": server.url, "SERENO_ELASTICSEARCH_API_KEY_FILE": "secret"}
        running = {
            name: subprocess.Popen(
                [*SERENO, *words], cwd=_within_repository(secrets), env=_with(environment, secrets),
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            )
            for name, words in _commands(server.url).items()
        }  # fmt: skip
        answers = {name: (process.communicate(timeout=100)[0], process.returncode) for name, process in running.items()}
        asked = b"".join(server.asked)
    assert told(asked), "nobody was sent the secret: the test looks at nothing"
    for name, (text, code) in answers.items():
        assert code != 0, (name, text)
        assert told(text) == [], (name, text)
        assert b"Traceback" not in text, (name, text)


@pytest.mark.parametrize("fault", ["refused", "garbage"])
def test_servers_tell_no_secret(secrets: Path, fault: str) -> None:
    """Nor do their pages, their metrics, or anything that they write, while what they ask fails."""
    with misbehaving(FAULTS[fault]) as server, ExitStack() as stack:
        urls = _servers(secrets, server.url, stack)
        wait_for(lambda: told(b"".join(server.asked)), what="a question with the secret")
        shown = b"".join(_everything(url) for url in urls)
        time.sleep(0.5)  # what fails is told by then
    written = {
        path.name: told(path.read_bytes())
        for path in secrets.rglob("*")
        if path.is_file() and path.name not in ("secret", "exporters.yaml")
    }
    assert told(shown) == []
    assert {name: found for name, found in written.items() if found} == {}
    for name in ("exporter.output", "logs.output", "portal.output"):
        assert b"Traceback" not in (secrets / name).read_bytes(), name


def _servers(folder: Path, url: str, stack: ExitStack) -> list[str]:
    """Three servers that hold the secret, each with the addresses that tell something."""
    (folder / "a.log").write_text('{"message": "a line"}\n')
    (folder / "exporters.yaml").write_text(
        "version: sereno/v1\nexporters:\n  rabbitmq:\n    targets:\n"
        f'      shop: {{url: "{url}", username_file: user, password_file: secret}}\n'
    )
    exporter, portal, logs = free_port(), free_port(), free_port()
    with_login = url.replace("http://", f"http://{USER}:{URL_SECRET}@")
    commands = {
        "exporter": ["exporter", "all", "--port", str(exporter)],
        "portal": ["portal", "--port", str(portal), "--root", str(ROOT), "--prometheus", with_login],
        "logs": ["collect", "logs", "--file", "a.log", "--metrics-port", str(logs)],
    }
    environment = {
        "SERENO_ELASTICSEARCH_URL": url,
        "SERENO_ELASTICSEARCH_USERNAME_FILE": "user",
        "SERENO_ELASTICSEARCH_PASSWORD_FILE": "secret",
    }
    for name, words in commands.items():
        stack.enter_context(_process(words, folder, folder / f"{name}.output", environment))
    addresses = (
        (exporter, ("/", "/metrics", "/self/metrics", "/sd")),
        (portal, ("/", "/metrics", "/backtest", "/api/v1/overview", "/dashboards", "/services/transactions-api")),
        (logs, ("/metrics",)),
    )
    return [f"http://127.0.0.1:{port}{path}" for port, paths in addresses for path in paths]


def _everything(url: str) -> bytes:
    """Head and body of the answer, once there is one."""

    def answered() -> bytes | None:
        try:
            answer = httpx.get(url, trust_env=False, timeout=30)
        except httpx.TransportError:
            return None
        return repr(answer.headers).encode() + answer.content

    return wait_for(answered, what=url)


@contextmanager
def _process(words: list[str], folder: Path, log: Path, environment: dict[str, str]) -> Iterator[None]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*SERENO, *words], cwd=folder, env=_with(environment, folder), stdout=output, stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
    try:
        yield
    finally:
        stop(process)


def _within_repository(folder: Path) -> Path:
    """A folder where commands find specs: one of its own, with a link to ours."""
    if not (folder / "slo").exists():
        (folder / "slo").symlink_to(ROOT / "slo")
        (folder / "sereno.yaml").symlink_to(ROOT / "sereno.yaml")
    return folder


def _with(environment: dict[str, str], folder: Path) -> dict[str, str]:
    return {**os.environ, **environment, "HOME": str(folder)}


def _leaves(path: tuple[str, ...], command: click.Command) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from _leaves((*path, name), below)
    else:
        yield path, command
