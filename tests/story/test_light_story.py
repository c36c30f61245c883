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
    """All of it, within ten minutes."""
    state = tmp_path_factory.mktemp("light") / "state"
    command = [sys.executable, "-m", "sereno_cli", "demo", "--once", "--fault", "errors", "--state", str(state)]
    done = subprocess.run(
        command,
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        timeout=60 * MINUTES,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (draft,) = (state / "postmortems").glob("*.md")
    return Told(done.stdout, draft.read_text())


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
