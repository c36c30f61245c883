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


def _built() -> list[str]:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return sorted(str(path) for path in cache.glob("sereno/helm-v*/helm"))


HELM = shutil.which("helm") or next(iter(reversed(_built())), None)
needs_helm = pytest.mark.skipif(HELM is None, reason="there is no helm: make helm builds it (needs Go, two minutes)")


def helm(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """One run, at most a minute."""
    assert HELM is not None
    command = [HELM, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def templated(*arguments: str | Path) -> dict[tuple[str, str], dict[str, Any]]:
    """What the chart makes of these arguments: objects by kind and name."""
    done = helm("template", "sereno", CHART, *arguments)
    assert done.returncode == 0, done.stderr
    objects = [one for one in yaml.load_all(done.stdout, Loader=yaml.CSafeLoader) if one]
    found = {(one["kind"], one["metadata"]["name"]): one for one in objects}
    assert len(found) == len(objects), "two objects of one kind have one name"
    return found
