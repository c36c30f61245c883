"""Stories of faults in real time, on real servers, Prometheus and Alertmanager: all systems side by side in one demo.

The five take a core by themselves; tests that run meanwhile have a lower priority (tests/conftest.py). Stories of one
system come one after the other, so what is told here is what ten minutes allow; `make stories` tells all.

Dashboards of systems are looked at afterwards, on what the demo's Prometheus has kept: no system runs for that alone.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sereno_cli.demo.backing import BACKINGS
from sereno_cli.demo.systems import FULL, Fault, System, full_ids, read_system
from support import grafana
from support.remembered import Remembered, remembered
from support.rule_selectors import selectors

REPOSITORY = Path(__file__).parents[2]
GRAFANA = REPOSITORY / "dashboards/grafana"
MINUTES = 10
STARTS_SECONDS = 240
"""Five systems with their servers, while other tests have the machine as well."""
STORIES = (
    "transactions-api/subscriber-stuck",
    "devops-events/processing-frozen",
    "etl/garbage-rows",
    "fitness/network-silent",
    "fitness/jwt-key-mismatch",
    "tournaments/errors",
)
"""One of each system that is over within five minutes: the five together take a core as long as the longest lasts."""
ONLY_THEN = {
    "etl_connection_errors_total",  # after the first error
    "sereno_rabbitmq_queue_oldest_age_seconds",  # of a message that waits
    "sereno_sql_table_sequential_rows_total",  # of tables with more rows than a story writes
}
"""Metrics of dashboards that a system may not have exported yet; their queries show 0 meanwhile."""
BOARDS = (
    *(f"generated/{path.stem}" for path in sorted(GRAFANA.glob("generated/*.json"))),
    *(f"handwritten/{name}" for name in ("logs", "meta-monitoring", "nginx", "pipelines", "quotas", "rabbitmq")),
)
"""Dashboards whose every panel these systems fill; tests/dashboards has those of other parts."""

pytestmark = [
    pytest.mark.story,
    pytest.mark.xdist_group("stories"),
    pytest.mark.timeout(60 * MINUTES + STARTS_SECONDS + 60),
    pytest.mark.skipif(
        not all(kind.is_here() for kind in BACKINGS.values()), reason="needs the systems' servers: make test-tools"
    ),
]


def faults() -> dict[str, Fault]:
    """Every fault of every system as it is in production: `system/fault`."""
    found: dict[str, Fault] = {}
    for name in full_ids(REPOSITORY):
        system = read_system(REPOSITORY / "systems" / name.removesuffix(FULL), full=name.endswith(FULL))
        assert isinstance(system, System), system
        found |= {f"{system.name}/{fault.name}": fault for fault in system.faults}
    return found


@dataclass(frozen=True, slots=True)
class Told:
    """What the demo has told, to its end."""

    output: str
    state: Path

    def of(self, story: str) -> str:
        """The figures of one fault."""
        found = re.search(rf"^  {re.escape(story)}\n((?:  .+\n)+)", self.output, flags=re.MULTILINE)
        assert found is not None, self.output
        return found[1]

    def draft(self, story: str) -> str:
        """The draft of its postmortem."""
        path = re.search(r"postmortem draft +(\S.*)", self.of(story))
        assert path is not None
        return Path(path[1]).read_text()


def _tree_state() -> str:
    command = ["git", "status", "--porcelain"]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True, timeout=30).stdout


@pytest.fixture(scope="module")
def tree_before() -> str:
    """The working tree before any story began."""
    return _tree_state()


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory, tree_before: str) -> Told:  # noqa: ARG001 - looked at first
    """All of them, within ten minutes from when everything ran."""
    code, first = _tell(tmp_path_factory.mktemp("stories"))
    assert code == 0, first.output
    took = re.search(r"the whole story +(\d+) s", first.output)
    assert took is not None
    assert int(took[1]) < 60 * MINUTES
    return first


def _tell(folder: Path) -> tuple[int, Told]:
    """The exit code, and what was told; a demo that is still running when time is up is ended."""
    command = [sys.executable, "-m", "sereno_cli", "demo", "--once", "--systems", "all", "--fault", ",".join(STORIES)]
    with (folder / "told").open("w") as output:
        process = subprocess.Popen(
            [*command, "--state", str(folder / "state")], cwd=REPOSITORY, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        code = process.wait(timeout=60 * MINUTES + STARTS_SECONDS)
    except subprocess.TimeoutExpired:
        process.terminate()
        process.wait(timeout=60)
        code = 1
    return code, Told((folder / "told").read_text(), folder / "state")


@pytest.mark.parametrize("story", STORIES)
def test_a_fault_brings_what_it_should_and_no_other_page(told: Told, story: str) -> None:
    """Fault, page, cure, resolution and draft were observed, and the budget has fallen; or the log alone told it."""
    fault, figures = faults()[story], told.of(story)
    if not fault.expects.alert:
        assert re.search(r"in the log after +\d+ s of fault; nothing paged", figures)
        return
    budgets = re.search(r"budget before +([\d.]+)%\s+budget after +([\d.]+)%", figures)
    assert budgets is not None
    assert float(budgets[2]) < float(budgets[1])
    draft = told.draft(story)
    for wanted in (fault.expects.alert, "measured", "told", story.partition("/")[0], "Action items", "fault_started"):
        assert wanted in draft


def test_stories_leave_the_working_tree_as_it_was(told: Told, tree_before: str) -> None:
    """Everything that a run writes is in its state."""
    assert told.output
    assert _tree_state() == tree_before


@pytest.fixture(scope="module")
def kept(told: Told, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Remembered]:
    """All systems at the stories' end, when everything is well again."""
    with remembered(told.state / "prometheus", tmp_path_factory.mktemp("kept")) as prometheus:
        yield prometheus


@pytest.mark.parametrize("system", sorted(name.removesuffix(FULL) for name in full_ids(REPOSITORY)))
def test_no_panel_of_a_systems_dashboard_is_empty(kept: Remembered, system: str) -> None:
    """Each query answers with numbers from what the real system has exported, and each metric in it is the system's."""
    path = GRAFANA / f"handwritten/system-{system}.json"
    queries = list(grafana.queries(grafana.read(path.read_text(encoding="utf-8"))))
    answers = [(query.panel, query.expr, kept.values(query.expr)) for query in queries]
    assert [each for each in answers if not each[2] or not all(abs(value) < float("inf") for value in each[2])] == []
    # `or` gives a 0 where nothing has failed; then a metric or label that is misspelt would never be missed.
    wanted = {(query.panel, of_any_outcome(one)) for query in queries for one in selectors(query.expr)}
    assert [
        each for each in sorted(wanted) if each[1].split("{")[0] not in ONLY_THEN and not kept.values(each[1])
    ] == []


@pytest.mark.parametrize("board", BOARDS)
def test_no_panel_is_empty_without_a_reason(kept: Remembered, board: str) -> None:
    """What people look at has data of these systems, or the reviewed file says why not."""
    answer = kept.check_dashboards(REPOSITORY, f"dashboards/grafana/{board}.json")
    assert (answer.returncode, answer.stderr) == (0, ""), answer.stderr


def of_any_outcome(selector: str) -> str:
    """Without the matchers that select what has failed."""
    return re.sub(r'(http_response_status_code|outcome)(=~|!~|=|!=)"[^"]*",?', "", selector)
