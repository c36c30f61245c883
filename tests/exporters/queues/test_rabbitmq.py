"""The exporter `rabbitmq` on a real RabbitMQ."""

from urllib.parse import quote

import pytest
from sereno_exporters.frame.http import HttpTarget
from sereno_exporters.queues.rabbitmq import fetch
from sereno_exporters.queues.rabbitmq.families import ALL
from sereno_exporters.queues.rabbitmq.kind import KIND
from support.configured_exporters import Scrape, scraped
from support.queue_shop import AGE_SECONDS, OTHER_VHOST, PASSWORD, VHOST, Shop
from support.rabbitmq import marked

pytestmark = marked


@pytest.fixture(scope="module")
def found(rabbitmq_shop: Shop) -> Scrape:
    """One scrape of everything."""
    return scraped(KIND, rabbitmq_shop.target(), rabbitmq_shop.folder)


def of_shop(found: Scrape, name: str) -> dict[str, float]:
    """By queue, those of the shop's virtual host."""
    return {labels[1]: value for labels, value in found.series(name).items() if labels[0] == VHOST}


def test_messages_and_consumers_of_each_queue(found: Scrape) -> None:
    """Waiting, unconfirmed, consumers: as they are, whatever kind of queue it is; a stream is no backlog."""
    assert found.failed == {}
    assert of_shop(found, "sereno_rabbitmq_queue_ready_messages") == {
        "audit": 2,
        "delayed": 0,
        "lost": 0,
        "mails": 2,
        "orders": 3,
        "orders.dead": 1,
        "parked": 1,
        "payments": 0,
        "refused": 0,
    }
    held = of_shop(found, "sereno_rabbitmq_queue_unacknowledged_messages")
    assert {name: count for name, count in held.items() if count} == {"audit": 2, "orders": 1}
    consumers = of_shop(found, "sereno_rabbitmq_queue_consumers")
    assert {name: count for name, count in consumers.items() if count} == {"audit": 1}
    assert of_shop(found, "sereno_rabbitmq_stream_messages") == {"journal": 3}
    assert "journal" not in held


def test_what_happened_is_counted_by_queue(found: Scrape) -> None:
    """Published, delivered, given out again, confirmed: one series a queue, whatever channels there were."""
    by_name = {
        what: of_shop(found, f"sereno_rabbitmq_queue_{what}_total")["orders"]
        for what in ("published", "delivered", "redelivered", "acknowledged")
    }
    assert by_name == {"published": 6, "delivered": 4, "redelivered": 1, "acknowledged": 1}
    assert of_shop(found, "sereno_rabbitmq_queue_delivered_total")["audit"] == 2


def test_the_age_of_the_oldest_message_is_told_where_publishers_tell_the_time(found: Scrape) -> None:
    """By its timestamp, dead letters too; without one there is no series, not an age of 0."""
    ages = of_shop(found, "sereno_rabbitmq_queue_oldest_age_seconds")
    assert {"orders", "orders.dead"} <= set(ages)
    assert all(AGE_SECONDS <= age < AGE_SECONDS + 120 for age in ages.values())
    assert not {"mails", "audit"} & set(ages)  # RabbitMQ 3.10 tells none of quorum queues


def test_queues_that_empty_by_themselves_say_when(found: Scrape) -> None:
    """By argument or by policy."""
    assert of_shop(found, "sereno_rabbitmq_queue_ttl_seconds") == {"delayed": 3600, "payments": 7200}


def test_dead_letter_queues_are_found(found: Scrape) -> None:
    """By argument, by policy, over two exchanges, by the default exchange; and only these."""
    assert of_shop(found, "sereno_rabbitmq_dead_letter_messages") == {"orders.dead": 1, "parked": 1, "refused": 0}


def test_dead_letters_that_go_nowhere_are_told(found: Scrape) -> None:
    """To how many queues each one's dead letters can go: an exchange that isn't there leads to none."""
    assert of_shop(found, "sereno_rabbitmq_queue_dead_letter_targets") == {
        "lost": 0,
        "mails": 1,
        "orders": 2,
        "payments": 2,
    }


def test_the_broker_as_a_whole(found: Scrape) -> None:
    """Connections, channels, virtual hosts, nodes, alarms, version."""
    assert found.value("sereno_rabbitmq_vhosts") == 3
    assert found.value("sereno_rabbitmq_connections") >= 2
    assert found.value("sereno_rabbitmq_channels") >= 2
    assert found.value("sereno_rabbitmq_consumers") == 1
    ((product, _, cluster),) = found.series("sereno_rabbitmq_info")
    assert product == "RabbitMQ"
    assert cluster.startswith("sereno-")
    assert list(found.series("sereno_rabbitmq_node_running").values()) == [1]
    assert {alarm: value for (_, alarm), value in found.series("sereno_rabbitmq_alarm").items()} == {
        "memory": 0,
        "disk": 0,
    }
    assert list(found.series("sereno_rabbitmq_node_partitions").values()) == [0]


@pytest.mark.parametrize("path", ["/metrics", "/metrics/detailed?family=queue_coarse_metrics"])
def test_its_names_are_those_of_the_brokers_own_plugin(rabbitmq_shop: Shop, found: Scrape, path: str) -> None:
    """Cluster and node by the same names: by them the alerts of both know that they speak of one broker."""
    (line,) = [line for line in rabbitmq_shop.broker.metrics(path).splitlines() if "rabbitmq_identity_info{" in line]
    ((_, _, cluster),) = found.series("sereno_rabbitmq_info")
    ((node,),) = found.series("sereno_rabbitmq_node_running")
    assert f'rabbitmq_cluster="{cluster}"' in line
    assert f'rabbitmq_node="{node}"' in line


def test_every_family_is_served_and_listed(found: Scrape) -> None:
    """The kind lists what a scrape serves, with these labels; nothing is promised that a real broker doesn't tell."""
    served = {metric.name: metric for metric in found.exposition.metrics if metric.samples}
    listed = {family.name.removesuffix("_total").removesuffix("_info"): family for family in ALL}
    own = {"up", "part_up", "scrape_duration_seconds", "series", "series_left_out"}
    assert set(served) == set(listed) | {f"sereno_rabbitmq_{name}" for name in own}
    for name, family in listed.items():
        labels = tuple(key for key in served[name].samples[0].labels if key != "target")
        assert labels == family.labels


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (['vhosts: ["other"]'], {(OTHER_VHOST, "orders")}),
        (['vhosts: ["o*"]'], {(OTHER_VHOST, "orders")}),
        (['queues: ["orders"]'], {(OTHER_VHOST, "orders"), (VHOST, "orders")}),
        (['queues: ["*.dead", "p?rked"]'], {(VHOST, "orders.dead"), (VHOST, "parked")}),
        (['queues: ["or*"]', 'without_queues: ["*.dead"]'], {(OTHER_VHOST, "orders"), (VHOST, "orders")}),
        (['vhosts: ["shop/north"]', 'queues: ["lost"]'], {(VHOST, "lost")}),
    ],
)
def test_only_what_is_asked_for(rabbitmq_shop: Shop, lines: list[str], expected: set[tuple[str, str]]) -> None:
    """Virtual hosts and queues by name and by pattern."""
    found = scraped(KIND, rabbitmq_shop.target(*lines), rabbitmq_shop.folder)
    assert found.failed == {}
    assert set(found.series("sereno_rabbitmq_queue_ready_messages")) == expected


def test_queues_named_by_the_server_are_left_out_unless_they_are_asked_for(rabbitmq_shop: Shop, found: Scrape) -> None:
    """A reply queue for each client would be a series for each client."""
    assert not any(name.startswith("amq.gen-") for name in of_shop(found, "sereno_rabbitmq_queue_ready_messages"))
    everything = scraped(KIND, rabbitmq_shop.target("without_queues: []"), rabbitmq_shop.folder)
    names = of_shop(everything, "sereno_rabbitmq_queue_ready_messages")
    assert sum(name.startswith("amq.gen-") for name in names) == 1


def test_dead_letters_of_watched_queues_are_told_though_their_queue_is_not_watched(rabbitmq_shop: Shop) -> None:
    """Nobody has to list the dead-letter queues, too."""
    found = scraped(KIND, rabbitmq_shop.target('queues: ["orders"]'), rabbitmq_shop.folder)
    assert set(of_shop(found, "sereno_rabbitmq_dead_letter_messages")) == {"orders.dead", "parked"}


def test_pages_together_are_the_whole(rabbitmq_shop: Shop, found: Scrape, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked in pages of three, every queue is there once, as in one answer."""
    monkeypatch.setattr(fetch, "ROUND", 1)
    monkeypatch.setattr(fetch, "PAGE_SIZE", 3)
    paged = scraped(KIND, rabbitmq_shop.target(), rabbitmq_shop.folder)
    name = "sereno_rabbitmq_queue_ready_messages"
    assert paged.series(name) == found.series(name)
    assert paged.series("sereno_rabbitmq_series_left_out")[("double",)] == 0


def test_too_many_pages_are_an_error_and_no_half_answer(rabbitmq_shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rather no figures than those of some queues."""
    monkeypatch.setattr(fetch, "ROUND", 1)
    monkeypatch.setattr(fetch, "PAGE_SIZE", 3)
    monkeypatch.setattr(fetch, "MOST_PAGES", 2)
    found = scraped(KIND, rabbitmq_shop.target(), rabbitmq_shop.folder)
    assert found.failure("queues") == (
        "too_large",
        "/api/queues has more than 6 queues: write vhosts that have fewer",
    )
    assert found.series("sereno_rabbitmq_queue_ready_messages") == {}


def test_a_user_of_one_virtual_host_sees_that_one(rabbitmq_shop: Shop) -> None:
    """What a hosted broker gives: queues and dead letters of its own; nodes are refused, and told so."""
    found = scraped(KIND, rabbitmq_shop.target(user="limited"), rabbitmq_shop.folder)
    assert {vhost for vhost, _ in found.series("sereno_rabbitmq_queue_ready_messages")} == {VHOST}
    assert of_shop(found, "sereno_rabbitmq_dead_letter_messages")["orders.dead"] == 1
    assert found.value("sereno_rabbitmq_vhosts") == 1
    assert found.value("sereno_rabbitmq_up") == 1
    assert found.failure("nodes")[0] == "refused"
    without = scraped(KIND, rabbitmq_shop.target("nodes: false", user="limited"), rabbitmq_shop.folder)
    assert without.failed == {}


def test_a_virtual_host_that_is_not_there_is_told(rabbitmq_shop: Shop) -> None:
    """By its name, rather than that the others have all the queues."""
    found = scraped(KIND, rabbitmq_shop.target('vhosts: ["/", "nowhere"]'), rabbitmq_shop.folder)
    reason, message = found.failure("queues")
    assert (reason, found.series("sereno_rabbitmq_queue_ready_messages")) == ("error", {})
    assert "/api/queues/nowhere answers 404: look at the address, and the names in it" in message


@pytest.mark.parametrize("vhost", ["%2F", "ünï/%41", "a?b#c"])
def test_no_name_is_too_strange(rabbitmq_shop: Shop, vhost: str) -> None:
    """Virtual hosts and queues whose names look like parts of addresses: told as they are, dead letters too."""
    broker, path = rabbitmq_shop.broker, quote(vhost, safe="")
    broker.add_vhost(vhost)
    broker.add_user("watcher", PASSWORD, tags="monitoring", vhosts=[vhost])
    names = {"a/b", "ünï", "%2F", ' "\\'}
    for name in names:
        arguments = {"x-dead-letter-exchange": "amq.fanout"}
        broker.call("PUT", f"/queues/{path}/{quote(name, safe='')}", {"arguments": arguments})
    broker.call("POST", f"/bindings/{path}/e/amq.fanout/q/a%2Fb", {})
    found = scraped(KIND, rabbitmq_shop.target(f"vhosts: ['{vhost}']"), rabbitmq_shop.folder)
    assert found.failed == {}
    assert found.series("sereno_rabbitmq_queue_dead_letter_targets") == {(vhost, name): 1 for name in names}
    broker.call("DELETE", f"/vhosts/{path}")


def test_a_wrong_password_is_told_without_it(rabbitmq_shop: Shop) -> None:
    """Every part is refused; the secret stands in no message."""
    found = scraped(KIND, rabbitmq_shop.target(user="password"), rabbitmq_shop.folder)
    assert {found.failure(part)[0] for part in ("queues", "dead_letters", "overview", "nodes")} == {"refused"}
    assert not any(PASSWORD in message for message in found.failed.values())
    assert found.value("sereno_rabbitmq_up") == 0


def test_a_scrape_lists_the_queues_once(rabbitmq_shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two parts need the listing, which is what costs the broker most."""
    asked: list[str] = []
    ask = HttpTarget.get_json

    def counted(self: HttpTarget, path: str, *arguments: object, **named: object) -> object:
        asked.append(path)
        return ask(self, path, *arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(HttpTarget, "get_json", counted)
    assert scraped(KIND, rabbitmq_shop.target(), rabbitmq_shop.folder).failed == {}
    assert sorted(asked) == ["/api/bindings/shop%2Fnorth", "/api/nodes", "/api/overview", "/api/queues", "/api/vhosts"]
