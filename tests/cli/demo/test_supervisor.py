"""The supervisor waits for health, notices deaths and leaves nothing behind."""

import os
import signal
import sys
import time
from pathlib import Path

import pytest
from sereno_cli.demo.places import DemoError
from sereno_cli.demo.supervisor import PartDied, Supervisor
from support.ports import free_port
from support.waiting import wait_for

SLEEPS = [sys.executable, "-c", "import time; time.sleep(60)"]


def _runs(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    return True


def test_all_children_end_with_the_supervisor(tmp_path: Path) -> None:
    """Leaving the context ends every child, also when an exception leaves it."""
    children: list[int] = []

    def interrupted() -> None:
        with Supervisor(tmp_path) as supervisor:
            children.extend(supervisor.start(f"part-{number}", SLEEPS).process_id for number in range(3))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert len(children) == 3
    assert not any(_runs(process_id) for process_id in children)


def test_a_child_that_ignores_sigterm_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No child survives by ignoring the polite signal."""
    monkeypatch.setattr("sereno_cli.demo.supervisor._GRACE_SECONDS", 0.5)
    stubborn = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
    )
    with Supervisor(tmp_path) as supervisor:
        child = supervisor.start("stubborn", [sys.executable, "-c", stubborn])
        wait_for(lambda: "deaf" in child.last_lines(), what="the child ignores SIGTERM")
    assert child.exit_code() == -signal.SIGKILL


def test_a_death_is_told_with_the_last_lines(tmp_path: Path) -> None:
    """Whoever watches reads which part died, how, and what it said last."""
    failing = "import sys; print('the disk is full'); sys.exit(7)"
    with Supervisor(tmp_path) as supervisor:
        child = supervisor.start("store", [sys.executable, "-c", failing])
        wait_for(lambda: child.exit_code() is not None, what="the child ends")
        with pytest.raises(PartDied, match=r"(?s)store .*exit code 7.*the disk is full"):
            supervisor.check()


def test_waiting_for_health_ends_when_the_part_dies(tmp_path: Path) -> None:
    """Nobody waits a minute for a part that has already died."""
    begin = time.monotonic()
    with Supervisor(tmp_path) as supervisor:
        child = supervisor.start("short", [sys.executable, "-c", "print('no')"])
        with pytest.raises(PartDied, match="no"):
            supervisor.wait_healthy(child, f"http://127.0.0.1:{free_port()}/", timeout_seconds=30)
    assert time.monotonic() - begin < 15


def test_a_part_that_never_becomes_healthy_is_named(tmp_path: Path) -> None:
    """The message names the part, the address and the time."""
    with Supervisor(tmp_path) as supervisor:
        child = supervisor.start("sleepy", SLEEPS)
        with pytest.raises(DemoError, match=r"sleepy isn't healthy after 0\.5 s"):
            supervisor.wait_healthy(child, f"http://127.0.0.1:{free_port()}/", timeout_seconds=0.5)
