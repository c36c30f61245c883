"""Resolve pyproject.toml's dependencies anew: constraints.txt has the versions, requirements.lock their hashes, too.

    .venv/bin/python scripts/lock.py
    .venv/bin/python scripts/lock.py --hashes     # constraints.txt stays: only its hashes are looked up

The resolution runs on the oldest supported Python, whose versions newer ones accept, too. The hashes are those of every
file of these versions, for any system. The files name neither index nor cache: those are the machine's business and
must not travel with them.
"""

import json
import os
import re
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
LOCK_HEADER = """\
# constraints.txt with the SHA-256 of every file of its versions: `make setup` installs nothing else.
# Written by `make lock`; `python scripts/lock.py --hashes` where only constraints.txt has changed.
"""
UV = "uv==0.13.9"
"""Knows the hashes of all files of a version; pip tells those of the file that it would install here."""


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


def normalized(name: str) -> str:
    """A package's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def write_constraints(pyproject: dict[str, dict[str, list[str]]]) -> None:
    """The versions."""
    installed = resolve(requirements(pyproject))
    versions = {normalized(item["metadata"]["name"]): item["metadata"]["version"] for item in installed}
    del versions[str(pyproject["project"]["name"])]
    lines = "".join(f"{name}=={version}\n" for name, version in sorted(versions.items()))
    (ROOT / "constraints.txt").write_text(HEADER + lines, encoding="utf-8")
    print(f"constraints.txt: {len(versions)} packages")


def write_hashes() -> None:
    """The hashes of the versions that are in constraints.txt."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    index = subprocess.run([*pip, "config", "get", "global.index-url"], capture_output=True, text=True, check=False)
    environment = dict(os.environ)
    if address := os.environ.get("PIP_INDEX_URL") or index.stdout.strip():
        environment["UV_DEFAULT_INDEX"] = address
    if authorities := os.environ.get("PIP_CERT"):
        environment["SSL_CERT_FILE"] = authorities
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([*pip, "install", "--target", folder, UV], check=True)
        found = Path(folder, "found.lock")
        options = ["--quiet", "--generate-hashes", "--no-deps", "--universal", "--no-annotate", "--no-header"]
        options += ["--no-emit-index-url", "--no-emit-find-links", "--python-version", "3.11"]
        command = [str(Path(folder, "bin", "uv")), "pip", "compile", *options, "--output-file", str(found)]
        subprocess.run([*command, str(ROOT / "constraints.txt")], check=True, env=environment, cwd=folder)
        text = found.read_text(encoding="utf-8")
    (ROOT / "requirements.lock").write_text(LOCK_HEADER + text, encoding="utf-8")
    print(f"requirements.lock: {text.count('--hash=')} hashes")


def main(arguments: list[str]) -> int:
    """Write the files; 2 if this Python isn't the oldest supported one, or the code of what failed."""
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    oldest = pyproject["project"]["requires-python"].removeprefix(">=")
    if arguments not in ([], ["--hashes"]):
        print("lock: the only argument is --hashes", file=sys.stderr)
        return 2
    if not arguments and ".".join(map(str, sys.version_info[:2])) != oldest:
        print(
            f"lock: run this on Python {oldest}, the oldest that Sereno supports: "
            f"make clean && make lock PYTHON=python{oldest}",
            file=sys.stderr,
        )
        return 2
    try:
        if not arguments:
            write_constraints(pyproject)
        write_hashes()
    except subprocess.CalledProcessError as error:
        return error.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
