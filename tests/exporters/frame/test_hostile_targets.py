"""Whatever a target does, its scrape is bounded, says `_up 0`, and others are not touched."""

import socket
import threading
import time
from contextlib import closing
from itertools import count
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from sereno_exporters.frame.configuration import ConfiguredTarget
from sereno_exporters.frame.model import Target
from sereno_exporters.frame.scraping import Scrapers
from sereno_exporters.frame.trouble import Reason
from support.exporting import ASKING, AskingSettings, Samples, samples
from support.misbehaving import Answer, close_midway, drip, endless, garbage, hang, misbehaving, ok
from support.ports import free_port
from support.waiting import wait_for

TIMEOUT_SECONDS = 1.0


def target(
    name: str, url: str, folder: Path = Path(), seconds: float = TIMEOUT_SECONDS, **settings: Any
) -> ConfiguredTarget:
    """A target that is asked by HTTP."""
    return ConfiguredTarget(ASKING, Target(name, AskingSettings(url=url, **settings), folder), seconds, 100)


def up(found: Samples, name: str) -> float:
    """What `_up` says of a target."""
    return found["sereno_asking_up", (("target", name),)]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        pytest.param(hang, Reason.TIMEOUT, id="hangs"),
        pytest.param(drip, Reason.TIMEOUT, id="drips"),
        pytest.param(garbage, Reason.UNREACHABLE, id="is no HTTP"),
        pytest.param(close_midway, Reason.UNREACHABLE, id="closes midway"),
        pytest.param(endless, Reason.TOO_LARGE, id="sends a gigabyte"),
        pytest.param(ok(b"<html>"), Reason.GARBAGE, id="answers no JSON"),
        pytest.param(ok(b"12"), Reason.UNEXPECTED, id="answers another shape"),
        pytest.param(ok(b"[", headers="Content-Encoding: gzip\r\n"), Reason.GARBAGE, id="says gzip and isn't"),
        pytest.param(ok(status="500 Oops"), Reason.ERROR, id="500"),
        pytest.param(ok(status="204 No Content"), Reason.ERROR, id="204"),
        pytest.param(ok(status="401 Unauthorized"), Reason.REFUSED, id="401"),
        pytest.param(ok(status="403 Forbidden"), Reason.REFUSED, id="403"),
    ],
)
def test_a_bad_target_is_down_in_time_and_others_are_served(answer: Answer, reason: Reason) -> None:
    """Its `_up` is 0 within the timeout, its families are absent, and its neighbour has all of its own."""
    granted_seconds = TIMEOUT_SECONDS if reason is Reason.TIMEOUT else 10.0  # a gigabyte's first part takes a while
    with misbehaving(answer) as bad, misbehaving(ok(b"[1, 2]")) as good:
        targets = [target("bad", bad.url, seconds=granted_seconds), target("good", good.url)]
        with closing(Scrapers(targets, report=lambda _: None)) as scrapers:
            begun = time.monotonic()
            exposition = scrapers.scrape()
            took_seconds = time.monotonic() - begun
    found = samples(exposition)
    assert (up(found, "bad"), up(found, "good")) == (0, 1)
    assert [labels for name, labels in found if name == "sereno_asking_length"] == [(("target", "good"),)]
    assert [(scrape.target, part, why.reason) for scrape, part, why in exposition.failures] == [("bad", "list", reason)]
    assert took_seconds < granted_seconds + 1


@pytest.mark.parametrize("encoding", ["", "Content-Encoding: gzip\r\n"])
def test_a_target_that_drips_for_once_is_up_in_the_next_scrape(encoding: str) -> None:
    """Its connection is hung up when its time is over: nothing waits until the drops have become an answer."""
    head = f"HTTP/1.1 200 OK\r\nConnection: close\r\n{encoding}\r\n".encode()

    def drops(connection: socket.socket, ended: Event) -> None:
        connection.sendall(head + (b"\x1f\x8b\x08" + b"\0" * 7 if encoding else b"["))
        while not ended.wait(0.05):
            connection.sendall(b"\0\0\0\xff\xff" if encoding else b" ")  # of gzip: blocks that hold nothing

    with (
        misbehaving(drops) as server,
        closing(Scrapers([target("a", server.url, seconds=0.4)], report=lambda _: None)) as scrapers,
    ):
        assert up(samples(scrapers.scrape()), "a") == 0
        server.answer = ok(b"[1]")
        wait_for(lambda: up(samples(scrapers.scrape()), "a") == 1, what="the scrape after it", timeout_seconds=3)


def test_redirects_are_not_followed() -> None:
    """A target can't send the exporter elsewhere."""
    with misbehaving(ok(b"[]")) as elsewhere:
        answer = ok(status="302 Found", headers=f"Location: {elsewhere.url}/list\r\n")
        with misbehaving(answer) as bad, closing(Scrapers([target("bad", bad.url)], report=lambda _: None)) as scrapers:
            exposition = scrapers.scrape()
        assert elsewhere.asked == []
    assert "redirects (302)" in exposition.failures[0][2].message


def test_one_failure_is_tried_again_within_the_scrape() -> None:
    """A server that closes a kept connection, or is just restarting, is no gap in the metrics."""
    answers = count()

    def first_fails(connection: object, ended: object) -> None:
        answer = ok(b"[1, 2, 3]") if next(answers) else ok(status="503 Service Unavailable")
        answer(connection, ended)  # type: ignore[arg-type]

    with misbehaving(first_fails) as server, closing(Scrapers([target("a", server.url)])) as scrapers:
        found = samples(scrapers.scrape())
        assert len(server.asked) == 2
    assert found["sereno_asking_length", (("target", "a"),)] == 3


def test_a_refusal_is_not_tried_again() -> None:
    """A wrong password twice a scrape would lock accounts."""
    with (
        misbehaving(ok(status="401 Unauthorized")) as server,
        closing(Scrapers([target("a", server.url)], report=lambda _: None)) as scrapers,
    ):
        scrapers.scrape()
        assert len(server.asked) == 1


def test_passwords_are_read_for_each_scrape_and_never_shown(tmp_path: Path) -> None:
    """A rotated password is taken up; a file that is missing or empty is told by its path."""
    user, password = tmp_path / "user", tmp_path / "password"
    user.write_text("monitor\n")
    password.write_text("secret-1\n")
    told: list[str] = []
    with misbehaving(ok(b"[]")) as server:
        one = target("a", server.url, tmp_path, username_file=Path("user"), password_file=Path("password"))
        with closing(Scrapers([one], report=told.append)) as scrapers:
            scrapers.scrape()
            password.write_text("secret-2\n")
            scrapers.scrape()
            password.write_text("")
            assert scrapers.scrape().failures[0][2].reason is Reason.CONFIGURATION
    logins = [line for asked in server.asked for line in asked.split(b"\r\n") if line.startswith(b"Authorization")]
    assert len(set(logins)) == len(server.asked) == 2
    assert told == [f"asking/a, list: the file {password} is empty"]


def test_a_target_that_is_not_there_is_told_once_and_so_is_its_return() -> None:
    """Ten scrapes of a target that is down are one message."""
    told: list[str] = []
    port = free_port()
    with closing(Scrapers([target("a", f"http://127.0.0.1:{port}")], report=told.append)) as scrapers:
        for _ in range(3):
            scrapers.scrape()
        assert scrapers.troubles()["asking", "a"]["list"] in told[0]
        assert len(told) == 1
        assert "can't be reached" in told[0]


def test_a_hundred_hanging_targets_delay_nobody() -> None:
    """A good target among them is served at once to who asks for it, and its duration is its own."""
    patience = 3 * TIMEOUT_SECONDS  # a hundred threads at once are slow by themselves where others work as well
    with misbehaving(hang) as bad, misbehaving(ok(b"[1]")) as good:
        hanging = [target(f"bad-{number}", bad.url, seconds=patience) for number in range(100)]
        targets = [*hanging, target("good", good.url, seconds=patience)]
        with closing(Scrapers(targets, report=lambda _: None)) as scrapers:
            everything = threading.Thread(target=scrapers.scrape)
            everything.start()
            wait_for(lambda: len(bad.asked) >= 50, what="the others hang")
            begun = time.monotonic()
            alone = samples(scrapers.scrape("asking", "good"))
            assert time.monotonic() - begun < patience / 2
            everything.join(10)
            among = samples(scrapers.scrape())
    assert up(alone, "good") == up(among, "good") == 1
    assert sum(value for (name, _), value in among.items() if name == "sereno_asking_up") == 1
    assert among["sereno_asking_scrape_duration_seconds", (("target", "good"),)] < patience / 2
