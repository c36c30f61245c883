"""Stories of the light demo's faults in real time, on real Prometheus and Alertmanager, side by side."""

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
MINUTES = 10
STORIES = [("transactions-api", "errors"), ("transactions-api", "latency"), ("transactions-api", "subscriber-stuck")]

pytestmark = [pytest.mark.story, pytest.mark.xdist_group("light-stories"), pytest.mark.timeout(60 * MINUTES + 120)]


@dataclass(frozen=True, slots=True)
class Story:
    """One story that is being told."""

    process: subprocess.Popen[str]
    begun_at: float
    state: Path
    output: Path

    def told(self) -> str:
        """All of it, once it has come to its end, within ten minutes of its beginning."""
        code = self.process.wait(timeout=max(1.0, self.begun_at + 60 * MINUTES - time.monotonic()))
        text = self.output.read_text()
        assert code == 0, text
        return text

    def draft(self) -> str:
        """The one draft of a postmortem that it left."""
        (draft,) = (self.state / "postmortems").glob("*.md")
        return draft.read_text()


def _tree_state() -> str:
    command = ["git", "status", "--porcelain"]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True, timeout=30).stdout


@pytest.fixture(scope="module")
def tree_before() -> str:
    """The working tree before any story began."""
    return _tree_state()


@pytest.fixture(scope="module")
def stories(tmp_path_factory: pytest.TempPathFactory, tree_before: str) -> Iterator[dict[tuple[str, str], Story]]:  # noqa: ARG001 - looked at first
    """All of them, begun together; those that are still told at the end are ended."""
    begun = {}
    for system, fault in STORIES:
        folder = tmp_path_factory.mktemp(fault)
        command = [sys.executable, "-m", "sereno_cli", "demo", "--once", "--systems", system, "--fault", fault]
        with (folder / "told").open("w") as output:
            process = subprocess.Popen(
                [*command, "--state", str(folder / "state")],
                cwd=REPOSITORY,
                stdout=output,
                stderr=subprocess.STDOUT,
                text=True,
            )
        begun[system, fault] = Story(process, time.monotonic(), folder / "state", folder / "told")
    try:
        yield begun
    finally:
        for story in begun.values():
            if story.process.poll() is None:
                story.process.terminate()
                story.process.wait(timeout=30)


@pytest.mark.parametrize(("system", "fault"), STORIES)
def test_a_fault_brings_its_alert_and_no_other_page(
    stories: dict[tuple[str, str], Story], system: str, fault: str
) -> None:
    """Fault, page, cure, resolution and draft are observed within ten minutes; the budget has fallen."""
    told = stories[system, fault].told()
    budgets = re.search(r"budget before +([\d.]+)%\s+budget after +([\d.]+)%", told)
    assert budgets is not None
    assert float(budgets[2]) < float(budgets[1])
    draft = stories[system, fault].draft()
    for wanted in ("SLOErrorBudgetBurn", "measured", "told", system, "Action items", f"Fault {fault} started"):
        assert wanted in draft


def test_failed_requests_are_those_that_the_service_counted(stories: dict[tuple[str, str], Story]) -> None:
    """Ledger, service and draft have one figure."""
    story = stories["transactions-api", "errors"]
    figures = re.search(r"bad events +(\d+) in the ledger, (\d+) by the service", story.told())
    assert figures is not None
    assert figures[1] == figures[2]
    assert re.search(rf"\b{int(figures[1]):,}\b|\b{figures[1]}\b", story.draft())


def test_stories_leave_the_working_tree_as_it_was(stories: dict[tuple[str, str], Story], tree_before: str) -> None:
    """Everything that a run writes is in its state."""
    for story in stories.values():
        story.told()
    assert _tree_state() == tree_before
