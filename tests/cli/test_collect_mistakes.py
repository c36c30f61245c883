"""What `sereno collect logs` says to arguments and places that it can't use."""

import shlex
import socket
import subprocess
from pathlib import Path

import pytest
from support.collect_command import SERENO, collect, collecting, first_line, messages
from support.ports import free_port


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder of every command; the developer's own Elasticsearch is not meant."""
    monkeypatch.chdir(tmp_path)
    for name in ("URL", "API_KEY_FILE", "CA_FILE"):
        monkeypatch.delenv(f"SERENO_ELASTICSEARCH_{name}", raising=False)
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "nothing to collect"),
        (("--file", "missing.log", "--once"), "no log file at missing.log: check the path of --file"),
        (("--file", "missing/app.log"), "no log file at missing/app.log"),
        (("--file", "."), ". is no regular file"),
        (("--file", "x" * 300), "can't be read: File name too long"),
        (("--file", "app.log", "--log-store", "app.log"), "to be read and written at once"),
        (("--file", "app.log", "--checkpoint", "app.log"), "to be read and written at once"),
        (("--file", "app.log", "--log-store", "text.txt"), "no SQLite database"),
        (("--file", "app.log", "--checkpoint", "text.txt"), "no checkpoint of a collector"),
        (("--file", "app.log", "--log-store", "text.txt/x/logs.sqlite"), "can't make the folder"),
        (("--file", "app.log", "--metrics-port", "99999"), "99999"),
    ],
)
def test_wrong_arguments_are_messages(folder: Path, arguments: tuple[str, ...], message: str) -> None:
    """Each mistake is told in one message with exit code 2, without a traceback, and changes nothing."""
    (folder / "app.log").write_text("one\n")
    (folder / "text.txt").write_text("just text\n" * 100)
    done = collect(*arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert messages() == []
    assert (folder / "app.log").read_text() == "one\n"
    assert (folder / "text.txt").read_text() == "just text\n" * 100


def test_a_taken_port_is_a_message(folder: Path) -> None:
    """A port that is in use is told with the cure and exit code 3."""
    (folder / "app.log").touch()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = collect("--file", "app.log", "--metrics-port", port)
    assert done.returncode == 3
    assert f"127.0.0.1:{port}: Address already in use; choose another --metrics-port" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_second_collector_with_the_same_checkpoint_is_refused(folder: Path) -> None:
    """Two collectors can't work with one checkpoint; the message says what to do."""
    (folder / "app.log").touch()
    with collecting("--file", "app.log") as process:
        first_line(process)
        done = collect("--file", "app.log", "--once")
    assert done.returncode == 2
    assert "another collector uses the checkpoint" in done.stderr


def test_a_server_that_is_not_there_ends_one_run_with_its_own_code(folder: Path) -> None:
    """With --once an unreachable Elasticsearch is exit code 3; the password of its address is not shown."""
    (folder / "app.log").write_text("one\n")
    url = f"http://sereno:s3cret@127.0.0.1:{free_port()}"
    done = collect("--file", "app.log", "--once", SERENO_ELASTICSEARCH_URL=url)
    assert done.returncode == 3
    assert "can't be reached" in done.stderr
    assert "s3cret" not in done.stderr + done.stdout
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("url", ["localhost:9200", "http://", "ftp://example.test"])
def test_a_wrong_address_is_a_message(folder: Path, url: str) -> None:
    """An address that can't be one is not taken for a path."""
    (folder / "app.log").write_text("one\n")
    done = collect("--file", "app.log", "--once", SERENO_ELASTICSEARCH_URL=url)
    assert done.returncode == 2
    assert "http" in done.stderr


@pytest.mark.parametrize("option", ["--metrics-host", "--otlp"])
def test_a_host_that_can_be_none_is_a_message(option: str) -> None:
    """A name that no host can have is told with exit code 3, and no traceback."""
    done = collect("--stdin", "--metrics-port", "0", option, "a..b:1" if option == "--otlp" else "a..b")
    assert done.returncode == 3
    assert "Traceback" not in done.stderr
    assert "a..b" in done.stderr


def test_a_closed_standard_input_is_a_message() -> None:
    """Where there is no stream to read, that is said."""
    command = shlex.join([*SERENO, "collect", "logs", "--stdin", "--metrics-port", "0"])
    done = subprocess.run(["sh", "-c", f"{command} <&-"], capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 2
    assert done.stderr == "sereno collect logs: --stdin: standard input is closed\n"


def test_a_pattern_that_finds_nothing_is_told() -> None:
    """A slip in a pattern is no silence; files may come later, so that it is no mistake."""
    done = collect("--file", "nothing*.log", "--once")
    assert (done.returncode, done.stderr) == (0, "sereno collect logs: no file is named like nothing*.log\n")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "nothing to collect"),
        (["--stdin", "--once"], "--once is for files"),
        (["--otlp", "4318"], "write HOST:PORT"),
        (["--otlp", "127.0.0.1:99999"], "write HOST:PORT"),
        (["--otlp", "127.0.0.1:" + "9" * 5000], "write HOST:PORT"),
        (["--stdin", "--label", "team"], "NAME=VALUE"),
    ],
)
def test_inputs_that_make_no_sense_are_messages(folder: Path, arguments: list[str], told: str) -> None:
    """Each mistake is said with its cure, and nothing is made."""
    done = collect(*arguments)
    assert (done.returncode, told in done.stderr) == (2, True)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "cure"),
    [
        (("--format", "xml"), "write one of auto, ecs"),
        (("--format", "*.log=xml"), "write one of auto, ecs"),
        (("--format", "json", "--format", "ecs"), "for single files write 'PATTERN=NAME'"),
        (("--time-zone", "Mars/North"), "Europe/Berlin"),
    ],
)
def test_a_format_that_is_none_is_told_with_a_cure(folder: Path, arguments: tuple[str, ...], cure: str) -> None:
    """Wrong names end with 2 and say which are right, before anything is made."""
    (folder / "app.log").touch()
    done = collect("--file", "app.log", "--once", *arguments)
    assert done.returncode == 2
    assert cure in done.stderr
    assert not (folder / "var").exists()
