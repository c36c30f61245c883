"""The light demo's story in real time, on real Prometheus and Alertmanager: `make demo-once`, of one fault.

Each fault of the light demo is a fault of the full system, too; what only the light one has is that ledger and service
count the same requests.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Error as PlaywrightError
from support.browser import CHROMIUM, NARROW, needs_chromium, open_window, running_browser
from support.remembered import Remembered, remembered
from support.waiting import wait_for

REPOSITORY = Path(__file__).parents[2]
MINUTES = 10
SYSTEM, FAULT = "transactions-api", "errors"

pytestmark = [pytest.mark.story, pytest.mark.xdist_group("light-story"), pytest.mark.timeout(60 * MINUTES + 120)]


@dataclass(frozen=True, slots=True)
class Story:
    """A story that has been told to its end."""

    output: str
    state: Path
    walk: "Walk"

    def draft(self) -> str:
        """The one draft of a postmortem that it left."""
        (draft,) = (self.state / "postmortems").glob("*.md")
        return draft.read_text()


@dataclass(frozen=True, slots=True)
class Walk:
    """What somebody with a telephone sees who opens the demo's pages while the alert fires."""

    first: str
    """What the overview's first row is about: `service/slo`."""
    steps: tuple[str, ...]
    """The addresses of the way from there to the runbook, by touching what can be touched."""
    troubles: tuple[str, ...]
    """What went wrong on the way."""


def _walk(pages: str) -> Walk:
    row = httpx.get(f"{pages}/api/v1/overview", trust_env=False, timeout=30).json()["rows"][0]
    first = f"{row['service']}/{row['slo']}"
    if CHROMIUM is None:
        return Walk(first, (), ())
    with running_browser() as browser, open_window(browser, pages, width=NARROW) as window:
        steps = []
        try:
            window.go("/")
            window.page.locator(f"main a[href='/services/{first}']").first.click()
            window.page.wait_for_url(f"**/services/{first}*")
            steps.append(window.path)
            window.page.locator("main a[href*='/runbooks/']").first.click()
            window.page.wait_for_url("**/runbooks/**")
            steps.append(window.path)
            window.page.locator("main h1").wait_for()
        except (PlaywrightError, AssertionError) as error:
            window.troubles.append(str(error))
        return Walk(first, tuple(steps), tuple(window.troubles))


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
    walk = Walk("", (), ("the page never came",))
    try:
        wait_for(
            lambda: "page after" in (folder / "told").read_text() or process.poll() is not None,
            what="a page, or the end",
            timeout_seconds=60 * MINUTES,
        )
        if process.poll() is None:
            pages = re.search(r"the pages are at (\S+)", (folder / "told").read_text())
            assert pages is not None
            walk = _walk(pages[1])
        code = process.wait(timeout=60 * MINUTES)
    except subprocess.TimeoutExpired:
        code = 1
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(timeout=60)
    told = (folder / "told").read_text()
    assert code == 0, told
    return Story(told, folder / "state", walk)


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


# Not of our own SLOs: they have no simulated past, and some have no budget yet when the story ends after seven minutes.
@pytest.mark.parametrize("board", ["generated/overview", f"generated/{SYSTEM}", "handwritten/meta-monitoring"])
def test_no_panel_is_empty_without_a_reason(kept: Remembered, board: str) -> None:
    """What the demo's Prometheus has kept is enough for every panel, or the reviewed file says why not."""
    answer = kept.check_dashboards(REPOSITORY, f"dashboards/grafana/{board}.json")
    assert (answer.returncode, answer.stderr) == (0, ""), answer.stderr
    if board == f"generated/{SYSTEM}":  # something has failed here, and its past is simulated: nothing needs a reason
        assert ": 0 empty, 0 empty with a reason" in answer.stdout


def test_a_story_leaves_the_working_tree_as_it_was(story: Story, tree_before: str) -> None:
    """Everything that a run writes is in its state."""
    assert story.output
    assert _tree_state() == tree_before


def test_the_portal_leads_with_what_is_broken(story: Story) -> None:
    """While the alert fires, the overview's first row is the SLO that it breaks."""
    assert story.walk.first == f"{SYSTEM}/availability"


@needs_chromium
def test_a_telephone_leads_from_the_fault_to_its_runbook(story: Story) -> None:
    """Overview, SLO, runbook: two touches, and nothing goes wrong on any of the pages."""
    assert story.walk.troubles == ()
    slo, runbook = story.walk.steps
    assert slo == f"/services/{SYSTEM}/availability"
    assert runbook.startswith("/runbooks/")
