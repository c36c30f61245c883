"""`sereno exporter` as users start, misstart and stop it."""

import gc
import signal
import socket
import sqlite3
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import bcrypt
import httpx
import pytest
from sereno_cli.commands.exporter import modules_are_no_garbage
from sereno_exporters.kinds import KINDS, load
from support.certificates import authority, issued
from support.command_line import SERENO, sereno
from support.exporting import samples_of
from support.ports import free_port
from support.waiting import wait_for

CONFIGURATION = """\
version: sereno/v1
exporters:
  sql:
    targets:
      shop: {dialect: sqlite, file: shop.sqlite, rows: [{table: orders}]}
      gone: {dialect: sqlite, file: gone.sqlite, rows: [{table: orders}]}
"""
ROWS = ("sereno_sql_table_rows", (("counted", "exact"), ("table", "orders"), ("target", "shop")))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A configuration of two targets, one of which is not there."""
    with closing(sqlite3.connect(tmp_path / "shop.sqlite")) as database:
        database.execute("CREATE TABLE orders (id INTEGER)")
        database.executemany("INSERT INTO orders VALUES (?)", [(number,) for number in range(3)])
        database.commit()
    (tmp_path / "exporters.yaml").write_text(CONFIGURATION)
    return tmp_path


@dataclass(frozen=True, slots=True)
class Running:
    """A server, and where it says that it listens."""

    process: subprocess.Popen[str]
    url: str
    log: Path


@contextmanager
def serving(folder: Path, *options: str, scheme: str = "http") -> Iterator[Running]:
    """`sereno exporter all`, ended when the block is left."""
    port, log = free_port(), folder / "exporter.log"
    with log.open("w") as output:
        command = [*SERENO, "exporter", "all", "--port", str(port), *options]
        process = subprocess.Popen(command, cwd=folder, stdout=output, stderr=subprocess.STDOUT, text=True)
        try:
            wait_for(lambda: "listening on" in log.read_text() or process.poll() is not None, what="the server")
            yield Running(process, f"{scheme}://127.0.0.1:{port}", log)
        finally:
            process.terminate()
            process.wait(10)


def get(url: str, **options: object) -> httpx.Response:
    """Ask on loopback, without a proxy; the first requests may come before the server accepts."""
    return wait_for(lambda: _got(url, **options), what=f"an answer of {url}")


def _got(url: str, **options: object) -> httpx.Response | None:
    try:
        return httpx.get(url, trust_env=False, timeout=10, **options)  # type: ignore[arg-type]
    except httpx.TransportError:
        return None


def test_once_prints_a_scrape_and_tells_what_failed(folder: Path) -> None:
    """Metrics on stdout, the trouble on stderr, and an exit code that says whether a target failed."""
    answer = sereno("exporter", "sql", "--once", cwd=folder)
    assert answer.returncode == 3
    assert samples_of(answer.stdout)[ROWS] == 3
    assert answer.stderr.startswith("sql/gone, rows_orders: ")
    assert sereno("exporter", "sql", "--once", "--target", "shop", cwd=folder).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["sql", "--once", "--target", "shp"], "no target is called shp; there are: shop, gone"),
        (["sql", "--target", "shop"], "--target goes with --once"),
        (["sql", "--config", "other.yaml"], "other.yaml:1:1: error[SLO040]: there is no such file (write one as docs"),
        (["nosuch"], "nosuch"),
        (["sqll"], "No such command 'sqll'. Did you mean 'sql'"),
        (["list", "nosuch"], "there is no exporter nosuch"),
    ],
)
def test_mistakes_are_told_with_exit_code_2(folder: Path, arguments: list[str], told: str) -> None:
    """No traceback, and what to do instead."""
    answer = sereno("exporter", *arguments, cwd=folder)
    assert answer.returncode == 2
    assert told in answer.stderr


def test_mistakes_of_the_configuration_have_their_place(folder: Path) -> None:
    """All of them at once, with file, line and column; nothing is served."""
    text = CONFIGURATION.replace("dialect: sqlite, file: gone", "dialct: sqlite, file: gone").replace("v1", "v9")
    (folder / "exporters.yaml").write_text(text)
    for arguments in (["check"], ["all"], ["sql", "--once"]):
        answer = sereno("exporter", *arguments, cwd=folder)
        assert answer.returncode == 2
        assert "exporters.yaml:1:10: error[SLO010]" in answer.stderr
        assert "exporters.yaml:6:14: error[SLO00" in answer.stderr
        assert answer.stderr.endswith(" errors; no target was asked\n")


def test_a_configuration_without_targets_says_what_to_add(folder: Path) -> None:
    """Whoever asks for all exporters, or for a check, is told how one is written."""
    (folder / "exporters.yaml").write_text("version: sereno/v1\nexporters: {}\n")
    for arguments in (["check"], ["all"]):
        answer = sereno("exporter", *arguments, cwd=folder)
        assert answer.returncode == 2
        assert "exporters.yaml has no targets for any exporter: add exporters: {NAME: {targets: …}}" in answer.stderr


def test_check_and_list_tell_what_is_there(folder: Path) -> None:
    """`check` names the targets, `list` the exporters and, for one, its families."""
    checked = sereno("exporter", "check", cwd=folder).stdout
    assert "sql/shop: at most 8 s and 10,000 series a scrape\n" in checked
    assert "exporters.yaml is right; whether its targets answer: sereno exporter all --once\n" in checked
    listed = sereno("exporter", "list", cwd=folder).stdout
    assert set(KINDS) <= {line.split()[0] for line in listed.splitlines()}
    assert (
        "sereno_sql_table_rows{target, table, counted} (gauge)" in sereno("exporter", "list", "sql", cwd=folder).stdout
    )


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_it_is_told_to_stop(folder: Path, stop: signal.Signals) -> None:
    """It says where, serves all targets, tells a trouble once, and a polite signal ends it with 0."""
    with serving(folder) as server:
        for _ in range(3):
            found = samples_of(get(f"{server.url}/metrics").text)
        assert found[ROWS] == 3
        assert found["sereno_sql_up", (("target", "gone"),)] == 0
        server.process.send_signal(stop)
        assert server.process.wait(10) == 0
        log = server.log.read_text()
    assert f"exporters: 2 targets, listening on {server.url}" in log
    assert log.count("sql/gone") == 1
    assert "Traceback" not in log


def test_a_taken_port_is_a_message(folder: Path) -> None:
    """Exit 3, with a cure."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        answer = sereno("exporter", "all", "--port", str(taken.getsockname()[1]), cwd=folder)
    assert answer.returncode == 3
    assert "choose another --host or --port" in answer.stderr


def test_tls_and_passwords_as_prometheus_has_them(folder: Path) -> None:
    """Only who speaks TLS and knows a password is answered; a changed file holds without a restart."""
    ours = authority(folder)
    certificate = issued(folder, ours)
    web = folder / "web.yml"

    def configure(password: str) -> None:
        hashed = bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode()
        web.write_text(
            f"tls_server_config: {{cert_file: {certificate.chain.name}, key_file: {certificate.key.name}}}\n"
            f"basic_auth_users: {{prometheus: {hashed}}}\n"
            "http_server_config: {headers: {X-Frame-Options: deny}}\n"
        )

    configure("first")
    with serving(folder, "--web-config", str(web), scheme="https") as server:
        trusting = {"verify": ssl.create_default_context(cafile=ours.path)}
        assert get(f"{server.url}/metrics", **trusting).status_code == 401
        right = get(f"{server.url}/metrics", auth=("prometheus", "first"), **trusting)
        assert right.status_code == 200
        assert right.headers["x-frame-options"] == "deny"
        discovered = get(f"{server.url}/sd", auth=("prometheus", "first"), **trusting).json()
        assert {target["labels"]["__scheme__"] for target in discovered} == {"https"}
        assert samples_of(right.text)[ROWS] == 3
        configure("second")
        wait_for(
            lambda: get(f"{server.url}/sd", auth=("prometheus", "second"), **trusting).status_code == 200,
            what="the new password",
        )
        assert get(f"{server.url}/sd", auth=("prometheus", "first"), **trusting).status_code == 401
        web.write_text("basic_auth_users: [no]\n")
        time.sleep(1.1)
        assert get(f"{server.url}/sd", auth=("prometheus", "second"), **trusting).status_code == 200
        assert "stays as it was when it was right" in server.log.read_text()


def test_a_certificate_that_nobody_trusts_any_more_can_be_renewed(folder: Path) -> None:
    """The new files hold without a restart, though no request came over the old certificate."""
    old, new = authority(folder, "old"), authority(folder, "new")
    issued(folder, old)
    web = folder / "web.yml"
    web.write_text("tls_server_config: {cert_file: server.chain, key_file: server.key}\n")
    trusting = {"verify": ssl.create_default_context(cafile=new.path)}
    with serving(folder, "--web-config", str(web), scheme="https") as server:
        assert _got(f"{server.url}/health", **trusting) is None
        issued(folder, new)
        assert get(f"{server.url}/health", **trusting).status_code == 200


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("basic_auth_users: {a: b}\n", "web.yml:1:23: error[SLO006]: the password is no bcrypt hash"),
        ("tls_server_config: {cert_file: a.crt, key_file: a.key}\n", "a.crt and a.key can't be used: No such file"),
    ],
)
def test_a_protection_that_can_not_be_had_is_no_start(folder: Path, text: str, told: str) -> None:
    """Nothing is served unprotected because a file was wrong."""
    (folder / "web.yml").write_text(text)
    answer = sereno("exporter", "all", "--web-config", "web.yml", cwd=folder)
    assert answer.returncode == 2
    assert told in answer.stderr


def test_the_table_of_exporters_tells_what_they_tell() -> None:
    """Each kind has the name that it is called by, and every family the prefix of its kind."""
    for kind in load(KINDS):
        assert KINDS[kind.name][0].startswith("sereno_exporters.")
        assert {family.name.startswith(f"sereno_{kind.name}_") for family in kind.families} == {True}


def test_modules_are_not_looked_through_while_it_serves() -> None:
    """A collection of garbage passes over what was loaded before, and knows it again afterwards."""
    before = gc.get_freeze_count()
    with modules_are_no_garbage():
        assert gc.get_freeze_count() > before + 10_000
    assert gc.get_freeze_count() == 0
