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

from sereno_cli.demo import parts
from sereno_cli.demo.configuration import write_configuration
from sereno_cli.demo.history import DAYS, write_history
from sereno_cli.demo.parts import SERVICE
from sereno_cli.demo.places import Addresses, DemoError, Places, Programs, find_programs, free_addresses
from sereno_cli.demo.scripts import write_scripts
from sereno_cli.demo.supervisor import Supervisor

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
        if service.name == SERVICE:
            return service
    raise DemoError(f"slo/specs describes no {SERVICE}, the service that the demo runs")


def _start(world: World, configurations: tuple[Path, Path], tell: Tell) -> None:
    """In the order of dependence: who is told, who is watched, who watches; load only when all of them are healthy."""
    prometheus_yml, alertmanager_yml = configurations
    here = (world.places, world.programs, world.addresses)
    started = [
        (part, world.supervisor.start(part.name, part.arguments, part.environment))
        for part in (
            parts.incidents(*here),
            parts.alertmanager(*here, alertmanager_yml),
            parts.service(*here),
            parts.collector(*here),
            parts.prometheus(*here, prometheus_yml),
        )
    ]
    for part, child in started:
        tell(f"waiting for {part.name}")
        if part.healthy is not None:
            world.supervisor.wait_healthy(child, part.healthy)
    load = parts.load(*here)
    world.supervisor.start(load.name, load.arguments, load.environment)
    tell("everything runs")
