"""A source's own habit says how long a silence is usual: nights and weekends are no trouble, an end is."""

import random
from bisect import bisect_left
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from sereno_backends.devops import Delivery, Provider
from sereno_backends.devops.sqlite_store import SqliteDevOpsEventStore
from sereno_collectors.devops.habits import LEAST_DELIVERIES, LOOKED_AT, usual_silence
from sereno_collectors.devops.metrics import ReceiverMetrics

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
LEAST = timedelta(hours=24)
HOLIDAYS = {MONDAY.date() + timedelta(days=number) for number in (88, 91, 116, 130, 141)}  # Good Friday and so on


def working_hours(seed: int, a_day: float, days: int = 182) -> list[datetime]:
    """Deliveries on weekdays from 8 to 18 o'clock, so many a day on average; none on holidays."""
    chance = random.Random(seed)
    found: list[datetime] = []
    for number in range(days):
        day = MONDAY + timedelta(days=number)
        if day.weekday() < 5 and day.date() not in HOLIDAYS:
            count = sum(chance.random() < a_day / 100 for _ in range(100))
            found += sorted(day + timedelta(hours=8 + 10 * chance.random()) for _ in range(count))
    return found


def around_the_clock(seed: int, a_day: float, days: int = 182) -> list[datetime]:
    """Deliveries at any hour, independent of each other."""
    chance = random.Random(seed)
    found = [MONDAY]
    while found[-1] < MONDAY + timedelta(days=days):
        found.append(found[-1] + timedelta(days=chance.expovariate(a_day)))
    return found


def judged(heard: Sequence[datetime], until: datetime) -> bool:
    """Whether the alert's condition (devops.rules.yaml) holds then."""
    usual = usual_silence(heard[bisect_left(heard, heard[-1] - LOOKED_AT) :])
    return usual is not None and until - heard[-1] > max(2.5 * usual, LEAST)


def alerts(heard: Sequence[datetime]) -> int:
    """How many silences between deliveries were an alert."""
    return sum(judged(heard[:place], later) for place, (_, later) in enumerate(pairwise(heard), 1))


@pytest.mark.parametrize(
    ("deliveries", "a_day", "most"),
    [
        (working_hours, 10, 0),
        (working_hours, 30, 0),
        (working_hours, 3, 0),
        (around_the_clock, 3, 1),
        (around_the_clock, 20, 0),
    ],
)
def test_what_is_usual_is_no_alert(deliveries: Callable[[int, float], list[datetime]], a_day: float, most: int) -> None:
    """In five half-years of weekends, holidays and quiet days nobody is called silent, or whom chance rules once."""
    assert sum(alerts(deliveries(seed, a_day)) for seed in range(5)) <= most


@pytest.mark.parametrize(("a_day", "within_days"), [(3, 12), (10, 7), (40, 7)])
def test_a_webhook_that_is_removed_is_told_within_days(a_day: float, within_days: float) -> None:
    """After the last delivery in the middle of a week, the silence is an alert: not in two days, but in so many."""
    for seed in range(10):
        heard = working_hours(seed, a_day, days=100)
        assert heard[-1].weekday() < 3
        assert not judged(heard, heard[-1] + timedelta(days=2))
        assert judged(heard, heard[-1] + timedelta(days=within_days))


def test_one_outage_is_no_habit() -> None:
    """A single silence of ten days isn't taken for what is usual."""
    heard = working_hours(1, 40, days=60)
    cut = [moment for moment in heard if not MONDAY + timedelta(42) <= moment < MONDAY + timedelta(52)]
    recent = [moment for moment in cut if moment >= cut[-1] - LOOKED_AT]
    assert max(later - earlier for earlier, later in pairwise(recent)) > timedelta(days=9)
    assert (usual_silence(recent) or timedelta()) < timedelta(days=3)


def test_little_is_no_habit() -> None:
    """Less than two weeks, or less than forty deliveries, say nothing of what is usual."""
    hours = [MONDAY + timedelta(hours=number) for number in range(13 * 24)]
    few = [MONDAY + timedelta(hours=12 * number) for number in range(LEAST_DELIVERIES - 1)]
    assert (usual_silence(hours), usual_silence(few), usual_silence(())) == (None, None, None)
    assert usual_silence([*few, few[-1] + timedelta(hours=1)]) == timedelta(hours=12)


def delivery(source: str, at: datetime) -> Delivery:
    """One that tells nothing."""
    name = f"{source}-{at:%FT%T}"
    return Delivery(source, Provider.GITHUB, name, name, "push", at, b"{}", ())


def test_a_restart_forgets_neither_habit_nor_last_delivery(tmp_path: Path) -> None:
    """Both are served from the start by what the store has, each source's its own; without any, 0 and nothing."""
    store = SqliteDevOpsEventStore(tmp_path / "devops.sqlite")
    store.prepare()
    old = [MONDAY + timedelta(days=number) for number in range(10)]  # beyond four weeks before the newest
    recent = [MONDAY + timedelta(days=50, hours=15 * number) for number in range(44)]
    store.record([delivery("github", at) for at in [*reversed(recent), *old]])
    store.record([delivery("gitlab", MONDAY)])
    assert store.heard("github", LOOKED_AT) == tuple(recent)
    registry = CollectorRegistry()
    ReceiverMetrics(["github", "gitlab", "jenkins"], store, registry)

    def served(name: str) -> list[float | None]:
        return [registry.get_sample_value(name, {"source": one}) for one in ("github", "gitlab", "jenkins")]

    assert served("sereno_devops_last_delivery_timestamp_seconds") == [recent[-1].timestamp(), MONDAY.timestamp(), 0]
    assert served("sereno_devops_usual_silence_seconds") == [15 * 3600, None, None]
