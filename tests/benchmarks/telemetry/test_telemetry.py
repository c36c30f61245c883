"""The benchmark of telemetry computes right: costs, judgements of wrong instrumentations, broken requests."""

import datetime as dt
import random
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from prometheus_client import CollectorRegistry, Counter

from benchmarks.telemetry.correctness.evidence import Counted, Evidence
from benchmarks.telemetry.correctness.judging import Judgement, grouped, no_new_series
from benchmarks.telemetry.correctness.playing import play
from benchmarks.telemetry.correctness.scenarios import SCENARIOS
from benchmarks.telemetry.correctness.table import Row, markdown
from benchmarks.telemetry.correctness.table import missed as wrong_rows
from benchmarks.telemetry.driving import Answer, AsgiApp
from benchmarks.telemetry.environment import Environment
from benchmarks.telemetry.faults.child import answers_of
from benchmarks.telemetry.forking import ForkError, in_fork
from benchmarks.telemetry.instruments import BARE, FLOOR, INSTRUMENTS, SERENO, Instrument, Naming, Setting
from benchmarks.telemetry.memory.child import hostile_request
from benchmarks.telemetry.memory.growth import Growth
from benchmarks.telemetry.memory.growth import missed as grown
from benchmarks.telemetry.overhead.report import missed
from benchmarks.telemetry.overhead.rounds import KINDS, Cost, verdict

METRICS = KINDS[0]
LABELS = "prometheus_client: labels()"
NAMING = Naming("naive_total", "naive_seconds", "naive_active", "path", "method", "code")


class Naive:
    """An instrumentation as wrong as can be: raw paths, raw methods, no failures, no guard."""

    def __init__(self, app: AsgiApp, counter: Counter) -> None:
        self._app = app
        self._counter = counter

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Count, then serve."""
        self._counter.labels(scope["path"], scope["method"], "200").inc()
        await self._app(scope, receive, send)


def install_naive(app: FastAPI, setting: Setting) -> None:
    """Put it around the app."""
    labels = ("path", "method", "code")
    app.add_middleware(Naive, counter=Counter("naive_total", "Requests.", labels, registry=setting.registry))


NAIVE = Instrument("naive", None, install_naive, NAMING, traces=False)


@pytest.mark.parametrize(
    ("name", "right", "said"),
    [
        ("router in a router", False, "/shops/7/items/4711 200"),
        ("404, twenty paths", False, "20 series: /wp-0.php 200, …"),
        ("twenty invented methods", False, "20 methods, 20 counted"),
        ("twenty Host headers", True, "0 new series, 20 counted"),
        ("unhandled exception", False, "/boom 200"),
        ("stream that breaks off", False, "/half 200"),
        ("client leaves while it sends its body", False, "/upload 200"),
        ("scrape by Prometheus", False, "application/json"),
        ("span of a request below a mount", None, "no spans"),
        ("the sampler raises", None, "never called"),
        ("the metrics raise", False, "answer 500, raised"),
    ],
)
def test_a_wrong_instrumentation_is_found_out(name: str, right: bool | None, said: str) -> None:
    """Each judge tells wrong from right, and says what it saw."""
    assert play(NAIVE, SCENARIOS[name], CollectorRegistry()) == Judgement(right, said)


@pytest.mark.parametrize("name", ["router in a router", "404, twenty paths", "stream that breaks off"])
def test_a_right_instrumentation_is_right(name: str) -> None:
    """The same judges find nothing wrong with Sereno."""
    assert play(INSTRUMENTS[SERENO], SCENARIOS[name], CollectorRegistry()).right


def _evidence(*counts: Counted) -> Evidence:
    answer = Answer(200, b"", (), is_complete=True, raised=None)
    first, second = frozenset({("a", ())}), frozenset({("a", ()), ("b", ())})
    return Evidence([answer] * len(counts), dict.fromkeys(counts, 1), 0.0, first, second, None, 0.0, [])


def test_two_series_are_no_group_and_a_new_series_is_seen() -> None:
    """All counted and all with the right code isn't enough."""
    counts = [Counted(route, "GET", "404", "") for route in ("/a", "/b")]
    assert grouped(404)(_evidence(*counts)) == Judgement(right=False, said="/a 404, /b 404")
    assert grouped(404)(_evidence(counts[0])).right
    assert no_new_series(_evidence(counts[0])) == Judgement(right=False, said="1 new series, 1 counted")


def test_faults_break_what_has_no_guard_and_nothing_else() -> None:
    """Unguarded, every answer differs from the bare app's; guarded, none; afterwards nothing raises any more."""
    bare, _ = answers_of(INSTRUMENTS[BARE], LABELS, CollectorRegistry())
    naive, hits = answers_of(NAIVE, LABELS, CollectorRegistry())
    assert hits == len(naive)
    assert all(one != other for one, other in zip(bare, naive, strict=True))
    sereno, _ = answers_of(INSTRUMENTS[SERENO], LABELS, CollectorRegistry())
    assert sereno == bare
    Counter("after", "After.", ["label"], registry=CollectorRegistry()).labels("x").inc()


def _cost(instrument: str, *added: float, has_exemplars: bool = True) -> Cost:
    return Cost(METRICS, 1, instrument, added, has_exemplars)


def test_the_verdict_is_against_the_best_peer_round_by_round() -> None:
    """The floor is no peer, the ratio is that of the usual round, and what is too much or lacks exemplars is told."""
    costs = [
        _cost(FLOOR, 1, 1, 1),
        _cost(SERENO, 10, 12, 50),
        _cost("slow", 100, 100, 100),
        _cost("fast", 40, 40, 40),
    ]
    found = verdict(costs)
    assert found is not None
    assert (found.best_peer, found.ratio, found.is_reached) == ("fast", 0.3, False)
    assert list(missed(costs)) == ["metrics with exemplars, 1 routes: 0.30 of fast, must be 0.25 at most"]
    assert list(missed([_cost(SERENO, 10, has_exemplars=False), _cost("fast", 40)])) == [
        "metrics with exemplars, 1 routes: no exemplars"
    ]
    assert verdict(costs[:2]) is None


def test_the_spread_leaves_out_a_tenth_at_each_end() -> None:
    """Ten rounds: neither the lowest nor the highest."""
    assert _cost(SERENO, *range(10)).spread == (1, 8)


def test_memory_over_the_limit_is_told_for_sereno_alone() -> None:
    """Peers may grow."""
    found = [Growth(name, 1_000_000, 6_000_000, None, 0, 9) for name in (SERENO, "other")]
    assert list(grown(found)) == ["1,000,000 requests: +6.0 MB, must be 5 MB at most"]


def test_hostile_requests_repeat_by_their_seed_and_never_among_themselves() -> None:
    """A run can be had again, and no two requests are the same."""
    requests = [hostile_request(random.Random(7)) for _ in range(2)]
    assert requests[0] == requests[1]
    source = random.Random(7)
    assert len({str(hostile_request(source)) for _ in range(500)}) == 500


def test_the_page_says_what_was_found() -> None:
    """One line a scenario, marks, sums, versions, and no cell that breaks the table."""
    row = Row(
        SCENARIOS["405"],
        {SERENO: Judgement(right=True, said="fine"), "FastAPI's own": Judgement(right=False, said="a|b")},
    )
    environment = Environment(Path("python"), Path("telemetry"), {"fastapi": "0.1"})
    text = markdown([row], environment, dt.date(2026, 11, 25))
    assert "| 405 | counted, without the raw path | ✓ fine | ✗ a\\|b |" in text
    assert "| **wrong** |  | **0** of 1 | **1** of 1 |" in text
    assert "on 2026-11-25, with fastapi 0.1." in text
    assert list(wrong_rows([row])) == []


def test_who_is_not_installed_is_named() -> None:
    """A peer whose package is missing is left out; Sereno and the floor never are."""
    environment = Environment(Path("python"), Path("telemetry"), {"fastapi": "0.1"})
    assert environment.instruments == (BARE, FLOOR, SERENO, "FastAPI's own")
    assert environment.missing == ("instrumentator", "starlette-exporter", "OpenTelemetry")


def _fail() -> None:
    raise LookupError("in the fork")


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # Python 3.12 sees threads of other tests
def test_a_fork_that_raises_says_what() -> None:
    """Its exception comes back as text."""
    with pytest.raises(ForkError, match="in the fork"):
        in_fork(_fail)
    assert in_fork(len, "abc") == 3
