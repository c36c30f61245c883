"""Standard exporters for tests: each the real one of Debian, before the real server that it is made for, on free ports.

MongoDB is the exception: neither a server nor an exporter of today comes by apt, so what its exporter serves is read
from a file that was written by its source.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx
import pika  # type: ignore[import-untyped]
import redis
import yaml

from support.certificates import authority, issued
from support.elasticsearch import ElasticsearchServer
from support.nginx import Nginx, running_nginx
from support.ports import free_port
from support.postgresql import PostgresqlServer, running_postgresql
from support.postgresql_standby import running_standby
from support.prometheus import running
from support.rabbitmq import running_rabbitmq
from support.recorded_exporter import running_recorded
from support.redis import running_redis

STANDARD = Path(__file__).resolve().parents[2] / "exporters" / "standard"
RECORDED = Path(__file__).resolve().parents[1] / "exporters" / "standard" / "recorded"


def nothing() -> None:
    """No work to do."""


@dataclass(frozen=True, slots=True)
class Watched:
    """What a scrape job needs: its targets, and the exporter's own address where that is something else."""

    targets: tuple[str, ...]
    exporter: str = ""
    work: Callable[[], None] = nothing
    """Lets the server do something, so that rates and means are there."""


def program(name: str) -> str | None:
    """Debian's exporter, if it is here."""
    return shutil.which(f"prometheus-{name}-exporter")


@contextmanager
def exporter(name: str, folder: Path, *flags: str, dashes: str = "--", before: tuple[str, ...] = ()) -> Iterator[str]:
    """A running exporter's address. `dashes`: those of Go's own flags are single; `before` comes before the program."""
    found = program(name)
    assert found is not None
    address = f"127.0.0.1:{free_port()}"
    log = folder / f"{name}-{address.rpartition(':')[2]}.log"
    command = [*before, found, f"{dashes}web.listen-address={address}", *flags]
    with running(command, url=f"http://{address}", log=log, ready_path="/"):
        yield address


@contextmanager
def node(folder: Path) -> Iterator[Watched]:
    """This machine."""
    with exporter("node", folder) as address:
        yield Watched((address,))


@contextmanager
def postgres_exporter(folder: Path, url: str) -> Iterator[str]:
    """The exporter of a PostgreSQL at `url`; it takes the address from its environment only."""
    with exporter("postgres", folder, before=("env", f"DATA_SOURCE_NAME={url}?sslmode=disable")) as address:
        yield address


@contextmanager
def postgresql(folder: Path) -> Iterator[Watched]:
    """A primary with a standby that reads by a slot; watched with the rights that the documentation grants, no more."""
    with running_postgresql() as server, running_standby(server, slot="standby"):
        server.run((STANDARD / "postgresql" / "account.sql").read_text(encoding="utf-8"))
        server.run("ALTER USER sereno_exporter PASSWORD 'exporter'")
        url = f"postgresql://sereno_exporter:exporter@127.0.0.1:{server.port}/postgres"
        with postgres_exporter(folder, url) as address:
            yield Watched((address,), work=partial(_use_postgresql, server))


def _use_postgresql(server: PostgresqlServer) -> None:
    server.run("SELECT count(*) FROM pg_class; SELECT pg_switch_wal();")


@contextmanager
def redis_exporter(folder: Path, port: int) -> Iterator[str]:
    """The exporter of a Redis, with the rights that the documentation grants, no more."""
    account = (STANDARD / "redis" / "account.redis").read_text(encoding="utf-8")
    with redis.Redis(port=port) as client:
        client.execute_command(*account.split())
    flags = (f"-redis.addr=redis://127.0.0.1:{port}", "-redis.user=exporter", "-redis.password=exporter")
    with exporter("redis", folder, *flags, dashes="-") as address:
        yield address


@contextmanager
def redis_pair(folder: Path) -> Iterator[Watched]:
    """A master with a limit, which has written a snapshot, and its replica; an exporter for each."""
    master, replica = free_port(), free_port()
    of_replica = ("--replicaof", "127.0.0.1", str(master))
    flags = ("--maxmemory", "64mb", "--maxmemory-policy", "noeviction")
    folders = [folder / "master", folder / "replica"]
    for each in folders:
        each.mkdir()
    with (
        running_redis(folders[0], master, *flags),
        running_redis(folders[1], replica, *of_replica),
        ExitStack() as stack,
    ):
        addresses = [stack.enter_context(redis_exporter(folder, port)) for port in (master, replica)]
        yield Watched(tuple(addresses), work=partial(_use_redis, master))


def _use_redis(port: int) -> None:
    with redis.Redis(port=port) as client:
        client.set("here", "1")
        client.get("here")
        client.get("nowhere")


def _without_heartbeat(url: str) -> pika.URLParameters:
    """Nobody answers any while other tests run: the broker would hang up after a minute."""
    parameters = pika.URLParameters(url)
    parameters.heartbeat = 0
    return parameters


@contextmanager
def rabbitmq(folder: Path) -> Iterator[Watched]:
    """A broker with its plugin, a message that waits, one that nobody acknowledges, and one that went nowhere."""
    port = free_port()
    lines = (f"prometheus.tcp.ip = 127.0.0.1\nprometheus.tcp.port = {port}\n", "collect_statistics_interval = 1000\n")
    with (
        running_rabbitmq(folder, plugins=["rabbitmq_prometheus"], configuration="".join(lines)) as broker,
        pika.BlockingConnection(_without_heartbeat(broker.url)) as connection,
    ):
        channel = connection.channel()
        channel.queue_declare("orders")
        for queue in ("orders", "orders", "nowhere"):
            channel.basic_publish("", queue, b"message")
        channel.basic_get("orders")
        yield Watched((f"127.0.0.1:{port}",), work=lambda: connection.process_data_events(0))


@contextmanager
def nginx_watched(folder: Path, server: Nginx) -> Iterator[str]:
    """The exporter of a running nginx."""
    flag = f"-nginx.scrape-uri={server.url}/stub_status"
    with exporter("nginx", folder, flag, dashes="-") as address:
        yield address


@contextmanager
def nginx(folder: Path) -> Iterator[Watched]:
    """An nginx that answers."""
    with running_nginx(folder / "nginx") as server, nginx_watched(folder, server) as address:
        yield Watched((address,), work=lambda: _get(server.url))


def _get(url: str) -> None:
    httpx.get(url, timeout=5, trust_env=False).raise_for_status()


@contextmanager
def mongodb(folder: Path) -> Iterator[Watched]:
    """What the exporter's source says that it serves, for both members of a replica set; counters grow."""
    del folder
    with running_recorded((RECORDED / "mongodb.prom").read_text(encoding="utf-8")) as address:
        yield Watched((address,))


@contextmanager
def elasticsearch(folder: Path, server: ElasticsearchServer) -> Iterator[Watched]:
    """The exporter of a cluster of one node."""
    with exporter("elasticsearch", folder, f"--es.uri={server.url}", "--es.all") as address:
        yield Watched((address,), work=partial(_use_elasticsearch, server.url))


def _use_elasticsearch(url: str) -> None:
    httpx.post(f"{url}/standard-exporters/_doc", json={"a": 1}, timeout=10, trust_env=False).raise_for_status()
    _get(f"{url}/standard-exporters/_search")


@contextmanager
def blackbox_exporter(folder: Path, ca: Path) -> Iterator[str]:
    """The exporter with the modules of exporters/standard; it trusts a private authority besides."""
    modules = yaml.safe_load((STANDARD / "blackbox" / "modules.yaml").read_text(encoding="utf-8"))
    modules["modules"]["http_2xx"]["http"]["tls_config"] = {"ca_file": str(ca)}
    path = folder / "modules.yaml"
    path.write_text(yaml.safe_dump(modules), encoding="utf-8")
    with exporter("blackbox", folder, f"--config.file={path}") as address:
        yield address


@contextmanager
def blackbox(folder: Path) -> Iterator[Watched]:
    """A page with a certificate that is good."""
    trusted = authority(folder)
    with (
        running_nginx(folder / "nginx", issued(folder, trusted)) as page,
        blackbox_exporter(folder, trusted.path) as address,
    ):
        yield Watched((f"{page.url}/",), exporter=address)
