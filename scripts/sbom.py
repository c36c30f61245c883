"""Write the bill of materials of the wheel with all its extras: what runs where somebody installs `sereno[all]`.

    .venv/bin/python scripts/sbom.py [--out dist/sereno.cdx.json]

CycloneDX 1.6 in JSON. Packages are found as they are installed here, by what the wheel's metadata asks for; their
versions are those of requirements.lock, whose hashes they carry. What comes from npm is in the portal's own folder.
"""

import argparse
import hashlib
import re
import sys
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

from cyclonedx.contrib.hash.factories import HashTypeFactory
from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
UPLOT = ROOT / "portal" / "sereno_portal" / "static" / "vendor" / "uplot"
WORDS = {
    "Apache License 2.0": "Apache-2.0",
    "3-Clause BSD License": "BSD-3-Clause",
    "Dual License": "Apache-2.0 OR BSD-3-Clause",  # python-dateutil, as its LICENSE file says
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}
"""What packages say in words of their own, as SPDX says it."""
SAID_IN_FILES = {"promql-parser": "MIT"}
"""Licences that a package's files say, and not its metadata."""


@dataclass
class Package:
    """A distribution that is installed here, and what of it is wanted."""

    distribution: metadata.Distribution
    extras: set[str] = field(default_factory=set)
    needs: set[str] = field(default_factory=set)


def installed(name: str, extra: str) -> dict[str, Package]:
    """A distribution and all that it needs with the extra, by normalised name."""
    found: dict[str, Package] = {}
    waiting = [(canonicalize_name(name), each) for each in ("", extra)]
    while waiting:
        current, asked = waiting.pop()
        package = found.setdefault(current, Package(metadata.distribution(current)))
        if asked in package.extras:
            continue
        package.extras.add(asked)
        for needed in needs(package.distribution, asked):
            package.needs.add(canonicalize_name(needed.name))
            waiting += [(canonicalize_name(needed.name), each) for each in ("", *needed.extras)]
    return found


def needs(distribution: metadata.Distribution, extra: str) -> list[Requirement]:
    """What it needs here with one extra; with the empty one what it always needs."""
    wanted = map(Requirement, distribution.requires or ())
    return [each for each in wanted if each.marker is None or each.marker.evaluate({"extra": extra})]


def licence_of(distribution: metadata.Distribution) -> str:
    """The licence in SPDX's words; empty where the package doesn't tell one that we know."""
    told = distribution.metadata.json
    if expression := told.get("license_expression"):
        return str(expression)
    classified = [each.split(" :: ")[-1] for each in told.get("classifier", ()) if each.startswith("License ::")]
    for said in (str(told.get("license", "")), *classified):
        if said in WORDS:
            return WORDS[said]
        if re.fullmatch(r"[A-Za-z0-9.-]+", said) and said != "UNKNOWN":
            return said
    return SAID_IN_FILES.get(canonicalize_name(str(told["name"])), "")


def locked_hashes(lock: str) -> dict[str, tuple[str, ...]]:
    """The SHA-256 of each file of a package, by normalised name."""
    found: dict[str, tuple[str, ...]] = {}
    for entry in re.split(r"\n(?=[a-z0-9])", lock):
        name, _, _ = entry.partition("==")
        found[name.strip()] = tuple(re.findall(r"--hash=sha256:([0-9a-f]{64})", entry))
    return found


def python_component(distribution: metadata.Distribution, hashes: Iterable[str]) -> Component:
    """A package of Python's index; its files differ by system, and so it has several hashes."""
    name, version = canonicalize_name(distribution.metadata["Name"]), distribution.version
    licence = licence_of(distribution)
    return Component(
        type=ComponentType.LIBRARY,
        name=name,
        version=version,
        bom_ref=f"pypi:{name}",
        purl=PackageURL("pypi", name=name, version=version),
        licenses=[LicenseFactory().make_from_string(licence)] if licence else (),
        properties=[Property(name="sereno:file:sha256", value=each) for each in hashes],
    )


def vendored_component() -> Component:
    """uPlot, as it lies in the portal's folder."""
    brought_by = (ROOT / "scripts" / "vendor-uplot").read_text(encoding="utf-8")
    version = re.search(r"^version=(\S+)$", brought_by, re.MULTILINE)
    assert version is not None  # noqa: S101 - a line of our own file
    script = (UPLOT / "uPlot.iife.min.js").read_bytes()
    return Component(
        type=ComponentType.LIBRARY,
        name="uplot",
        version=version[1],
        bom_ref="npm:uplot",
        purl=PackageURL("npm", name="uplot", version=version[1]),
        licenses=[LicenseFactory().make_from_string("MIT")],
        hashes=[HashTypeFactory().from_hashlib_alg("sha256", hashlib.sha256(script).hexdigest())],
    )


def bill() -> Bom:
    """All of it, with who needs whom."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found = installed(project["name"], "all")
    hashes = locked_hashes((ROOT / "requirements.lock").read_text(encoding="utf-8"))
    own = found.pop(project["name"])
    subject = Component(
        type=ComponentType.APPLICATION,
        name=project["name"],
        version=project["version"],
        bom_ref="sereno",
        purl=PackageURL("pypi", name=project["name"], version=project["version"]),
        licenses=[LicenseFactory().make_from_string(project["license"])],
    )
    components = {
        name: python_component(each.distribution, hashes.get(name, ())) for name, each in sorted(found.items())
    }
    vendored = vendored_component()
    made = Bom(components=[*components.values(), vendored])
    made.metadata.component = subject
    # Extras of our own are what they hold: `sereno[all]` needs `sereno[slo]`, and that is no other package.
    made.register_dependency(
        subject, [*(components[name] for name in sorted(own.needs) if name in components), vendored]
    )
    for name, package in found.items():
        made.register_dependency(components[name], [components[each] for each in sorted(package.needs - {name})])
    return made


def main() -> int:
    """Write the file; 1 where a licence isn't known."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "dist" / "sereno.cdx.json")
    out: Path = parser.parse_args().out
    made = bill()
    unknown = [each.name for each in made.components if not each.licenses]
    if unknown:
        print(
            f"sbom: no licence is known of {', '.join(unknown)}: look, and write it into scripts/sbom.py",
            file=sys.stderr,
        )
        return 1
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(JsonV1Dot6(made).output_as_string(indent=2), encoding="utf-8")
    print(f"{out}: {len(made.components)} components")
    return 0


if __name__ == "__main__":
    sys.exit(main())
