"""The exporter `redis_queues` before servers on bad days, and before mistakes of users."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import redis
from sereno_exporters.frame.redis_connection import Asking, Command
from sereno_exporters.queues.redis_queues.kind import KIND
from sereno_exporters.queues.redis_queues.settings import EntryTime
from sereno_exporters.queues.redis_queues.times import age_of, id_after, moment_of_entry
from support.certificates import authority, issued
from support.configured_exporters import Scrape, mistakes, scraped, scraping
from support.misbehaving import Answer, garbage, misbehaving
from support.ports import free_port
from support.redis import marked, running_redis

pytestmark = marked

LISTS = "lists: [{key: orders}]"


def target(port: int, *lines: str) -> str:
    """A target of the configuration."""
    written = ("host: 127.0.0.1", f"port: {port}", *lines)
    return "      one:\n" + "".join(f"        {line}\n" for line in written)


def hang(_: Any, ended: Any) -> None:
    """Say nothing."""
    ended.wait(20)


def drip(connection: Any, ended: Any) -> None:
    """A byte every 50 ms of an answer that has no end."""
    connection.sendall(b"+OK\r\n" * 2 + b"*2\r\n$100000\r\n")
    while not ended.wait(0.05):
        connection.sendall(b"1")


def endless(connection: Any, ended: Any) -> None:
    """A gigabyte, as fast as it is read."""
    connection.sendall(b"+OK\r\n" * 2 + b"*2\r\n$1000000000\r\n")
    while not ended.is_set():
        connection.sendall(b"1" * 1_000_000)


def close_midway(connection: Any, _: Any) -> None:
    """Less than was promised."""
    connection.sendall(b"+OK\r\n" * 2 + b"*2\r\n$10\r\n1")


def load(connection: Any, _: Any) -> None:
    """What a server answers while it reads its data."""
    connection.sendall(b"-LOADING Redis is loading the dataset in memory\r\n" * 9)


@pytest.mark.parametrize(
    ("answer", "reasons"),
    [
        pytest.param(hang, {"timeout"}, id="hangs"),
        pytest.param(drip, {"timeout"}, id="drips"),
        pytest.param(endless, {"too_large"}, id="sends a gigabyte"),
        pytest.param(garbage, {"garbage", "unreachable"}, id="speaks another protocol"),
        pytest.param(close_midway, {"unreachable"}, id="closes midway"),
        pytest.param(load, {"unreachable", "error"}, id="is loading"),
    ],
)
def test_whatever_the_server_does_it_fails_in_time(tmp_path: Path, answer: Answer, reasons: set[str]) -> None:
    """Reason, no family of its own, within the timeout."""
    with misbehaving(answer, end=b"") as server:
        begun = time.monotonic()
        granted_seconds = 1 if "timeout" in reasons else 10  # a gigabyte's first part takes a while on a busy machine
        address = target(int(server.url.rpartition(":")[2]), LISTS)
        found = scraped(KIND, address, tmp_path, timeout=f"{granted_seconds}s")
        took_seconds = time.monotonic() - begun
    assert found.failure("lists")[0] in reasons, found.failed
    assert found.value("sereno_redis_queues_up") == 0
    assert found.series("sereno_redis_queues_list_entries") == {}
    assert took_seconds < granted_seconds + 1


def test_a_server_that_is_killed_is_down_and_comes_back(tmp_path: Path) -> None:
    """`up 0` with no series of it; started again, it is up."""
    port = free_port()
    with scraping(KIND, target(port, LISTS), tmp_path) as scrapers:
        with running_redis(tmp_path, port) as server:
            assert Scrape(scrapers.scrape()).value("sereno_redis_queues_up") == 1
            server.kill()
            server.wait(10)
            found = Scrape(scrapers.scrape())
            assert (found.value("sereno_redis_queues_up"), found.failure("lists")[0]) == (0, "unreachable")
            assert found.series("sereno_redis_queues_list_entries") == {}
        with running_redis(tmp_path, port):
            assert Scrape(scrapers.scrape()).value("sereno_redis_queues_up") == 1


def test_tls_is_checked(tmp_path: Path) -> None:
    """With the authority's certificate it is reached, without it refused; and TLS is no plain text."""
    by = authority(tmp_path)
    own = issued(tmp_path, by)
    port, plain = free_port(), free_port()
    files = ("--tls-cert-file", str(own.path), "--tls-key-file", str(own.key), "--tls-ca-cert-file", str(by.path))
    flags = ("--tls-port", str(port), "--tls-auth-clients", "no", *files)
    with running_redis(tmp_path, plain, *flags):
        good = scraped(KIND, target(port, LISTS, "tls: true", f"ca_file: {by.path.name}"), tmp_path)
        assert good.failed == {}
        unknown = scraped(KIND, target(port, LISTS, "tls: true"), tmp_path)
        assert "certificate" in unknown.failure("lists")[1]
        absent = scraped(KIND, target(port, LISTS, "tls: true", "ca_file: nowhere.crt"), tmp_path)
        assert absent.failure("lists")[0] == "configuration"
        assert scraped(KIND, target(plain, LISTS, "tls: true"), tmp_path, timeout="2s").failed


def test_a_database_that_is_not_there_is_told(redis_port: int, tmp_path: Path) -> None:
    """Redis has 16 by default."""
    found = scraped(KIND, target(redis_port, LISTS, "database: 99"), tmp_path)
    assert found.failure("lists") == ("configuration", "there is no database of this number")
    with redis.Redis(port=redis_port, db=3, protocol=2) as client:
        client.rpush("orders", "x")
    found = scraped(KIND, target(redis_port, LISTS, "database: 3"), tmp_path)
    assert found.value("sereno_redis_queues_list_entries") == 1


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("{port: 1}", "lists: [{key: orders}]"),
        ("{lists: [{}]}", "write key: orders"),
        ("{lists: [{key: a, match: 'b*'}]}", "either a key or a pattern"),
        ("{lists: [{match: a}]}", "write key: a"),
        ("{lists: [{key: a}, {key: a}]}", "SLO015"),
        ("{streams: [{key: a, time: {field: x}}]}", "SLO004"),
        ("{lists: [{key: a, time: {field: a..b}}]}", "headers.sent_at"),
        ("{lists: [{key: a, time: {field: a, unit: minutes}}]}", "milliseconds"),
        ("{lists: [{key: a}], host: 'redis://x'}", "no host"),
        ("{lists: [{key: a}], ca_file: x}", "tls: true"),
        ("{lists: [{key: a}], username_file: x}", "password_file"),
        ("{lists: [{key: a}], reuse: 5}", "add one: 5s"),
    ],
)
def test_mistakes_have_a_place_and_a_cure(line: str, expected: str) -> None:
    """Each mistake is one line of the file, with its code and what to write."""
    (found,) = mistakes(KIND, f"      one: {line}\n")
    assert found.startswith("exporters.yaml:6:")
    assert expected in found


@pytest.mark.parametrize(
    ("entry", "field", "unit", "expected"),
    [
        (b'{"at": 1700000000.5}', "at", "seconds", 1_700_000_000.5),
        (b'{"at": "1700000000"}', "at", "seconds", 1_700_000_000.0),
        (b'{"at": 1700000000500}', "at", "milliseconds", 1_700_000_000.5),
        (b'{"a": {"b": "2023-11-14T22:13:20Z"}}', "a.b", "iso8601", 1_700_000_000.0),
        (b'{"at": "2023-11-14T23:13:20+01:00"}', "at", "iso8601", 1_700_000_000.0),
        (b'{"at": "2023-11-14 22:13:20"}', "at", "iso8601", 1_700_000_000.0),
        (b'{"at": "yesterday"}', "at", "iso8601", None),
        (b'{"at": [1]}', "at", "seconds", None),
        (b"\xff", "at", "seconds", None),
        (b'{"at": "nan"}', "at", "seconds", None),
    ],
)
def test_times_of_entries(entry: bytes, field: str, unit: str, expected: float | None) -> None:
    """Numbers and texts in the unit that is configured; what is none has no age."""
    moment = moment_of_entry(entry, EntryTime.model_validate({"field": field, "unit": unit}))
    now = 1_700_000_100.0
    assert age_of(moment, now) == (None if expected is None else now - expected)


def test_the_next_id_is_the_least_greater_one() -> None:
    """Also without a sequence number."""
    assert (id_after(b"5-9"), id_after(b"5")) == (b"5-10", b"5-1")


def test_a_group_that_goes_between_two_questions_fails_nothing(
    redis_port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does a stream: what was read of them is told once more, and the others as ever."""
    ask = Asking.all
    with redis.Redis(port=redis_port, protocol=2) as client:
        client.flushdb()
        for stream in ("events", "short-lived"):
            client.xadd(stream, {"n": 1})
            client.xgroup_create(stream, "mails", id="0")
        client.xgroup_create("events", "gone", id="0")

        def meanwhile(self: Asking, commands: Sequence[Command]) -> list[Any]:
            if commands and commands[0][0] == "XPENDING":
                client.xgroup_destroy("events", "gone")
                client.delete("short-lived")
            return ask(self, commands)

        monkeypatch.setattr(Asking, "all", meanwhile)
        found = scraped(KIND, target(redis_port, "streams: [{key: events}, {key: short-lived}]"), tmp_path)
    assert found.failed == {}
    pending = found.series("sereno_redis_queues_group_pending_entries")
    assert pending == {("events", "gone"): 0, ("events", "mails"): 0, ("short-lived", "mails"): 0}


def test_many_streams_are_asked_for_as_quickly_as_one(
    redis_port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All groups of all streams go in one batch: on a server that is far away, each round trip counts."""
    ask, batches = Asking.all, []

    def counted(self: Asking, commands: Sequence[Command]) -> list[Any]:
        batches.append(len(commands))
        return ask(self, commands)

    with redis.Redis(port=redis_port, protocol=2) as client:
        client.flushdb()
        for number in range(40):
            client.xadd(f"events:{number}", {"n": number})
            client.xgroup_create(f"events:{number}", "mails", id="0")
    monkeypatch.setattr(Asking, "all", counted)
    found = scraped(KIND, target(redis_port, "streams: [{match: 'events:*'}]"), tmp_path)
    assert len(found.series("sereno_redis_queues_group_lag_entries")) == 40
    assert len(batches) < 12


def test_a_group_at_the_end_of_all_ids_waits_for_nothing(redis_port: int, tmp_path: Path) -> None:
    """No id comes after the greatest, and asking for one would be an error of the whole part."""
    greatest = f"{2**64 - 1}-{2**64 - 1}"
    with redis.Redis(port=redis_port, protocol=2) as client:
        client.flushdb()
        client.xadd("events", {"n": 1})
        client.xgroup_create("events", "end", id=greatest)
    found = scraped(KIND, target(redis_port, "streams: [{key: events}]"), tmp_path)
    assert found.failed == {}
    assert found.value("sereno_redis_queues_group_oldest_waiting_age_seconds") == 0
    assert (id_after(greatest.encode()), id_after(b"5-%d" % (2**64 - 1))) == (greatest.encode(), b"6-0")
