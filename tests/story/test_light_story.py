"""The light demo's story in real time, on real Prometheus and Alertmanager: `make demo-once`, of one fault.

Each fault of the light demo is a fault of the full system, too; what only the light one has is that ledger and service
count the same requests.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.command_line import sereno
from support.remembered import Remembered, remembered

REPOSITORY = Path(__file__).parents[2]
MINUTES = 10
SYSTEM, FAULT = "transactions-api", "errors"

pytestmark = [pytest.mark.story, pytest.mark.xdist_group("light-story"), pytest.mark.timeout(60 * MINUTES + 120)]


@dataclass(frozen=True, slots=True)
class Story:
    """A story that has been told to its end."""

    output: str
    state: Path

    def draft(self) -> str:
        """The one draft of a postmortem that it left."""
        (draft,) = (self.state / "postmortems").glob("*.md")
        return draft.read_text()


def _tree_state() -> str:
    command = ["git", "status", "--porcelain"]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True, timeout=30).stdout


@pytest.fixture(scope="module")
def tree_before() -> str:
    """The working tree before the story began."""
    return _tree_state()


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory, tree_before: str) -> Story:  # noqa: ARG001 - looked at first
    """It, within ten minutes; a demo that is still running then is ended."""
    folder = tmp_path_factory.mktemp(FAULT)
    command = [sys.executable, "-m", "sereno_cli", "demo", "--once", "--systems", SYSTEM, "--fault", FAULT]
    with (folder / "told").open("w") as output:
        process = subprocess.Popen(
            [*command, "--state", str(folder / "state")], cwd=REPOSITORY, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        code = process.wait(timeout=60 * MINUTES)
    except subprocess.TimeoutExpired:
        process.terminate()
        code = process.wait(timeout=60) or 1
    told = (folder / "told").read_text()
    assert code == 0, told
    return Story(told, folder / "state")


def test_a_fault_brings_its_alert_and_no_other_page(story: Story) -> None:
    """Fault, page, cure, resolution and draft are observed within ten minutes; the budget has fallen."""
    budgets = re.search(r"budget before +([\d.]+)%\s+budget after +([\d.]+)%", story.output)
    assert budgets is not None
    assert float(budgets[2]) < float(budgets[1])
    draft = story.draft()
    for wanted in ("SLOErrorBudgetBurn", "measured", "told", SYSTEM, "Action items", f"Fault {FAULT} started"):
        assert wanted in draft


def test_failed_requests_are_those_that_the_service_counted(story: Story) -> None:
    """Ledger, service and draft have one figure."""
    figures = re.search(r"bad events +(\d+) in the ledger, (\d+) by the service", story.output)
    assert figures is not None
    assert figures[1] == figures[2]
    assert re.search(rf"\b{int(figures[1]):,}\b|\b{figures[1]}\b", story.draft())


@pytest.fixture(scope="module")
def kept(story: Story, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Remembered]:
    """The story's Prometheus at its end, when everything is well again."""
    with remembered(story.state / "prometheus", tmp_path_factory.mktemp("kept")) as prometheus:
        yield prometheus


@pytest.mark.parametrize(
    "board", ["generated/overview", f"generated/{SYSTEM}", "generated/sereno", "handwritten/meta-monitoring"]
)
def test_no_panel_is_empty_without_a_reason(kept: Remembered, board: str) -> None:
    """What the demo's Prometheus has kept is enough for every panel, or the reviewed file says why not."""
    moment = datetime.fromtimestamp(kept.at_seconds, UTC).isoformat()
    path = f"dashboards/grafana/{board}.json"
    answer = sereno("dashboards", "check", "--prometheus", kept.url, "--at", moment, path, cwd=REPOSITORY)
    assert (answer.returncode, answer.stderr) == (0, ""), answer.stderr


def test_a_story_leaves_the_working_tree_as_it_was(story: Story, tree_before: str) -> None:
    """Everything that a run writes is in its state."""
    assert story.output
    assert _tree_state() == tree_before
