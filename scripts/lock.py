"""Resolve pyproject.toml's dependencies anew and write constraints.txt.

    .venv/bin/python scripts/lock.py

The resolution runs on the oldest supported Python, whose versions newer ones accept, too. The file names
versions only: which index or cache they came from is the machine's business and must not travel with it.
"""

import json
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEADER = """\
# Every version that `make setup` installs. Written by `make lock` from pyproject.toml: edit that, not this.
# Valid for Python 3.11, 3.12 and 3.13 on Linux and macOS.
"""


def requirements(pyproject: dict[str, dict[str, list[str]]]) -> list[str]:
    """What `pip install '.[all,dev]'` needs, and what builds the project."""
    return [f"{ROOT}[all,dev]", *pyproject["build-system"]["requires"]]


def resolve(wanted: list[str]) -> list[dict[str, dict[str, str]]]:
    """Let pip resolve into an empty environment; the resolution is pip's, so that an installation finds the same."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        options = ["--quiet", "--disable-pip-version-check", "--dry-run", "--ignore-installed", "--report", str(report)]
        subprocess.run([sys.executable, "-m", "pip", "install", *options, *wanted], check=True)
        installed: list[dict[str, dict[str, str]]] = json.loads(report.read_text())["install"]
    return installed


def main() -> int:
    """Write constraints.txt; 2 if this Python isn't the oldest supported one, or pip's own code."""
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    oldest = pyproject["project"]["requires-python"].removeprefix(">=")
    if ".".join(map(str, sys.version_info[:2])) != oldest:
        print(
            f"lock: run this on Python {oldest}, the oldest that Sereno supports: "
            f"make clean && make lock PYTHON=python{oldest}",
            file=sys.stderr,
        )
        return 2
    try:
        installed = resolve(requirements(pyproject))
    except subprocess.CalledProcessError as error:
        return error.returncode
    versions = {item["metadata"]["name"].lower().replace("_", "-"): item["metadata"]["version"] for item in installed}
    del versions[pyproject["project"]["name"]]
    lines = "".join(f"{name}=={version}\n" for name, version in sorted(versions.items()))
    (ROOT / "constraints.txt").write_text(HEADER + lines, encoding="utf-8")
    print(f"constraints.txt: {len(versions)} packages")
    return 0


if __name__ == "__main__":
    sys.exit(main())
