"""`sereno incidents serve` as a user starts, misstarts and stops it."""

import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from support.incidents import PAGE, at, reported, running_receiver, webhook
from support.ports import free_port


def sereno(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own, to its end."""
    return subprocess.run(
        [sys.executable, "-c", "from sereno_cli.main import main; main()", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_it_listens_and_ends_cleanly(tmp_path: Path, stop: signal.Signals) -> None:
    """It listens on loopback, says so, and a polite signal ends it with 0 and without a traceback."""
    database = tmp_path / "deep" / "incidents.sqlite"
    database.parent.mkdir()
    with running_receiver(database) as server:
        assert httpx.get(f"{server.url}/health", trust_env=False).json() == {"status": "ok"}
        server.process.send_signal(stop)
        assert server.process.wait(timeout=10) == 0
        log = server.log.read_text(encoding="utf-8")
    assert f"listening on {server.url}" in log
    assert str(database) in log
    assert "Traceback" not in log


def test_a_restart_continues_the_record(tmp_path: Path) -> None:
    """What was on record before is there after a restart."""
    database = tmp_path / "incidents.sqlite"
    with running_receiver(database) as server:
        body = webhook([reported(PAGE, at(10))])
        httpx.post(f"{server.url}/api/v1/alertmanager", json=body, trust_env=False).raise_for_status()
    with running_receiver(database) as server:
        listed = httpx.get(f"{server.url}/api/v1/incidents", trust_env=False).json()["incidents"]
    assert [incident["incident_id"] for incident in listed] == ["2026-11-22-transactions-api-availability"]


def test_a_taken_port_is_a_message(tmp_path: Path) -> None:
    """A port that is in use is told with a cure, exit 3, no traceback."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = sereno("incidents", "serve", "--port", str(port), "--database", str(tmp_path / "i.sqlite"))
    assert done.returncode == 3
    assert f"can't listen on 127.0.0.1:{port}" in done.stderr
    assert "--port" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("host", ["no-such-host.invalid", "192.0.2.1", ""])
def test_a_host_that_is_not_ours_is_a_message(tmp_path: Path, host: str) -> None:
    """An address that can't be listened on is told, exit 3; nothing listens everywhere by accident."""
    port = str(free_port())
    done = sereno("incidents", "serve", "--host", host, "--port", port, "--database", str(tmp_path / "i.sqlite"))
    assert done.returncode == 3
    assert "can't listen" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_database_that_cannot_be_one_is_a_message(tmp_path: Path) -> None:
    """A text file, a folder, and a path below a file are told, exit 2, and left as they are."""
    notes = tmp_path / "notes.txt"
    notes.write_text("words, no database\n" * 100, encoding="utf-8")
    for path in (notes, tmp_path, notes / "i.sqlite"):
        done = sereno("incidents", "serve", "--port", "0", "--database", str(path))
        assert done.returncode == 2, path
        assert "Traceback" not in done.stderr
        assert "--database" in done.stderr
    assert notes.read_text(encoding="utf-8").startswith("words")


def test_beyond_loopback_it_warns(tmp_path: Path) -> None:
    """Listening for everybody is possible and comes with a warning."""
    command = [sys.executable, "-u", "-c", "from sereno_cli.main import main; main()", "incidents", "serve"]
    options = ["--host", "0.0.0.0", "--port", "0", "--database", str(tmp_path / "i.sqlite")]
    with subprocess.Popen([*command, *options], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        warning = process.stderr.readline()
        process.terminate()
        process.wait(timeout=10)
    assert "no authentication" in warning


def test_help_tells_how_to_connect_alertmanager() -> None:
    """The help names the webhook's address and what 200 means."""
    done = sereno("incidents", "serve", "--help")
    assert done.returncode == 0
    assert "http://127.0.0.1:19093/api/v1/alertmanager" in done.stdout
    assert "on disk" in done.stdout


@pytest.mark.parametrize("content", [None, b"", b"too short", b"\xff" * 40])
def test_a_secret_that_can_not_be_one_is_no_start(tmp_path: Path, content: bytes | None) -> None:
    """A missing, empty or short secret of PagerDuty is told with exit 2, and no database is made."""
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
    database = tmp_path / "i.sqlite"
    done = sereno("incidents", "serve", "--database", str(database), "--pagerduty-secret-file", str(path))
    assert done.returncode == 2
    assert str(path) in done.stderr
    assert "Traceback" not in done.stderr
    assert not database.exists()
