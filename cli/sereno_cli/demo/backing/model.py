"""What the demo knows of a kind of server."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sereno_cli.demo.part import Part


@dataclass(frozen=True, slots=True)
class Place:
    """Where one server is."""

    name: str
    """What its process is called: `etl.redis`."""
    folder: Path
    """Its files; the user as whom it runs may enter."""
    ports: Mapping[str, int]
    """Free ones, by the names that its kind gives them."""
    password: str
    """For kinds that have one."""
    python: str


@dataclass(frozen=True, slots=True)
class Backing:
    """A kind of server."""

    name: str
    ports: tuple[str, ...]
    packages: str
    """What Debian installs it by; empty: it comes with Sereno's development packages."""
    is_here: Callable[[], bool]
    """Whether this machine has it."""
    parts: Callable[[Place], Sequence[Part]]
    """Its processes, in the order in which they start, each healthy before the next; the one that is named like the
    place is the server itself. Its folder and files are prepared."""
    words: Mapping[str, Callable[[Place], object]]
    """What texts of a system.yaml may say of it: `url`, `port`."""
    scrapes: Mapping[str, str]
    """Ports that Prometheus scrapes, each by the jobs of a folder of exporters/standard."""
    runs_as: Callable[[], str | None] = lambda: None
    """Whose process it has to be."""
