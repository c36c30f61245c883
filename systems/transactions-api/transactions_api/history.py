"""A simulated past of this system: what each minute had, and the raw counters of the last two days.

    python -m transactions_api.history --days 30 --until 1795374000 --out DIR

writes DIR/minutes.json (events and bad events of each SLO, minute by minute) and DIR/raw.om (OpenMetrics text, one
sample a minute). The same seed and moment give the same past. The traffic is that of the load generator.
"""

import argparse
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from reference_system.traffic import relative_traffic

_MINUTE_SECONDS = 60
_REQUESTS_PER_MINUTE = 20 * 60
_RAW_MINUTES = 2 * 24 * 60
# The running server looks back one minute for the last sample of a series that it hasn't scraped itself: what lies
# before that is never counted twice.
_RAW_ENDS_BEFORE_MINUTES = 2


@dataclass(frozen=True, slots=True)
class Trouble:
    """A stretch of the past in which more than usual went wrong."""

    days_ago: float
    minutes: int
    bad_ratio: float

    def covers(self, minutes_ago: int) -> bool:
        """Whether the minute lies in it."""
        return 0 <= self.days_ago * 24 * 60 - minutes_ago < self.minutes


@dataclass(frozen=True, slots=True)
class Past:
    """How one SLO fared: which part of the requests are its events, how many are bad usually and in trouble."""

    part_of_requests: float
    usual_bad_ratio: float
    troubles: tuple[Trouble, ...]

    def bad_ratio(self, minutes_ago: int) -> float:
        """The probability that an event of that minute was bad."""
        return max((t.bad_ratio for t in self.troubles if t.covers(minutes_ago)), default=self.usual_bad_ratio)


# Troubles end more than three days ago: no alert of the present must come from the past.
PASTS = {
    "availability": Past(1.0, 0.00018, (Trouble(12.3, 9, 0.4), Trouble(5.2, 300, 0.006))),
    "latency": Past(1.0, 0.0035, (Trouble(19.7, 240, 0.08),)),
    "delivery": Past(0.3, 0.0002, (Trouble(17.4, 25, 1.0),)),
    "database": Past(1.0, 0.00009, (Trouble(12.3, 9, 0.4),)),
}


@dataclass(frozen=True, slots=True)
class Counts:
    """Events and bad events, minute by minute."""

    events: list[int]
    bad_events: list[int]


def simulate(first_seconds: int, minutes: int, seed: int) -> dict[str, Counts]:
    """The counts of every SLO; `first_seconds` is the end of the first minute."""
    chance = random.Random(seed)  # noqa: S311 - a simulation, repeatable by its seed
    counts = {name: Counts([], []) for name in PASTS}
    for index in range(minutes):
        moment = datetime.fromtimestamp(first_seconds + index * _MINUTE_SECONDS, UTC)
        mean = _REQUESTS_PER_MINUTE * relative_traffic(moment)
        requests = max(0, round(chance.gauss(mean, mean**0.5)))
        for name, past in PASTS.items():
            events = _whole(requests * past.part_of_requests, chance)
            bad_events = min(events, _whole(events * past.bad_ratio(minutes - index), chance))
            counts[name].events.append(events)
            counts[name].bad_events.append(bad_events)
    return counts


def _whole(expected: float, chance: random.Random) -> int:
    """A whole number with this mean."""
    return int(expected) + (chance.random() < expected % 1)


# Which part of the requests goes where, as the load generator does it, and how quick the answers are.
_ROUTES = (
    ("GET", "/transactions", "200", 0.35),
    ("GET", "/transactions/{transaction_id}", "200", 0.35),
    ("POST", "/transactions", "201", 0.30),
)
_QUICK = ((0.005, 0.42), (0.01, 0.71), (0.025, 0.9), (0.05, 0.96), (0.075, 0.98), (0.1, 0.99))
_OVER_250_MS = ((0.5, 0.6), (0.75, 0.8), (1.0, 0.9), (2.5, 0.97), (5.0, 1.0), (7.5, 1.0), (10.0, 1.0))


def raw_series(counts: dict[str, Counts]) -> Iterator[tuple[str, Sequence[float]]]:
    """Counters as the service would have exposed them, from zero, a value for each minute."""
    available, latency, delivery = counts["availability"], counts["latency"], counts["delivery"]
    for method, route, status, part in _ROUTES:
        good = [part * (e - b) for e, b in zip(available.events, available.bad_events, strict=True)]
        bad = [part * b for b in available.bad_events]
        slow_ratio = [b / (e or 1) for e, b in zip(latency.events, latency.bad_events, strict=True)]
        labels = f'http_request_method="{method}",http_route="{route}"'
        yield from _histogram(f'{labels},http_response_status_code="{status}"', good, slow_ratio)
        yield from _histogram(f'{labels},http_response_status_code="500"', bad, [0.0] * len(bad))
    database = counts["database"]
    answered = [e - b for e, b in zip(database.events, database.bad_events, strict=True)]
    for outcome, calls in (("ok", answered), ("failed", database.bad_events)):
        name = "transactions_database_call_duration_seconds_count"
        yield _series(name, f'operation="find",outcome="{outcome}"'), _counter(calls)
    yield _series("transactions_published_total", ""), _counter(delivery.events)
    yield _series("transactions_late_total", ""), _counter(delivery.bad_events)
    stored = [e - b for e, b in zip(delivery.events, delivery.bad_events, strict=True)]
    yield _series("transactions_stored_total", ""), _counter(stored)


def _histogram(
    labels: str, events: Sequence[float], slow_ratio: Sequence[float]
) -> Iterator[tuple[str, Sequence[float]]]:
    name = "http_server_request_duration_seconds"
    quick = [e * (1 - s) for e, s in zip(events, slow_ratio, strict=True)]
    for bound, part in _QUICK:
        yield _series(f"{name}_bucket", f'{labels},le="{bound}"'), _counter([q * part for q in quick])
    yield _series(f"{name}_bucket", f'{labels},le="0.25"'), _counter(quick)
    for bound, part in _OVER_250_MS:
        values = [q + (e - q) * part for e, q in zip(events, quick, strict=True)]
        yield _series(f"{name}_bucket", f'{labels},le="{bound}"'), _counter(values)
    yield _series(f"{name}_bucket", f'{labels},le="+Inf"'), _counter(events)
    yield _series(f"{name}_count", labels), _counter(events)
    yield (
        _series(f"{name}_sum", labels),
        _counter([0.02 * q + 0.6 * (e - q) for e, q in zip(events, quick, strict=True)]),
    )


def _series(name: str, labels: str) -> str:
    """The target is one of its own, so that nothing of the past joins a series of the running service."""
    inner = f'{labels},job="transactions-api",instance="past"'.lstrip(",")
    return f"{name}{{{inner}}}"


def _counter(steps: Sequence[float]) -> list[float]:
    total, values = 0.0, []
    for step in steps:
        total += step
        values.append(round(total, 3))
    return values


def _write_raw(file: TextIO, counts: dict[str, Counts], first_seconds: int, minutes: int) -> None:
    start = max(0, minutes - _RAW_MINUTES)
    recent = {name: Counts(c.events[start:], c.bad_events[start:]) for name, c in counts.items()}
    for series, values in raw_series(recent):
        told = enumerate(values[:-_RAW_ENDS_BEFORE_MINUTES], start=start)
        file.writelines(f"{series} {value!r} {first_seconds + index * _MINUTE_SECONDS}\n" for index, value in told)
    file.write("# EOF\n")


def write_past(out: Path, days: int, until_seconds: int, seed: int) -> None:
    """Write minutes.json and raw.om into `out`."""
    last_seconds = until_seconds // _MINUTE_SECONDS * _MINUTE_SECONDS
    minutes = days * 24 * 60
    first_seconds = last_seconds - (minutes - 1) * _MINUTE_SECONDS
    counts = simulate(first_seconds, minutes, seed)
    slos = {name: {"events": c.events, "bad_events": c.bad_events} for name, c in counts.items()}
    out.mkdir(parents=True, exist_ok=True)
    (out / "minutes.json").write_text(json.dumps({"first_seconds": first_seconds, "slos": slos}))
    with (out / "raw.om").open("w") as file:
        _write_raw(file, counts, first_seconds, minutes)


def main() -> None:
    """Read the arguments and write."""
    parser = argparse.ArgumentParser(prog="python -m transactions_api.history", description="Write a simulated past.")
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--until", type=int, required=True, help="its end, in seconds since the epoch")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    write_past(given.out, given.days, given.until, given.seed)


if __name__ == "__main__":
    main()
