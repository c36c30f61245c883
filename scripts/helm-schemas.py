"""Writes the schemas that tests/helm validates the chart's objects by: extracts, small enough to be kept here.

.venv/bin/python scripts/helm-schemas.py         needs the network, pip and Go

Elastic's definitions are under Elastic's own licence: they go into the cache beside Helm, not into this repository.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).resolve().parents[1] / "tests/helm/schemas"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sereno/helm-schemas"
KUBERNETES = "kubernetes-validate==1.37.0"  # Apache-2.0; its schemas are made of Kubernetes' own OpenAPI
VERSIONS = ("1.35", "1.36", "1.37")
KINDS = (
    "configmap-v1",
    "cronjob-batch-v1",
    "daemonset-apps-v1",
    "deployment-apps-v1",
    "horizontalpodautoscaler-autoscaling-v2",
    "ingress-networking-v1",
    "job-batch-v1",
    "networkpolicy-networking-v1",
    "persistentvolumeclaim-v1",
    "pod-v1",
    "poddisruptionbudget-policy-v1",
    "role-rbac-v1",
    "rolebinding-rbac-v1",
    "secret-v1",
    "service-v1",
    "serviceaccount-v1",
)
PROMETHEUS_OPERATOR = ("github.com/prometheus-operator/prometheus-operator@v0.85.0", "example/prometheus-operator-crd")
OPENTELEMETRY = ("github.com/open-telemetry/opentelemetry-operator@v0.140.0", "config/crd/bases")
ELASTIC = ("github.com/elastic/cloud-on-k8s/v3@v3.5.0", "config/crds/v1/resources")
OPEN_KINDS = ("PodMonitor", "ServiceMonitor", "Probe", "PrometheusRule", "OpenTelemetryCollector")
ELASTIC_KINDS = ("Elasticsearch", "Kibana")
LEFT_OUT = ("managedFields", "status", "ephemeralContainers", "targetAllocator", "additionalContainers")
"""What the chart doesn't write, and would be half of the files: there it is a mistake."""


class _Loader(yaml.SafeLoader):
    """An = is text: PyYAML takes it for a tag that nobody uses."""


_Loader.add_constructor("tag:yaml.org,2002:value", lambda loader, node: loader.construct_scalar(node))
_PREFIX = "/api/_definitions.json#/$defs/"


def main() -> None:
    """All files, anew."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", folder, KUBERNETES]
        subprocess.run(command, check=True)
        with zipfile.ZipFile(next(Path(folder).glob("*.whl"))) as wheel:
            for version in VERSIONS:
                _write(FOLDER / f"kubernetes-{version}.json", _kubernetes(wheel, version))
    _write(FOLDER / "custom.json", _custom(*PROMETHEUS_OPERATOR, OPEN_KINDS) | _custom(*OPENTELEMETRY, OPEN_KINDS))
    CACHE.mkdir(parents=True, exist_ok=True)
    _write(CACHE / "elastic.json", _custom(*ELASTIC, ELASTIC_KINDS))


def _write(path: Path, document: Any) -> None:
    path.write_text(json.dumps(document, separators=(",", ":"), sort_keys=True) + "\n", "utf-8")
    print(f"{path}: {path.stat().st_size} bytes")


def _kubernetes(wheel: zipfile.ZipFile, version: str) -> dict[str, Any]:
    """The kinds of one version and what they refer to, and nothing else; strict on unknown fields."""
    folder = f"kubernetes_validate/kubernetes-json-schema/v{version}.0-local-strict"
    definitions = json.loads(wheel.read(f"{folder}/_definitions.json"))["$defs"]
    kinds = {kind: _bare(json.loads(wheel.read(f"{folder}/{kind}.json"))) for kind in KINDS}
    kept: dict[str, Any] = {}
    waiting = list(_references(kinds))
    while waiting:
        name = waiting.pop()
        if name not in kept:
            kept[name] = _bare(definitions[name])
            waiting.extend(_references(kept[name]))
    found = {}
    for schema in kinds.values():
        properties = schema["properties"]
        found[f"{properties['apiVersion']['enum'][0]}/{properties['kind']['enum'][0]}"] = schema
    return {"kinds": found, "$defs": kept}


def _bare(schema: Any) -> Any:
    """Without words for people; references lead into the same file."""
    if isinstance(schema, list):
        return [_bare(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return {"$ref": schema["$ref"].replace(_PREFIX, "#/$defs/")}
    kept = {}
    for key, value in schema.items():
        if key == "properties":
            kept[key] = {name: _bare(one) for name, one in value.items() if name not in LEFT_OUT}
        elif key not in ("description", "$schema", "title", "default") and not key.startswith("x-kubernetes-"):
            kept[key] = _bare(value)
    return kept


def _references(schema: Any) -> Iterator[str]:
    yield from re.findall(r'"#/\$defs/([^"]+)"', json.dumps(schema))


def _custom(module: str, folder: str, kinds: tuple[str, ...]) -> dict[str, Any]:
    """The stored versions of the resources that a module of Go defines, by apiVersion/kind."""
    command = ["go", "mod", "download", "-json", module]
    with tempfile.TemporaryDirectory() as empty:
        Path(empty, "go.mod").write_text("module empty\n", "utf-8")
        done = subprocess.run(command, cwd=empty, check=True, capture_output=True, text=True)
    found = {}
    for path in sorted(Path(json.loads(done.stdout)["Dir"], folder).glob("*.yaml")):
        for resource in yaml.load_all(path.read_text("utf-8"), Loader=_Loader):
            if not resource or resource.get("kind") != "CustomResourceDefinition":
                continue
            spec = resource["spec"]
            if spec["names"]["kind"] not in kinds:
                continue
            for version in (one for one in spec["versions"] if one["storage"]):
                schema = _strict(_bare(version["schema"]["openAPIV3Schema"]))
                found[f"{spec['group']}/{version['name']}/{spec['names']['kind']}"] = schema
    return found


def _strict(schema: Any) -> Any:
    """Unknown fields are mistakes, where fields are named: a cluster drops them without a word."""
    if isinstance(schema, list):
        return [_strict(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    strict = {key: _strict(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict) and schema["properties"]:
        strict.setdefault("additionalProperties", False)
    if schema.get("nullable"):
        strict["type"] = [schema["type"], "null"]
    return strict


if __name__ == "__main__":
    main()
