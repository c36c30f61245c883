"""The parts of the demo as data: what each is called, how it is started and where it answers when it is healthy."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sereno_cli.demo.places import Addresses, Places, Programs

SERVICE = "transactions-api"
REQUESTS_PER_SECOND = 20


@dataclass(frozen=True, slots=True)
class Part:
    """One process of the demo."""

    name: str
    arguments: tuple[str, ...]
    healthy: str | None
    """The address that answers 200 once the part is healthy; None where nothing is served."""
    environment: Mapping[str, str] = field(default_factory=dict)


def incidents(places: Places, programs: Programs, addresses: Addresses) -> Part:
    """Who is told."""
    arguments = (*_sereno(programs), "incidents", "serve", "--port", str(addresses.incidents))
    return Part("incidents", (*arguments, "--database", str(places.incidents)), f"{addresses.url('incidents')}/health")


def alertmanager(places: Places, programs: Programs, addresses: Addresses, configuration: Path) -> Part:
    """Who decides who is told."""
    arguments = (
        programs.alertmanager,
        f"--config.file={configuration}",
        f"--storage.path={places.state / 'alertmanager'}",
        f"--web.listen-address=127.0.0.1:{addresses.alertmanager}",
        "--cluster.listen-address=",
    )
    return Part("alertmanager", arguments, f"{addresses.url('alertmanager')}/-/ready")


def service(places: Places, programs: Programs, addresses: Addresses) -> Part:
    """Who is watched."""
    environment = _python_path(places) | {
        "TRANSACTIONS_PORT": str(addresses.service),
        "TRANSACTIONS_ADMIN_PORT": str(addresses.service_admin),
        "TRANSACTIONS_DATABASE": str(places.state / "transactions.sqlite"),
        "TRANSACTIONS_LOG_FILE": str(places.service_log),
        "SERENO_BUCKETS_FILE": str(places.compiled / "buckets" / f"{SERVICE}.json"),
    }
    arguments = (programs.python, "-m", "transactions_api")
    return Part(SERVICE, arguments, f"{addresses.url('service')}/health", environment)


def collector(places: Places, programs: Programs, addresses: Addresses) -> Part:
    """Who carries the logs into the store."""
    arguments = (
        *_sereno(programs), "collect", "logs",
        "--file", str(places.service_log),
        "--log-store", str(places.log_store),
        "--checkpoint", str(places.state / "collector-checkpoint.json"),
        "--dead-letters", str(places.state / "dead-letters.jsonl"),
        "--metrics-port", str(addresses.collector),
    )  # fmt: skip
    environment = {"SERENO_ELASTICSEARCH_URL": ""}  # the embedded store, whatever the visitor's own environment says
    return Part("collector", arguments, f"{addresses.url('collector')}/metrics", environment)


def prometheus(places: Places, programs: Programs, addresses: Addresses, configuration: Path) -> Part:
    """Who watches."""
    arguments = (
        programs.prometheus,
        f"--config.file={configuration}",
        f"--storage.tsdb.path={places.prometheus_data}",
        "--storage.tsdb.retention.time=90d",
        f"--web.listen-address=127.0.0.1:{addresses.prometheus}",
        f"--web.external-url={addresses.url('prometheus')}",  # else alerts link to the host's name
    )
    return Part("prometheus", arguments, f"{addresses.url('prometheus')}/-/ready")


def load(places: Places, programs: Programs, addresses: Addresses) -> Part:
    """Who uses the service."""
    arguments = (
        programs.python, "-m", "transactions_api.load",
        "--url", addresses.url("service"),
        "--requests-per-second", str(REQUESTS_PER_SECOND),
    )  # fmt: skip
    return Part("load", arguments, None, _python_path(places))


def _sereno(programs: Programs) -> tuple[str, ...]:
    return (programs.python, "-m", "sereno_cli")


def _python_path(places: Places) -> dict[str, str]:
    return {"PYTHONPATH": places.python_path, "PYTHONUNBUFFERED": "1"}
