"""The benchmark of the compiler: fleets that both tools read, needs of whole process trees, and what is missed."""

import subprocess
import sys
from pathlib import Path

import pytest
from sereno_slo import Settings, SourceFile, validate_specs

from benchmarks.compile.fleet import change_one, write_fleet
from benchmarks.compile.measuring import MeasuringError, Need, bytes_below, measured
from benchmarks.compile.report import missed
from benchmarks.compile.trials import EVERYTHING, ONE_CHANGED, RULES, Trial

REPOSITORY = Path(__file__).resolve().parents[3]
HOLDS_MEMORY = "import time; held = b'x' * 60_000_000; time.sleep(0.5)"
STARTS_ANOTHER = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {HOLDS_MEMORY!r}]); {HOLDS_MEMORY}"


def _sources(folder: Path) -> list[SourceFile]:
    return [SourceFile(path.name, path.read_text(encoding="utf-8")) for path in sorted(folder.iterdir())]


def test_every_spec_of_a_fleet_is_right_and_a_change_changes_one(tmp_path: Path) -> None:
    """The specs have no mistakes and no warnings, and sloth gets as many."""
    write_fleet(24, tmp_path / "sereno", tmp_path / "sloth")
    before = _sources(tmp_path / "sereno")
    validation = validate_specs(before, Settings())
    assert validation.diagnostics == ()
    assert len(validation.services) == len(list((tmp_path / "sloth").iterdir())) == 24
    change_one(tmp_path / "sereno", 98.5)
    after = _sources(tmp_path / "sereno")
    assert sum(old != new for old, new in zip(before, after, strict=True)) == 1
    assert validate_specs(after, Settings()).diagnostics == ()


def test_processes_of_processes_are_counted(tmp_path: Path) -> None:
    """A program and the one that it starts hold 60 MB each, one after the other and its own Python beside."""
    alone = measured([sys.executable, "-c", HOLDS_MEMORY], tmp_path)
    both = measured([sys.executable, "-c", STARTS_ANOTHER], tmp_path)
    assert 60e6 < alone.peak_bytes < both.peak_bytes
    assert both.wall_seconds > 1.0 > both.cpu_seconds


def test_a_program_that_fails_is_no_measurement(tmp_path: Path) -> None:
    """What it said is told."""
    with pytest.raises(MeasuringError, match="ended with 3: no such thing"):
        measured([sys.executable, "-c", "import sys; print('no such thing', file=sys.stderr); sys.exit(3)"], tmp_path)


def test_hidden_files_are_no_result(tmp_path: Path) -> None:
    """A cache isn't counted as written."""
    (tmp_path / ".cache").mkdir()
    for path in (".cache/a", "b", ".c"):
        (tmp_path / path).write_bytes(b"123")
    assert bytes_below(tmp_path) == 3


def _trial(slos: int, task: str, tool: str, seconds: float, megabytes: int = 100) -> Trial:
    return Trial(slos, task, tool, (Need(seconds, seconds, megabytes * 1_000_000),), 1)


def test_what_is_missed_is_told() -> None:
    """Slower than sloth with many SLOs, too much memory, too long for a change; the rest is fine."""
    trials = [
        _trial(100, RULES, "sereno", 0.4),
        _trial(100, RULES, "sloth", 0.1),
        _trial(1_000, RULES, "sereno", 1.5, 300),
        _trial(1_000, RULES, "sloth", 1.0, 900),
        _trial(1_000, EVERYTHING, "sereno", 20.0, 900),
        _trial(1_000, ONE_CHANGED, "sereno", 0.5),
        _trial(5_000, RULES, "sereno", 2.0),
    ]
    assert list(missed(trials)) == [
        "1,000 SLOs, rules: 1.50 s, sloth takes 1.00 s",
        "1,000 SLOs, rules: 300 MB, must be 250 MB at most",
        "1,000 SLOs, everything, one changed: 0.50 s, must be 0.4 s at most",
    ]


def test_prints_a_table_of_real_runs(tmp_path: Path) -> None:
    """As people call it, with a few SLOs."""
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "benchmarks.compile",
        "--slos",
        "2",
        "--runs",
        "1",
        "--json",
        tmp_path / "f.json",
    ]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stderr
    for what in ("rules", "everything, one changed", "everything, none changed", "sereno"):
        assert what in done.stdout
    assert (tmp_path / "f.json").exists()
