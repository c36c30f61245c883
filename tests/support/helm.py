"""The real helm, where it is on PATH or was built by scripts/fetch-helm."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.slo_specs import REPOSITORY

CHART = REPOSITORY / "helm/sereno"
OPERATOR = (
    "--api-versions",
    "monitoring.coreos.com/v1/PrometheusRule",
    "--api-versions",
    "monitoring.coreos.com/v1/PodMonitor",
)


def _built(major: int) -> list[str]:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return sorted(str(path) for path in cache.glob(f"sereno/helm-v{major}.*/helm"))


HELMS = {major: next(iter(reversed(_built(major))), None) for major in (3, 4)}
HELM = HELMS[3] or shutil.which("helm") or HELMS[4]
needs_helm = pytest.mark.skipif(HELM is None, reason="there is no helm: make helm builds it (needs Go, two minutes)")


def helm(*arguments: str | Path, program: str | None = None) -> subprocess.CompletedProcess[str]:
    """One run, at most a minute."""
    chosen = program or HELM
    assert chosen is not None
    command = [chosen, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def templated(*arguments: str | Path, program: str | None = None) -> dict[tuple[str, str], dict[str, Any]]:
    """What the chart makes of these arguments: objects by kind and name."""
    done = helm("template", "sereno", CHART, *arguments, program=program)
    assert done.returncode == 0, done.stderr
    objects = [one for one in yaml.load_all(done.stdout, Loader=yaml.CSafeLoader) if one]
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for one in objects:
        metadata = one["metadata"]
        key = (one["kind"], metadata["name"])
        # The same name in two namespaces is two objects: roles are so.
        key = key if key not in found else (one["kind"], f"{metadata['namespace']}/{metadata['name']}")
        assert key not in found, "two objects of one kind have one name"
        found[key] = one
    return found
