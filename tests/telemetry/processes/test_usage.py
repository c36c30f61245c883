"""CPU time of a group of processes, from files as the kernel writes them: its races can't be had at will."""

from pathlib import Path

import pytest
from sereno_telemetry.processes.usage import group_usage

TICKS = 100


def stat(proc: Path, pid: int, *, ticks: int, start: int = 5, state: str = "S") -> None:
    """A process as /proc/<pid>/stat shows it (proc(5))."""
    folder = proc / str(pid)
    folder.mkdir(parents=True, exist_ok=True)
    fields = [state, *["0"] * 10, str(ticks), "0", *["0"] * 6, str(start), "4096", "1", "0"]
    (folder / "stat").write_text(f"{pid} (a (strange) name) {' '.join(fields)}\n")


def cpu_seconds(folder: Path, living: list[int]) -> float:
    """The sum that the group tells."""
    errors: list[Exception] = []
    found = {
        family.name: family for family in group_usage(folder / "usage.json", living, errors.append, folder / "proc")
    }
    assert not errors
    value: float = found["process_cpu_seconds"].samples[0].value
    return value


@pytest.fixture(autouse=True)
def ticks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same number of ticks a second wherever this runs."""
    known = {"SC_CLK_TCK": TICKS, "SC_PAGE_SIZE": 4096}
    monkeypatch.setattr("sereno_telemetry.processes.usage.os.sysconf", known.__getitem__)


def test_a_process_that_is_ending_takes_nothing_off_the_sum(tmp_path: Path) -> None:
    """For a moment the kernel tells 0 seconds of it, and then it is a zombie: what it used stays in the sum."""
    stat(tmp_path / "proc", 1, ticks=300)
    stat(tmp_path / "proc", 2, ticks=200)
    assert cpu_seconds(tmp_path, [1, 2]) == 5.0
    stat(tmp_path / "proc", 2, ticks=0)
    assert cpu_seconds(tmp_path, [1, 2]) == 5.0
    stat(tmp_path / "proc", 2, ticks=0, state="Z")
    assert cpu_seconds(tmp_path, [1, 2]) == 5.0


def test_a_number_that_is_given_again_is_another_process(tmp_path: Path) -> None:
    """What the process before it used stays, and the new one's time is added from its own beginning."""
    stat(tmp_path / "proc", 1, ticks=100)
    stat(tmp_path / "proc", 2, ticks=200)
    assert cpu_seconds(tmp_path, [1, 2]) == 3.0
    stat(tmp_path / "proc", 2, ticks=50, start=9)
    assert cpu_seconds(tmp_path, [1, 2]) == 3.5
