"""Where the demo keeps its files, which programs it needs and which addresses its parts have."""

import secrets
import shutil
import socket
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

# What each program is called; Debian renames Alertmanager.
PROGRAMS = {
    "prometheus": ("prometheus",),
    "promtool": ("promtool",),
    "alertmanager": ("alertmanager", "prometheus-alertmanager"),
}

HOW_TO_INSTALL = """\
Install Prometheus and Alertmanager, then try again:
  Debian/Ubuntu:  sudo apt-get install --no-install-recommends prometheus prometheus-alertmanager
  macOS:          brew install prometheus alertmanager
  Docker:         docker run --rm -it --network host -v "$PWD:/src" -w /src python:3.13-bookworm make demo"""


class DemoError(Exception):
    """The demo can't start or go on; the message says why and what to do."""


class ProgramMissing(DemoError):  # noqa: N818 - reads as what happened
    """A program that the demo needs is not on PATH."""


@dataclass(frozen=True, slots=True)
class Programs:
    """Paths of the programs of others that the demo runs."""

    prometheus: str
    promtool: str
    alertmanager: str
    python: str = sys.executable


def find_programs() -> Programs:
    """All programs on PATH.

    Raises:
        ProgramMissing: names every missing one and how to install it.
    """
    found = {name: next(filter(None, map(shutil.which, names)), None) for name, names in PROGRAMS.items()}
    missing = [name for name, path in found.items() if path is None]
    if missing:
        raise ProgramMissing(f"not on PATH: {', '.join(missing)}\n{HOW_TO_INSTALL}")
    return Programs(**{name: path for name, path in found.items() if path is not None})


@dataclass(frozen=True, slots=True)
class Places:
    """Folders and files of one run."""

    root: Path
    """The clone."""
    state: Path
    """Everything that a run writes; by default `var/demo` of the clone, which git ignores."""

    @property
    def postmortems(self) -> Path:
        """Drafts; the only folder that outlives the next start."""
        return self.state / "postmortems"

    @property
    def lock(self) -> Path:
        """Held while a demo runs."""
        return self.state / "lock"

    @property
    def compiled(self) -> Path:
        """What `sereno compile --out` makes of the clone's specs."""
        return self.state / "compiled"

    @property
    def logs(self) -> Path:
        """What the parts print, a file each, and the systems' own ECS logs."""
        return self.state / "logs"

    def log_of(self, program: str) -> Path:
        """The ECS log of a system's program, which the collector tails."""
        return self.logs / f"{program}.ecs.log"

    def files_of(self, system: str) -> Path:
        """What a system keeps."""
        return self.state / "systems" / system

    @property
    def scripts(self) -> Path:
        """What a visitor may try: break, mend, draft."""
        return self.state / "bin"

    @property
    def log_store(self) -> Path:
        """The embedded log store."""
        return self.state / "logs.sqlite"

    @property
    def incidents(self) -> Path:
        """The incident records."""
        return self.state / "incidents.sqlite"

    @property
    def portal_root(self) -> Path:
        """What the portal takes for the repository: the clone without specs of systems that don't run."""
        return self.state / "portal"

    @property
    def prometheus_data(self) -> Path:
        """Prometheus' time series, the simulated history among them."""
        return self.state / "prometheus"


@dataclass(frozen=True, slots=True)
class Addresses:
    """Free ports on loopback, by the name of who listens there: `prometheus`, `transactions-api.api`."""

    ports: Mapping[str, int]

    def port(self, name: str) -> int:
        """Where it listens."""
        return self.ports[name]

    def url(self, name: str) -> str:
        """`http://127.0.0.1:<its port>`."""
        return f"http://127.0.0.1:{self.ports[name]}"


_BLOCK_PORTS = 250
_BLOCKS = range(15_000, 20_000, _BLOCK_PORTS)
"""Ports that systems give to no outgoing connection (Linux from 32768, others from 49152): parts start one after the
other, and nobody may take the last one's port meanwhile. A block is one demo's: it listens on the first of its ports.
"""
OWN_PORTS = ("portal", "prometheus", "alertmanager", "incidents", "collector", "control")
"""Of Sereno's own parts and its neighbours."""


@contextmanager
def free_addresses(names: Iterable[str]) -> Iterator[Addresses]:
    """Ports that nobody listens on, and that no other demo chooses until the block is left.

    Raises:
        DemoError: there aren't enough.
    """
    with ExitStack() as stack:
        first = _own_block(stack)
        wanted = tuple(names)
        free = [port for port in range(first + 1, first + _BLOCK_PORTS) if _is_free(port)][: len(wanted)]
        if len(free) < len(wanted):
            raise DemoError(f"{len(wanted)} ports are needed, and from {first} on there are {len(free)}: try again")
        yield Addresses(dict(zip(wanted, free, strict=True)))


def _own_block(stack: ExitStack) -> int:
    # In another order each time: whoever has just ended leaves connections behind that keep ports for a minute.
    for first in secrets.SystemRandom().sample(_BLOCKS, len(_BLOCKS)):
        listener = stack.enter_context(socket.socket())
        with suppress(OSError):
            listener.bind(("127.0.0.1", first))
            listener.listen()
            return first
    raise DemoError(f"all ports from {_BLOCKS.start} to {_BLOCKS.stop} belong to other demos, or to other programs")


def _is_free(port: int) -> bool:
    with socket.socket() as listener, suppress(OSError):
        listener.bind(("127.0.0.1", port))
        return True
    return False


def find_clone(start: Path) -> Path:
    """The clone of Sereno that holds `start`.

    Raises:
        DemoError: there is none; the demo runs the systems of the repository, which the wheel doesn't hold.
    """
    for folder in _upwards(start):
        if (folder / "systems").is_dir() and (folder / "slo" / "specs").is_dir():
            return folder
    raise DemoError("the demo runs from a clone of Sereno: go to the clone's folder and call `make demo`")


def _upwards(start: Path) -> Iterator[Path]:
    yield start.resolve()
    yield from start.resolve().parents
