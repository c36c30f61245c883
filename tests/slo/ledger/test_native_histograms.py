"""Latency of native histograms on a real Prometheus, against a known truth: promtool reads no such input."""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray
from sereno_slo import FOLDER, SourceFile, compile_specs, read_settings
from sereno_slo.render.artefact import Kind

from benchmarks.simulation import (
    MINUTE,
    SECOND,
    Interval,
    NativeHistograms,
    Plan,
    Series,
    Server,
    evaluate,
    read_rule_groups,
    running_prometheus,
    write,
)

BEGIN = 1_600_000_200_000
LOWEST = -3  # buckets up to 1/8, 1/4, 1/2, 1 and 2 seconds
_JOBS = (f"native-{number}" for number in itertools.count())


@pytest.fixture(scope="module")
def native_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A real Prometheus that takes native histograms."""
    flags = ("--enable-feature=native-histograms",)
    with running_prometheus(tmp_path_factory.mktemp("native"), flags=flags) as server:
        yield server


@dataclass(frozen=True)
class Target:
    """One process, scraped every 30 s: what each of its series had observed by then."""

    instance: str
    started_ms: NDArray[np.int64]
    up: NDArray[np.float64]
    observed: Mapping[str, NDArray[np.float64]]
    """By route: rows are scrapes, columns buckets; a row of NaN: not there."""


def _spec(job: str, threshold: str, group_by: str) -> str:
    indicator = f"{{latency: {{metric: seconds, match: 'job=\"{job}\"', threshold: {threshold}, histogram: native}}}}"
    return (
        f"version: sereno/v1\nservice: {job}\nowner: team\nslos:\n"
        f"  - name: fast\n    objective: 99\n    indicator: {indicator}\n{group_by}"
    )


class Judged:
    """Targets written into the server, and the rules of one SLO evaluated on them."""

    def __init__(self, server: Server, targets: list[Target], threshold: str, *, group_by: str = "") -> None:
        self._server, self._job = server, next(_JOBS)
        times = BEGIN + 30 * SECOND * np.arange(len(targets[0].up), dtype=np.int64)
        for target in targets:
            write(server, self._series_of(target, times))
        source = SourceFile("native.slo.yaml", _spec(self._job, threshold, group_by))
        settings, _ = read_settings(None)
        compilation = compile_specs([source], settings, FOLDER)
        (rules,) = (each for each in compilation.artefacts if each.kind is Kind.RULES)
        # Alerts are the same for every kind.
        groups = tuple(read_rule_groups(rules.content))
        evaluate(server, groups, Plan(Interval(BEGIN, int(times[-1]) + 1)))

    def _series_of(self, target: Target, times: NDArray[np.int64]) -> Iterator[Series | NativeHistograms]:
        identity = {"job": self._job, "instance": target.instance}
        yield Series({"__name__": "up", **identity}, times, target.up)
        answered = target.up == 1
        started = target.started_ms[answered] / 1000
        yield Series({"__name__": "process_start_time_seconds", **identity}, times[answered], started)
        for route, observed in target.observed.items():
            there = answered & ~np.isnan(observed[:, 0])
            labels = {"__name__": "seconds", "http_route": route, **identity}
            ended = np.zeros(int(there.sum()), dtype=np.bool_)
            yield NativeHistograms(labels, times[there], observed[there], LOWEST, ended)

    def at(self, minute: int, name: str, **labels: str) -> float | None:
        """The recorded value of a minute; None where there is none."""
        chosen = "".join(f', {label}="{value}"' for label, value in labels.items())
        found = self._server.query(
            f'last_over_time({name}{{service="{self._job}"{chosen}}}[30s])', BEGIN + minute * MINUTE
        )
        (*_, sample) = found["result"] or [None]
        return None if sample is None else float(sample["value"][1])

    def entry(self, minute: int) -> tuple[float | None, float | None]:
        """Events and bad events of the minute."""
        return self.at(minute, "sereno:events:delta1m"), self.at(minute, "sereno:bad_events:delta1m")


def _growing(scrapes: int, *a_scrape: float) -> NDArray[np.float64]:
    """Observations that grow evenly; each had happened once before the first scrape."""
    grown = np.ones((scrapes, len(a_scrape)), dtype=np.float64)
    grown += np.outer(np.arange(scrapes), np.array(a_scrape, dtype=np.float64))
    return grown


def _old(scrapes: int) -> NDArray[np.int64]:
    return np.full(scrapes, BEGIN - 86_400_000, dtype=np.int64)


def _steady(scrapes: int = 21) -> Target:
    """A minute has 2, 4, 6, 8 and 10 observations in the buckets up to 1/8, 1/4, 1/2, 1 and 2 s."""
    return Target("one", _old(scrapes), np.ones(scrapes), {"/": _growing(scrapes, 1, 2, 3, 4, 5)})


@pytest.mark.parametrize(("threshold", "bad"), [("250ms", 24), ("500ms", 18), ("1s", 10), ("2s", 0)])
def test_on_a_bound_every_event_is_counted_exactly(native_engine: Server, threshold: str, bad: float) -> None:
    """Where the threshold is a bucket's bound nothing is interpolated: counts are those of the truth."""
    judged = Judged(native_engine, [_steady()], threshold)
    assert [judged.entry(minute) for minute in (2, 5, 10)] == [pytest.approx((30, bad), abs=1e-9)] * 3
    assert judged.at(10, "sereno:error_ratio:5m") == pytest.approx(bad / 30, abs=1e-9)


def test_between_bounds_only_the_thresholds_own_bucket_is_estimated(native_engine: Server) -> None:
    """At 750 ms the eight of the bucket from 1/2 to 1 s are split in the middle: that is the only estimate."""
    judged = Judged(native_engine, [_steady()], "750ms")
    events, bad = judged.entry(5)
    assert events == 30
    assert bad == pytest.approx(10 + 8 / 2, abs=1e-9)
    # All eight may have been faster, or slower: the error is at most the part of the bucket beside the threshold.
    assert 10 <= (bad or 0) <= 10 + 8


def test_births_count_in_full(native_engine: Server) -> None:
    """A route's first histogram inside a watched target has all its observations now, none before."""
    scrapes = 21
    late = _growing(scrapes, 0, 0, 0, 0, 1)
    late[:10] = np.nan  # until 4m30s
    target = Target("one", _old(scrapes), np.ones(scrapes), {"/": _growing(scrapes, 1, 0, 0, 0, 0), "/new": late})
    judged = Judged(native_engine, [target], "1s")
    assert judged.entry(4) == pytest.approx((2, 0), abs=1e-9)
    assert judged.entry(5) == pytest.approx((2 + 15, 11), abs=1e-9)  # once in each bucket, ten times in the last
    assert judged.entry(6) == pytest.approx((2 + 2, 2), abs=1e-9)


def test_restarts_count_from_zero(native_engine: Server) -> None:
    """After a restart all of the new process counts, also where it looks like growth."""
    scrapes = 21
    observed = _growing(scrapes, 1, 1, 1, 1, 1)
    observed[10:] = observed[8] + np.array([3, 0, 0, 0, 3])  # from 5m on: more than at 4m, and another process
    started = _old(scrapes)
    started[10:] = BEGIN + 290 * SECOND
    judged = Judged(native_engine, [Target("one", started, np.ones(scrapes), {"/": observed})], "1s")
    assert judged.entry(5) == pytest.approx((observed[10].sum(), observed[10, 4]), abs=1e-9)
    assert judged.entry(6) == pytest.approx((0, 0), abs=1e-9)


def test_resets_within_a_process_count_from_zero(native_engine: Server) -> None:
    """An exporter whose subject restarts begins anew, although the scraped process lives on."""
    scrapes = 21
    observed = _growing(scrapes, 1, 1, 1, 1, 1)
    observed[10:] = np.array([1, 0, 0, 0, 2])
    judged = Judged(native_engine, [Target("one", _old(scrapes), np.ones(scrapes), {"/": observed})], "1s")
    assert judged.entry(5) == pytest.approx((3, 2), abs=1e-9)


def test_gaps_are_caught_up_and_the_past_of_strangers_is_not(native_engine: Server) -> None:
    """Ten minutes without scrapes are one entry; a process that is discovered after a long life brings nothing."""
    scrapes = 41
    up = np.ones(scrapes)
    up[5:30] = 0
    failing = Target("one", _old(scrapes), up, {"/": _growing(scrapes, 0, 0, 0, 0, 1)})
    alone = Judged(native_engine, [failing], "1s")
    assert alone.entry(10) == (None, None)
    assert alone.entry(15) == pytest.approx((26, 26), abs=1e-9)  # since the scrape at 2m
    stranger_up = np.full(scrapes, np.nan)
    stranger_up[10:] = 1
    known = stranger_up == 1
    stranger = Target("two", _old(scrapes), known.astype(np.float64), {"/": 1e6 + _growing(scrapes, 0, 0, 0, 0, 1)})
    steady = Target("three", _old(scrapes), np.ones(scrapes), {"/": _growing(scrapes, 1, 0, 0, 0, 0)})
    judged = Judged(native_engine, [steady, stranger], "1s")
    assert judged.entry(4) == pytest.approx((2, 0), abs=1e-9)
    assert judged.entry(6) == pytest.approx((4, 2), abs=1e-9)


def test_groups_have_ledgers_of_their_own(native_engine: Server) -> None:
    """Each route is counted by itself, and the whole is their sum."""
    scrapes = 21
    routes = {"/slow": _growing(scrapes, 0, 0, 0, 0, 3), "/quick": _growing(scrapes, 5, 0, 0, 0, 0)}
    group_by = "    group_by: {labels: [http_route], limit: 5}\n"
    judged = Judged(native_engine, [Target("one", _old(scrapes), np.ones(scrapes), routes)], "1s", group_by=group_by)
    assert judged.entry(10) == pytest.approx((16, 6), abs=1e-9)
    assert judged.at(10, "sereno:group_events:delta1m", http_route="/slow") == 6
    assert judged.at(10, "sereno:group_error_ratio:5m", http_route="/slow") == pytest.approx(1, abs=1e-9)
    assert judged.at(10, "sereno:group_bad_events:delta1m", http_route="/quick") == pytest.approx(0, abs=1e-9)


def test_idle_minutes_have_no_bad_events(native_engine: Server) -> None:
    """The fraction of no observations is not a number; the ledger says zero."""
    judged = Judged(native_engine, [Target("one", _old(21), np.ones(21), {"/": _growing(21, 0, 0, 0, 0, 0)})], "750ms")
    assert judged.entry(5) == (0, 0)
    assert judged.at(10, "sereno:error_ratio:5m") == 0
