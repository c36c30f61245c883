"""The supervisor waits for health, notices deaths and leaves nothing behind."""

import os
import signal
import socket
import sys
import time
from pathlib import Path

import pytest
from sereno_cli.demo.part import Part
from sereno_cli.demo.places import DemoError
from sereno_cli.demo.supervisor import PartDied, Supervisor
from support.ports import free_port
from support.waiting import wait_for


def program(name: str, code: str, healthy: str | tuple[str, ...] | None = None) -> Part:
    """A part that runs these lines of Python."""
    return Part(name, (sys.executable, "-c", code), healthy)


SLEEPS = "import time; time.sleep(60)"
LISTENS = """
import socket, sys, time
with socket.create_server(("127.0.0.1", {port})) as server:
    while True:
        client, _ = server.accept()
        client.sendall(b"hello")
        client.close()
"""


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
            children.extend(supervisor.start(program(f"part-{number}", SLEEPS)).process_id for number in range(3))
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
        child = supervisor.start(program("stubborn", stubborn))
        wait_for(lambda: "deaf" in child.last_lines(), what="the child ignores SIGTERM")
    assert child.exit_code() == -signal.SIGKILL


def test_a_death_is_told_with_the_last_lines(tmp_path: Path) -> None:
    """Whoever watches reads which part died, how, and what it said last."""
    failing = "import sys; print('the disk is full'); sys.exit(7)"
    with Supervisor(tmp_path) as supervisor:
        child = supervisor.start(program("store", failing))
        wait_for(lambda: child.exit_code() is not None, what="the child ends")
        with pytest.raises(PartDied, match=r"(?s)store .*exit code 7.*the disk is full"):
            supervisor.check()


def test_a_command_says_whether_a_part_is_healthy(tmp_path: Path) -> None:
    """For servers that listen before they let anybody in; a command that isn't there, or never ends well, is told."""
    ready = tmp_path / "ready"
    gets_ready = f"import pathlib, time; time.sleep(0.5); pathlib.Path({str(ready)!r}).touch(); time.sleep(60)"
    with Supervisor(tmp_path) as supervisor:
        supervisor.wait_healthy(supervisor.start(program("slow", gets_ready, ("test", "-e", str(ready)))))
        assert ready.exists()
        for command in (("false", "-v"), (str(tmp_path / "gone"), "-v")):
            never = supervisor.start(program("never", SLEEPS, command))
            with pytest.raises(DemoError, match=rf"never isn't healthy after 0.3 s \({command[0]} -v\)"):
                supervisor.wait_healthy(never, 0.3)


def test_waiting_for_health_ends_when_the_part_dies(tmp_path: Path) -> None:
    """Nobody waits a minute for a part that has already died."""
    begin = time.monotonic()
    with Supervisor(tmp_path) as supervisor:
        child = supervisor.start(program("short", "print('no')", f"http://127.0.0.1:{free_port()}/"))
        with pytest.raises(PartDied, match="no"):
            supervisor.wait_healthy(child, timeout_seconds=30)
    assert time.monotonic() - begin < 15


def test_a_part_that_never_becomes_healthy_is_named(tmp_path: Path) -> None:
    """The message names the part, the address and the time."""
    with Supervisor(tmp_path) as supervisor:
        child = supervisor.start(program("sleepy", SLEEPS, f"http://127.0.0.1:{free_port()}/"))
        with pytest.raises(DemoError, match=r"sleepy isn't healthy after 0\.5 s"):
            supervisor.wait_healthy(child, timeout_seconds=0.5)


def _greeting(port: int, timeout_seconds: float) -> bytes | None:
    """What the listener says; None: it refuses."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=timeout_seconds) as client:
            return client.recv(16)
    except ConnectionError:
        return None


def test_a_part_is_stopped_on_purpose_and_comes_back(tmp_path: Path) -> None:
    """That it isn't there is no death; afterwards it is another process."""
    port = free_port()
    with Supervisor(tmp_path) as supervisor:
        child = supervisor.start(program("server", LISTENS.format(port=port), f"tcp://127.0.0.1:{port}"))
        supervisor.wait_healthy(child)
        first = child.process_id
        supervisor.stop_part("server")
        supervisor.stop_part("server")
        supervisor.check()
        assert _greeting(port, 5) is None
        supervisor.start_part("server")
        supervisor.start_part("server")
        assert _greeting(port, 5) == b"hello"
        assert child.process_id != first
        os.kill(child.process_id, signal.SIGKILL)
        wait_for(lambda: child.exit_code() is not None, what="the child ends")
        with pytest.raises(PartDied, match=r"server .*signal 9"):
            supervisor.check()


def test_a_frozen_part_hangs_with_all_its_children(tmp_path: Path) -> None:
    """Whoever asks waits; afterwards it answers; a frozen one is ended like others."""
    port = free_port()
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {LISTENS.format(port=port)!r}])"
    with Supervisor(tmp_path) as supervisor:
        child = supervisor.start(program("server", parent, f"tcp://127.0.0.1:{port}"))
        supervisor.wait_healthy(child)
        supervisor.freeze_part("server")
        with pytest.raises(TimeoutError):
            _greeting(port, 0.5)
        supervisor.check()
        supervisor.thaw_part("server")
        assert _greeting(port, 5) == b"hello"
        supervisor.freeze_part("server")
    assert child.exit_code() is not None
    wait_for(lambda: _greeting(port, 5) is None, what="its child has ended, too")


def test_what_does_not_run_can_not_be_stopped(tmp_path: Path) -> None:
    """The message names it."""
    with Supervisor(tmp_path) as supervisor, pytest.raises(DemoError, match="nothing that runs is called redis"):
        supervisor.stop_part("redis")
