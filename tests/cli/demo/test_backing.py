"""Servers of systems: they start, are what their words say, and come back from being stopped with what they knew."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import boto3  # type: ignore[import-untyped]
import httpx
import pika  # type: ignore[import-untyped]
import psycopg
import pytest
import redis
import yaml
from sereno_cli.demo import parts
from sereno_cli.demo.backing import BACKINGS, Place
from sereno_cli.demo.configuration import write_configuration
from sereno_cli.demo.parts import Run
from sereno_cli.demo.places import OWN_PORTS, DemoError, Places, ProgramMissing, Programs, free_addresses
from sereno_cli.demo.servers import check_servers, server_parts, server_places, server_ports
from sereno_cli.demo.supervisor import Supervisor
from sereno_cli.demo.systems import System, read_system
from support.waiting import wait_for

REPOSITORY = Path(__file__).parents[3]
PROGRAMS = Programs("prometheus", "promtool", "alertmanager")


def system(folder: Path, *needs: str) -> System:
    """A system that needs these servers."""
    document: dict[str, Any] = {
        "version": "sereno/v1",
        "system": "shop",
        "title": "Shop",
        "specs": ["shop"],
        "needs": list(needs),
        "programs": {"shop": {"module": "shop"}},
    }
    (folder / "system.yaml").write_text(yaml.safe_dump(document))
    found = read_system(folder)
    assert isinstance(found, System), found
    return found


@dataclass(frozen=True)
class Started:
    """One server that runs."""

    run: Run
    system: System
    place: Place
    supervisor: Supervisor

    def word(self, name: str) -> str:
        """What a text of system.yaml would say."""
        return str(BACKINGS[self.system.needs[0]].words[name](self.place))


@contextmanager
def started(folder: Path, need: str) -> Iterator[Started]:
    """The server of one system, as the demo starts it."""
    if not BACKINGS[need].is_here():
        pytest.skip(f"needs {need}: make test-tools")
    one = system(folder, need)
    places = Places(REPOSITORY, folder / "state")
    with ExitStack() as stack:
        addresses = stack.enter_context(free_addresses((*OWN_PORTS, *server_ports([one]))))
        servers = stack.enter_context(server_places(places, PROGRAMS, addresses, [one]))
        supervisor = stack.enter_context(Supervisor(places.logs))
        for part in server_parts(servers, one):
            supervisor.wait_healthy(supervisor.start(part))
        yield Started(Run(places, PROGRAMS, addresses, servers), one, servers[f"shop.{need}"], supervisor)


def _scraped(server: Started, port: str) -> str:
    return httpx.get(f"http://127.0.0.1:{server.place.ports[port]}/metrics", trust_env=False, timeout=10).text


@pytest.mark.xdist_group("redis")
def test_redis_knows_what_it_was_told_before_it_was_stopped(tmp_path: Path) -> None:
    """A queue in it survives; its exporter tells that it is gone meanwhile."""
    with started(tmp_path, "redis") as server, redis.Redis.from_url(server.word("url")) as client:
        client.rpush("queue", "first", "second")
        assert "redis_up 1" in _scraped(server, "exporter")
        server.supervisor.stop_part("shop.redis")
        with pytest.raises(redis.ConnectionError):
            client.ping()
        assert "redis_up 0" in _scraped(server, "exporter")
        server.supervisor.start_part("shop.redis")
        assert client.lrange("queue", 0, -1) == [b"first", b"second"]


@pytest.mark.xdist_group("postgresql")
def test_postgresql_is_stopped_with_clients_and_comes_back(tmp_path: Path) -> None:
    """Clients don't hold it up; what was committed is there afterwards."""
    with started(tmp_path, "postgresql") as server:
        with psycopg.connect(server.word("url"), autocommit=True) as client:
            client.execute("CREATE TABLE rows AS SELECT 7 AS number")
            server.supervisor.stop_part("shop.postgresql")
            with pytest.raises(psycopg.OperationalError):
                client.execute("SELECT 1")
        server.supervisor.start_part("shop.postgresql")
        with psycopg.connect(server.word("url")) as client:
            assert client.execute("SELECT number FROM rows").fetchone() == (7,)
        # Its first connection has gone with the server.
        wait_for(lambda: "pg_up 1" in _scraped(server, "exporter"), what="the exporter reads the server again")


@pytest.mark.xdist_group("rabbitmq")
def test_rabbitmq_has_its_api_and_keeps_durable_messages(tmp_path: Path) -> None:
    """Stopped and started, a durable queue has its message."""
    with started(tmp_path, "rabbitmq") as server:
        url = server.word("url")
        with pika.BlockingConnection(pika.URLParameters(url)) as connection:
            channel = connection.channel()
            channel.queue_declare("work", durable=True)
            channel.confirm_delivery()
            channel.basic_publish("", "work", b"one", pika.BasicProperties(delivery_mode=2))
        server.supervisor.stop_part("shop.rabbitmq")
        server.supervisor.start_part("shop.rabbitmq")
        with pika.BlockingConnection(pika.URLParameters(url)) as connection:
            _, _, body = connection.channel().basic_get("work", auto_ack=True)
            assert body == b"one"
        overview = httpx.get(
            f"{server.word('management')}/api/overview", auth=("guest", "guest"), trust_env=False, timeout=10
        )
        assert overview.is_success
        assert "rabbitmq_identity_info" in _scraped(server, "metrics")


@pytest.mark.xdist_group("moto")
def test_moto_is_aws(tmp_path: Path) -> None:
    """A topic can be made in it."""
    with started(tmp_path, "moto") as server:
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        sns = boto3.client("sns", region_name="eu-west-1", endpoint_url=server.word("url"), **keys)
        assert sns.create_topic(Name="transactions")["TopicArn"].endswith(":transactions")


def test_servers_are_scraped_by_the_repository_s_own_jobs(tmp_path: Path) -> None:
    """Alerts and dashboards go by the names of these jobs; each target says whose server it is."""
    one = system(tmp_path, "redis", "rabbitmq", "postgresql", "moto")
    (tmp_path / "state" / "compiled" / "alertmanager").mkdir(parents=True)
    (tmp_path / "state" / "compiled" / "alertmanager" / "inhibit_rules.yml").write_text("inhibit_rules: []\n")
    with free_addresses((*OWN_PORTS, *server_ports([one]))) as addresses:
        run = Run(Places(REPOSITORY, tmp_path / "state"), PROGRAMS, addresses, {})
        prometheus, _ = write_configuration(run, [one])
    jobs = {job["job_name"]: job for job in yaml.safe_load(prometheus.read_text())["scrape_configs"]}
    assert {"redis", "rabbitmq", "rabbitmq-queues", "postgresql"} <= set(jobs)
    (target,) = jobs["rabbitmq-queues"]["static_configs"]
    assert target["labels"] == {"system": "shop"}
    assert target["targets"] == [f"127.0.0.1:{run.addresses.port('shop.rabbitmq.metrics')}"]
    assert jobs["rabbitmq-queues"]["metrics_path"] == "/metrics/detailed"


def test_a_program_s_template_is_written_with_its_words(tmp_path: Path) -> None:
    """A configuration that has to know ports; what isn't there or means nothing is told."""
    one = system(tmp_path, "redis")
    (tmp_path / "exporters.yaml").write_text("port: ${redis.port}\n")
    (tmp_path / "wrong.yaml").write_text("port: ${rabbitmq.port}\n")
    places = Places(REPOSITORY, tmp_path / "state")
    with (
        free_addresses((*OWN_PORTS, *server_ports([one]))) as addresses,
        server_places(places, PROGRAMS, addresses, [one]) as servers,
    ):
        run = Run(places, PROGRAMS, addresses, servers)
        parts.program(run, one, replace(one.programs[0], templates=("exporters.yaml",)))
        written = places.files_of("shop") / "exporters.yaml"
        assert written.read_text() == f"port: {addresses.port('shop.redis.port')}\n"
        assert written.stat().st_mode & 0o077 == 0
        with pytest.raises(DemoError, match=r"template wrong.yaml a word means nothing: 'rabbitmq.port'"):
            parts.program(run, one, replace(one.programs[0], templates=("wrong.yaml",)))
        with pytest.raises(DemoError, match=r"template gone\.yaml can't be read: No such file"):
            parts.program(run, one, replace(one.programs[0], templates=("gone.yaml",)))


def test_a_server_that_is_not_here_is_told_with_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is started."""
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(ProgramMissing, match=r"(?s)aren't here: redis.*apt-get install .* redis-server"):
        check_servers([system(tmp_path, "redis")])
