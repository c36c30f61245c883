"""The environment that peers are installed in: its own, below var/, so that they never change what Sereno runs on."""

import subprocess
import sys
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from benchmarks.telemetry.instruments import INSTRUMENTS

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path("var", "benchmarks", "telemetry", "peers")
_TELEMETRY = Path("telemetry")
_ALSO = ("opentelemetry-sdk", "prometheus-client", "starlette")
"""What else decides figures and answers, so its version is told."""
_ASK_VERSIONS = """
import importlib.metadata, json, sys
found = {}
for name in sys.argv[1:]:
    try:
        found[name] = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        pass
print(json.dumps(found))
"""


class PeersError(Exception):
    """The environment can't be made or used; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Environment:
    """A Python that has what is compared, and the sereno_telemetry that is measured."""

    python: Path
    telemetry: Path
    """The folder that holds the package `sereno_telemetry`."""
    versions: dict[str, str]
    """Distribution to version."""

    @property
    def instruments(self) -> tuple[str, ...]:
        """Whose package is there, in the order of the tables."""
        return tuple(
            name for name, one in INSTRUMENTS.items() if one.distribution is None or one.distribution in self.versions
        )

    @property
    def missing(self) -> tuple[str, ...]:
        """Who is left out; without all peers there is no verdict."""
        return tuple(name for name in INSTRUMENTS if name not in self.instruments)


def prepare(telemetry: Path | None, progress: Callable[[str], None]) -> Environment:
    """Make the environment if it isn't there as pyproject.toml and constraints.txt want it; `telemetry` as measured.

    Raises:
        PeersError: not even what Sereno itself needs can be installed.
    """
    folder = ROOT / FOLDER
    python = folder / "bin" / "python"
    wanted = _requirements()
    stamp = folder / ".wanted"
    state = "\n".join([*wanted, (ROOT / "constraints.txt").read_text(encoding="utf-8"), str(ROOT), sys.version])
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != state:
        progress(f"installing peers into {FOLDER} (a minute, once)")
        _install(folder, python, wanted, progress)
        stamp.write_text(state, encoding="utf-8")
    distributions = [one.distribution for one in INSTRUMENTS.values() if one.distribution is not None]
    versions = _versions(python, [*distributions, *_ALSO])
    return Environment(python, (telemetry or ROOT / _TELEMETRY).resolve(), versions)


def _requirements() -> list[str]:
    """What a service installs of Sereno, what the benchmark itself needs, and the peers."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return [*project["dependencies"], *project["optional-dependencies"]["peers"]]


def _install(folder: Path, python: Path, wanted: Sequence[str], progress: Callable[[str], None]) -> None:
    _run([sys.executable, "-m", "venv", "--clear", str(folder)])
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "--quiet", "install", "-c"]
    pip.append(str(ROOT / "constraints.txt"))
    try:
        _run([*pip, *wanted])
    except PeersError:
        own = [one for one in wanted if "==" not in one]
        _run([*pip, *own])
        for peer in sorted(set(wanted) - set(own)):
            try:
                _run([*pip, peer])
            except PeersError as error:
                progress(f"left out: {error}")


def _versions(python: Path, distributions: Sequence[str]) -> dict[str, str]:
    versions: dict[str, str] = orjson.loads(_run([str(python), "-c", _ASK_VERSIONS, *distributions]))
    return versions


def _run(command: list[str]) -> str:
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["nothing"]
        raise PeersError(f"{' '.join(command[:6])} … ended with {done.returncode}: {said[-1]}")
    return done.stdout
