"""Sets of values: what the chart makes of each, by the real Helms, and whether clusters would take it.

`values/*.yaml` and `expected/*.yaml` are pairs; `failing/*.yaml` say in their first lines what they are answered. A
line `# knows:` names what the cluster has. SERENO_UPDATE_GOLDENS=1 writes the expectations anew.
"""

import functools
import json
import os
import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import jsonschema
import pytest
import yaml
from sereno_cli.main import root
from support.helm import CHART, HELMS, helm, needs_helm, templated

HERE = Path(__file__).parent
SETS = sorted((HERE / "values").glob("*.yaml"))
FAILING = sorted((HERE / "failing").glob("*.yaml"))
SCHEMAS = HERE / "schemas"
VERSIONS = ("1.35", "1.36", "1.37")
KNOWN = {
    "monitoring": [
        f"monitoring.coreos.com/v1/{kind}" for kind in ("PrometheusRule", "PodMonitor", "ServiceMonitor", "Probe")
    ],
    "elastic": ["elasticsearch.k8s.elastic.co/v1/Elasticsearch", "kibana.k8s.elastic.co/v1/Kibana"],
    "opentelemetry": ["opentelemetry.io/v1beta1/OpenTelemetryCollector"],
}
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
ELASTIC = CACHE / "sereno/helm-schemas/elastic.json"
LEFT_OUT = "left out: tests/helm/test_chart.py compares it with the compiled files"
Objects = dict[tuple[str, str], dict[str, Any]]


def _name(path: Path) -> str:
    return path.stem


def _said(path: Path, key: str) -> str:
    """What a comment of the file says."""
    found = re.search(rf"^# {key}: (.+)$", path.read_text("utf-8"), re.MULTILINE)
    return found.group(1) if found else ""


def _arguments(path: Path) -> list[str | Path]:
    apis = [api for group in _said(path, "knows").split() for api in KNOWN[group]]
    return ["--values", path, *(word for api in apis for word in ("--api-versions", api))]


@functools.cache
def _rendered(path: Path, major: int | None = None) -> Objects:
    """Once for all tests of a process."""
    return templated(*_arguments(path), program=HELMS[major] if major else None)


def _without_compiled(one: dict[str, Any]) -> dict[str, Any]:
    """What the compiler wrote has tests of its own, and is megabytes."""
    if one["kind"] == "PrometheusRule":
        return {**one, "spec": {"groups": LEFT_OUT}}
    if one["kind"] == "ConfigMap" and re.search(r"-rules$|^sereno-dashboard-", one["metadata"]["name"]):
        return {**one, "data": dict.fromkeys(one["data"], LEFT_OUT)}
    return one


def _text(objects: Objects) -> str:
    ordered = [_without_compiled(objects[key]) for key in sorted(objects)]
    return yaml.dump_all(ordered, sort_keys=True, width=120, allow_unicode=True)


@needs_helm
@pytest.mark.parametrize("path", SETS, ids=_name)
def test_becomes_the_expected_objects(path: Path) -> None:
    """Every object of the set, and no other."""
    expected = HERE / "expected" / path.name
    text = _text(_rendered(path))
    if os.environ.get("SERENO_UPDATE_GOLDENS"):
        expected.parent.mkdir(exist_ok=True)
        expected.write_text(text, "utf-8")
    assert text == expected.read_text("utf-8"), "look at the differences; SERENO_UPDATE_GOLDENS=1 writes it anew"


def test_every_expectation_has_its_values() -> None:
    """None is left over from a set that is gone."""
    assert {path.name for path in (HERE / "expected").glob("*.yaml")} == {path.name for path in SETS}


@pytest.mark.skipif(
    HELMS[4] is None, reason="there is no Helm 4: scripts/fetch-helm 4 builds it (needs a Go that is new enough)"
)
@pytest.mark.parametrize("path", SETS, ids=_name)
def test_helm_4_makes_the_same_of_it(path: Path) -> None:
    """The expectations are of Helm 3; those of the next one are the same."""
    assert _text(_rendered(path, 4)) == (HERE / "expected" / path.name).read_text("utf-8")


@functools.cache
def _schemas(version: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The kinds of a version by apiVersion/kind, and the definitions that they refer to."""
    document = json.loads((SCHEMAS / f"kubernetes-{version}.json").read_text("utf-8"))
    kinds = {**document["kinds"], **json.loads((SCHEMAS / "custom.json").read_text("utf-8"))}
    if ELASTIC.is_file():
        kinds |= json.loads(ELASTIC.read_text("utf-8"))
    return kinds, document["$defs"]


@functools.cache
def _validator(version: str, kind: str) -> jsonschema.Draft7Validator:
    kinds, definitions = _schemas(version)
    return jsonschema.Draft7Validator({**kinds[kind], "$defs": definitions})


def _mistakes(one: Mapping[str, Any], version: str) -> list[str]:
    validator = _validator(version, f"{one['apiVersion']}/{one['kind']}")
    return [
        f"{one['kind']} {one['metadata']['name']}: {mistake.json_path}: {mistake.message[:300]}"
        for mistake in validator.iter_errors(one)
    ]


@needs_helm
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("path", SETS, ids=_name)
def test_clusters_take_it(path: Path, version: str) -> None:
    """Every object keeps to the schemas of the newest three versions of Kubernetes, and of the operators."""
    objects = _rendered(path)
    kinds, _ = _schemas(version)
    is_elastic = re.compile(r"(elasticsearch|kibana)\.k8s\.elastic\.co/")
    if any(is_elastic.match(one["apiVersion"]) for one in objects.values()) and not ELASTIC.is_file():
        pytest.skip(f"no schemas of Elastic's operator at {ELASTIC}: scripts/helm-schemas.py fetches them")
    unknown = {f"{one['apiVersion']}/{one['kind']}" for one in objects.values()} - set(kinds)
    assert not unknown
    # Compiled dashboards and rules are megabytes of one shape: one of each is looked at.
    looked_at = {
        (one["kind"], one["metadata"]["name"].split("-")[1] if "data" in one else str(key)): one
        for key, one in objects.items()
    }
    assert [mistake for one in looked_at.values() for mistake in _mistakes(one, version)] == []


def test_the_schemas_see_mistakes() -> None:
    """A misspelt field, a wrong type and a missing field of a pod are found: the extracts are no sieve."""
    documents = _expected(HERE / "values/node-logs.yaml")
    (daemons,) = [one for one in documents if one["kind"] == "DaemonSet"]
    for version in VERSIONS:
        assert _mistakes(daemons, version) == []
        for place, value in (("imagePullPolcy", "Always"), ("args", "one text"), ("ports", [{"name": "no-number"}])):
            broken = json.loads(json.dumps(daemons))
            broken["spec"]["template"]["spec"]["containers"][0][place] = value
            assert _mistakes(broken, version), place
    (monitor,) = [one for one in documents if one["kind"] == "PodMonitor"]
    assert _mistakes({**monitor, "spec": {**monitor["spec"], "jobLable": "job"}}, VERSIONS[0])


@needs_helm
@pytest.mark.parametrize("version", VERSIONS)
def test_helm_renders_for_these_versions(version: str) -> None:
    """The chart's own bound admits them, and the objects are the same on each."""
    path = HERE / "values/node-logs.yaml"
    assert templated("--kube-version", version, *_arguments(path)) == _rendered(path)


@pytest.mark.skipif(
    HELMS[4] is None, reason="Helm 3 asks a cluster before it prints notes; scripts/fetch-helm 4 builds Helm 4"
)
@pytest.mark.parametrize(
    ("values", "said"),
    [
        ("portal-behind-a-proxy", ["with these names: sereno-incidents, sereno-portal", "helm test sereno"]),
        (
            "specs-of-a-configmap",
            ["kubectl logs -n default job/sereno-specs", "rules as ConfigMaps", "helm test sereno"],
        ),
        ("plain-prometheus", ["Next step: see in Prometheus, at /rules"]),
    ],
)
def test_the_notes_tell_the_next_step(values: str, said: list[str]) -> None:
    """After the installation stands what to do next, and where things are."""
    path = HERE / f"values/{values}.yaml"
    done = helm("install", "sereno", CHART, "--dry-run=client", "--values", path, program=HELMS[4])
    assert done.returncode == 0, done.stderr
    notes = done.stdout.partition("NOTES:")[2]
    assert [words for words in said if words not in notes] == []


@needs_helm
@pytest.mark.parametrize("path", FAILING, ids=_name)
def test_what_is_missing_or_wrong_is_told(path: Path) -> None:
    """In words, before anything reaches a cluster."""
    done = helm("template", "sereno", CHART, *_arguments(path))
    assert done.returncode != 0
    assert _said(path, "says") in done.stderr


def _expected(path: Path) -> list[dict[str, Any]]:
    text = (HERE / "expected" / path.name).read_text("utf-8")
    return list(yaml.load_all(text, Loader=yaml.CSafeLoader))


def _containers(path: Path) -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Every container that runs Sereno, with its pod."""
    found = []
    for one in _expected(path):
        if one["kind"] not in {"Pod", "Deployment", "DaemonSet", "Job"}:
            continue
        pod = one["spec"] if one["kind"] == "Pod" else one["spec"]["template"]["spec"]
        containers = [*pod.get("initContainers", []), *pod["containers"]]
        place = f"{one['kind']} {one['metadata']['name']}"
        found += [(place, pod, container) for container in containers if container.get("command") == ["sereno"]]
    return found


@pytest.mark.parametrize("path", SETS, ids=_name)
def test_the_commands_understand_their_arguments(path: Path) -> None:
    """What the pods are started with, `sereno` parses: every flag, every value."""
    for place, _, container in _containers(path):
        words = list(container["args"])
        command: click.Command = root
        context = click.Context(root)
        while isinstance(command, click.Group):
            found = command.get_command(context, words.pop(0))
            assert found is not None, place
            command = found
        words = [
            word.replace("/compiled", str(HERE)).replace("/repository", str(HERE)).replace("/srv/sereno", str(HERE))
            for word in words
        ]
        command.make_context(shlex.join(container["args"]), words)


@pytest.mark.parametrize("path", SETS, ids=_name)
def test_pods_are_locked_in(path: Path) -> None:
    """Restricted, without a token; only what reads the nodes' logs is root, and only one container has a token."""
    for place, pod, container in _containers(path):
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }, place
        assert {"resources", "image"} <= set(container), place
        assert pod["automountServiceAccountToken"] is False, place
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, place
        is_root = pod["securityContext"].get("runAsUser") == 0
        assert is_root is place.endswith("node-logs"), place
        assert is_root or pod["securityContext"]["runAsNonRoot"] is True, place
        mounts = {mount["name"] for mount in container["volumeMounts"]}
        assert mounts <= {volume["name"] for volume in pod["volumes"]}, place
        assert ("token" in mounts) is (container["name"] == "apply"), place
        env = {one["name"]: one for one in container.get("env", [])}
        assert not [
            name
            for name, one in env.items()
            if re.search("PASSWORD|KEY|TOKEN", name) and not one["value"].startswith("/etc/sereno/")
        ]


def test_every_workload_has_its_network_policy() -> None:
    """Whoever isn't named reaches nothing; a policy that selects no pod is found, too."""
    documents = _expected(HERE / "values/everything.yaml")
    pods = {
        one["metadata"]["name"]: one["spec"]["template"]["metadata"]["labels"]
        for one in documents
        if one["kind"] in {"Deployment", "DaemonSet", "Job"}
    }
    policies = {
        one["metadata"]["name"]: one["spec"]["podSelector"]["matchLabels"]
        for one in documents
        if one["kind"] == "NetworkPolicy"
    }
    assert set(policies) == set(pods)
    assert not [name for name, wanted in policies.items() if not wanted.items() <= pods[name].items()]
