"""A fleet of services under a running Prometheus: the parts of the load benchmark, small."""

import time
from collections.abc import Iterator
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

import pytest

from benchmarks.cost.exporter import running_exporter
from benchmarks.cost.fleet import Fleet, events_per_second
from benchmarks.cost.load import GroupTimes, Load, failures
from benchmarks.cost.past import Folders, Recorded, Scraped, build_past, recorded_series, scraped_spans
from benchmarks.cost.raw import SCRAPE_INTERVAL_MS
from benchmarks.cost.rulesets import look_backs, read_rules
from benchmarks.cost.running import LoadError, check_that_it_works, loaded_prometheus, read_page
from benchmarks.cost.specs import rule_files
from benchmarks.simulation import DAY, MINUTE, SECOND, Server

_SLOS = 2
_NOW_MS = 29_166_670 * MINUTE


@pytest.fixture(scope="module")
def fleet() -> Fleet:
    """One service with an availability and a latency SLO."""
    return Fleet.running_since_days(_SLOS, _NOW_MS)


@pytest.fixture(scope="module")
def files(fleet: Fleet) -> dict[str, str]:
    """Its rules."""
    return rule_files(fleet.specs())


@pytest.fixture(scope="module")
def recorded(files: dict[str, str]) -> list[Recorded]:
    """What its rules look back on."""
    rules = read_rules(*files.values())
    return list(recorded_series(rules, look_backs(rule.expr for rule in rules)))


@pytest.fixture(scope="module")
def built(
    fleet: Fleet, files: dict[str, str], recorded: list[Recorded], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, list[Path]]:
    """A folder that keeps the past, and all blocks."""
    kept = tmp_path_factory.mktemp("kept")
    folders = Folders(kept, tmp_path_factory.mktemp("latest"))
    scraped = Scraped(fleet, scraped_spans(read_rules(*files.values()), _NOW_MS, MINUTE))
    return kept, build_past(folders, recorded, scraped, _NOW_MS, progress=lambda _: None)


@pytest.fixture(scope="module")
def server(
    fleet: Fleet, files: dict[str, str], built: tuple[Path, list[Path]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A Prometheus that starts with the past."""
    folder = tmp_path_factory.mktemp("load") / "prometheus"
    with (
        running_exporter(fleet) as exporter,
        loaded_prometheus(folder, fleet, rules=files, blocks=built[1], exporter=exporter, program=None) as running,
    ):
        yield running


def _value(server: Server, expr: str, at_ms: int = _NOW_MS) -> float:
    (result,) = server.query(expr, at_ms)["result"]
    return float(result["value"][1])


def test_thirty_days_of_roll_ups_are_there(server: Server) -> None:
    """The window's sums read as many roll-ups as they would in production."""
    availability = 'sereno:events:sum5m{slo="cart-availability"}[29d23h59m59s999ms]'
    assert _value(server, f"count_over_time({availability})") == pytest.approx(8640, abs=1)


def test_entries_go_on_from_the_past(server: Server, fleet: Fleet, files: dict[str, str]) -> None:
    """Evaluated at the past's last scrape, the entry's rule counts the minute's events exactly, without births."""
    (events,) = [
        rule
        for rule in read_rules(*files.values())
        if rule.name == "sereno:events:delta1m" and rule.labels["slo"] == "cart-availability"
    ]
    per_minute = 2 * 60 * events_per_second(fleet.jobs[0], 0)
    # Four counters of each process are rounded down.
    last_scrape_ms = _NOW_MS - SCRAPE_INTERVAL_MS
    assert _value(server, events.expr, last_scrape_ms) == pytest.approx(per_minute, abs=8)


def test_blocks_of_the_past_are_kept(
    fleet: Fleet, files: dict[str, str], recorded: list[Recorded], built: tuple[Path, list[Path]], tmp_path: Path
) -> None:
    """A second run soon after builds the newest block only."""
    kept, blocks = built
    later_ms = _NOW_MS + 7 * MINUTE
    scraped = Scraped(fleet, scraped_spans(read_rules(*files.values()), later_ms, MINUTE))
    told: list[str] = []
    again = build_past(Folders(kept, tmp_path), recorded, scraped, later_ms, progress=told.append)
    assert len(set(blocks) & set(again)) >= 12
    assert "1 are built" in told[0] or "2 are built" in told[0]


def test_a_fleet_that_counts_nothing_is_an_error(server: Server, fleet: Fleet) -> None:
    """Before rules were evaluated, the check that guards the benchmark says that nothing is counted."""
    with pytest.raises(LoadError, match="0 of 2 SLOs have sereno:events:delta1m"):
        check_that_it_works(server, fleet, _NOW_MS + DAY, minutes=1)


def test_the_exporter_counts_on(fleet: Fleet) -> None:
    """A scrape of a target shows its counters as they stand by now, and an unknown target is not found."""
    now = Fleet.running_since_days(_SLOS, round(time.time() * SECOND))
    with running_exporter(now) as address:
        opener = build_opener(ProxyHandler({}))
        text = opener.open(f"http://{address}/{fleet.jobs[0]}/a", timeout=10).read().decode()
    series = dict(line.rsplit(" ", 1) for line in text.splitlines())
    assert len(series) == 5 * 12 + 1
    expected = 0.9 * events_per_second(fleet.jobs[0], 0) * 3 * DAY / SECOND
    assert float(series['http_requests_total{path="/cart",code="200"}']) == pytest.approx(expected, rel=0.01)


def test_reads_what_prometheus_says_of_its_rule_groups() -> None:
    """Groups are named without their file, and metrics without groups have the empty one."""
    page = read_page(
        'prometheus_rule_group_iterations_missed_total{rule_group="/a b/x.rules.yaml;sereno:x:1m"} 3\n'
        "# HELP process_cpu_seconds_total …\nprocess_cpu_seconds_total 1.5\nother 7\n"
    )
    assert page.by_group("prometheus_rule_group_iterations_missed_total") == {"sereno:x:1m": 3}
    assert page.one("process_cpu_seconds_total") == 1.5
    assert page.by_group("other") == {}


@pytest.mark.parametrize(
    ("missed", "failed", "longest_seconds", "said"),
    [
        (0, 0, 59.9, []),
        (1, 0, 1.0, ["1 iterations of rule groups were missed"]),
        (0, 2, 60.0, ["2 rule evaluations failed", "a group took 60.0 s, its interval is 60 s"]),
    ],
)
def test_every_miss_is_told(missed: int, failed: int, longest_seconds: float, said: list[str]) -> None:
    """A missed iteration, a failed evaluation and a group slower than its interval each are a failure."""
    load = Load(
        slos=1,
        minutes=15,
        rules=1,
        series_in_head=1,
        iterations=1,
        iterations_missed=missed,
        evaluation_failures=failed,
        cpu_cores=0.1,
        resident_bytes=1,
        times=(GroupTimes(60, 1, longest_seconds, 1.0),),
    )
    assert list(failures(load)) == said
