"""The exporter `quotas` reads usage from an HTTP server, a Redis, a Prometheus and a file."""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from sereno_exporters.quotas.families import ALL
from sereno_exporters.quotas.kind import KIND
from support import redis as redis_server
from support.configured_exporters import Scrape, mistakes, scraped, write_files
from support.misbehaving import Answer, drip, endless, hang, misbehaving, ok
from support.ports import free_port
from support.prometheus import HistorySample, RunningProcess, running_prometheus
from support.timing import timed

USED, RATIO = "sereno_quotas_used", "sereno_quotas_used_ratio"


def quota(read: str, *more: str, name: str = "commands", limit: str = "1000") -> str:
    """One quota of a plan."""
    lines = (f"- name: {name}", f"  limit: {limit}", f"  read: {{{read}}}", *(f"  {line}" for line in more))
    return "".join(f"          {line}\n" for line in lines)


def scrape_of(folder: Path, *quotas: str, timeout: str = "8s") -> Scrape:
    """One scrape of a plan of these."""
    return scraped(KIND, "      plan:\n        quotas:\n" + "".join(quotas), folder, timeout=timeout)


def test_a_number_in_the_json_of_an_http_server(tmp_path: Path) -> None:
    """By names and places; a text that is a number counts; it is multiplied by the scale, and logs in."""
    write_files(tmp_path, {"token": "provider-secret"})
    body = {"usage": [{"name": "a"}, {"megabytes": "250"}]}
    with misbehaving(ok(json.dumps(body).encode())) as server:
        read = f"http: {{url: '{server.url}', path: /v1/usage, field: usage.1.megabytes, bearer_token_file: token}}"
        found = scrape_of(tmp_path, quota(read, "scale: 1000000", limit="1GB"))
    assert found.failed == {}
    assert (found.value(USED), found.value(RATIO)) == (250e6, 0.25)
    assert b"GET /v1/usage" in server.asked[0]
    assert b"Bearer provider-secret" in server.asked[0]


def test_what_the_path_asks_for_is_asked(tmp_path: Path) -> None:
    """A path's own `?…` is sent: providers tell totals of a list by pages."""
    with misbehaving(ok(b'{"total": 3}')) as server:
        read = f"http: {{url: '{server.url}', path: '/v1/projects?page=1&size=1', field: total}}"
        found = scrape_of(tmp_path, quota(read))
    assert found.value(USED) == 3
    assert b"GET /v1/projects?page=1&size=1 " in server.asked[0]


@timed
@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        pytest.param(hang, "timeout", id="hangs"),
        pytest.param(drip, "timeout", id="drips"),
        pytest.param(endless, "too_large", id="sends a gigabyte"),
        pytest.param(ok(b"<html>"), "garbage", id="no JSON"),
        pytest.param(ok(b"{}"), "garbage", id="lacks the field"),
        pytest.param(ok(b'{"usage": null}'), "garbage", id="nothing"),
        pytest.param(ok(b'{"usage": true}'), "garbage", id="no number"),
        pytest.param(ok(b'{"usage": "many"}'), "garbage", id="a text"),
        pytest.param(ok(b'{"usage": "nan"}'), "garbage", id="not a number"),
        pytest.param(ok(b'{"usage": -1}'), "garbage", id="negative"),
        pytest.param(ok(b'{"usage": {}}'), "garbage", id="an object"),
        pytest.param(ok(status="429 Too Many Requests"), "error", id="429"),
        pytest.param(ok(status="401 Unauthorized"), "refused", id="401"),
    ],
)
def test_a_quota_that_can_not_be_read_fails_alone(tmp_path: Path, answer: Answer, reason: str) -> None:
    """Within the timeout; it has no series, and the plan's other quota has its own."""
    (tmp_path / "projects").write_text("3\n")
    with misbehaving(answer) as server:
        bad = quota(f"http: {{url: '{server.url}', field: usage}}")
        good = quota("file: {file: projects}", name="projects", limit="10")
        begun = time.monotonic()
        found = scrape_of(tmp_path, bad, good, timeout="1s")
        took_seconds = time.monotonic() - begun
    assert found.failure("quota_commands")[0] == reason
    assert found.series(RATIO) == {("projects",): 0.3}
    assert took_seconds < 2


class TestRedis:
    """Fields of a real Redis' INFO."""

    pytestmark = redis_server.marked

    def test_a_field_of_info(self, redis_port: int, tmp_path: Path) -> None:
        """Connections and memory, as levels: they have no period."""
        with redis.Redis(port=redis_port, protocol=2) as one, redis.Redis(port=redis_port, protocol=2) as other:
            one.ping()
            other.ping()
            where = f"redis: {{port: {redis_port}, field: "
            found = scrape_of(
                tmp_path,
                quota(where + "connected_clients}", name="connections", limit="100"),
                quota(where + "used_memory}", name="memory", limit="250MB"),
            )
        assert found.failed == {}
        assert 3 <= found.series(USED)[("connections",)] < 20
        assert 0 < found.series(RATIO)[("memory",)] < 0.5
        assert found.series("sereno_quotas_period_start_timestamp_seconds") == {}
        assert found.series("sereno_quotas_runs_out_timestamp_seconds") == {}

    def test_a_field_that_is_not_there(self, redis_port: int, tmp_path: Path) -> None:
        """It is named; one that is no number is told, too."""
        found = scrape_of(tmp_path, quota(f"redis: {{port: {redis_port}, field: connections}}"))
        assert found.failure("quota_commands") == ("configuration", "Redis' INFO has no field connections")
        found = scrape_of(tmp_path, quota(f"redis: {{port: {redis_port}, field: redis_mode}}"))
        assert found.failure("quota_commands") == ("garbage", "redis_mode is 'standalone', no number")


def test_a_redis_that_is_not_there(tmp_path: Path) -> None:
    """Reason and address."""
    port = free_port()
    found = scrape_of(tmp_path, quota(f"redis: {{port: {port}, field: used_memory}}"))
    reason, message = found.failure("quota_commands")
    assert (reason, str(port) in message) == ("unreachable", True)


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningProcess]:
    """A Prometheus with a counter that grew by 10 a minute for an hour."""
    now = time.time()
    history = [
        HistorySample("commands_total", {"job": "cache", "instance": name}, now - 60 * (60 - minute), 10.0 * minute)
        for minute in range(61)
        for name in ("a", "b")
    ]
    with running_prometheus(tmp_path_factory.mktemp("prometheus"), history=history) as server:
        yield server


def test_a_query_of_prometheus(prometheus: RunningProcess, tmp_path: Path) -> None:
    """`$period` is the time since the period began, so that a counter becomes what was used in it."""
    where = f"prometheus: {{url: '{prometheus.url}', query: '"
    found = scrape_of(
        tmp_path,
        quota(where + "sum(increase(commands_total[$period]))'}", "period: {day: 1}", limit="500000"),
        quota(where + "scalar(sum(commands_total))'}", name="level", limit="2000"),
    )
    assert found.failed == {}
    assert found.series(USED)[("level",)] == 1_200
    assert 0 < found.series(USED)[("commands",)] <= 1_300


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("commands_total", "has 2 values, not one: sum them"),
        ("nothing", "has 0 values"),
        ("'commands_total[1h]'", "is a matrix: ask for one number"),
    ],
)
def test_a_query_has_one_value(prometheus: RunningProcess, tmp_path: Path, query: str, message: str) -> None:
    """None and several are mistakes, not 0 or the first."""
    found = scrape_of(tmp_path, quota(f"prometheus: {{url: '{prometheus.url}', query: {query}}}"))
    reason, text = found.failure("quota_commands")
    assert (reason, message in text) == ("configuration", True)


def test_a_file_that_somebody_writes(tmp_path: Path) -> None:
    """A number alone or within JSON; an old file says nothing."""
    write_files(tmp_path, {"plain": "7", "usage.json": '{"projects": [1, 4]}', "old": "7"})
    os.utime(tmp_path / "old", (0, time.time() - 7_200))
    os.mkfifo(tmp_path / "pipe")
    found = scrape_of(
        tmp_path,
        quota("file: {file: plain}", name="plain", limit="10"),
        quota("file: {file: usage.json, field: projects.1}", name="json", limit="10"),
        quota("file: {file: old, max_age: 1h}", name="old", limit="10"),
        quota("file: {file: absent}", name="absent", limit="10"),
        quota("file: {file: pipe}", name="pipe", limit="10"),
    )
    assert found.series(RATIO) == {("plain",): 0.7, ("json",): 0.4}
    assert found.failure("quota_old")[0] == "error"
    assert found.failure("quota_absent")[0] == "configuration"
    assert found.failure("quota_pipe") == ("configuration", f"{tmp_path / 'pipe'} is no file")


def test_every_family_is_served_and_listed(tmp_path: Path) -> None:
    """The kind lists what a scrape serves, with these labels."""
    write_files(tmp_path, {"plain": "7"})
    found = scrape_of(tmp_path, quota("file: {file: plain}", "unit: commands", "period: {day: 1}"))
    served = {metric.name: metric for metric in found.exposition.metrics if metric.samples}
    listed = {family.name.removesuffix("_info"): family for family in ALL}
    own = {"up", "part_up", "part_age_seconds", "scrape_duration_seconds", "series", "series_left_out"}
    assert set(served) == set(listed) | {f"sereno_quotas_{name}" for name in own}
    for name, family in listed.items():
        assert tuple(key for key in served[name].samples[0].labels if key != "target") == family.labels


@pytest.mark.parametrize(
    ("quotas", "expected"),
    [
        ("[]", "the plan has no quota"),
        ("[{name: a, limit: 0, read: {file: {file: x}}}]", "allows nothing"),
        (f"[{{name: a, limit: {'9' * 400}, read: {{file: {{file: x}}}}}}]", "no plan allows so much"),
        ("[{name: a, limit: 1, scale: .inf, read: {file: {file: x}}}]", "scale is inf"),
        ("[{name: a, limit: 5 apples, read: {file: {file: x}}}]", "250MB"),
        ("[{name: A, limit: 1, read: {file: {file: x}}}]", "SLO011"),
        ("[{name: a, limit: 1, read: {}}]", "one of http, redis, prometheus and file"),
        ("[{name: a, limit: 1, read: {file: {file: x}, redis: {field: y}}}]", "read in one way"),
        ("[{name: a, limit: 1, read: {file: {file: x}}, period: {day: 32}}]", "32"),
        ("[{name: a, limit: 1, read: {file: {file: x}}, period: {timezone: Bogota}}]", "America/Bogota"),
        ("[{name: a, limit: 1, read: {prometheus: {url: 'http://a', query: 'x[$period]'}}}]", "write period"),
        ("[{name: a, limit: 1, read: {http: {url: 'http://a', path: usage, field: x}}}]", "as /v1/usage"),
        ("[{name: a, limit: 1, read: {http: {url: 'http://a', field: a..b}}}]", "is no field"),
        ("[{name: a, limit: 1, read: {file: {file: x}}}, {name: a, limit: 1, read: {file: {file: x}}}]", "SLO015"),
    ],
)
def test_mistakes_have_a_place_and_a_cure(quotas: str, expected: str) -> None:
    """Each mistake is one line of the file, with its code and what to write."""
    (found,) = mistakes(KIND, f"      plan: {{quotas: {quotas}}}\n")
    assert found.startswith("exporters.yaml:6:")
    assert expected in found
