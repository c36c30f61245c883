"""What stands between collector and server: certificates, credentials, hosts, slowness; against the real server."""

import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from sereno_backends.logs.elasticsearch_settings import CA_FILE, CA_FINGERPRINT, PASSWORD_FILE, USERNAME_FILE
from support import door
from support.certificates import authority, issued
from support.elasticsearch import READY_PATH, ElasticsearchServer, marked
from support.log_story import Story
from support.ports import free_port
from support.proxy import Asked, Refusal, proxy_before
from support.waiting import wait_for

from benchmarks.durability.oracle import DEAD_LETTERS, Verdict

pytestmark = marked

MOMENT_SECONDS = 1.5


def assert_good(verdict: Verdict) -> None:
    """Every emitted line is there once, and there were some."""
    assert verdict.emitted
    assert verdict.good, verdict


@pytest.mark.parametrize("trouble", ["expired certificate", "another authority", "another fingerprint", "another host"])
def test_a_server_that_is_not_trusted_is_waited_for_and_gets_everything(
    trouble: str, elasticsearch: ElasticsearchServer, tmp_path: Path
) -> None:
    """No line goes to it before; afterwards each is stored once, without a restart where a file or the server mends."""
    right, wrong = authority(tmp_path, "right"), authority(tmp_path, "wrong")
    good, file = issued(tmp_path, right, "good"), tmp_path / "ca.crt"
    file.write_text((wrong if trouble == "another authority" else right).path.read_text())
    shown = {
        "expired certificate": lambda: issued(tmp_path, right, "old", expired=True),
        "another host": lambda: issued(tmp_path, right, "elsewhere", host="DNS:elsewhere.test"),
    }.get(trouble, lambda: good)()
    by_print = trouble == "another fingerprint"
    trust = {CA_FINGERPRINT: wrong.fingerprint} if by_print else {CA_FILE: str(file)}
    context = shown.context()
    with proxy_before(elasticsearch.url, tls=context) as proxy:
        story = Story(tmp_path, elasticsearch, proxy.url, seconds=4.0, environment=trust)
        try:
            story.start()
            with story.emitting():
                said = {"expired certificate": "expired", "another fingerprint": "no certificate that it shows"}
                story.wait_until_said(said.get(trouble, "its certificate is not trusted"))
                time.sleep(MOMENT_SECONDS)
                assert not proxy.asked
                file.write_text(right.path.read_text())
                context.load_cert_chain(good.chain, good.key)
                if by_print:
                    assert story.collector.stop() == 0
                    story.start(environment={CA_FINGERPRINT: right.fingerprint})
            assert_good(story.drained())
        finally:
            story.collector.kill()
    assert "nothing is lost, trying again" in story.said() or "waiting for it" in story.said()


def test_a_password_that_changes_at_the_server_first_is_waited_for(
    elasticsearch: ElasticsearchServer, tmp_path: Path
) -> None:
    """From the refusal to the mended file lines wait; then they go on without a restart, and no secret is said."""
    user, password = tmp_path / "user", tmp_path / "password"
    user.write_text("sereno\n")
    password.write_text("old-secret\n")
    accepted = ["old-secret"]

    proxys_own = Refusal(401, b"<html>Authorization Required</html>", product=None, content_type="text/html")

    def check(asked: Asked) -> Refusal | None:
        wanted = "Basic " + b64encode(f"sereno:{accepted[-1]}".encode()).decode()
        return None if asked.authorization == wanted else proxys_own

    with proxy_before(elasticsearch.url) as proxy:
        proxy.refuse = check
        trust = {USERNAME_FILE: str(user), PASSWORD_FILE: str(password)}
        story = Story(tmp_path, elasticsearch, proxy.url, seconds=4.0, environment=trust)
        try:
            story.start()
            with story.emitting():
                wait_for(lambda: any("_bulk" in asked.path for asked in proxy.asked), what="lines are stored")
                accepted.append("new-secret")
                story.wait_until_said("refused the credentials")
                time.sleep(MOMENT_SECONDS)
                password.write_text("new-secret\n")
                story.wait_until_said("storing again")
            assert_good(story.drained())
        finally:
            story.collector.kill()
    assert "secret" not in story.said()


@contextmanager
def open_door(port: int, server: ElasticsearchServer) -> Iterator[subprocess.Popen[bytes]]:
    """A second way to the server, which may be killed."""
    process = subprocess.Popen([sys.executable, door.__file__, str(port), str(server.port)])
    try:
        wait_for(lambda: _is_open(port), what="the door is open")
        yield process
    finally:
        process.kill()
        process.wait()


def _is_open(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}{READY_PATH}", trust_env=False, timeout=5).is_success
    except httpx.HTTPError:
        return False


def test_one_of_two_hosts_may_die_and_come_back(elasticsearch: ElasticsearchServer, tmp_path: Path) -> None:
    """Killed -9 one after the other, with the first one back before the second goes, two hosts lose nothing."""
    ports = [free_port(), free_port()]
    urls = ",".join(f"http://127.0.0.1:{port}" for port in ports)
    story = Story(tmp_path, elasticsearch, urls, seconds=6.0)
    try:
        with open_door(ports[1], elasticsearch) as second, open_door(ports[0], elasticsearch) as first:
            story.start()
            with story.emitting():
                time.sleep(MOMENT_SECONDS)
                first.kill()
                first.wait()
                time.sleep(MOMENT_SECONDS)
                with open_door(ports[0], elasticsearch):
                    second.kill()
                    second.wait()
                    time.sleep(MOMENT_SECONDS)
                    assert_good(_after(story))
    finally:
        story.collector.kill()


def _after(story: Story) -> Verdict:
    """The verdict as of the end of the emitter, which is still writing."""
    story.emitter.wait()
    return story.drained()


def test_answers_that_take_longer_than_anybody_waits_double_nothing(
    elasticsearch: ElasticsearchServer, tmp_path: Path
) -> None:
    """What is stored while its answer is given up after 15 s is found stored when it is sent again."""
    slow = [True, True]

    def answer_late(asked: Asked) -> Refusal | None:
        if "_bulk" not in asked.path or not slow:
            return None
        slow.pop()
        headers = {"Content-Type": "application/x-ndjson"}
        stored = httpx.post(f"{elasticsearch.url}{asked.path}", content=asked.body, headers=headers, trust_env=False)
        time.sleep(20.0)
        return Refusal(stored.status_code, stored.content)

    with proxy_before(elasticsearch.url) as proxy:
        proxy.refuse = answer_late
        story = Story(tmp_path, elasticsearch, proxy.url, seconds=2.0)
        try:
            story.start()
            with story.emitting():
                pass
            story.wait_until_said("can't be reached", seconds=25.0)
            assert_good(story.drained())
        finally:
            story.collector.kill()
    assert not slow


def test_a_mapping_that_contradicts_and_documents_that_are_too_large_are_put_aside_once(
    elasticsearch: ElasticsearchServer, tmp_path: Path
) -> None:
    """Lines that the server refuses for good are dead letters, each once, and all others are indexed."""
    largest_bytes = 20_000
    with proxy_before(elasticsearch.url) as proxy:
        proxy.refuse = lambda asked: Refusal(413) if len(asked.body) > largest_bytes else None
        story = Story(tmp_path, elasticsearch, proxy.url, seconds=4.0, poison=True, lines_per_second=200)
        # The stream stays: other tests' questions about services and their numbers have to be possible there.
        named = {key: {"type": "keyword"} for key in ("user.nick", "service.name", "service.node.name")}
        properties = {**named, "event.sequence": {"type": "long"}}
        template = {"mappings": {"dynamic": True, "properties": properties}}
        asked = {"index_patterns": [story.stream], "data_stream": {}, "priority": 1_000, "template": template}
        url = f"{elasticsearch.url}/_index_template/users-{story.stream}"
        httpx.put(url, json=asked, trust_env=False).raise_for_status()
        try:
            story.start()
            with story.emitting():
                pass
            verdict = story.drained(20.0)
        finally:
            story.collector.kill()
    assert_good(verdict)
    assert verdict.dead_lettered >= verdict.emitted // 97 + verdict.emitted // 211 - 1
    # What contradicts is a letter in the stream; what is too large by itself is so there, too, and goes to the file.
    assert "too large for the server" in (tmp_path / "dead-letters.jsonl").read_text()
    asked_for = {"query": {"match": {"error.message": "user.nick"}}, "size": 1_000}
    found = httpx.post(f"{elasticsearch.url}/{DEAD_LETTERS}/_search", json=asked_for, trust_env=False).json()
    told = [hit["_source"] for hit in found["hits"]["hits"]]
    contradicting = [one for one in told if one["sereno"]["dead_letter"]["stream"] == story.stream]
    assert len(contradicting) >= verdict.emitted // 97 - 1
    assert all("user.nick" in one["error.message"] for one in contradicting)
