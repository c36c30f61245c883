"""Single troubles, told from the beginning, against the real server."""

import time
from pathlib import Path

from support.elasticsearch import ElasticsearchServer, marked
from support.log_story import Story
from support.proxy import Proxy, Refusal, proxy_before

from benchmarks.durability.proxy import Manner, running_breaker

pytestmark = marked


def test_a_kill_before_the_first_answer_loses_no_rotated_file(
    elasticsearch: ElasticsearchServer, tmp_path: Path
) -> None:
    """What was written and rotated away before the store ever answered is read after a kill -9."""
    with running_breaker(elasticsearch.url, seed=0) as breaker:
        story = Story(tmp_path, elasticsearch, breaker.url, seconds=5.0)
        breaker.manner = Manner.REFUSE
        try:
            story.collector.start_and_wait()
            with story.emitting():
                time.sleep(2.5)
                story.collector.kill()
            breaker.manner = Manner.PASS
            story.collector.start()
            verdict = story.drained()
        finally:
            story.collector.kill()
    assert verdict.emitted
    assert verdict.good


def test_credentials_that_are_refused_for_a_while_lose_nothing(
    elasticsearch: ElasticsearchServer, tmp_path: Path
) -> None:
    """Lines that come while the server refuses the credentials are stored when it takes them again."""
    with proxy_before(elasticsearch.url) as proxy:
        story = Story(tmp_path, elasticsearch, proxy.url.replace("http://", "http://sereno:secret@"), seconds=5.0)
        try:
            story.collector.start_and_wait()
            with story.emitting():
                _wait_for_bulk(proxy)
                proxy.refuse = lambda _: Refusal(401)
                time.sleep(2.0)
                proxy.refuse = lambda _: None
            verdict = story.drained()
        finally:
            story.collector.kill()
    assert verdict.emitted
    assert verdict.good
    assert "secret" not in story.said()
    assert all(asked.authorization for asked in proxy.asked)


def _wait_for_bulk(proxy: Proxy) -> None:
    deadline = time.monotonic() + 10.0
    while not any("_bulk" in asked.path for asked in proxy.asked) and time.monotonic() < deadline:
        time.sleep(0.05)
