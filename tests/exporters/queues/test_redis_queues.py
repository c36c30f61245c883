"""The exporter `redis_queues` on a real Redis."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import redis
from sereno_exporters.frame import redis_connection
from sereno_exporters.queues.redis_queues import fetch
from sereno_exporters.queues.redis_queues.families import ALL
from sereno_exporters.queues.redis_queues.kind import KIND
from support.configured_exporters import Scrape, scraped, scraping, write_files
from support.redis import marked

pytestmark = marked

AGE_SECONDS = 1_000
LIST, GROUP = "sereno_redis_queues_list", "sereno_redis_queues_group"


def target(port: int, *lines: str) -> str:
    """A target of the configuration."""
    written = ("host: 127.0.0.1", f"port: {port}", *lines)
    return "      one:\n" + "".join(f"        {line}\n" for line in written)


@pytest.fixture
def client(redis_port: int) -> Iterator[redis.Redis]:
    """A client of an empty database."""
    with redis.Redis(port=redis_port, protocol=2) as connected:
        connected.flushdb()
        yield connected


def entry(**fields: object) -> str:
    """What a producer adds."""
    return json.dumps({"job": "mail", **fields})


def test_lists_with_length_and_age(client: redis.Redis, redis_port: int, tmp_path: Path) -> None:
    """The oldest entry is at the end that the configuration says, its time in the unit that it says."""
    old = time.time() - AGE_SECONDS
    client.lpush("last", entry(at=old), entry(at=old + 900))
    client.rpush("first", entry(meta={"at": int(old * 1000)}), entry(meta={"at": 0}))
    client.rpush("iso", entry(at=datetime.fromtimestamp(old, UTC).isoformat()))
    client.rpush("plain", "a", "b", "c")
    lists = (
        "lists:",
        "  - {key: last, time: {field: at}}",
        "  - {key: first, oldest: first, time: {field: meta.at, unit: milliseconds}}",
        "  - {key: iso, time: {field: at, unit: iso8601}}",
        "  - {key: plain}",
        "  - {key: absent, time: {field: at}}",
    )
    found = scraped(KIND, target(redis_port, *lists), tmp_path)
    assert found.failed == {}
    assert found.series(f"{LIST}_entries") == {
        ("last",): 2,
        ("first",): 2,
        ("iso",): 1,
        ("plain",): 3,
        ("absent",): 0,
    }
    ages = found.series(f"{LIST}_oldest_age_seconds")
    assert ages.pop(("absent",)) == 0
    assert set(ages) == {("last",), ("first",), ("iso",)}
    assert all(AGE_SECONDS <= age < AGE_SECONDS + 60 for age in ages.values())


@pytest.mark.parametrize(
    "written", ["no JSON", "[1]", "{}", '{"at": null}', '{"at": "soon"}', '{"at": 12}', '{"at": true}']
)
def test_an_entry_without_a_time_has_no_age_and_is_told(
    client: redis.Redis, redis_port: int, tmp_path: Path, written: str
) -> None:
    """Rather than an age of 0, or of fifty years."""
    client.rpush("orders", written)
    found = scraped(KIND, target(redis_port, "lists: [{key: orders, time: {field: at}}]"), tmp_path)
    assert found.series(f"{LIST}_oldest_age_seconds") == {}
    assert found.value(f"{LIST}_time_missing") == 1
    assert found.value(f"{LIST}_entries") == 1


def test_a_stream_and_its_groups(client: redis.Redis, redis_port: int, tmp_path: Path) -> None:
    """Of five entries one group has confirmed one, holds two and lacks two; another has read nothing; one has all."""
    old_ms = int((time.time() - AGE_SECONDS) * 1000)
    for number in range(5):
        client.xadd("events", {"n": number}, id=f"{old_ms + number * 100_000}-{number}")
    client.xgroup_create("events", "mails", id="0")
    client.xgroup_create("events", "fresh", id="0")
    client.xgroup_create("events", "done", id="0")
    client.xreadgroup("mails", "one", {"events": ">"}, count=3)
    client.xack("events", "mails", f"{old_ms}-0")
    client.xreadgroup("done", "one", {"events": ">"})
    client.xack("events", "done", *(f"{old_ms + number * 100_000}-{number}" for number in range(5)))
    found = scraped(KIND, target(redis_port, "streams: [{key: events}, {key: absent}]"), tmp_path)
    assert found.failed == {}
    assert found.series("sereno_redis_queues_stream_entries") == {("events",): 5, ("absent",): 0}
    assert found.series("sereno_redis_queues_stream_oldest_age_seconds") == {
        ("events",): pytest.approx(AGE_SECONDS, abs=60),
        ("absent",): 0,
    }
    by_group = {
        what: {group: value for (_, group), value in found.series(f"{GROUP}_{what}").items()}
        for what in ("lag_entries", "read_total", "pending_entries", "consumers")
    }
    assert by_group == {
        "lag_entries": {"mails": 2, "fresh": 5, "done": 0},
        "read_total": {"mails": 3, "done": 5},
        "pending_entries": {"mails": 2, "fresh": 0, "done": 0},
        "consumers": {"mails": 1, "fresh": 0, "done": 1},
    }
    waiting = {group: value for (_, group), value in found.series(f"{GROUP}_oldest_waiting_age_seconds").items()}
    assert waiting == {
        "mails": pytest.approx(AGE_SECONDS - 300, abs=60),
        "fresh": pytest.approx(AGE_SECONDS, abs=60),
        "done": 0,
    }
    pending = {group: value for (_, group), value in found.series(f"{GROUP}_oldest_pending_age_seconds").items()}
    assert pending == {"mails": pytest.approx(AGE_SECONDS - 100, abs=60), "fresh": 0, "done": 0}


def test_a_group_that_stands_at_a_deleted_entry_has_an_age_though_no_lag(
    client: redis.Redis, redis_port: int, tmp_path: Path
) -> None:
    """Redis can't tell the lag after deletions in the middle; how long the first entry waits is known all the same."""
    old_ms = int((time.time() - AGE_SECONDS) * 1000)
    for number in range(4):
        client.xadd("events", {"n": number}, id=f"{old_ms}-{number + 1}")
    client.xgroup_create("events", "mails", id=f"{old_ms}-1")
    client.xdel("events", f"{old_ms}-3")
    found = scraped(KIND, target(redis_port, "streams: [{key: events}]"), tmp_path)
    assert found.failed == {}
    assert found.series(f"{GROUP}_lag_entries") == {}
    assert found.value(f"{GROUP}_oldest_waiting_age_seconds") == pytest.approx(AGE_SECONDS, abs=60)


def test_ids_that_are_no_times_have_no_age(client: redis.Redis, redis_port: int, tmp_path: Path) -> None:
    """Producers may number entries themselves."""
    client.xadd("events", {"n": 1}, id="7-1")
    client.xgroup_create("events", "mails", id="0")
    found = scraped(KIND, target(redis_port, "streams: [{key: events}]"), tmp_path)
    assert found.failed == {}
    assert found.series("sereno_redis_queues_stream_oldest_age_seconds") == {}
    assert found.series(f"{GROUP}_oldest_waiting_age_seconds") == {}
    assert found.value(f"{GROUP}_lag_entries") == 1


def test_keys_by_pattern(client: redis.Redis, redis_port: int, tmp_path: Path) -> None:
    """Those of the right type only; brackets are letters; a key that is named as well is there once."""
    for name in ("queue:a", "queue:b", "queue:[c]", "other"):
        client.rpush(name, "x")
    client.set("queue:text", "no list")
    client.xadd("queue:stream", {"a": "b"})
    found = scraped(KIND, target(redis_port, "lists: [{match: 'queue:*'}, {key: 'queue:b'}]"), tmp_path)
    assert set(found.series(f"{LIST}_entries")) == {("queue:a",), ("queue:b",), ("queue:[c]",)}
    found = scraped(KIND, target(redis_port, "lists: [{match: 'queue:[?]'}]"), tmp_path)
    assert set(found.series(f"{LIST}_entries")) == {("queue:[c]",)}
    found = scraped(KIND, target(redis_port, "streams: [{match: 'q*'}]"), tmp_path)
    assert set(found.series("sereno_redis_queues_stream_entries")) == {("queue:stream",)}


def test_more_keys_than_allowed_are_an_error(client: redis.Redis, redis_port: int, tmp_path: Path) -> None:
    """No figures of some of them."""
    for number in range(4):
        client.rpush(f"queue:{number}", "x")
    found = scraped(KIND, target(redis_port, "lists: [{match: 'queue:*', most: 3}]"), tmp_path)
    assert found.failure("lists") == (
        "too_large",
        "more than 3 keys match queue:*: write a narrower pattern, or raise most",
    )
    assert found.series(f"{LIST}_entries") == {}


def test_a_database_with_too_many_keys_is_not_scanned_for_ever(
    client: redis.Redis, redis_port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The scan ends with an error that says what to do."""
    client.mset({f"key:{number}": "x" for number in range(5_000)})
    monkeypatch.setattr(fetch, "MOST_SCANNED", 2_000)
    found = scraped(KIND, target(redis_port, "lists: [{match: 'queue:*'}]"), tmp_path)
    reason, message = found.failure("lists")
    assert (reason, "name the keys" in message) == ("too_large", True)


def test_a_key_of_another_type_is_told(client: redis.Redis, redis_port: int, tmp_path: Path) -> None:
    """One part fails, and names the key; the other is served."""
    client.set("orders", "text")
    client.xadd("events", {"a": "b"})
    found = scraped(KIND, target(redis_port, "lists: [{key: orders}]", "streams: [{key: events}]"), tmp_path)
    assert found.failure("lists") == (
        "configuration",
        "the key orders is a string, no list: write it where it belongs",
    )
    assert found.series("sereno_redis_queues_stream_entries") == {("events",): 1}
    assert found.value("sereno_redis_queues_up") == 1


def test_an_entry_that_is_huge_is_not_read(
    client: redis.Redis, redis_port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limit of bytes holds within one answer."""
    monkeypatch.setattr(redis_connection, "MOST_BYTES", 1_000_000)
    client.rpush("orders", "x" * 5_000_000)
    found = scraped(KIND, target(redis_port, "lists: [{key: orders, time: {field: at}}]"), tmp_path)
    assert found.failure("lists")[0] == "too_large"
    assert scraped(KIND, target(redis_port, "lists: [{key: orders}]"), tmp_path).value(f"{LIST}_entries") == 1


def test_users_passwords_and_rights(client: redis.Redis, redis_port: int, tmp_path: Path) -> None:
    """The rights of the documentation suffice; without them, or with a wrong password, it is refused and told."""
    client.rpush("orders", "x")
    client.xadd("events", {"a": "b"})
    client.xgroup_create("events", "mails", id="0")
    rights = ("%R~*", "+time", "+type", "+scan", "+llen", "+lindex", "+xlen", "+xrange", "+xinfo|groups", "+xpending")
    for user, allowed in (("watcher", rights), ("blind", ("~orders", "+time", "+type"))):
        command = ("ACL", "SETUSER", user, "reset", "on", ">rabbits-secret", *allowed)
        client.execute_command(*command)  # type: ignore[no-untyped-call]
    write_files(tmp_path, {"user": "watcher", "blind": "blind", "password": "rabbits-secret", "wrong": "other-secret"})
    rest = ("lists: [{match: 'or*', time: {field: at}}]", "streams: [{key: events}]")
    login = "username_file: user", "password_file: password"
    found = scraped(KIND, target(redis_port, *login, *rest), tmp_path)
    assert found.failed == {}
    wrong = scraped(KIND, target(redis_port, "username_file: user", "password_file: wrong", *rest), tmp_path)
    assert wrong.failure("lists")[0] == "refused"
    assert "secret" not in wrong.failure("lists")[1]
    assert wrong.value("sereno_redis_queues_up") == 0
    blind = scraped(KIND, target(redis_port, "username_file: blind", "password_file: password", *rest), tmp_path)
    assert {part: blind.failure(part)[0] for part in ("lists", "streams")} == {"lists": "refused", "streams": "refused"}


def test_reuse_spares_commands(client: redis.Redis, redis_port: int, tmp_path: Path) -> None:
    """Where commands cost, two scrapes within the time ask once, and the figures' age is exposed."""
    client.rpush("orders", "x")
    with scraping(KIND, target(redis_port, "reuse: 5m", "lists: [{key: orders}]"), tmp_path) as scrapers:
        first = Scrape(scrapers.scrape())
        asked = int(client.info("stats")["total_commands_processed"])
        client.rpush("orders", "y")
        again = Scrape(scrapers.scrape())
        assert int(client.info("stats")["total_commands_processed"]) - asked == 2  # the test's own
    assert first.value(f"{LIST}_entries") == again.value(f"{LIST}_entries") == 1
    assert again.value("sereno_redis_queues_part_age_seconds") > 0


def test_every_family_is_served_and_listed(client: redis.Redis, redis_port: int, tmp_path: Path) -> None:
    """The kind lists what a scrape serves, with these labels."""
    client.rpush("orders", entry(at=time.time()))
    client.xadd("events", {"a": "b"})
    client.xgroup_create("events", "mails", id="0")
    client.xreadgroup("mails", "one", {"events": ">"})
    rest = ("lists: [{key: orders, time: {field: at}}]", "streams: [{key: events}]")
    found = scraped(KIND, target(redis_port, *rest), tmp_path)
    served = {metric.name: metric for metric in found.exposition.metrics if metric.samples}
    listed = {family.name.removesuffix("_total"): family for family in ALL}
    own = {"up", "part_up", "scrape_duration_seconds", "series", "series_left_out"}
    assert set(served) == set(listed) | {f"sereno_redis_queues_{name}" for name in own}
    for name, family in listed.items():
        assert tuple(key for key in served[name].samples[0].labels if key != "target") == family.labels
