"""The chaos run's verdict: seeded losses and doubles are named, gaps that are known explain what they explain."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import orjson
import pytest
from sereno_backends.prometheus.model import Point, Series

from benchmarks.chaos.account import account_of_lines, account_of_webhooks
from benchmarks.chaos.budgets import Budget, Seen, judge_budgets
from benchmarks.chaos.emitting import Request
from benchmarks.chaos.pages import Sighting, judge_pages
from benchmarks.chaos.plan import PARTS, Kind, strikes
from benchmarks.chaos.probes import Probe, timetable
from benchmarks.chaos.striking import Outage, Record

START = 1_764_300_000.0


@pytest.mark.parametrize("seconds", [60.0, 900.0])
def test_each_process_is_killed_and_a_seed_tells_the_same_again(seconds: float) -> None:
    """Strikes of one process never overlap; no strike comes after the time is over."""
    planned = strikes(seconds, seed=7)
    assert planned == strikes(seconds, seed=7) != strikes(seconds, seed=8)
    for part in PARTS:
        own = [strike for strike in planned if strike.part == part]
        assert own[0].kind is Kind.KILL
        assert all(one.at_seconds + one.lasts_seconds < two.at_seconds for one, two in pairwise(own))
        assert all(strike.at_seconds <= seconds for strike in own)
    assert {strike.kind for strike in strikes(900.0, seed=7)} == set(Kind)


def test_probes_outlast_every_outage() -> None:
    """What Alertmanager misses it is told again within a minute: each probe is still on then."""
    planned = timetable(900.0, seed=1)
    assert len(planned) == 30
    assert all(probe.off - probe.on >= 100 and probe.off <= 900 for probe in planned)


def line(number: int) -> bytes:
    """As a service writes it."""
    return orjson.dumps({"service.node.name": "host", "event.sequence": number, "message": f"line {number}"})


def log_store(folder: Path, *numbers: int) -> Path:
    """With these lines in it."""
    path = folder / "logs.sqlite"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE record (document TEXT)")
        connection.executemany("INSERT INTO record VALUES (?)", [(line(number).decode(),) for number in numbers])
    return path


def test_lines_that_are_lost_or_doubled_are_named(tmp_path: Path) -> None:
    """Stored or set aside is accounted for; half a line, which a kill leaves, is told apart."""
    log, letters = tmp_path / "app.log", tmp_path / "dead-letters.jsonl"
    log.write_bytes(b"\n".join(map(line, (1, 2, 3, 4))) + b'\n{"service.no\n')
    letters.write_bytes(orjson.dumps({"line": line(2).decode()}) + b"\n")
    found = account_of_lines([log], log_store(tmp_path, 1, 3, 3), letters)
    assert (found.emitted, found.stored, found.set_aside, found.torn) == (4, 3, 1, 1)
    assert (found.lost, found.twice, found.good) == (("host 4",), ("host 3",), False)


def test_webhooks_that_are_lost_or_doubled_are_named(tmp_path: Path) -> None:
    """By their ids, and by the number of their events: a push, every third delivery, has five."""
    path = tmp_path / "devops.sqlite"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript("CREATE TABLE delivery (delivery_id TEXT); CREATE TABLE event (event_id TEXT)")
        connection.executemany("INSERT INTO delivery VALUES (?)", [("delivery-1",), ("delivery-3",)])
        connection.executemany("INSERT INTO event VALUES (?)", [(f"event-{number}",) for number in range(6)])
    assert account_of_webhooks([1, 3], path).good
    assert account_of_webhooks([1, 2, 3], path).lost == ("delivery-2", "1 events")
    assert account_of_webhooks([3], path).twice == ("1 events",)


def incident(name: str, *, is_open: bool) -> dict[str, object]:
    """One of a probe, with one alert."""
    ended = None if is_open else datetime.fromtimestamp(START + 100, UTC).isoformat()
    alert = {"fingerprint": name, "starts_at": datetime.fromtimestamp(START, UTC).isoformat(), "ends_at": ended}
    status = "open" if is_open else "resolved"
    return {"incident_id": f"i-{name}", "service": "chaos", "slo": name, "status": status, "alerts": [alert]}


def test_alerts_without_incidents_and_incidents_without_an_end_are_named() -> None:
    """What Alertmanager showed for long needs an incident of that time; what it shows no more needs an end."""
    seen = {
        "a@1": Sighting("ChaosProbe a", START + 5, START + 60),
        "b@1": Sighting("ChaosProbe b", START + 5, START + 60),
        "b@2": Sighting("ChaosProbe b", START + 500, START + 560),
        "c@1": Sighting("ChaosProbe c", START + 5, START + 10),
    }
    probes = [Probe(name, 0.0, 100.0) for name in "ab"]
    well = judge_pages({"a@1": seen["a@1"]}, {"a"}, probes[:1], [incident("a", is_open=True)])
    assert well.good
    bad = judge_pages(seen, set(), probes, [incident("a", is_open=True), incident("b", is_open=False)])
    assert (bad.lost, bad.endless, bad.brief) == (("ChaosProbe b (b@2)",), ("i-a",), 1)
    assert judge_pages({}, set(), probes, [incident("a", is_open=False)]).lost == ("b never became an incident",)


def series(*values: tuple[float, float], **labels: str) -> Series:
    """Values by seconds since the start."""
    points = tuple(Point(datetime.fromtimestamp(START + at, UTC), value) for at, value in values)
    return Series({"http_route": "/transactions", **labels}, points)


def judged(*entries: float, requests: int = 30) -> Budget:
    """A service that is killed at 65 s and scraped each 10 s; ten requests a life are in its counters."""
    counter = series((10, 5), (60, 10), (80, 2), (120, 10), http_response_status_code="200")
    starts = series((10, 1), (60, 1), (80, 2), (120, 2))
    ledger = series(*((60.0 * number, value) for number, value in enumerate(entries, 1)))
    truth = [Request(START + at, 200) for at in (*range(20, 20 + requests - 10), *range(90, 100))]
    record = Record([Outage("transactions-api", Kind.KILL, START + 65, START + 70)])
    return judge_budgets(Seen((counter,), (starts,), (ledger,), ()), truth, record, {})[0]


def test_what_a_kill_took_along_is_explained_and_no_more() -> None:
    """Lives of a process are summed; an event that didn't happen, or one that no gap explains, is an error."""
    well = judged(10, 10, requests=20)
    assert (well.answered, well.scraped, well.ledger, well.good) == (20, 20, 20, True)
    assert not judged(10, 11, requests=20).good
    assert not judged(10, 5, requests=20).good
    assert not replace(well, scraped=15).good
    assert replace(well, answered=24, most_unscraped=4).good
