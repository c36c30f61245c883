"""A reference system as containers that share one network: what listens where, and what its texts say.

As in a pod, everything of one system reaches everything else of it on loopback, and nobody else does: its servers and
its faults listen there only, as they do in the demo. So texts of `system.yaml` mean the same here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from sereno_cli.demo.backing import Place
from sereno_cli.demo.parts import Run
from sereno_cli.demo.places import Addresses, DemoError, Places, Programs
from sereno_cli.demo.systems import FULL, System, full_ids, read_system

ROOT = Path("/repository")
"""Where images hold the repository's files."""
STATE = Path("/var/lib/sereno")
"""Where volumes are."""
PROMETHEUS = "http://prometheus:9090"
PYTHON = "python"

_FIRST_PORT, _PORTS_EACH = 18_200, 50
_SERVER_PORTS: Mapping[str, Mapping[str, int]] = {
    "moto": {"port": 5000},
    "postgresql": {"port": 5432, "exporter": 9187},
    "rabbitmq": {"port": 5672, "management": 15672, "metrics": 15692, "epmd": 4369, "distribution": 25672},
    "redis": {"port": 6379, "exporter": 9121},
}
"""Their usual ones: each pod has its own."""


@dataclass(frozen=True, slots=True)
class PodAddresses(Addresses):
    """Everything on loopback, but what all pods share."""

    elsewhere: Mapping[str, str] = field(default_factory=dict)

    def url(self, name: str) -> str:
        """Where it is, as a program of the pod reaches it."""
        return self.elsewhere.get(name) or Addresses.url(self, name)


def all_systems(root: Path) -> tuple[System, ...]:
    """Every reference system of the repository, as it is in production."""
    found = []
    for name in full_ids(root):
        plain = name.removesuffix(FULL)
        system = read_system(root / "systems" / plain, full=name != plain)
        if not isinstance(system, System):
            raise DemoError("\n".join(map(str, system)))
        found.append(system)
    return tuple(found)


def find_system(root: Path, name: str) -> System:
    """The system of this name.

    Raises:
        DemoError: there is none.
    """
    systems = all_systems(root)
    for system in systems:
        if system.name == name:
            return system
    raise DemoError(f"there is no system {name!r}; there are: {', '.join(system.name for system in systems)}")


def ports_of(system: System, root: Path) -> Mapping[str, int]:
    """The ports of its programs by `program.port`, in a block of the system's own, and of its servers."""
    names = [each.name for each in all_systems(root)]
    first = _FIRST_PORT + _PORTS_EACH * names.index(system.name)
    own = [f"{program.name}.{port}" for program in system.programs for port in program.ports]
    if len(own) > _PORTS_EACH:
        raise DemoError(f"{system.name} has {len(own)} ports, and each system has {_PORTS_EACH}")
    servers = {
        f"{system.server(need)}.{port}": number for need in system.needs for port, number in _SERVER_PORTS[need].items()
    }
    return dict(zip(own, range(first, first + len(own)), strict=True)) | servers


def pod(system: System, password: str, *, root: Path = ROOT, state: Path = STATE) -> Run:
    """Where everything of a system is, for the texts of its programs.

    Args:
        system: which.
        password: of its database.
        root: where the repository's files are.
        state: where volumes are.
    """
    places, ports = Places(root, state), ports_of(system, root)
    servers = {
        system.server(need): Place(
            name=system.server(need),
            folder=places.files_of(system.name) / need,
            ports=_SERVER_PORTS[need],
            password=password,
            python=PYTHON,
        )
        for need in system.needs
    }
    return Run(
        places,
        Programs("prometheus", "promtool", "alertmanager", PYTHON),
        PodAddresses(ports, {"prometheus": PROMETHEUS}),
        servers,
        secret=sha256(f"{system.name} {password}".encode()).hexdigest(),
    )


def hosts(variables: Mapping[str, str]) -> Iterator[str]:
    """The variables that say where a program's ports listen; faults and the gateway's answers stay on loopback."""
    for port, variable in variables.items():
        if port not in ("admin", "answers"):
            yield variable.removesuffix("PORT") + "HOST"


def service_of(system: System, name: str) -> str:
    """What the container of a program or server is called."""
    family = system.name.partition("-")[0]
    return name.replace(".", "-") if name.startswith(family) else f"{system.name}-{name}"
