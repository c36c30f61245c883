"""What `python -m benchmarks.fuzz` does for hours, for a moment: good, damaged and once found inputs."""

import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from benchmarks.fuzz.cases import LONGEST_CASE_SECONDS, Runner
from benchmarks.fuzz.damage import inputs_of
from benchmarks.fuzz.target import Broken, Target, require
from benchmarks.fuzz.targets import MODULES, load

FOUND = Path(__file__).parent / "found"
"""Inputs that once broke a promise: a folder for each target, a file for each mend."""
FEWER = {
    "prometheus-pages": 3,
    "stored-documents": 15,
    "portal-requests": 60,
    "spec": 20,
    "runbooks": 30,
    "log-lines": 60,
}
"""Of targets whose cases take many milliseconds."""
CASES = 120


@pytest.mark.parametrize("name", MODULES)
def test_good_and_damaged_inputs_are_answered(name: str) -> None:
    """The promise holds for the seeds as they are, and for the same few damaged ones in every run."""
    target = load(name)
    for seed in target.seeds[: FEWER.get(name, CASES)]:
        target.check(seed)

    @settings(
        max_examples=FEWER.get(name, CASES),
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(inputs_of(target.seeds, target.words))
    def check(data: bytes) -> None:
        target.check(data)

    check()


@pytest.mark.parametrize("path", sorted(FOUND.glob("*/*")), ids=lambda path: f"{path.parent.name}-{path.name}")
def test_what_was_found_stays_mended(path: Path) -> None:
    """No input that once broke a promise, or took long, does so again."""
    target, data = load(path.parent.name), path.read_bytes()
    target.check(target.seeds[0])  # what is done once in a process isn't the input's
    before = time.process_time()
    target.check(data)
    assert time.process_time() - before < LONGEST_CASE_SECONDS


def test_a_crash_and_a_hang_are_findings(tmp_path: Path) -> None:
    """What breaks a promise and what takes too long is counted once a place, and its input is kept."""

    def check(data: bytes) -> None:
        require(data != b"bad", "it is bad")
        while data == b"slow":
            pass

    target = Target("t", "p", (b"good",), (), check)
    runner = Runner(target, 60, tmp_path / "t", tmp_path / "t.json", longest_case_seconds=0.2)
    for data in (b"good", b"bad", b"bad", b"slow"):
        runner.run(data)
    assert runner.counted.cases == 4
    assert runner.counted.slowest_seconds > 0.1
    assert [(tmp_path / "t" / name).read_bytes() for name in runner.counted.crashes.values()] == [b"bad"]
    assert [(tmp_path / "t" / name).read_bytes() for name in runner.counted.hangs.values()] == [b"slow"]


@settings(max_examples=50, deadline=None, derandomize=True, database=None)
@given(st.data())
def test_damages_reach_far(data: st.DataObject) -> None:
    """Inputs differ from their seeds, and stay small enough to be many."""
    found = data.draw(inputs_of((b'{"a": [1, {"b": null}]}',), (b"word",)))
    assert len(found) < 1_000_000


def test_a_broken_promise_says_which() -> None:
    """The message of a finding is the promise's."""
    with pytest.raises(Broken, match="so it isn't"):
        require((), "so it isn't")
