"""The demo as a visitor meets it, with real Prometheus and Alertmanager, and its ends."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.waiting import wait_for

REPOSITORY = Path(__file__).parents[2]
SERENO = (sys.executable, "-m", "sereno_cli")

pytestmark = pytest.mark.story


class RunningDemo:
    """`sereno demo` as a subprocess whose output goes to a file."""

    def __init__(self, folder: Path) -> None:
        self.state = folder / "state"
        self.output = folder / "output.txt"
        with self.output.open("w") as file:
            self.process = subprocess.Popen(
                [*SERENO, "demo", "--state", str(self.state)], cwd=REPOSITORY, stdout=file, stderr=subprocess.STDOUT
            )

    def children(self) -> dict[str, int]:
        """Process ids by command line, of the demo's own children."""
        found: dict[str, int] = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                stat, command = (folder / "stat").read_text(), (folder / "cmdline").read_text().replace("\0", " ")
            except OSError:
                continue  # it ended while we looked
            if stat.rpartition(")")[2].split()[1] == str(self.process.pid):
                found[command] = int(folder.name)
        return found

    def text(self) -> str:
        """What it has printed so far."""
        return self.output.read_text()


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[RunningDemo]:
    """A demo that shows budgets; ended afterwards, if a test hasn't."""
    running = RunningDemo(tmp_path)
    try:
        wait_for(
            lambda: " left" in running.text() or running.process.poll() is not None,
            what="the demo shows budgets",
            timeout_seconds=90,
        )
        assert running.process.poll() is None, running.text()
        yield running
    finally:
        if running.process.poll() is None:
            running.process.terminate()
            running.process.wait(timeout=30)


def _gone(process_ids: list[int]) -> bool:
    return not any(Path(f"/proc/{process_id}").exists() for process_id in process_ids)


@pytest.mark.timeout(360)
def test_ctrl_c_ends_every_part(demo: RunningDemo) -> None:
    """After Ctrl-C the exit code is 0 and no child is left."""
    children = list(demo.children().values())
    assert len(children) == 7
    demo.process.send_signal(signal.SIGINT)
    assert demo.process.wait(timeout=30) == 0
    assert "every part is stopped" in demo.text()
    wait_for(lambda: _gone(children), what="all children are gone", timeout_seconds=5)


@pytest.mark.timeout(360)
def test_a_part_that_is_killed_is_named_and_the_rest_ends(demo: RunningDemo) -> None:
    """When a part dies, the visitor reads which one and what it printed last, and nothing is left running."""
    children = demo.children()
    victim = next(process_id for command, process_id in children.items() if "transactions_api " in f"{command} ")
    os.kill(victim, signal.SIGKILL)
    assert demo.process.wait(timeout=40) == 3
    assert re.search(r"transactions-api \(process \d+\) ended with signal 9", demo.text())
    assert "Traceback" not in demo.text()
    wait_for(lambda: _gone(list(children.values())), what="all children are gone", timeout_seconds=5)


@pytest.mark.timeout(360)
def test_a_second_demo_with_the_same_files_is_refused(demo: RunningDemo) -> None:
    """Two demos never write into each other's files."""
    done = subprocess.run(
        [*SERENO, "demo", "--state", str(demo.state)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 3
    assert "another demo runs" in done.stderr
    assert demo.process.poll() is None


def test_missing_programs_are_named_with_the_command_to_install_them(tmp_path: Path) -> None:
    """Without Prometheus on PATH the message has the command for Debian, macOS and Docker."""
    done = subprocess.run(
        [*SERENO, "demo", "--state", str(tmp_path)],
        cwd=REPOSITORY,
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 3
    for wanted in ("prometheus", "alertmanager", "apt-get install", "brew install", "docker run"):
        assert wanted in done.stderr
    assert "Traceback" not in done.stderr


def test_a_system_that_is_not_there_is_told_with_the_nearest(tmp_path: Path) -> None:
    """Before anything is started or written."""
    done = subprocess.run(
        [*SERENO, "demo", "--systems", "transaction-api", "--state", str(tmp_path / "state")],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 2
    assert "there is no system transaction-api; did you mean transactions-api?" in done.stderr
    assert not (tmp_path / "state").exists()


def test_outside_a_clone_the_demo_says_where_to_go(tmp_path: Path) -> None:
    """The wheel doesn't hold the systems: the message says so."""
    done = subprocess.run([*SERENO, "demo"], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 3
    assert "clone" in done.stderr
