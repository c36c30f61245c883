"""Resources that are found: bounded, told where some are left out, and asked for once an hour."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.aws_exporter import Account, counting_proxy, queries
from support.moto import running_moto
from support.ports import free_port


@pytest.fixture
def own_moto(tmp_path: Path) -> Iterator[str]:
    """An account that nobody else fills: how many pages it lists is known."""
    port = free_port()
    with running_moto(tmp_path, port):
        yield f"http://127.0.0.1:{port}"


def test_found_resources_are_read_beside_the_named_ones(own_moto: str, tmp_path: Path) -> None:
    """The first so many by name; more are counted; metrics with further dimensions are no resources."""
    now = float(int(time.time()))
    account = Account(own_moto, tmp_path, now)
    for name in ("0-b", "0-a", "0-c"):
        account.put("TopicName", name, ("NumberOfMessagesPublished", now - 90, 1))
    with counting_proxy(own_moto) as proxy:
        source = account.source(url=proxy.url, sns_topics={"names": ["0-c", "0-z"], "discover": {"most": 1}})
        first = account.fetched(source, "sns")
        account.now += 60
        account.fetched(source, "sns")
        account.now += 3_600
        account.fetched(source, "sns")
        source.close()
    read = {key[1] for key in first if key[0] == "sereno_aws_sns_messages_published_total"}
    assert read == {"0-a", "0-c", "0-z"}
    assert first["sereno_aws_resources", "sns"] == 3
    assert first["sereno_aws_resources_left_out", "sns"] >= 1
    assert [queries(asked) for asked in proxy.asked] == [0, 9, 9, 0, 9]


def test_more_than_a_page_of_resources_is_found(moto: str, tmp_path: Path) -> None:
    """ListMetrics answers 500 at a time; all are seen."""
    now = float(int(time.time()))
    account = Account(moto, tmp_path, now)
    topics = [f"many-{number:03}" for number in range(520)]
    account.put_each("TopicName", topics, ("NumberOfMessagesPublished", now - 90, 1))
    source = account.source(sns_topics={"discover": {"most": 10}})
    found = account.fetched(source, "sns", seconds=60)
    source.close()
    assert found["sereno_aws_resources", "sns"] == 10
    assert found["sereno_aws_resources_left_out", "sns"] >= 510
