"""`sereno plan --prometheus`: what a change would have done in the last 30 days, on a real server."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sereno_backends.prometheus import PrometheusClient
from sereno_cli.exit_codes import ExitCode
from support.command_line import sereno
from support.ports import free_port

from benchmarks.backtest.past import SPEC, Past, Trouble, series_of
from benchmarks.simulation import DAY, HOUR, MINUTE, running_prometheus, write

ANOTHER = """\
  - name: unknown
    objective: 99
    indicator: {ratio: {metric: nothing_total, match: 'job="shop"', bad: 'code="500"'}}
"""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A shop that had an outage and a slow burn within its last three days, which are all that is known."""
    past = Past(
        3 * DAY,
        raw_series=6,
        targets=2,
        events_a_minute=200,
        troubles=(
            Trouble(30 * HOUR, 20 * MINUTE, 0.95, "outage"),
            Trouble(20 * HOUR, 9 * HOUR, 0.012, "slow burn"),
        ),
        restart_before_end_ms=4 * HOUR,
        stop_before_end_ms=7 * HOUR,
        end_ms=int(time.time() * 1000) // MINUTE * MINUTE,
    )
    with running_prometheus(tmp_path_factory.mktemp("past")) as server:
        write(server, series_of(past))
        yield server.url


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Both sides: the new one promises less, and has an SLO of something that the server doesn't know."""
    for side, text in (("old", SPEC), ("new", SPEC.replace("objective: 99.9", "objective: 95") + ANOTHER)):
        (tmp_path / side).mkdir()
        (tmp_path / side / "shop.slo.yaml").write_text(text, encoding="utf-8")
    return tmp_path


def test_budget_pages_and_tickets_are_told_before_and_after(folder: Path, url: str) -> None:
    """As a backtest of each tells; series are counted, and what isn't covered by samples is said."""
    arguments = ("plan", "--old", "old", "new", "--prometheus", url)
    told = json.loads(sereno(*arguments, "--format", "json", cwd=folder).stdout)
    orders, unknown = told["slos"]
    before, after = orders["before"], orders["after"]
    assert before["raw_series"] == {"total": 6, "part": 1, "targets": 2, "groups": 0}
    assert before["samples_read_per_minute"]["total"] > 7_000
    assert before["consequences"]["pages"] >= 2 > after["consequences"]["pages"] >= 1
    assert before["consequences"]["remaining_ratio"] < 0 < after["consequences"]["remaining_ratio"]
    budget = [1 - side["consequences"]["remaining_ratio"] for side in (before, after)]
    assert budget[0] / budget[1] == pytest.approx(50, rel=1e-3)  # 5 % of the events may be bad where 0.1 % might
    assert 0.09 < before["consequences"]["coverage_ratio"] < 0.1
    text = sereno(*arguments, "--format", "markdown", cwd=folder).stdout
    assert "In the last 30 days samples cover 10% of these days" in text
    assert text.count("| unknown | unknown | unknown |") == 1
    assert unknown["after"]["consequences"]["remaining_ratio"] is None
    assert unknown["after"]["raw_series"] == {"total": 0, "part": 0, "targets": 2, "groups": 0}


def test_nobody_there_is_unreachable(folder: Path) -> None:
    """One line, and no plan that would look like the whole truth."""
    done = sereno("plan", "--old", "old", "new", "--prometheus", f"http://127.0.0.1:{free_port()}", cwd=folder)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (ExitCode.UNREACHABLE, "", 1)
    assert "can't be reached" in done.stderr


def test_what_can_be_no_address_is_bad_input(folder: Path) -> None:
    """It is said what to write."""
    done = sereno("plan", "--old", "old", "new", "--prometheus", "localhost:9090", cwd=folder)
    assert (done.returncode, done.stdout) == (ExitCode.INVALID_INPUT, "")
    assert done.stderr.startswith("sereno plan: Prometheus address")


def test_where_nothing_changes_nothing_is_asked(folder: Path, url: str) -> None:
    """A server that has nothing to tell isn't burdened."""
    with PrometheusClient(url) as client:
        assert client.ready()
    unreachable = f"http://127.0.0.1:{free_port()}"
    done = sereno("plan", "--old", "old", "old", "--prometheus", unreachable, cwd=folder)
    assert (done.returncode, "Nothing changes" in done.stdout) == (ExitCode.OK, True)
