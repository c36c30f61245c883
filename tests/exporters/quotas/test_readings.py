"""Where use is read: an address, a Prometheus, a Redis, a file; what is no amount is no reading."""

import json
import os
import time
from pathlib import Path

import pytest
import redis
from sereno_exporters.frame.trouble import Reason
from support.exporting import samples
from support.misbehaving import misbehaving, ok
from support.quotas import scraped
from support.redis import marked, redis_port

__all__ = ["redis_port"]

USED = ("sereno_quotas_used", (("target", "plan"), ("quota", "q"), ("unit", "items")))


def quota(usage: str, *more: str) -> str:
    """One quota of 200 items."""
    return "{" + ", ".join(("name: q", "unit: items", "limit: 200", f"usage: {usage}", *more)) + "}"


@pytest.mark.parametrize(
    ("answer", "field", "used"),
    [
        ({"data": {"monthly": [{"commands": 17}]}}, "data.monthly.0.commands", 17),
        ({"used": "42.5"}, "used", 42.5),
        ({"used": 0}, "used", 0),
    ],
)
def test_a_number_is_found_in_an_answer(tmp_path: Path, answer: object, field: str, used: float) -> None:
    """Below keys and places in lists; as a number or as text."""
    with misbehaving(ok(json.dumps(answer).encode())) as server:
        found = scraped(tmp_path, quota(f"{{http: {{url: '{server.url}', path: /stats, field: {field}}}}}"))
        assert server.asked[0].startswith(b"GET /stats ")
    assert samples(found)[USED] == used


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ({"data": {"month": 1}}, "data has no monthly; there is: month"),
        ({"date": 1}, "the answer has no data; there is: date"),
        ({"data": 3}, "data has no monthly; there is: a int"),
        ({"data": {"monthly": "many"}}, "'many', which is no amount"),
        ({"data": {"monthly": -1}}, "'-1', which is no amount"),
        ({"data": {"monthly": None}}, "'None', which is no amount"),
        ({"data": {"monthly": True}}, "'True', which is no amount"),
        ({"data": {"monthly": "nan"}}, "'nan', which is no amount"),
        ({"data": {"monthly": {}}}, "'{}', which is no amount"),
        ([], "the answer has no data; there is: a list"),
    ],
)
def test_an_answer_without_the_number_is_told(tmp_path: Path, answer: object, told: str) -> None:
    """With what is there instead; nothing is served."""
    with misbehaving(ok(json.dumps(answer).encode())) as server:
        found = scraped(tmp_path, quota(f"{{http: {{url: '{server.url}', field: data.monthly}}}}"))
    assert USED not in samples(found)
    (failure,) = found.failures
    assert failure[2].reason is Reason.GARBAGE
    assert told in failure[2].message


def vector(*values: str) -> dict[str, object]:
    """What Prometheus answers."""
    result = [{"metric": {}, "value": [1.0, value]} for value in values]
    return {"status": "success", "data": {"resultType": "vector", "result": result}}


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (vector("12"), 12.0),
        ({"status": "success", "data": {"resultType": "scalar", "result": [1.0, "3"]}}, 3.0),
        (vector(), "0 series, one is wanted: is what it selects there?"),
        (vector("1", "2"), "2 series, one is wanted: sum() makes one of them"),
        (vector("NaN"), "'NaN', which is no amount"),
        ({"status": "error"}, "answers as no Prometheus does"),
    ],
)
def test_a_query_has_one_number(tmp_path: Path, answer: object, expected: float | str) -> None:
    """Vectors of one series and scalars; what else comes is told."""
    with misbehaving(ok(json.dumps(answer).encode())) as server:
        found = scraped(tmp_path, quota(f"{{prometheus: {{url: '{server.url}', query: sum(a)}}}}"))
        assert b"/api/v1/query?query=sum%28a%29 " in server.asked[0]
    if isinstance(expected, float):
        assert samples(found)[USED] == expected
    else:
        assert expected in found.failures[0][2].message


class TestRedis:
    """A field of INFO, on a real Redis."""

    pytestmark = marked

    def test_a_field_is_read(self, tmp_path: Path, redis_port: int) -> None:
        """As a number, and multiplied where the plan counts in another unit."""
        found = scraped(tmp_path, quota(f"{{redis: {{port: {redis_port}, info: tcp_port}}}}", "scale: 0.5"))
        assert samples(found)[USED] == redis_port / 2

    def test_a_field_that_is_not_there_or_no_number_is_told(self, tmp_path: Path, redis_port: int) -> None:
        """With the server's address."""
        for field, told in (("nosuch", "INFO has no field nosuch"), ("redis_version", "which is no amount")):
            found = scraped(tmp_path, quota(f"{{redis: {{port: {redis_port}, info: {field}}}}}"))
            assert told in found.failures[0][2].message

    def test_who_may_not_ask_is_refused(self, tmp_path: Path, redis_port: int) -> None:
        """By a wrong password, or for want of a right; the password is in no message."""
        with redis.Redis(port=redis_port) as client:
            client.execute_command("ACL", "SETUSER", "watcher", "on", ">right-word", "+ping")
        (tmp_path / "user").write_text("watcher")
        usage = f"{{redis: {{port: {redis_port}, username_file: user, password_file: password, info: tcp_port}}}}"
        for password in ("right-word", "wrong-word"):
            (tmp_path / "password").write_text(password)
            (failure,) = scraped(tmp_path, quota(usage)).failures
            assert failure[2].reason is Reason.REFUSED
            assert password not in failure[2].message


def test_a_file_is_believed_while_it_is_young(tmp_path: Path) -> None:
    """Older than max_age it is no reading: what wrote it may be dead."""
    path = tmp_path / "usage.txt"
    path.write_text(" 55\n")
    usage = "{file: {path: usage.txt, max_age: 1h}}"
    assert samples(scraped(tmp_path, quota(usage)))[USED] == 55
    old = time.time() - 3700
    os.utime(path, (old, old))
    found = scraped(tmp_path, quota(usage))
    assert USED not in samples(found)
    assert "more than max_age" in found.failures[0][2].message
    path.unlink()
    assert "can't be read: No such file" in scraped(tmp_path, quota(usage)).failures[0][2].message


def test_one_quota_fails_alone_and_levels_have_no_period(tmp_path: Path) -> None:
    """A reading that fails takes no other along; only what begins again has a start and an end."""
    (tmp_path / "a.txt").write_text("150")
    found = samples(
        scraped(
            tmp_path,
            "{name: a, unit: items, limit: 200, usage: {file: {path: a.txt}}, restarts: {month_day: 1}}",
            "{name: b, unit: bytes, limit: 1KB, usage: {file: {path: a.txt}}}",
            "{name: c-d, unit: bytes, limit: 1KB, usage: {file: {path: missing.txt}}}",
        )
    )
    ratios = {labels[1][1]: value for (name, labels), value in found.items() if name == "sereno_quotas_used_ratio"}
    assert ratios == {"a": 0.75, "b": 0.15}
    ends = {dict(labels)["quota"] for name, labels in found if "_period_" in name}
    assert ends == {"a"}
    assert found["sereno_quotas_part_up", (("target", "plan"), ("part", "c_d"))] == 0
