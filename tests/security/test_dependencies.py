"""What is installed is what was locked, by its hash; the bill of materials tells all of it, with licences."""

import json
import re
import subprocess
import sys
import tomllib
from importlib import resources
from pathlib import Path
from typing import Any

import cyclonedx.schema
import pytest
from jsonschema import Draft7Validator
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from referencing import Registry, Resource
from support.listeners import ROOT

LICENCES = set(
    "0BSD Apache-2.0 BSD-2-Clause BSD-3-Clause CC0-1.0 LGPL-3.0-only MIT MPL-2.0 PSF-2.0 Zlib".split()  # noqa: SIM905
)
"""Those that a bill may have: another one is a decision of its own. psycopg's LGPL is of a library that stays one."""
IMPORTED = """
import importlib, importlib.metadata, json, pkgutil, sys
import sereno_alerting, sereno_backends, sereno_cli, sereno_collectors, sereno_exporters
import sereno_portal, sereno_postmortems, sereno_slo, sereno_telemetry
for package in [module for name, module in list(sys.modules.items()) if name.startswith("sereno_") and "." not in name]:
    for found in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if not found.name.endswith("__main__"):
            try:
                importlib.import_module(found.name)
            except ImportError as error:  # instrumentations of clients that no extra of `all` brings
                assert found.name.startswith("sereno_telemetry"), (found.name, error)
owners = importlib.metadata.packages_distributions()
names = {name.partition(".")[0] for name in sys.modules}
print(json.dumps(sorted({owner for name in names for owner in owners.get(name, ())})))
"""
NOT_OURS = re.compile(r"sereno|setuptools|opentelemetry-instrumentation-(httpx|redis|requests)|cryptography")
"""Instrumentations belong to the extra `clients`; the others are taken by libraries where they happen to be there."""


def pinned(path: Path) -> dict[str, str]:
    """Versions by name."""
    return dict(re.findall(r"^([a-z0-9-]+)==([^\s;\\]+)", path.read_text(), re.MULTILINE))


@pytest.fixture(scope="module")
def bill(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """As `make sbom` writes it."""
    out = tmp_path_factory.mktemp("sbom") / "deep" / "sereno.cdx.json"
    made = subprocess.run(
        [sys.executable, str(ROOT / "scripts/sbom.py"), "--out", str(out)], capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stderr
    found: dict[str, Any] = json.loads(out.read_text())
    return found


def test_the_lock_has_the_versions_of_the_constraints_and_a_hash_of_each() -> None:
    """Whoever changes constraints.txt runs `python scripts/lock.py --hashes`."""
    lock = (ROOT / "requirements.lock").read_text()
    assert pinned(ROOT / "requirements.lock") == pinned(ROOT / "constraints.txt")
    entries = re.split(r"\n(?=[a-z0-9])", lock)[1:]
    assert [entry[:60] for entry in entries if not re.search(r"--hash=sha256:[0-9a-f]{64}", entry)] == []
    assert "://" not in lock


def test_what_a_hash_does_not_fit_is_not_installed(tmp_path: Path) -> None:
    """By pip itself, with a lock whose hashes are wrong."""
    name, version = next(iter(pinned(ROOT / "requirements.lock").items()))
    wheel = tmp_path / f"{name.replace('-', '_')}-{version}-py3-none-any.whl"
    wheel.write_bytes(b"something else")
    lock = tmp_path / "wrong.lock"
    lock.write_text(f"{name}=={version} --hash=sha256:{'0' * 64}\n")
    options = [
        "--require-hashes",
        "--no-deps",
        "--no-index",
        "--find-links",
        str(tmp_path),
        "--target",
        str(tmp_path / "t"),
    ]
    refused = subprocess.run(
        [sys.executable, "-m", "pip", "install", *options, "-r", str(lock)], capture_output=True, text=True, check=False
    )
    assert refused.returncode != 0
    assert "DO NOT MATCH THE HASHES" in refused.stderr


def test_setup_installs_by_hash_and_by_nothing_else() -> None:
    """The only installation that may ask an index is the one with hashes."""
    calls = [line.strip() for line in (ROOT / "scripts/setup").read_text().splitlines() if "pip install" in line]
    asking = [call for call in calls if "--no-index" not in call and not call.startswith(("echo", "#"))]
    assert len(asking) == 1
    assert "--require-hashes" in asking[0]


def test_the_bill_is_valid(bill: dict[str, Any]) -> None:
    """By CycloneDX' own schema."""
    folder = resources.files(cyclonedx.schema) / "_res"
    schemas = {
        name: json.loads((folder / f"{name}.SNAPSHOT.schema.json").read_text())
        for name in ("bom-1.6", "spdx", "jsf-0.82")
    }
    registry: Registry[Any] = Registry().with_resources(
        (place, Resource.from_contents(schema))
        for name, schema in schemas.items()
        for place in (schema["$id"], f"http://cyclonedx.org/schema/{name}.SNAPSHOT.schema.json")
    )
    validator = Draft7Validator(schemas["bom-1.6"], registry=registry)
    assert [error.message for error in validator.iter_errors(bill)] == []
    assert next(validator.iter_errors({**bill, "components": [{"name": "a"}]}), None) is not None


def test_the_bill_tells_all_that_the_wheels_extras_ask_for(bill: dict[str, Any]) -> None:
    """Every direct dependency of `sereno[all]`, with the versions that are locked; and uPlot, which npm brought."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    direct, waiting = set(map(Requirement, project["dependencies"])), ["all"]
    while waiting:
        for needed in map(Requirement, project["optional-dependencies"][waiting.pop()]):
            if needed.name == "sereno":
                waiting += needed.extras
            else:
                direct.add(needed)
    told = {each["name"]: each["version"] for each in bill["components"]}
    assert {canonicalize_name(each.name) for each in direct} - set(told) == set()
    assert told.pop("uplot")
    locked = pinned(ROOT / "requirements.lock")
    assert {name: version for name, version in told.items() if locked.get(name) != version} == {}
    assert all(each.get("properties") or each.get("hashes") for each in bill["components"])


def test_the_bill_tells_all_that_the_code_imports(bill: dict[str, Any]) -> None:
    """Whatever is loaded when every module of ours is, is told."""
    done = subprocess.run([sys.executable, "-c", IMPORTED], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    loaded = {canonicalize_name(name) for name in json.loads(done.stdout)}
    assert len(loaded) > 20
    told = {each["name"] for each in bill["components"]}
    assert {name for name in loaded - told if not NOT_OURS.fullmatch(name)} == set()


def test_every_licence_is_known_and_wanted(bill: dict[str, Any]) -> None:
    """By SPDX' names, one by one."""
    for each in bill["components"]:
        said = " ".join(one.get("expression") or one["license"]["id"] for one in each["licenses"])
        assert set(re.findall(r"[A-Za-z0-9.-]+", said)) - {"AND", "OR"} <= LICENCES, (each["name"], said)
