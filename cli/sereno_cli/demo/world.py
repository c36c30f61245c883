"""The whole of the demo: compiles the specs, writes the past, starts every part in order, ends them all."""

import fcntl
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sereno_slo import FOLDER, compile_specs, has_errors, read_settings, read_source, validate_specs, write
from sereno_slo.model import Service
from sereno_slo.source import SourceFile

from sereno_cli.demo.configuration import write_configuration
from sereno_cli.demo.history import DAYS, write_history
from sereno_cli.demo.places import Addresses, DemoError, Places, Programs, find_programs, free_addresses
from sereno_cli.demo.scripts import write_scripts
from sereno_cli.demo.supervisor import Supervisor

REQUESTS_PER_SECOND = 20
_SERVICE = "transactions-api"

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class World:
    """A demo that runs: where its files and parts are, and what it watches."""

    places: Places
    programs: Programs
    addresses: Addresses
    service: Service
    supervisor: Supervisor


@contextmanager
def running_world(clone: Path, state: Path | None, tell: Tell) -> Iterator[World]:
    """Start everything with its files in `state` (var/demo of the clone), hand it over, end everything.

    Raises:
        DemoError: a part is missing, didn't start or died; all others are ended.
    """
    programs = find_programs()
    places = Places(clone, (state or clone / "var" / "demo").resolve())
    with _only_one(places):
        _forget_last_run(places)
        addresses = free_addresses()
        tell("compiling slo/specs")
        service = _compile(places)
        tell(f"writing {DAYS} days of simulated history")
        samples = write_history(places, programs, service, time.time())
        tell(f"history written: {samples:,} ledger samples")
        configurations = write_configuration(places, addresses)
        with Supervisor(places.logs) as supervisor:
            world = World(places, programs, addresses, service, supervisor)
            _start(world, configurations, tell)
            write_scripts(world.places, world.programs, world.addresses)
            yield world


@contextmanager
def _only_one(places: Places) -> Iterator[None]:
    """Two demos would write into each other's files."""
    places.state.mkdir(parents=True, exist_ok=True)
    with places.lock.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise DemoError("another demo runs with the same files; end it with Ctrl-C in its terminal") from None
        yield


def _forget_last_run(places: Places) -> None:
    """Everything but the drafts."""
    for path in places.state.iterdir():
        if path in (places.postmortems, places.lock):
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    places.logs.mkdir()
    places.postmortems.mkdir(exist_ok=True)
    places.service_log.touch()  # the collector may look before the service has written


def _compile(places: Places) -> Service:
    """Compile the clone's specs into the demo's state, as `sereno compile --out` does."""
    sources = [read_source(path) for path in sorted((places.root / "slo" / "specs").glob("*.slo.yaml"))]
    settings_source = read_source(places.root / "sereno.yaml")
    settings, problems = read_settings(settings_source if isinstance(settings_source, SourceFile) else None)
    readable = [source for source in sources if isinstance(source, SourceFile)]
    compilation = compile_specs(readable, settings, FOLDER)
    found = (*problems, *compilation.diagnostics, *(s for s in sources if not isinstance(s, SourceFile)))
    if has_errors(found):
        raise DemoError("the specs have mistakes:\n" + "\n".join(map(str, found)))
    write(compilation.artefacts, FOLDER, places.compiled, is_complete=True)
    for service in validate_specs(readable, settings).services:
        if service.name == _SERVICE:
            return service
    raise DemoError(f"slo/specs describes no {_SERVICE}, the service that the demo runs")


def _start(world: World, configurations: tuple[Path, Path], tell: Tell) -> None:
    """In the order of dependence: who is told, who watches, who is watched."""
    prometheus_yml, alertmanager_yml = configurations
    places, addresses, supervisor = world.places, world.addresses, world.supervisor
    sereno = [world.programs.python, "-m", "sereno_cli"]
    tell("starting the incident receiver")
    incidents = supervisor.start(
        "incidents",
        [*sereno, "incidents", "serve", "--port", str(addresses.incidents), "--database", str(places.incidents)],
    )
    tell("starting Alertmanager")
    alertmanager = supervisor.start(
        "alertmanager",
        [
            world.programs.alertmanager,
            f"--config.file={alertmanager_yml}",
            f"--storage.path={places.state / 'alertmanager'}",
            f"--web.listen-address=127.0.0.1:{addresses.alertmanager}",
            "--cluster.listen-address=",
        ],
    )
    tell("starting transactions-api, its load and its log collector")
    service = supervisor.start(
        "transactions-api", [world.programs.python, "-m", "transactions_api"], _service_environment(world)
    )
    collector = supervisor.start(
        "collector",
        [
            *sereno, "collect", "logs",
            "--file", str(places.service_log),
            "--log-store", str(places.log_store),
            "--checkpoint", str(places.state / "collector-checkpoint.json"),
            "--dead-letters", str(places.state / "dead-letters.jsonl"),
            "--metrics-port", str(addresses.collector),
        ],
        {"SERENO_ELASTICSEARCH_URL": ""},
    )  # fmt: skip
    tell("starting Prometheus")
    prometheus = supervisor.start(
        "prometheus",
        [
            world.programs.prometheus,
            f"--config.file={prometheus_yml}",
            f"--storage.tsdb.path={places.prometheus_data}",
            "--storage.tsdb.retention.time=90d",
            f"--web.listen-address=127.0.0.1:{addresses.prometheus}",
        ],
    )
    supervisor.wait_healthy(incidents, f"{addresses.url('incidents')}/health")
    supervisor.wait_healthy(alertmanager, f"{addresses.url('alertmanager')}/-/ready")
    supervisor.wait_healthy(service, f"{addresses.url('service')}/health")
    supervisor.wait_healthy(collector, f"{addresses.url('collector')}/metrics")
    supervisor.wait_healthy(prometheus, f"{addresses.url('prometheus')}/-/ready")
    supervisor.start(
        "load",
        [
            world.programs.python, "-m", "transactions_api.load",
            "--url", addresses.url("service"),
            "--requests-per-second", str(REQUESTS_PER_SECOND),
        ],
        _python_path(places),
    )  # fmt: skip
    tell("everything runs")


def _python_path(places: Places) -> dict[str, str]:
    return {"PYTHONPATH": str(places.system), "PYTHONUNBUFFERED": "1"}


def _service_environment(world: World) -> dict[str, str]:
    places, addresses = world.places, world.addresses
    return _python_path(places) | {
        "TRANSACTIONS_PORT": str(addresses.service),
        "TRANSACTIONS_ADMIN_PORT": str(addresses.service_admin),
        "TRANSACTIONS_DATABASE": str(places.state / "transactions.sqlite"),
        "TRANSACTIONS_LOG_FILE": str(places.service_log),
        "SERENO_BUCKETS_FILE": str(places.compiled / "buckets" / f"{_SERVICE}.json"),
    }
