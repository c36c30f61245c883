"""AWS is away, slow or something else, or the state is broken: bounded, told with its reason, and nothing is lost."""

import time
from pathlib import Path
from typing import Any

import pytest
from support.aws_exporter import Account, counting_proxy
from support.misbehaving import Answer, close_midway, drip, endless, garbage, hang, misbehaving, ok
from support.moto import running_moto
from support.ports import free_port
from support.proxy import Refusal

UP = ("sereno_aws_up", (("target", "one"),))
TOPICS: dict[str, Any] = {"sns_topics": {"names": ["orders"]}}
TIMEOUT_SECONDS = 2.0
LONG_SECONDS = 10.0
"""For what answers at once, on a machine that has other work."""


def part_up(part: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """The key of a part's own `up`."""
    return "sereno_aws_part_up", (("target", "one"), ("part", part))


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        pytest.param(hang, "timeout", id="hangs"),
        pytest.param(drip, "timeout", id="drips"),
        pytest.param(garbage, "unreachable", id="is no HTTP"),
        pytest.param(close_midway, "unreachable", id="closes midway"),
        pytest.param(endless, "too_large", id="sends a gigabyte"),
        pytest.param(ok(b"<html>"), "garbage", id="answers no JSON"),
        pytest.param(ok(b"{}"), "garbage", id="answers another shape"),
        pytest.param(ok(b'{"MetricDataResults":[{"Id":"q9"}]}'), "garbage", id="was not asked"),
        pytest.param(ok(b'{"MetricDataResults":[]}'), "garbage", id="says nothing of a series"),
        pytest.param(
            ok(b'{"MetricDataResults":[{"Id":"q0","Timestamps":[1790000000],"Values":[]}]}'),
            "garbage",
            id="lacks values",
        ),
        pytest.param(
            ok(b'{"MetricDataResults":[{"Id":"q0","Timestamps":[1789999980],"Values":[-1]}]}'), "garbage", id="negative"
        ),
        pytest.param(ok(b"{", headers="Content-Encoding: gzip\r\n"), "garbage", id="says gzip and isn't"),
        pytest.param(ok(status="500 Oops"), "error", id="500"),
        pytest.param(ok(b'{"__type":"AccessDeniedException"}', "400 Bad Request"), "refused", id="access denied"),
        pytest.param(ok(b'{"__type":"ExpiredToken"}', "403 Forbidden"), "refused", id="expired"),
        pytest.param(ok(b'{"__type":"InvalidParameterValue"}', "400 Bad"), "configuration", id="not accepted"),
        pytest.param(ok(status="302 Found", headers="Location: http://127.0.0.1:9/\r\n"), "garbage", id="redirects"),
    ],
)
def test_whatever_answers_it_ends_in_time_and_is_told(answer: Answer, reason: str, tmp_path: Path) -> None:
    """`_up` is 0 within the timeout, no series of the service is served, and what was asked is counted."""
    timeout_seconds = TIMEOUT_SECONDS if reason == "timeout" else LONG_SECONDS
    with misbehaving(answer, end=b"}") as server:
        account = Account(server.url, tmp_path, 0)
        with account.scraping(timeout_seconds=timeout_seconds, **TOPICS) as exporter:
            begun = time.monotonic()
            found, failures = exporter.scrape()
            took_seconds = time.monotonic() - begun
            times_asked = len(server.asked)
            server.ended.set()
            told, _ = exporter.scrape() if reason != "timeout" else ({}, {})
    assert failures["sns"][0] == reason, failures
    assert took_seconds < timeout_seconds + 1
    assert (found[UP], found[part_up("sns")], found[part_up("calls")]) == (0, 0, 1)
    assert not [name for name, _ in found if name.startswith("sereno_aws_sns")]
    if told:
        calls = sum(number for (name, _), number in told.items() if name == "sereno_aws_api_calls_total")
        assert calls >= times_asked >= 1


def test_a_server_that_is_killed_is_down_and_nothing_is_lost_when_it_is_back(tmp_path: Path) -> None:
    """`_up` is 0 while it is away; afterwards the counters have what happened meanwhile."""
    port = free_port()
    start = float(int(time.time() - 7_200) // 60 * 60)
    account = Account(f"http://127.0.0.1:{port}", tmp_path, start + 300, TOPICS)
    key = ("sereno_aws_sns_messages_published_total", "orders")
    other = Path("on-the-real-clock.sqlite")
    with running_moto(tmp_path, port):
        source = account.source()
        account.fetched(source, "sns")
        account.put("TopicName", "orders", ("NumberOfMessagesPublished", start, 5))
        account.now = start + 600
        assert account.fetched(source, "sns")[key] == 5
        with account.scraping(state_file=other) as exporter:
            assert exporter.scrape()[0][UP] == 1
    with account.scraping(timeout_seconds=LONG_SECONDS, state_file=other) as exporter:
        found, failures = exporter.scrape()
    assert found[UP] == 0
    assert failures["sns"][0] == "unreachable"
    with running_moto(tmp_path, port):
        account.put("TopicName", "orders", ("NumberOfMessagesPublished", start, 5))
        account.put("TopicName", "orders", ("NumberOfMessagesPublished", start + 3_600, 8))
        account.now = start + 7_200
        assert account.fetched(source, "sns")[key] == 13
    source.close()


def test_a_state_that_is_no_database_is_told_with_the_cure(moto: str, tmp_path: Path) -> None:
    """Nothing is counted without a memory, and nothing is overwritten."""
    (tmp_path / "state.sqlite").write_text("this is no SQLite file, " * 100, encoding="utf-8")
    with counting_proxy(moto) as proxy:
        account = Account(moto, tmp_path, 0)
        with account.scraping(url=proxy.url, **TOPICS) as exporter:
            found, failures = exporter.scrape()
    assert failures["sns"][0] == failures["calls"][0] == "configuration"
    assert "move it away: counters begin at 0 then" in failures["sns"][1]
    assert found[UP] == 0
    assert proxy.asked == []
    assert (tmp_path / "state.sqlite").read_text(encoding="utf-8").startswith("this is no")


def test_a_key_is_read_anew_and_a_missing_one_is_told(moto: str, tmp_path: Path) -> None:
    """Rotated keys hold for the next fetch; an empty file is a failure with its path, not a question without a key."""
    account = Account(moto, tmp_path, time.time(), TOPICS)
    with counting_proxy(moto) as proxy:
        source = account.source(url=proxy.url)
        account.fetched(source, "sns")
        (tmp_path / "id").write_text("AKIAROTATED\n", encoding="utf-8")
        account.fetched(source, "sns")
        source.close()
        assert ["AKIAROTATED" in (asked.authorization or "") for asked in proxy.asked] == [False, True]
        (tmp_path / "secret").write_text("", encoding="utf-8")
        with account.scraping(url=proxy.url) as exporter:
            _, failures = exporter.scrape()
    assert failures["sns"] == ("configuration", f"the file {tmp_path / 'secret'} is empty")


def test_secrets_are_in_no_message(moto: str, tmp_path: Path) -> None:
    """What AWS answers to a wrong signature may quote it; what is told doesn't."""
    account = Account(moto, tmp_path, time.time(), TOPICS)
    body = b'{"__type":"SignatureDoesNotMatch","message":"AKIATEST and a-secret"}'
    with counting_proxy(moto) as proxy:
        proxy.refuse = lambda _: Refusal(403, body, None)
        with account.scraping(url=proxy.url) as exporter:
            _, failures = exporter.scrape()
    assert failures["sns"][0] == "refused"
    assert "AKIATEST" not in failures["sns"][1]
    assert "a-secret" not in failures["sns"][1]
