"""`sereno backfill` on a real Prometheus: new SLOs, holes, gaps; twice; and whatever can go wrong."""

import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise, product
from pathlib import Path

import pytest
from sereno_backends.prometheus import PrometheusClient, find_promtool, write_blocks
from support.command_line import sereno
from support.past import (
    MINUTE_MS,
    entry,
)
from support.prometheus import running_prometheus
from support.repair_cases import (
    BEGIN_MS,
    CASES,
    END_MS,
    FIVE_MINUTES_PHASE_MS,
    HOUR_MS,
    HOURS,
    LATER,
    MINUTE_PHASE_MS,
    hour,
    within,
)

ENTRIES = ("sereno:events:delta1m", "sereno:bad_events:delta1m", "sereno:coverage:delta1m")
SPEC = """\
version: sereno/v1
service: {service}
owner: team
slos:
  - name: calls
    objective: 99
    indicator: {{ratio: {{metric: calls_total, match: 'job="{service}"', bad: 'code="500"'}}}}
"""


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with specs of all cases, and a Prometheus' data with their past."""
    folder = tmp_path_factory.mktemp("backfill")
    promtool = find_promtool()
    assert promtool is not None
    (folder / "specs").mkdir()
    for name in CASES:
        (folder / "specs" / f"{name}.slo.yaml").write_text(SPEC.format(service=name))
    write_blocks((series for made in CASES.values() for series in made.series()), folder / "data", promtool)
    return folder


@pytest.fixture(scope="module")
def repaired(before: Path) -> Iterator[tuple[PrometheusClient, str, str]]:
    """A server that has taken a repair in, and what the first and a second run said."""
    with running_prometheus(before) as server:
        first = backfill(before, server.url, "--into", before / "data")
        assert first.returncode == 0, first.stderr
    with running_prometheus(before) as server, PrometheusClient(server.url, timeout_seconds=60) as client:
        second = backfill(before, server.url, "--into", before / "data")
        assert second.returncode == 0, second.stderr
        yield client, first.stdout, second.stdout


def backfill(folder: Path, url: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Repair the common past."""
    span = ("--from", rfc3339(BEGIN_MS), "--to", rfc3339(END_MS))
    return sereno("backfill", folder / "specs", "--prometheus", url, *span, *arguments, cwd=folder)


def rfc3339(at_ms: int) -> str:
    """As one types it."""
    return moment(at_ms).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment(at_ms: int) -> datetime:
    """A moment as the client takes it."""
    return datetime.fromtimestamp(at_ms / 1000, UTC)


def phase_of(name: str) -> float:
    """By how much of an hour roll-ups lie after the full hour."""
    return 0 if name == "newcomer" else FIVE_MINUTES_PHASE_MS / HOUR_MS


def summed(client: PrometheusClient, metric: str, name: str, begin: float, end: float) -> float:
    """The sum over some hours, by the engine."""
    window_ms = hour(end) - hour(begin) - 1
    (sample,) = client.instant(f'sum_over_time({metric}{{service="{name}"}}[{window_ms}ms])', moment(hour(end)))
    return sample.value


@pytest.mark.parametrize(("metric", "codes"), [("events", ("200", "500")), ("bad_events", ("500",))])
@pytest.mark.parametrize(
    ("name", "sums"),
    [
        *product(["newcomer", "hole", "gap", "partial", "whole"], ["delta1m", "sum5m"]),
        ("outage", "sum5m"),
    ],
)
def test_the_truth_is_restored(
    repaired: tuple[PrometheusClient, str, str], name: str, sums: str, metric: str, codes: tuple[str, ...]
) -> None:
    """What the ledger says after the repair is what the service really did, to 0.1 %."""
    client, *_ = repaired
    end = HOURS - 1 + phase_of(name)  # where a roll-up ends
    real = CASES[name].real(codes, hour(end))
    assert summed(client, f"sereno:{metric}:{sums}", name, 0, end) == pytest.approx(real, rel=1e-3)


@pytest.mark.parametrize("name", ["newcomer", "hole"])
def test_entries_are_what_an_evaluation_would_have_given(
    repaired: tuple[PrometheusClient, str, str], name: str
) -> None:
    """Every recomputed entry equals the count of its minute's scrapes, made without PromQL."""
    client, *_ = repaired
    series = {
        metric: client.stored(f'{metric}{{service="{name}"}}[{HOURS}h]', moment(END_MS))[0].points for metric in ENTRIES
    }
    compared = 0
    for metric, codes in (("sereno:events:delta1m", ("200", "500")), ("sereno:bad_events:delta1m", ("500",))):
        for point in series[metric]:
            at_ms = round(point.timestamp.timestamp() * 1000)
            at_ms += at_ms % 10 == 5  # a millisecond early, where a marker might lie
            assert point.value == (entry(CASES[name].targets, codes, at_ms) or 0)
            compared += 1
    assert compared > 2 * 49 * 60


@pytest.mark.parametrize("name", ["newcomer", "hole", "whole"])
def test_no_minute_is_counted_twice_or_left_out(repaired: tuple[PrometheusClient, str, str], name: str) -> None:
    """There is one entry a minute, whoever wrote it, and each roll-up's five minutes are those of its entries."""
    client, *_ = repaired
    for metric in ENTRIES:
        (series,) = client.stored(f'{metric}{{service="{name}"}}[{HOURS}h]', moment(END_MS))
        moments = [round(point.timestamp.timestamp() * 1000) for point in series.points]
        steps = {later - earlier for earlier, later in pairwise(moments)}
        assert steps <= {59_999, 60_000, 60_001}, metric
        assert len(moments) >= 60 * HOURS - 6


def test_nothing_is_written_where_a_marker_may_lie(repaired: tuple[PrometheusClient, str, str]) -> None:
    """After each entry that a hole follows (one long, three of a minute) the new one lies a millisecond early."""
    client, *_ = repaired
    for metric in ENTRIES:
        (series,) = client.stored(f'{metric}{{service="hole"}}[{HOURS}h]', moment(END_MS))
        moments = [round(point.timestamp.timestamp() * 1000) for point in series.points]
        early = [at_ms for at_ms in moments if at_ms % MINUTE_MS == MINUTE_PHASE_MS - 1]
        assert len(early) == 4
        assert {at_ms - 59_999 for at_ms in early} <= set(moments)


@pytest.mark.parametrize("name", sorted(CASES))
def test_roll_ups_sum_up_to_entries_over_every_hour(repaired: tuple[PrometheusClient, str, str], name: str) -> None:
    """Over any hours that end with a roll-up the two kinds of sums agree, repaired or not."""
    client, *_ = repaired
    phase = phase_of(name)
    for kind in ("events", "bad_events", "coverage"):
        for begin, end in ((3, 19), (19, 22), (22, 24), (26, 29), (30, 32), (39, 41), (3, 49)):
            rolled_up = {"begin": begin + phase, "end": end + phase}
            # A roll-up sums what was entered until a minute before it.
            bounds = {edge: hours - 1 / 60 for edge, hours in rolled_up.items()}
            entries = summed(client, f"sereno:{kind}:delta1m", name, **bounds)
            told_by_rules = CASES[name].missed.get(kind, {})
            entries += sum(value for at_ms, value in told_by_rules.items() if within(at_ms, *bounds.values()))
            assert summed(client, f"sereno:{kind}:sum5m", name, **rolled_up) == pytest.approx(entries, rel=1e-9), (
                kind,
                begin,
            )


def test_a_process_that_began_out_of_sight_counts_in_full(repaired: tuple[PrometheusClient, str, str]) -> None:
    """Lost is only what was counted between the last scrape of the old process and its end: never too many."""
    client, *_ = repaired
    end = 49 + phase_of("restarted")
    found = summed(client, "sereno:events:delta1m", "restarted", 0, end)
    ends = {"a": hour(25.2), "b": hour(25.2 + LATER)}
    lost = sum(
        sum(happened.values())
        for target, truth in zip(CASES["restarted"].targets, CASES["restarted"].truths, strict=True)
        for at_ms, happened in truth
        if hour(24.01) <= at_ms < ends[target.instance]
    )
    assert lost > 5_000
    assert found == pytest.approx(CASES["restarted"].real(("200", "500"), hour(end)) - lost, rel=5e-4)


def test_minutes_without_scrapes_stay_uncovered(repaired: tuple[PrometheusClient, str, str]) -> None:
    """What was caught up over a gap is counted, but nobody saw its minutes: coverage doesn't pretend."""
    client, *_ = repaired
    assert summed(client, "sereno:coverage:sum5m", "gap", 23, 27) == pytest.approx(4 * 60 - 2 * 60, abs=8)
    assert summed(client, "sereno:coverage:sum5m", "hole", 19, 24) == pytest.approx(5 * 60, abs=6)


def test_what_the_rules_caught_up_is_not_counted_again(repaired: tuple[PrometheusClient, str, str]) -> None:
    """Minutes that the first evaluation after a stop has told get no entries of events, but their coverage."""
    client, first, _ = repaired
    assert summed(client, "sereno:coverage:delta1m", "outage", 32, 35) == pytest.approx(180, abs=0.1)
    (row,) = (line.split()[1:] for line in first.splitlines() if "outage/calls" in line)
    assert row[0] == "120"  # the two hours before the ledger began


def test_the_table_tells_what_was_found(repaired: tuple[PrometheusClient, str, str]) -> None:
    """The first run names each SLO with its minutes, and what to do next."""
    _, first, _ = repaired
    rows = {line.split("/")[0]: line.split()[1:] for line in first.splitlines() if "/calls" in line}
    assert set(rows) == set(CASES)
    # The first scrape of a process that ran before tells nothing yet.
    assert rows["newcomer"][:3] == ["2,999", "2,998", "1"]
    assert (rows["gap"][3], rows["partial"][3], rows["hole"][3]) == ("2", "1", "0")
    assert "budgets follow within five minutes" in first


def test_a_second_run_finds_nothing(repaired: tuple[PrometheusClient, str, str]) -> None:
    """With the first run's blocks in place nothing is written again, and unknown minutes are still called unknown."""
    _, _, second = repaired
    assert "nothing to repair" in second
    assert "minutes stay unknown" in second
