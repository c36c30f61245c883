"""Where log lines go: files that rotate and fill up, and the logs of the server."""

import json
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sereno_telemetry import configure_logging, ecs_handler
from sereno_telemetry.logs import files


@pytest.fixture
def file_log(tmp_path: Path) -> Iterator[tuple[logging.Logger, Path]]:
    """A logger that writes to a file in a folder that isn't there yet."""
    path = tmp_path / "logs" / "shop.log"
    handler = ecs_handler("shop", path=path)
    logger = logging.Logger("shop")  # noqa: LOG001
    logger.addHandler(handler)
    yield logger, path
    handler.close()


def messages(path: Path) -> list[str]:
    """The messages of a log file."""
    return [json.loads(line)["message"] for line in path.read_text().splitlines() if line]


def test_the_file_is_appended_to(file_log: tuple[logging.Logger, Path]) -> None:
    """What stood in the file stays, also what another process appends meanwhile."""
    logger, path = file_log
    logger.info("one")
    with path.open("a") as other:
        other.write('{"message": "two"}\n')
    logger.info("three")
    again = ecs_handler("shop", path=path)
    again.handle(logging.makeLogRecord({"msg": "four"}))
    again.close()
    assert messages(path) == ["one", "two", "three", "four"]


def test_a_rotated_file_is_opened_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After logrotate renames the file, lines go to the new one, and none is lost."""
    monkeypatch.setattr(files, "CHECK_INTERVAL_SECONDS", 0.0)  # instead of waiting a tenth of a second
    path = tmp_path / "shop.log"
    logger = logging.Logger("shop")  # noqa: LOG001
    logger.addHandler(ecs_handler("shop", path=path))
    logger.info("before")
    path.rename(path.with_suffix(".1"))
    logger.info("after")
    path.unlink()
    logger.info("later")
    assert messages(path.with_suffix(".1")) == ["before"]
    assert messages(path) == ["later"]
    logger.handlers[0].close()


def test_each_record_is_one_write(file_log: tuple[logging.Logger, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines of several processes can't mix within a line, long ones neither."""
    logger, _ = file_log
    writes: list[bytes] = []
    real = os.write

    def counted(descriptor: int, data: bytes) -> int:
        writes.append(data)
        return real(descriptor, data)

    monkeypatch.setattr("os.write", counted)
    logger.info("short")
    logger.info("x" * 30_000)
    assert [data.count(b"\n") for data in writes] == [1, 1]
    assert all(data.endswith(b"\n") for data in writes)


def test_a_full_disk_fails_nobody_and_tears_no_later_line(
    file_log: tuple[logging.Logger, Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The line is lost, stderr says so once, and the line after it is whole again."""
    logger, path = file_log
    real = os.write
    room = 20

    def full(descriptor: int, data: bytes) -> int:
        nonlocal room
        if room == 0:
            raise OSError(28, "No space left on device")
        written = real(descriptor, data[:room])
        room -= written
        return written

    logger.info("before")
    monkeypatch.setattr("os.write", full)
    logger.info("lost")
    logger.info("lost, too")
    monkeypatch.setattr("os.write", real)
    logger.info("after")
    lines = path.read_text().splitlines()
    assert [json.loads(line)["message"] for line in (lines[0], lines[-1])] == ["before", "after"]
    assert [json.loads(line)["event.sequence"] for line in (lines[0], lines[-1])] == [1, 4]
    assert capsys.readouterr().err == f"{path}: log lines are lost (No space left on device), 1 so far\n"


def test_a_closed_log_is_silent(file_log: tuple[logging.Logger, Path], capsys: pytest.CaptureFixture[str]) -> None:
    """Records after the end of logging are dropped without a word, as at the end of a process."""
    logger, path = file_log
    logger.handlers[0].close()
    logger.info("too late")
    assert path.read_text() == ""
    assert capsys.readouterr().err == ""


def test_a_file_that_can_not_be_opened_is_told_at_once(tmp_path: Path) -> None:
    """A wrong path is an OSError at the start, not silence."""
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        ecs_handler("shop", path=tmp_path / "file" / "shop.log")
    with pytest.raises(ValueError, match="path or stream"):
        ecs_handler("shop", path=tmp_path / "shop.log", stream=sys.stderr)


@pytest.mark.usefixtures("root_logging")
def test_uvicorns_logs_go_the_same_way(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """After `configure_logging` the server's loggers write ECS to the same file, once; scrapes are left out."""
    path = tmp_path / "shop.log"
    logging.getLogger("uvicorn").addHandler(logging.StreamHandler())
    configure_logging("shop", path=path)
    logging.getLogger("uvicorn.error").info("Application startup complete.")
    access = logging.getLogger("uvicorn.access")
    for target, code in (("/orders?x=1", 200), ("/metrics", 200), ("/metrics?a=b", 200), ("/metrics", 500)):
        access.info('%s - "%s %s HTTP/%s" %d', "127.0.0.1:5", "GET", target, "1.1", code)
    logging.getLogger("shop").debug("not at level info")
    assert messages(path) == [
        "Application startup complete.",
        "GET /orders 200",
        "GET /metrics 500",
    ]
    assert capsys.readouterr().err == ""


@pytest.mark.usefixtures("root_logging")
def test_a_path_that_fails_leaves_logging_as_it_was(tmp_path: Path) -> None:
    """A service that can't open its log can still say so where it said things before."""
    before = logging.getLogger().handlers[:]
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        configure_logging("shop", path=tmp_path / "file" / "shop.log")
    assert logging.getLogger().handlers == before
