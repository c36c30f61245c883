"""A past that is known to the last event: what targets counted, what was scraped of it, and what a ledger made of it.

Shares no code with the product: entries are counted here from the scrapes themselves.
"""

import random
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from sereno_backends.prometheus import StoredSeries

SCRAPE_MS = 30_000
MINUTE_MS = 60_000
FIVE_MINUTES_MS = 5 * MINUTE_MS
LOOK_BACK_MS = 25 * MINUTE_MS

Points = dict[int, float]


@dataclass(frozen=True)
class Scraped:
    """One sample of a counter: its value, and in which life of its process."""

    at_ms: int
    value: int
    life: int


@dataclass
class Target:
    """One target as Prometheus stored it."""

    job: str
    instance: str
    up: Points = field(default_factory=dict)
    start: Points = field(default_factory=dict)
    counters: dict[str, list[Scraped]] = field(default_factory=dict)

    def series(self) -> Iterator[StoredSeries]:
        """Everything that was scraped."""
        identity = {"job": self.job, "instance": self.instance}
        yield StoredSeries("up", identity, tuple(self.up.items()))
        yield StoredSeries("process_start_time_seconds", identity, tuple(self.start.items()))
        for code, samples in self.counters.items():
            points = tuple((sample.at_ms, float(sample.value)) for sample in samples)
            yield StoredSeries("calls_total", {**identity, "code": code}, points)


@dataclass(frozen=True)
class Story:
    """What happens to a target between `begin_ms` and `end_ms`."""

    job: str
    instance: str
    begin_ms: int
    end_ms: int
    phase_ms: int
    restarts_ms: tuple[int, ...] = ()
    """The process begins anew, ten seconds before the first scrape after each of these moments."""
    failed_ms: tuple[range, ...] = ()
    """While scrapes fail; the process counts on."""
    errors_from_ms: int = 0


Truth = list[tuple[int, dict[str, int]]]
"""How many events there really were, by code, in the thirty seconds until a moment."""


def told(story: Story) -> tuple[Target, Truth]:
    """The target, and what really happened since its first scrape."""
    random_ = random.Random(f"{story.job} {story.instance}")
    target = Target(story.job, story.instance)
    counts, life = {"200": 70_000, "500": 0}, 0
    real: Truth = []
    started = story.begin_ms / 1000 - 500_000
    for at_ms in range(story.begin_ms + story.phase_ms, story.end_ms, SCRAPE_MS):
        if any(at_ms - SCRAPE_MS < restart <= at_ms for restart in story.restarts_ms):
            counts, life, started = {"200": 0, "500": 0}, life + 1, at_ms / 1000 - 10
        happened = {"200": random_.randrange(40), "500": random_.randrange(3) if at_ms >= story.errors_from_ms else 0}
        if target.up:  # what a long-running process had counted before it was first seen is nobody's
            real.append((at_ms, happened))
        counts = {code: counts[code] + happened[code] for code in counts}
        is_up = not any(at_ms in hole for hole in story.failed_ms)
        target.up[at_ms] = float(is_up)
        if is_up:
            target.start[at_ms] = started
            for code, count in counts.items():
                if count or life:  # in the first life, a series is born with its first event
                    target.counters.setdefault(code, []).append(Scraped(at_ms, count, life))
    return target, real


def entry(
    targets: Iterable[Target], codes: Iterable[str], at_ms: int, look_back_ms: int = LOOK_BACK_MS
) -> float | None:
    """What happened in the minute that ends at `at_ms`, as its scrapes tell; None where there was none."""
    parts = [
        part
        for target in targets
        for code in codes
        if (part := _of_counter(target, target.counters.get(code, []), at_ms, look_back_ms)) is not None
    ]
    return float(sum(parts)) if parts else None


def _of_counter(target: Target, samples: list[Scraped], at_ms: int, look_back_ms: int) -> int | None:
    now, before = _last(samples, at_ms), _last(samples, at_ms - MINUTE_MS)
    if now is None or now is before or now.at_ms <= at_ms - MINUTE_MS:
        return None
    if before is not None and before.at_ms >= at_ms - MINUTE_MS - look_back_ms:
        return now.value - before.value if now.life == before.life else now.value
    is_young = at_ms / 1000 - target.start[now.at_ms] < (LOOK_BACK_MS + 2 * MINUTE_MS) / 1000
    if is_young:
        return now.value
    if before is not None:
        return 0
    was_watched = any(
        answered and at_ms - MINUTE_MS - look_back_ms <= moment <= at_ms - MINUTE_MS
        for moment, answered in target.up.items()
    )
    return now.value if was_watched else None


def _last(samples: list[Scraped], until_ms: int) -> Scraped | None:
    index = bisect_right(samples, until_ms, key=lambda sample: sample.at_ms)
    return samples[index - 1] if index else None


@dataclass(frozen=True)
class RecordedLedger:
    """What a Prometheus with the rules would have recorded: series by name."""

    entries: Mapping[str, Points]
    roll_ups: Mapping[str, Points]

    def series(self, service: str, slo: str) -> Iterator[StoredSeries]:
        """As stored."""
        for name, points in {**self.entries, **self.roll_ups}.items():
            yield StoredSeries(name, {"service": service, "slo": slo}, tuple(sorted(points.items())))


def recorded_ledger(
    targets: list[Target],
    minutes: Iterable[int],
    five_minutes: Iterable[int],
    *,
    was_evaluated: Callable[[int], bool],
    was_rolled_up: Callable[[int], bool],
) -> RecordedLedger:
    """Entries at `minutes` and roll-ups at `five_minutes`, less what wasn't evaluated."""
    events: Points = {}
    bad_events: Points = {}
    coverage: Points = {}
    for at_ms in filter(was_evaluated, minutes):
        counted = entry(targets, ("200", "500"), at_ms)
        if counted is not None:
            events[at_ms] = counted
            bad_events[at_ms] = entry(targets, ("500",), at_ms) or 0.0
            coverage[at_ms] = _answering(targets, at_ms)
    entries = {"sereno:events:delta1m": events, "sereno:bad_events:delta1m": bad_events}
    return RecordedLedger(
        {**entries, "sereno:coverage:delta1m": coverage},
        {
            **{
                name.replace("delta1m", "sum5m"): _summed(e, five_minutes, was_rolled_up) for name, e in entries.items()
            },
            "sereno:coverage:sum5m": _summed(coverage, five_minutes, was_rolled_up, idle=None),
        },
    )


def _answering(targets: list[Target], at_ms: int) -> float:
    ups = [next(up for moment, up in reversed(target.up.items()) if moment <= at_ms) for target in targets]
    return sum(ups) / len(ups)


def _summed(
    entries: Points, five_minutes: Iterable[int], was_rolled_up: Callable[[int], bool], idle: float | None = 0.0
) -> Points:
    """Each roll-up sums what no roll-up of the 30 minutes before it has summed; nothing to sum is `idle`."""
    sums: Points = {}
    last_ms: int | None = None
    for at_ms in filter(was_rolled_up, five_minutes):
        since_ms = max(at_ms - 30 * MINUTE_MS, last_ms or 0)
        # What was entered until a minute before: evaluations of both groups may coincide.
        inside = [value for moment, value in entries.items() if since_ms < moment + MINUTE_MS <= at_ms]
        if inside or idle is not None:
            sums[at_ms] = float(sum(inside)) if inside else float(idle or 0)
        last_ms = at_ms
    return sums
