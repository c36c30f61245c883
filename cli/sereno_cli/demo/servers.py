"""The servers of the systems that run: which are missing on this machine, where each is, and its processes."""

import os
import pwd
import secrets
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sereno_cli.demo.backing import BACKINGS, Place
from sereno_cli.demo.part import Part
from sereno_cli.demo.places import Addresses, Places, ProgramMissing, Programs
from sereno_cli.demo.systems import System


def check_servers(systems: Iterable[System]) -> None:
    """Are all servers here that the systems need?

    Raises:
        ProgramMissing: names those that aren't, and how to install them.
    """
    wanted = {need: BACKINGS[need] for system in systems for need in system.needs}
    missing = [kind for kind in wanted.values() if not kind.is_here()]
    if missing:
        names = ", ".join(kind.name for kind in missing)
        packages = " ".join(kind.packages or f"(pip: {kind.name}[server])" for kind in missing)
        raise ProgramMissing(
            f"these systems need servers that aren't here: {names}\n"
            f"  Debian/Ubuntu:  sudo apt-get install --no-install-recommends {packages}"
        )


def server_ports(systems: Iterable[System]) -> Iterator[str]:
    """The names of all their ports."""
    for system in systems:
        for need in system.needs:
            yield from (_address(system, need, port) for port in BACKINGS[need].ports)


@contextmanager
def server_places(
    places: Places, programs: Programs, addresses: Addresses, systems: Iterable[System]
) -> Iterator[Mapping[str, Place]]:
    """A place for every server. Folders that another user has to enter are temporary: our state may be closed to it."""
    with ExitStack() as stack:
        yield {
            system.server(need): Place(
                name=system.server(need),
                folder=_folder(stack, places.files_of(system.name) / need, BACKINGS[need].runs_as()),
                ports={port: addresses.port(_address(system, need, port)) for port in BACKINGS[need].ports},
                password=secrets.token_urlsafe(16),
                python=programs.python,
            )
            for system in systems
            for need in system.needs
        }


def server_parts(servers: Mapping[str, Place], system: System) -> Sequence[Part]:
    """The processes of a system's servers, in the order in which they start."""
    return [part for need in system.needs for part in BACKINGS[need].parts(servers[system.server(need)])]


def server_scrapes(systems: Iterable[System]) -> Iterator[tuple[str, str, str]]:
    """Folder of exporters/standard, name of the port, system: for each that Prometheus scrapes."""
    for system in systems:
        for need in system.needs:
            for port, folder in BACKINGS[need].scrapes.items():
                yield folder, _address(system, need, port), system.name


def _address(system: System, need: str, port: str) -> str:
    return f"{system.server(need)}.{port}"


def _folder(stack: ExitStack, usual: Path, user: str | None) -> Path:
    if user is None:
        usual.mkdir(parents=True, exist_ok=True)
        return usual
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sereno-demo-", ignore_cleanup_errors=True)))
    entry = pwd.getpwnam(user)
    os.chown(folder, entry.pw_uid, entry.pw_gid)
    return folder
