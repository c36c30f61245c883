"""The whole of the demo: compiles the specs, writes the past, starts every part in order, ends them all."""

import fcntl
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from sereno_slo.model import Service

from sereno_cli.demo import control, parts
from sereno_cli.demo.compiling import compile_specs_of, silent_specs
from sereno_cli.demo.configuration import write_configuration
from sereno_cli.demo.history import DAYS, write_history
from sereno_cli.demo.part import Part
from sereno_cli.demo.parts import Run
from sereno_cli.demo.places import OWN_PORTS, Addresses, DemoError, Places, find_programs, free_addresses
from sereno_cli.demo.scripts import write_scripts
from sereno_cli.demo.servers import check_servers, server_parts, server_places, server_ports
from sereno_cli.demo.supervisor import Supervisor
from sereno_cli.demo.switching import LOG, Switchboard, deeds_logged
from sereno_cli.demo.systems import FULL, Fault, System, full_ids, read_system, system_ids
from sereno_cli.demo.systems.words import filled_in

Tell = Callable[[str], None]


class NoSuchThing(DemoError):  # noqa: N818 - reads as what happened
    """A system or fault that isn't there is asked for."""


LIGHT = ("transactions-api",)
"""What runs where nothing else is asked for."""
ALL = "all"


@dataclass(frozen=True, slots=True)
class World:
    """A demo that runs: where its files and parts are, and what it watches."""

    run: Run
    systems: tuple[System, ...]
    services: tuple[Service, ...]
    """Whose budgets the screen shows."""
    faults: tuple[tuple[System, Fault], ...]
    """What a story breaks, those of one system one after the other; and the first is what a visitor breaks."""
    switchboard: Switchboard
    supervisor: Supervisor

    @property
    def places(self) -> Places:
        """Its files."""
        return self.run.places

    @property
    def addresses(self) -> Addresses:
        """Its ports."""
        return self.run.addresses

    def system_addresses(self) -> Iterator[tuple[str, str]]:
        """What people may open of the systems."""
        for system in self.systems:
            for name, text in system.addresses.items():
                yield name, filled_in(text, parts.words(self.run, system))


@contextmanager
def running_world(
    clone: Path, state: Path | None, tell: Tell, *, systems: Sequence[str] = LIGHT, faults: Sequence[str] = ()
) -> Iterator[World]:
    """Start everything with its files in `state` (var/demo of the clone), hand it over, end everything.

    Args:
        clone: of Sereno.
        state: where all files go.
        tell: is told each step.
        systems: names of those to run, with `:full` behind for that of production; "all": each of them in full.
        faults: which visitors and stories may switch on, as `system/fault`, or without `system/` of the first of them;
            none: the first one's first; "all": each of each that doesn't take hours.

    Raises:
        DemoError: a part is missing, didn't start or died; all others are ended.
    """
    chosen = _systems(clone, systems)
    broken = chosen_faults(chosen, faults)
    programs = find_programs()
    check_servers(chosen)
    places = Places(clone, (state or clone / "var" / "demo").resolve())
    with _only_one(places), ExitStack() as stack:
        _forget_last_run(places, chosen)
        addresses = stack.enter_context(free_addresses((*OWN_PORTS, *_ports(chosen), *server_ports(chosen))))
        servers = stack.enter_context(server_places(places, programs, addresses, chosen))
        run = Run(places, programs, addresses, servers)
        tell("compiling slo/specs")
        services = compile_specs_of(places, silent_specs(clone, chosen))
        tell(f"writing {DAYS} days of simulated history")
        samples = sum(_write_histories(run, chosen, services))
        tell(f"history written: {samples:,} ledger samples")
        _check_patience(chosen, services)
        configurations = write_configuration(run, chosen)
        supervisor = stack.enter_context(Supervisor(places.logs))
        told = tuple(services[name] for system in chosen for name in system.specs)
        world = World(run, chosen, told, broken, Switchboard(run, chosen, supervisor), supervisor)
        _start(world, configurations, tell)
        stack.enter_context(deeds_logged(places))
        stack.enter_context(control.served(world.switchboard, addresses.port("control")))
        write_scripts(run, *broken[0])
        yield world


def _systems(clone: Path, wanted: Sequence[str]) -> tuple[System, ...]:
    known = system_ids(clone)
    for name in wanted:
        if name != ALL and name.removesuffix(FULL) not in known:
            near = get_close_matches(name, known, n=1)
            raise NoSuchThing(f"there is no system {name}; " + (f"did you mean {near[0]}?" if near else _listed(known)))
    found: dict[str, System] = {}
    for name in full_ids(clone) if ALL in wanted else wanted:
        plain = name.removesuffix(FULL)
        system = read_system(clone / "systems" / plain, full=name in full_ids(clone) and name != plain)
        if not isinstance(system, System):
            raise DemoError("\n".join(map(str, system)))
        found.setdefault(plain, system)
    return tuple(found.values())


def chosen_faults(systems: Sequence[System], wanted: Sequence[str]) -> tuple[tuple[System, Fault], ...]:
    """Those that `wanted` means (see `running_world`), at least one.

    Raises:
        NoSuchThing: a name means none, or one that takes hours.
    """
    if ALL in wanted:
        every = tuple((system, fault) for system in systems for fault in system.faults if not fault.is_slow)
        if not every:
            raise NoSuchThing(f"{', '.join(system.name for system in systems)}: no fault that shows within minutes")
        return every
    by_name = {system.name: system for system in systems}
    found = []
    for text in wanted or ("",):
        name, _, fault = text.rpartition("/")
        system = by_name.get(name or systems[0].name)
        if system is None:
            raise NoSuchThing(f"{text}: {name} doesn't run; there are: {', '.join(by_name)}")
        found.append((system, _fault(system, fault)))
        if found[-1][1].is_slow:
            raise NoSuchThing(
                f"{text} takes hours in real time; in simulated time: "
                f"python -m benchmarks.stories {system.name}/{found[-1][1].name}"
            )
    return tuple(found)


def _fault(system: System, name: str) -> Fault:
    known = [fault.name for fault in system.faults]
    found = system.fault(name or known[0]) if known else None
    if found is None:
        raise NoSuchThing(
            f"{system.name} has no fault {name or 'to break it'}; there are: {', '.join(known) or 'none'}"
        )
    return found


def _listed(known: Iterable[str]) -> str:
    return f"there are: {', '.join((*known, ALL))}"


def _ports(systems: Iterable[System]) -> Iterator[str]:
    return (f"{program.name}.{port}" for system in systems for program in system.programs for port in program.ports)


def _write_histories(run: Run, systems: Iterable[System], services: Mapping[str, Service]) -> Iterator[int]:
    return (write_history(run, system, services, time.time()) for system in systems)


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


def _forget_last_run(places: Places, systems: Iterable[System]) -> None:
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
    for system in systems:
        places.files_of(system.name).mkdir(parents=True)
    for log in _logs(places, systems):
        log.touch()  # the collector may look before the program has written


def _logs(places: Places, systems: Iterable[System]) -> list[Path]:
    programs = (program.name for each in systems for program in each.programs if program.log is not None)
    return [places.log_of(name) for name in (LOG, *programs)]


def _start(world: World, configurations: tuple[Path, Path], tell: Tell) -> None:
    """In the order of dependence: who is told, servers, who is watched, who watches; load when all are healthy."""
    prometheus_yml, alertmanager_yml = configurations
    run, systems = world.run, world.systems
    _bring_up(world, (parts.incidents(run), parts.alertmanager(run, alertmanager_yml)), tell)
    for system in systems:
        for part in server_parts(run.servers, system):
            _bring_up(world, (part,), tell)
    _bring_up(
        world,
        (
            *(parts.program(run, system, program) for system in systems for program in system.programs),
            parts.collector(run, _logs(run.places, systems)),
            parts.prometheus(run, prometheus_yml),
        ),
        tell,
    )
    _bring_up(world, (parts.portal(run),), tell)
    for system in systems:
        if system.load is not None:
            world.supervisor.start(parts.load(run, system, system.load))
    tell(f"everything runs; the pages are at {run.addresses.url('portal')}")


def _bring_up(world: World, together: Sequence[Part], tell: Tell) -> None:
    """Start all of them, then wait until each is healthy."""
    for child in [world.supervisor.start(part) for part in together]:
        tell(f"waiting for {child.name}")
        world.supervisor.wait_healthy(child)


def _check_patience(systems: Sequence[System], services: Mapping[str, Service]) -> None:
    known = {f"{slo.service}/{slo.name}" for service in services.values() for slo in service.slos}
    for system in systems:
        if strangers := [name for name in system.wait_for_cause if name not in known]:
            raise DemoError(f"wait_for_cause of {system.name}: {', '.join(strangers)} is no SLO of slo/specs")
