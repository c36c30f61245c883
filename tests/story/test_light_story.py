"""The story that `make demo-once` tells, in real time, on real Prometheus and Alertmanager.

test_stories.py tells those of all systems, on their servers, in one demo.
"""

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
MINUTES = 10

pytestmark = [pytest.mark.story, pytest.mark.xdist_group("light-story"), pytest.mark.timeout(60 * MINUTES + 120)]


@dataclass(frozen=True, slots=True)
class Told:
    """What the demo said, to its end, and the one draft of a postmortem that it left."""

    output: str
    draft: str


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """All of it; a demo that is still running after ten minutes is ended, with all that it has started."""
    folder = tmp_path_factory.mktemp("light")
    command = [sys.executable, "-m", "sereno_cli", "demo", "--once", "--fault", "errors"]
    with (folder / "told").open("w") as output:
        process = subprocess.Popen(
            [*command, "--state", str(folder / "state")], cwd=REPOSITORY, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        code = process.wait(timeout=60 * MINUTES)
    except subprocess.TimeoutExpired:
        process.terminate()
        process.wait(timeout=60)
        pytest.fail((folder / "told").read_text())
    text = (folder / "told").read_text()
    assert code == 0, text
    (draft,) = (folder / "state" / "postmortems").glob("*.md")
    return Told(text, draft.read_text())


def test_a_fault_brings_its_alert_and_no_other_page(told: Told) -> None:
    """Fault, page, cure, resolution and draft were observed; the budget has fallen."""
    budgets = re.search(r"budget before +([\d.]+)%\s+budget after +([\d.]+)%", told.output)
    assert budgets is not None
    assert float(budgets[2]) < float(budgets[1])
    for wanted in (
        "SLOErrorBudgetBurn",
        "measured",
        "told",
        "transactions-api",
        "Action items",
        "Fault errors started",
    ):
        assert wanted in told.draft


def test_failed_requests_are_those_that_the_service_counted(told: Told) -> None:
    """Ledger, service and draft have one figure."""
    figures = re.search(r"bad events +(\d+) in the ledger, (\d+) by the service", told.output)
    assert figures is not None
    assert figures[1] == figures[2]
    assert re.search(rf"\b{int(figures[1]):,}\b|\b{figures[1]}\b", told.draft)
