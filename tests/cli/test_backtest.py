"""`sereno backtest`: what is printed where, files, exit codes, and whatever can be wrong with arguments and server."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from sereno_cli.exit_codes import ExitCode
from support.command_line import files_below, sereno
from support.ports import free_port
from support.slo_specs import REPOSITORY

from benchmarks.backtest.past import SPEC, Past, Trouble, series_of
from benchmarks.simulation import DAY, HOUR, MINUTE, running_prometheus, write

PAST = Past(
    3 * DAY,
    raw_series=6,
    targets=2,
    events_a_minute=200,
    troubles=(Trouble(20 * HOUR, 20 * MINUTE, 0.95, "outage"),),
    restart_before_end_ms=15 * HOUR,
    stop_before_end_ms=10 * HOUR,
)
END = datetime.fromtimestamp(PAST.end_ms / 1000, UTC)
OUTAGE = END - timedelta(hours=20)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Three days of a shop, with an outage."""
    with running_prometheus(tmp_path_factory.mktemp("backtest")) as server:
        write(server, series_of(PAST))
        yield server.url


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A spec, a laxer one of the same SLO, and two incidents, one of which nobody noticed."""
    (tmp_path / "shop.slo.yaml").write_text(SPEC, encoding="utf-8")
    (tmp_path / "lax.slo.yaml").write_text(SPEC.replace("99.9", "50"), encoding="utf-8")
    quiet = OUTAGE - timedelta(hours=20)
    (tmp_path / "incidents.yaml").write_text(
        "incidents:\n"
        f"  - {{from: {_written(OUTAGE)}, to: {_written(OUTAGE + timedelta(minutes=20))}, note: <b>down</b>}}\n"
        f"  - {{from: {_written(quiet)}, to: {_written(quiet + timedelta(hours=1))}, note: rumour}}\n",
        encoding="utf-8",
    )
    return tmp_path


def _written(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _arguments(url: str, *more: str) -> list[str]:
    return ["backtest", "shop.slo.yaml", "--prometheus", url, "--days", "2", "--to", _written(END), *more]


def _document(folder: Path, url: str, *more: str) -> dict[str, Any]:
    done = sereno(*_arguments(url, "--format", "json", *more), cwd=folder)
    assert done.returncode == ExitCode.OK, done.stderr
    (slo,) = json.loads(done.stdout)["slos"]
    document: dict[str, Any] = slo
    return document


def test_json_has_every_notice_and_what_it_cost(folder: Path, url: str) -> None:
    """The outage pages within minutes, with its peak, its failures and the budget that they spent."""
    found = _document(folder, url, "--incidents", "incidents.yaml", "--compare", "lax.slo.yaml")
    page = next(notice for notice in found["notices"] if notice["kind"] == "page")
    begin = datetime.fromisoformat(page["from"])
    assert timedelta(0) < begin - OUTAGE <= timedelta(minutes=3)
    assert {alert["burn"] for alert in page["alerts"]} >= {"outage", "fast"}
    assert page["peak_burn_rate"] > 500
    assert 0 < page["bad_events"] < found["bad_events"] < found["events"]
    assert page["budget_spent_ratio"] > 1
    assert [each["objective_percent"] for each in found["what_if"]] == [99, 99.5, 99.9, 99.95]
    own, *others = found["policies"]
    assert own["known_incidents"] | {"missed": None} == {
        "precision": 1,
        "recall": 0.5,
        "detection_median_minutes": (begin - OUTAGE) / timedelta(minutes=1),
        "detection_worst_minutes": (begin - OUTAGE) / timedelta(minutes=1),
        "missed": None,
        "pages_of_no_incident": [],
    }
    assert [missed["note"] for missed in own["known_incidents"]["missed"]] == ["rumour"]
    assert [other["name"] for other in others] == ["mode budget", "mode ratio", "lax.slo.yaml"]
    assert others[-1]["objective_percent"] == 50
    documented = (REPOSITORY / "docs/backtest.md").read_text(encoding="utf-8").split("## JSON")[1]
    assert [key for key in _keys(found) if f"`{key}`" not in documented] == []
    points = found["curve"]["points"]
    assert sum(point["events"] or 0 for point in points) == pytest.approx(found["events"])


def _keys(value: Any) -> set[str]:
    """Every key of a document, inner ones included."""
    if isinstance(value, list):
        return set().union(*map(_keys, value))
    return set(value).union(*map(_keys, value.values())) if isinstance(value, dict) else set()


def test_a_history_that_is_shorter_than_asked_and_holes_are_named(folder: Path, url: str) -> None:
    """What isn't there is no silence: it is told from when on figures are whole, and what nobody saw."""
    done = sereno(*_arguments(url), "--days", "10", cwd=folder)
    assert done.returncode == ExitCode.OK
    assert re.search(r"The history begins 2025-01-29 00:0\d UTC: 3\.0 of 10 days could be replayed", done.stdout)
    assert "The budget's window (30d) lies wholly within the history at no moment of this time." in done.stdout
    stop = f"{END - timedelta(hours=10):%Y-%m-%d %H}"
    assert re.search(rf"Not seen: {stop}:0\d UTC to {stop}:3\d UTC \(3\dm\): nothing was scraped\.", done.stdout)
    assert not done.stderr


def test_what_is_recorded_is_read_instead_of_raw_series(folder: Path, url: str) -> None:
    """Here nothing is: the raw series that are there aren't looked at."""
    done = sereno(*_arguments(url, "--recorded"), cwd=folder)
    assert done.returncode == ExitCode.ANSWER_IS_NO
    assert "No events were seen in this time" in done.stdout


def test_nothing_at_all_is_no_good_month(folder: Path, url: str) -> None:
    """Without an event there is neither an attained ratio nor a page that wasn't sent: the answer is no."""
    (folder / "shop.slo.yaml").write_text(SPEC.replace("orders_total", "other_total"), encoding="utf-8")
    done = sereno(*_arguments(url, "--html", "report.html"), cwd=folder)
    assert done.returncode == ExitCode.ANSWER_IS_NO
    assert "No events were seen in this time: nothing can be said of it." in done.stdout
    assert "Pages" not in done.stdout
    assert "0.000 %" not in done.stdout


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.outside: list[str] = []
        self.images = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        self.outside += [name for name in ("src", "href") if name in names]
        self.outside += [tag] if tag in {"script", "link", "img", "b"} else []
        if names.get("role") == "img":
            self.images += 1
            assert "shop/orders" in (names["aria-label"] or "")


def test_the_page_is_one_file_that_needs_nothing_else(folder: Path, url: str) -> None:
    """No script, no link, no markup of a user's text; each picture has words; what was there before is replaced."""
    (folder / "report.html").write_text("old", encoding="utf-8")
    before = set(files_below(folder))
    done = sereno(*_arguments(url, "--html", "report.html", "--incidents", "incidents.yaml"), cwd=folder)
    assert done.returncode == ExitCode.OK
    text = (folder / "report.html").read_text(encoding="utf-8")
    reader = _Links()
    reader.feed(text)
    assert (reader.outside, reader.images) == ([], 3)
    assert "&lt;b&gt;down&lt;/b&gt;" in text
    assert set(files_below(folder)) == before


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--slo", "order"], "no SLO of shop is called order; did you mean orders?"),
        (["--to", "tomorrow"], "--to: 'tomorrow' is no time"),
        (["--to", "2999-01-01T00:00:00Z"], "lies in the future"),
        (["--days", "0"], "0 is not in the range"),
        (["--html", "no/such/folder/report.html"], "can't be written: there is no folder no/such/folder"),
        (["--incidents", "none.yaml"], "none.yaml"),
        (["--compare", "other.slo.yaml"], "other.slo.yaml has no SLO orders; it has refunds"),
        (["--compare", "counted.slo.yaml", "--recorded"], "counted.slo.yaml counts orders in another way"),
        (["--prometheus", "localhost:9090"], "doesn't begin with http:// or https://"),
    ],
)
def test_wrong_arguments_are_told(folder: Path, url: str, more: list[str], said: str) -> None:
    """With exit code 2, and nothing is printed as a result."""
    (folder / "other.slo.yaml").write_text(SPEC.replace("orders\n", "refunds\n"), encoding="utf-8")
    (folder / "counted.slo.yaml").write_text(SPEC.replace("orders_total", "other_total"), encoding="utf-8")
    done = sereno(*_arguments(url, *more), cwd=folder)
    assert done.returncode == ExitCode.INVALID_INPUT
    assert said in done.stderr
    assert not done.stdout


def test_mistakes_of_the_incidents_are_told_before_anything_is_read(folder: Path) -> None:
    """All of them, with line and column."""
    (folder / "incidents.yaml").write_text("incidents:\n  - {from: a, to: b}\n", encoding="utf-8")
    nobody = f"http://127.0.0.1:{free_port()}"
    done = sereno(*_arguments(nobody, "--incidents", "incidents.yaml"), cwd=folder)
    assert done.returncode == ExitCode.INVALID_INPUT
    assert [line.partition("]")[0] for line in done.stderr.splitlines()[:-1]] == [
        "incidents.yaml:2:12: error[SLO090",
        "incidents.yaml:2:19: error[SLO090",
    ]


def test_a_server_that_does_not_answer_is_exit_code_3(folder: Path) -> None:
    """And the stretch is named; no report is written."""
    nobody = f"http://127.0.0.1:{free_port()}"
    done = sereno(*_arguments(nobody, "--html", "report.html"), cwd=folder)
    assert done.returncode == ExitCode.UNREACHABLE
    assert re.search(r"the past from 2\S+ \S+ UTC to 2\S+ \S+ UTC was not read, in two tries: ", done.stderr)
    assert not (folder / "report.html").exists()
