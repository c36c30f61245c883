"""Random histories of scraped targets: restarts, failed scrapes, series that come and go, outages of Prometheus.

What a real Prometheus would have stored is written down sample by sample, staleness markers included, together with
what only the service itself knows: in which life of its process a value was counted.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from hypothesis import strategies as st

from benchmarks.simulation import Series, stale_markers

SCRAPE_MS = 30_000
MINUTE_MS = 60_000
MINUTES = 150
SLOTS = MINUTES * MINUTE_MS // SCRAPE_MS


@dataclass(frozen=True)
class Sample:
    """One stored sample; `value` None is a staleness marker, `life` counts the starts of the process."""

    time_ms: int
    value: float | None
    life: int


@dataclass
class Recorded:
    """One series as stored."""

    labels: dict[str, str]
    samples: list[Sample] = field(default_factory=list)


@dataclass
class StoredTarget:
    """What was stored of one target."""

    up: Recorded
    start: Recorded
    counters: dict[str, Recorded]


@dataclass(frozen=True)
class Hole:
    """So many steps from `begin` on."""

    begin: int
    length: int

    def holds(self, step: int) -> bool:
        """Whether the step lies in it."""
        return self.begin <= step < self.begin + self.length


@dataclass(frozen=True)
class TargetPlan:
    """What happens to one target. Steps are scrapes."""

    name: str
    phase_ms: int
    age_seconds: int
    """How old the first process is when the history begins."""
    known: Hole
    """While service discovery knows the target."""
    restarts: tuple[Hole, ...]
    """The process ends before the step, and begins again with it; scrapes fail for `length` steps."""
    failed: tuple[Hole, ...]
    hidden: tuple[Hole, ...]
    """The error series isn't exposed."""
    good_rate: float
    bad_rate: float
    seed: int


@dataclass(frozen=True)
class History:
    """All targets, and when Prometheus doesn't run (steps are minutes)."""

    targets: tuple[TargetPlan, ...]
    outages: tuple[Hole, ...]


def holes(
    *, most: int, longest: int, within: int, shortest: int = 1, first: int = 2
) -> st.SearchStrategy[tuple[Hole, ...]]:
    """Some holes, anywhere."""
    hole = st.builds(Hole, st.integers(first, within - 1), st.integers(shortest, longest))
    return st.lists(hole, max_size=most).map(tuple)


RATES = (0.0, 0.02, 1.0, 50.0)
"""Errors a scrape."""
BUSY = (50.0, 200.0)
AGES_SECONDS = (5, 400, 1200, 20_000, 2_000_000)
OLD_SECONDS = (20_000, 2_000_000)


def histories(
    *,
    longest_gap_minutes: int,
    restarts: bool = True,
    failures: bool = True,
    hidden: bool = True,
    scrapes_fail: bool = True,
    holes_each: int = 2,
    changes: bool = True,
    outage_minutes: tuple[int, int] = (2, MINUTES),
    rates: tuple[float, ...] = RATES,
    ages_seconds: tuple[int, ...] = AGES_SECONDS,
) -> st.SearchStrategy[History]:
    """Up to three targets. No hole is longer than `longest_gap_minutes`; several can follow each other."""
    longest = longest_gap_minutes * 2
    none = st.just(())
    plan = st.builds(
        TargetPlan,
        name=st.just(""),
        phase_ms=st.integers(1, SCRAPE_MS - 1),
        age_seconds=st.sampled_from(ages_seconds),
        known=st.builds(
            Hole,
            st.sampled_from([0, 0, 7, 61] if changes else [0, 7]),
            st.sampled_from([SLOTS, SLOTS, 130] if changes else [SLOTS]),
        ),
        # Of no length: the process is back before anybody has looked.
        restarts=holes(most=3, longest=4, within=SLOTS, shortest=0) if restarts else none,
        failed=holes(most=holes_each, longest=longest, within=SLOTS) if failures and scrapes_fail else none,
        hidden=holes(most=holes_each, longest=longest, within=SLOTS) if hidden else none,
        good_rate=st.sampled_from(rates).map(lambda rate: 4 * rate),
        bad_rate=st.sampled_from(rates),
        seed=st.integers(0, 2**32 - 1),
    )
    longest_outage = min(20, longest_gap_minutes)
    outages = (
        holes(most=1, longest=longest_outage, first=outage_minutes[0], within=outage_minutes[1]) if failures else none
    )
    return st.builds(_named, st.lists(plan, min_size=1, max_size=3), outages)


def _named(plans: list[TargetPlan], outages: tuple[Hole, ...]) -> History:
    return History(tuple(replace(plan, name=f"pod-{index}") for index, plan in enumerate(plans)), outages)


def stored(plan: TargetPlan, outages: tuple[Hole, ...], *, job: str, begin_ms: int) -> StoredTarget:
    """What Prometheus stored of the target."""
    identity = {"job": job, "instance": plan.name}
    target = StoredTarget(
        Recorded({"__name__": "up"} | identity),
        Recorded({"__name__": "process_start_time_seconds"} | identity),
        {code: Recorded({"__name__": "calls_total", "code": code} | identity) for code in ("200", "500")},
    )
    scraped_before: set[str] | None = set()  # None: Prometheus has just started and remembers no scrape
    for moment in _moments(plan, begin_ms):
        if any(outage.holds((moment.time_ms - begin_ms) // MINUTE_MS) for outage in outages):
            scraped_before = None
            continue
        exposed = _scrape(target, moment)
        for gone in (scraped_before or set()) - exposed:
            _series(target, gone).samples.append(Sample(moment.time_ms, None, moment.life))
        scraped_before = exposed
    return target


@dataclass(frozen=True)
class _Moment:
    time_ms: int
    known: bool
    answers: bool
    started_seconds: float
    life: int
    counts: dict[str, int]


def _moments(plan: TargetPlan, begin_ms: int) -> Iterator[_Moment]:
    random = np.random.default_rng(plan.seed)
    rates = {"200": plan.good_rate, "500": plan.bad_rate}
    born = {
        code: 0 if plan.age_seconds < SCRAPE_MS / 1000 else int(random.poisson(rates[code] * 100)) for code in rates
    }
    counts, life = born, 0
    started = begin_ms / 1000 - plan.age_seconds
    for step in range(SLOTS):
        time_ms = begin_ms + step * SCRAPE_MS + plan.phase_ms
        if any(restart.begin == step for restart in plan.restarts):
            counts, life, started = dict.fromkeys(rates, 0), life + 1, time_ms / 1000 - 8
        starting = any(restart.holds(step) for restart in plan.restarts)
        if not starting:
            counts = {code: count + int(random.poisson(rates[code])) for code, count in counts.items()}
        hidden = any(hole.holds(step) for hole in plan.hidden)
        # A series is born with its first event; a busy client forgets none.
        shown = {code: count for code, count in counts.items() if count and not (hidden and code == "500")}
        answers = not starting and not any(hole.holds(step) for hole in plan.failed)
        yield _Moment(time_ms, plan.known.holds(step), answers, started, life, shown)


def _scrape(target: StoredTarget, moment: _Moment) -> set[str]:
    """Store one scrape; the names of the series that it brought."""
    if not moment.known:
        return set()
    target.up.samples.append(Sample(moment.time_ms, float(moment.answers), moment.life))
    if not moment.answers:
        return {"up"}
    target.start.samples.append(Sample(moment.time_ms, moment.started_seconds, moment.life))
    for code, count in moment.counts.items():
        target.counters[code].samples.append(Sample(moment.time_ms, float(count), moment.life))
    return {"up", "start", *moment.counts}


def _series(target: StoredTarget, name: str) -> Recorded:
    return {"up": target.up, "start": target.start}.get(name) or target.counters[name]


def is_number(value: float | None) -> bool:
    """Whether a stored or recorded value is a number."""
    return value is not None and not math.isnan(value)


def series_of(target: StoredTarget) -> Iterator[Series]:
    """What was stored, as it is written into a server."""
    for recorded in (target.up, target.start, *target.counters.values()):
        times = np.array([sample.time_ms for sample in recorded.samples], dtype=np.int64)
        values = np.array([np.nan if s.value is None else s.value for s in recorded.samples], dtype=np.float64)
        ended = np.array([sample.value is None for sample in recorded.samples], dtype=np.bool_)
        values[ended] = stale_markers(int(ended.sum()))
        if len(times):
            yield Series(recorded.labels, times, values)
