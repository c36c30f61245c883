"""Time intervals moved to now: they hold now exactly if they held at the moment that a case is about."""

import random
from calendar import monthrange
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sereno_alerting.routing.intervals import moved

DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
ZONES = ("UTC", "America/Bogota", "Europe/Madrid", "Asia/Kathmandu", "Pacific/Kiritimati", "Etc/GMT+12")


def holds(interval: dict[str, Any], moment: datetime) -> bool:
    """Whether it does, by Alertmanager's documentation, part by part."""
    local = moment.astimezone(ZoneInfo(interval.get("location", "UTC")))
    length = monthrange(local.year, local.month)[1]
    parts = {
        "times": lambda time: time["start_time"] <= f"{local:%H:%M}" < time["end_time"],
        "weekdays": lambda days: _within(days, local.isoweekday() % 7, {day: n for n, day in enumerate(DAYS)}),
        "days_of_month": lambda days: _within(days, local.day, {str(-n): length + 1 - n for n in range(1, 32)}),
        "months": lambda months: _within(months, local.month, {name: n for n, name in enumerate(MONTHS, 1)}),
        "years": lambda years: _within(years, local.year, {}),
    }
    return all(any(map(part, interval[name])) for name, part in parts.items() if name in interval)


def _within(written: str, value: int, numbers: dict[str, int]) -> bool:
    first, _, last = written.partition(":")
    begin, end = (numbers.get(word) or int(numbers.get(word, word)) for word in (first, last or first))
    return begin <= value <= end


def some_interval(chance: random.Random) -> dict[str, Any]:
    """Any parts, each with one range or two."""

    def ranges(words: Any) -> list[str]:
        found = []
        for _ in range(chance.choice((1, 1, 2))):
            first, last = sorted((chance.randrange(len(words)), chance.randrange(len(words))))
            found.append(f"{words[first]}:{words[last]}" if first < last else f"{words[first]}")
        return found

    minutes = sorted(chance.sample(range(1441), 2))
    start, end = (f"{minute // 60:02d}:{minute % 60:02d}" for minute in minutes)
    days = [str(n) for n in range(1, 29)] if chance.random() < 0.6 else [str(n) for n in range(-28, 0)]
    parts = {
        "times": [{"start_time": start, "end_time": end}],
        "weekdays": ranges(DAYS),
        "days_of_month": ranges(days),
        "months": ranges(MONTHS),
        "years": ranges([str(year) for year in range(2023, 2030)]),
    }
    chosen = {name: parts[name] for name in parts if chance.random() < 0.4}
    return chosen | {"location": chance.choice(ZONES)}


@pytest.mark.parametrize("seed", range(20))
def test_holds_now_as_it_held_then(seed: int) -> None:
    """Whatever the parts, the zones and the moments; and for the next minutes, too."""
    chance = random.Random(seed)
    outcomes = set()
    for _ in range(100):
        interval = some_interval(chance)
        at, now = (datetime.fromtimestamp(chance.randrange(1_700_000_000, 1_860_000_000), UTC) for _ in "12")
        found = moved(interval, at, now)
        for later in (0, 60, 240):
            assert holds(found, now + timedelta(seconds=later)) == holds(interval, at), (interval, at, now, found)
        outcomes.add(holds(interval, at))
    assert outcomes == {True, False}


@pytest.mark.parametrize(
    "interval",
    [
        "nine to five",
        {"times": ["09:00"]},
        {"weekdays": ["someday"]},
        {"location": "Atlantis"},
        {"times": [{"start_time": 1}]},
    ],
)
def test_what_is_no_interval_is_told(interval: Any) -> None:
    """Where Alertmanager's own tool isn't there to say so before."""
    moment = datetime(2026, 11, 27, tzinfo=UTC)
    with pytest.raises(ValueError, match=r"this is none|no time zone Atlantis"):
        moved(interval, moment, moment)


def test_the_last_minute_and_the_first() -> None:
    """A minute is its beginning's: at 17:59 the hours hold, and go on while the cases run; at 18:00 they don't."""
    hours = {"times": [{"start_time": "09:00", "end_time": "18:00"}], "location": "Europe/Madrid"}
    now = datetime(2026, 11, 27, 23, 59, 30, tzinfo=UTC)
    for clock, expected in (("08:59", False), ("09:00", True), ("17:59", True), ("18:00", False)):
        at = datetime.fromisoformat(f"2026-07-01T{clock}:00+02:00")
        assert [holds(moved(hours, at, now), now + timedelta(minutes=n)) for n in range(5)] == [expected] * 5
