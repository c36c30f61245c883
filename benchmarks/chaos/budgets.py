"""What the ledger counted beside what the load knows, with what the gaps explain.

Between the truth and the ledger an event can get lost in two places, both of them known and bounded:

- a service that is killed takes along what it counted since Prometheus' last scrape: nobody can know it any more;
- the ledger writes an entry each minute: what Prometheus had scraped since the last entry of a process that ends, or
  before its own stop, may be in none (docs/ledger.md).

More than these must not be missing, and nothing may be counted that didn't happen.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sereno_backends.prometheus import PrometheusClient
from sereno_backends.prometheus.model import Series

from benchmarks.chaos.emitting import Request
from benchmarks.chaos.plan import Kind
from benchmarks.chaos.striking import Record

SERVICE = "transactions-api"
COUNTER = "http_server_request_duration_seconds_count"
_GOOD = ("200", "201")
_SLACK_SECONDS = 6.0
"""A scrape interval of the demo, and the way of an answer to who asked."""

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Budget:
    """Events of one kind: all of them, or the bad ones."""

    kind: str
    answered: int
    unsure: int
    """Requests without an answer, and questions of others: they may have been counted."""
    scraped: int
    ledger: int
    most_unscraped: int
    """Answered between the last scrape of a process and its kill."""
    most_unentered: int
    """Answered between the last entry and a kill of the service, or a stop of Prometheus."""

    @property
    def good(self) -> bool:
        """The ledger has no more and no less than can be."""
        least = self.answered - self.most_unscraped - self.most_unentered
        return least <= self.ledger <= self.answered + self.unsure and self._is_scraped_right()

    def _is_scraped_right(self) -> bool:
        return self.answered - self.most_unscraped <= self.scraped <= self.answered + self.unsure


@dataclass(frozen=True, slots=True)
class Seen:
    """What Prometheus has: raw samples and entries since the run's begin."""

    counters: tuple[Series, ...]
    starts: tuple[Series, ...]
    """`process_start_time_seconds`: a sample for each scrape that got an answer."""
    entries: tuple[Series, ...]
    bad_entries: tuple[Series, ...]

    @classmethod
    def by(cls, client: PrometheusClient, begun: float) -> "Seen":
        """Ask for all of it."""
        now = datetime.now(UTC)
        seconds = int(now.timestamp() - begun)
        slo = f'{{service="{SERVICE}", slo="availability"}}[{seconds}s]'

        def entries(name: str) -> tuple[Series, ...]:
            # What a stop left out of entries is made good by a series of its own.
            return (
                *client.stored(f"sereno:{name}:delta1m{slo}", now),
                *client.stored(f"sereno:{name}:missed1m{slo}", now),
            )

        return cls(
            client.stored(f'{COUNTER}{{job="{SERVICE}"}}[{seconds}s]', now),
            client.stored(f'process_start_time_seconds{{job="{SERVICE}"}}[{seconds}s]', now),
            entries("events"),
            entries("bad_events"),
        )


def judge_budgets(
    seen: Seen, requests: Sequence[Request], record: Record, before: Mapping[str, int]
) -> tuple[Budget, Budget]:
    """All events, and the bad ones.

    Args:
        seen: by Prometheus.
        requests: the truth.
        record: what was killed when.
        before: what the service had counted before the first of these requests, by status code.
    """
    scrapes = sorted(point.timestamp.timestamp() for series in seen.starts for point in series.points)
    entered = sorted(point.timestamp.timestamp() for series in seen.entries for point in series.points)
    kills = [outage.begun for outage in record.of(SERVICE, Kind.KILL)]
    unscraped = [(_last(scrapes, kill), kill) for kill in kills]
    # A stop of Prometheus is caught up by the next entry, but for what it had scraped since the last one.
    ends = (*kills, *(outage.begun for outage in record.of("prometheus")))
    unentered = [(_last(entered, end), end) for end in ends]
    return (
        _budget("all", seen, seen.entries, requests, before, unscraped, unentered, lambda _: True),
        _budget("bad", seen, seen.bad_entries, requests, before, unscraped, unentered, lambda code: code not in _GOOD),
    )


def _budget(  # noqa: PLR0917 - one for all events, one for the bad
    kind: str,
    seen: Seen,
    entries: Iterable[Series],
    requests: Sequence[Request],
    before: Mapping[str, int],
    unscraped: Sequence[Interval],
    unentered: Sequence[Interval],
    counts: Callable[[str], bool],
) -> Budget:
    answered = [each.at for each in requests if each.status is not None and counts(str(each.status))]
    wanted = [series for series in seen.counters if counts(series.labels["http_response_status_code"])]
    ours = [series for series in wanted if series.labels.get("http_route", "").startswith("/transactions")]
    others = _last_values(wanted, seen.starts) - _last_values(ours, seen.starts)
    return Budget(
        kind=kind,
        answered=len(answered) + sum(number for code, number in before.items() if counts(code)),
        unsure=sum(each.status is None for each in requests) + others,
        scraped=_last_values(ours, seen.starts),
        ledger=round(sum(point.value for series in entries for point in series.points)),
        most_unscraped=_within(answered, unscraped),
        most_unentered=_within(answered, unentered),
    )


def _last_values(counters: Iterable[Series], starts: Iterable[Series]) -> int:
    """What the processes had counted when they were scraped for the last time each."""
    life = {point.timestamp: point.value for series in starts for point in series.points}
    total = 0.0
    for series in counters:
        # A later sample of the same life replaces the earlier one.
        total += sum({life.get(point.timestamp, 0.0): point.value for point in series.points}.values())
    return round(total)


def _within(moments: Iterable[float], intervals: Sequence[Interval]) -> int:
    return sum(any(begin - _SLACK_SECONDS <= at <= end + _SLACK_SECONDS for begin, end in intervals) for at in moments)


def _last(moments: Sequence[float], at: float) -> float:
    """The last one before."""
    number = bisect_right(moments, at)
    return moments[number - 1] if number else 0.0
