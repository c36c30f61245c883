"""The parts of the demo: Sereno's own, its neighbours, the programs and the load of the systems."""

import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from sereno_cli.demo.backing import BACKINGS, Place
from sereno_cli.demo.part import Part
from sereno_cli.demo.places import Addresses, DemoError, Places, Programs
from sereno_cli.demo.systems import Load, Program, System
from sereno_cli.demo.systems.words import filled_in


@dataclass(frozen=True, slots=True)
class Run:
    """Where everything of one demo is."""

    places: Places
    programs: Programs
    addresses: Addresses
    servers: Mapping[str, Place] = field(default_factory=dict)
    """Where each server of a system is, by its name: `etl.redis`."""
    secret: str = field(default_factory=lambda: secrets.token_hex(32))
    """Of this run alone."""


def incidents(run: Run) -> Part:
    """Who is told."""
    arguments = (*_sereno(run.programs), "incidents", "serve", "--port", str(run.addresses.port("incidents")))
    return Part(
        "incidents", (*arguments, "--database", str(run.places.incidents)), f"{run.addresses.url('incidents')}/health"
    )


def alertmanager(run: Run, configuration: Path) -> Part:
    """Who decides who is told."""
    arguments = (
        run.programs.alertmanager,
        f"--config.file={configuration}",
        f"--storage.path={run.places.state / 'alertmanager'}",
        f"--web.listen-address=127.0.0.1:{run.addresses.port('alertmanager')}",
        "--cluster.listen-address=",
        # What it has told is written down this often, by default each 15 minutes. Killed before that, it has forgotten
        # that it told an alert, and nobody hears of its end (docs/reliability.md).
        "--data.maintenance-interval=5s",
    )
    return Part("alertmanager", arguments, f"{run.addresses.url('alertmanager')}/-/ready")


def program(run: Run, system: System, program: Program) -> Part:
    """One process of a system that is watched."""
    say = partial(filled_in, values=words(run, system, program))
    environment = python_path(run.places, system) | {
        variable: str(run.addresses.port(f"{program.name}.{port}")) for port, variable in program.ports.items()
    }
    environment |= {name: say(text) for name, text in program.environment.items()}
    if program.log is not None:
        environment[program.log] = str(run.places.log_of(program.name))
    for template in program.templates:
        _write_template(run.places, system, template, say)
    arguments = (run.programs.python, "-m", program.module, *map(say, program.arguments))
    return Part(program.name, arguments, None if program.healthy is None else say(program.healthy), environment)


def _write_template(places: Places, system: System, template: str, say: Callable[[str], str]) -> None:
    try:
        text = say((system.folder / template).read_text(encoding="utf-8"))
    except OSError as error:
        raise DemoError(f"{system.name}: the template {template} can't be read: {error.strerror}") from None
    except (KeyError, ValueError) as error:
        raise DemoError(f"{system.name}: in the template {template} a word means nothing: {error}") from None
    written = places.files_of(system.name) / template
    written.touch(mode=0o600)  # it may hold what logs in somewhere
    written.write_text(text, encoding="utf-8")


def words(run: Run, system: System, program: Program | None = None) -> dict[str, object]:
    """What the words of a system's texts say; with a program, its ports by their own names, too."""
    own = {port: run.addresses.port(f"{program.name}.{port}") for port in program.ports} if program else {}
    return {
        **run.addresses.ports,
        **own,
        **{
            f"{need}.{word}": say(run.servers[system.server(need)])
            for need in system.needs
            for word, say in BACKINGS[need].words.items()
        },
        "files": run.places.files_of(system.name),
        "logs": run.places.logs,
        "buckets": run.places.compiled / "buckets",
        "root": run.places.root,
        "prometheus": run.addresses.url("prometheus"),
        "secret": run.secret,
    }


def python_path(places: Places, system: System) -> dict[str, str]:
    """Where Python finds a system's modules, and those that all systems share."""
    folders = (places.root / "systems" / "common", system.folder)
    return {"PYTHONPATH": os.pathsep.join(map(str, folders)), "PYTHONUNBUFFERED": "1"}


def collector(run: Run, logs: Sequence[Path]) -> Part:
    """Who carries the logs into the store."""
    arguments = (
        *_sereno(run.programs), "collect", "logs",
        *(word for log in logs for word in ("--file", str(log))),
        "--log-store", str(run.places.log_store),
        "--checkpoint", str(run.places.state / "collector-checkpoint.json"),
        "--dead-letters", str(run.places.state / "dead-letters.jsonl"),
        "--metrics-port", str(run.addresses.port("collector")),
    )  # fmt: skip
    environment = {"SERENO_ELASTICSEARCH_URL": ""}  # the embedded store, whatever the visitor's own environment says
    return Part("collector", arguments, f"{run.addresses.url('collector')}/metrics", environment)


def prometheus(run: Run, configuration: Path) -> Part:
    """Who watches."""
    arguments = (
        run.programs.prometheus,
        f"--config.file={configuration}",
        f"--storage.tsdb.path={run.places.prometheus_data}",
        "--storage.tsdb.retention.time=90d",
        f"--web.listen-address=127.0.0.1:{run.addresses.port('prometheus')}",
        f"--web.external-url={run.addresses.url('prometheus')}",  # else alerts link to the host's name
    )
    return Part("prometheus", arguments, f"{run.addresses.url('prometheus')}/-/ready")


def portal(run: Run) -> Part:
    """What people look at."""
    arguments = (
        *_sereno(run.programs), "portal",
        "--port", str(run.addresses.port("portal")),
        "--prometheus", run.addresses.url("prometheus"),
        "--incidents", run.addresses.url("incidents"),
        "--log-store", str(run.places.log_store),
        "--root", str(run.places.portal_root),
    )  # fmt: skip
    environment = {"SERENO_ELASTICSEARCH_URL": ""}  # as the collector's
    return Part("portal", arguments, f"{run.addresses.url('portal')}/health", environment)


def load(run: Run, system: System, load: Load) -> Part:
    """Who uses a system."""
    arguments = (filled_in(text, words(run, system)) for text in load.arguments)
    return Part(
        f"{system.name}.load",
        (run.programs.python, "-m", load.module, *arguments),
        None,
        python_path(run.places, system),
    )


def _sereno(programs: Programs) -> tuple[str, ...]:
    return (programs.python, "-m", "sereno_cli")
