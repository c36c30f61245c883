"""What a cluster gets of a compiled folder: objects as the API takes them. Pure, but for reading the folder."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from sereno_backends.kubernetes import Kind

LARGEST_CONFIG_MAP_BYTES = 1_000_000
"""A ConfigMap holds 1 MiB, of which some is its own."""
_LABEL_VALUE = re.compile(r"([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?")
_LABEL_NAME = re.compile(r"([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
# libyaml's reader where PyYAML has it: rules are megabytes.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class FolderUnusable(Exception):  # noqa: N818 - reads as what happened
    """The folder isn't what `sereno compile` writes; the message says how it is written."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """How the objects shall look."""

    release: str
    """Whose objects they are: what is no longer made is found by it."""
    rules: Kind = Kind.PROMETHEUS_RULE
    rule_labels: Mapping[str, str] = field(default_factory=dict)
    dashboard_labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ClusterObject:
    """One object that shall be in the cluster."""

    kind: Kind
    document: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.document["metadata"]["name"])


def marks(release: str, part: str) -> dict[str, str]:
    """The labels by which Sereno's objects of a release are known; `part` is `rules` or `dashboards`."""
    return {
        "app.kubernetes.io/managed-by": "sereno",
        "app.kubernetes.io/instance": release,
        "app.kubernetes.io/component": part,
    }


def label(text: str) -> tuple[str, str]:
    """The label that NAME=VALUE says.

    Raises:
        ValueError: it is none.
    """
    name, sign, value = text.partition("=")
    if not (sign and _LABEL_NAME.fullmatch(name) and _LABEL_VALUE.fullmatch(value)):
        raise ValueError(f"{text!r} is no label; write for example release=kube-prometheus-stack")
    return name, value


def rule_objects(folder: Path, wishes: Wishes) -> Iterator[ClusterObject]:
    """The rules that `sereno compile --format operator` wrote into the folder.

    Raises:
        FolderUnusable: there are none, or in another form.
    """
    paths = sorted((folder / "rules").glob("*.rules.yaml"))
    if not paths:
        raise FolderUnusable(f"{folder} has no rules; write them by sereno compile --format operator --out {folder}")
    for path in paths:
        for document in _documents(path, folder):
            name = str(document["metadata"]["name"])
            labels = {**document["metadata"].get("labels", {}), **wishes.rule_labels, **marks(wishes.release, "rules")}
            if wishes.rules is Kind.PROMETHEUS_RULE:
                body = {"apiVersion": "monitoring.coreos.com/v1", "kind": "PrometheusRule", "spec": document["spec"]}
                yield ClusterObject(Kind.PROMETHEUS_RULE, {**body, "metadata": {"name": name, "labels": labels}})
            else:
                text = yaml.dump(document["spec"], sort_keys=False, allow_unicode=True, width=120)
                yield _config_map(f"{name}-rules", {f"{name}.rules.yaml": text}, labels)


def dashboard_objects(folder: Path, wishes: Wishes) -> Iterator[ClusterObject]:
    """The dashboards of the folder, as ConfigMaps that Grafana's sidecar finds.

    Raises:
        FolderUnusable: there are none, or one is too large.
    """
    paths = sorted((folder / "dashboards").glob("*.json"))
    if not paths:
        raise FolderUnusable(f"{folder} has no dashboards; write them by sereno compile --out {folder}")
    labels = {**wishes.dashboard_labels, **marks(wishes.release, "dashboards")}
    for path in paths:
        yield _config_map(f"sereno-dashboard-{path.stem}", {path.name: path.read_text("utf-8")}, labels)


def _documents(path: Path, folder: Path) -> Iterator[Mapping[str, Any]]:
    cure = f"write it by sereno compile --format operator --out {folder}"
    try:
        documents = list(yaml.load_all(path.read_text("utf-8"), Loader=_Loader))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise FolderUnusable(f"{path} can't be read; {cure}") from error
    for document in documents:
        if not isinstance(document, dict) or document.get("kind") != "PrometheusRule":
            raise FolderUnusable(f"{path} holds no PrometheusRule; {cure}")
        yield document


def _config_map(name: str, data: Mapping[str, str], labels: Mapping[str, str]) -> ClusterObject:
    if sum(len(text.encode()) for text in data.values()) > LARGEST_CONFIG_MAP_BYTES:
        raise FolderUnusable(f"{name} is too large for a ConfigMap (1 MiB); leave it out, and give it by a volume")
    metadata = {"name": name, "labels": dict(labels)}
    document = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": dict(data)}
    return ClusterObject(Kind.CONFIG_MAP, document)
