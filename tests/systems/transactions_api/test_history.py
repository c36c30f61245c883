"""The simulated past: repeatable, of the right shape, and its raw counters agree with its minutes."""

import re
from collections import defaultdict
from pathlib import Path

import pytest
from transactions_api.history import PASTS, Trouble, simulate, write_past

UNTIL_SECONDS = 1_795_374_000
FOUR_DAYS = 4 * 24 * 60


def test_the_same_seed_gives_the_same_past() -> None:
    """A run can be repeated, and another seed is another past."""
    assert simulate(0, 600, seed=1) == simulate(0, 600, seed=1)
    assert simulate(0, 600, seed=1) != simulate(0, 600, seed=2)


def test_nothing_of_the_past_alerts_today() -> None:
    """Troubles end more than three days ago, and usual failures stay below every objective."""
    allowed = {"availability": 0.001, "latency": 0.01, "delivery": 0.005, "database": 0.001}
    for name, past in PASTS.items():
        assert past.usual_bad_ratio < allowed[name] / 2
        assert all(trouble.days_ago - trouble.minutes / 1440 > 3 for trouble in past.troubles)


def test_a_trouble_lasts_its_minutes() -> None:
    """The ratio of a trouble holds for exactly as many minutes as it says."""
    trouble = Trouble(days_ago=2, minutes=9, bad_ratio=0.5)
    assert sum(trouble.covers(ago) for ago in range(5 * 1440)) == 9


def test_bad_events_are_part_of_the_events() -> None:
    """In no minute are there more bad events than events, and ratios are near what was asked for."""
    for name, counts in simulate(UNTIL_SECONDS, FOUR_DAYS, seed=7).items():
        assert all(0 <= bad <= events for events, bad in zip(counts.events, counts.bad_events, strict=True))
        ratio = sum(counts.bad_events) / sum(counts.events)
        assert ratio == pytest.approx(PASTS[name].usual_bad_ratio, rel=0.1)


def test_raw_counters_tell_the_same_story(tmp_path: Path) -> None:
    """The counters of the last two days grow by the requests of their minutes, and buckets never exceed the count."""
    write_past(tmp_path, days=3, until_seconds=UNTIL_SECONDS, seed=7)
    counts = simulate(UNTIL_SECONDS - (3 * 1440 - 1) * 60, 3 * 1440, seed=7)["availability"]
    first, last = defaultdict[str, float](float), defaultdict[str, float](float)
    for line in (tmp_path / "raw.om").read_text().splitlines()[:-1]:
        series, value, _ = line.rsplit(" ", 2)
        first.setdefault(series, float(value))
        last[series] = float(value)
    requests = sum(last[s] - first[s] for s in last if s.startswith("http_server_request_duration_seconds_count"))
    # From the first to the last raw sample: two days less the two minutes that are left to the running server.
    assert requests == pytest.approx(sum(counts.events[-2 * 1440 + 1 : -2]), abs=1)
    for series, counted in last.items():
        if "_bucket" in series:
            assert counted <= last[re.sub(r',le="[^"]+"', "", series.replace("_bucket", "_count"))] + 0.01


def test_the_file_ends_as_openmetrics_asks(tmp_path: Path) -> None:
    """The last line is the end mark, without which promtool refuses the file."""
    write_past(tmp_path, days=1, until_seconds=UNTIL_SECONDS, seed=7)
    assert (tmp_path / "raw.om").read_text().endswith("# EOF\n")
