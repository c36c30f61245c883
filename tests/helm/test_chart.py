"""The chart helm/sereno: its files are what the specs say, its values are checked, and the real helm renders it."""

import json
import re
from typing import Any

import jsonschema
import pytest
import yaml
from sereno_cli.exit_codes import ExitCode
from support.command_line import sereno
from support.helm import CHART, OPERATOR, helm, needs_helm, templated
from support.slo_specs import REPOSITORY

COMPILE = ("compile", "--format", "operator", "--only", "rules", "--only", "dashboards", "--out", "helm/sereno/files")
VALUES = yaml.safe_load((CHART / "values.yaml").read_text("utf-8"))
SCHEMA = json.loads((CHART / "values.schema.json").read_text("utf-8"))
RULES = REPOSITORY / "alerting/rules/generated"
WORKLOADS = (
    *("--set", "image.repository=registry.example.org/sereno,incidents.enabled=true,collector.enabled=true"),
    *("--set", "collector.files={/logs/a.log,/logs/b.log},elasticsearch.url=https://logs.example.org:9200"),
    *("--set", "elasticsearch.apiKeySecret=key,elasticsearch.caSecret=authority"),
)


def _groups(service: str) -> Any:
    return yaml.load((RULES / f"{service}.rules.yaml").read_text("utf-8"), Loader=yaml.CSafeLoader)


def _parts(objects: dict[tuple[str, str], Any], kind: str, service: str) -> list[Any]:
    """A service's objects: one, or several where one would be too large."""
    name = re.compile(rf"sereno-{service}(\.[0-9]+)?(-rules)?")
    return [one for (of_kind, called), one in objects.items() if of_kind == kind and name.fullmatch(called)]


def test_its_files_are_what_the_specs_say() -> None:
    """Rules and dashboards in the chart are up to date, and none is left behind; `make compile` writes them."""
    answer = sereno(*COMPILE, "--check", cwd=REPOSITORY)
    assert answer.returncode == ExitCode.OK, answer.stderr


def test_the_values_are_described() -> None:
    """The defaults keep to the schema, and every one of them is in it: a key that is misspelt is told."""
    validator = jsonschema.Draft7Validator(SCHEMA)
    validator.check_schema(SCHEMA)
    validator.validate(VALUES)
    assert set(VALUES) == set(SCHEMA["properties"]) - {"global"}
    mistakes: list[dict[str, Any]] = [{"incident": {}}, {"incidents": {"enable": True}}, {"rules": {"kind": "other"}}]
    assert not [mistake for mistake in mistakes if validator.is_valid(mistake)]


@needs_helm
def test_helm_finds_nothing_to_say() -> None:
    """Lint, with warnings as errors, of the defaults and of everything switched on."""
    for arguments in ((), WORKLOADS):
        done = helm("lint", "--strict", CHART, *arguments)
        assert done.returncode == 0, done.stdout + done.stderr


@needs_helm
@pytest.mark.parametrize("service", ["transactions-api", "sereno"])
def test_rules_are_the_compiled_ones(service: str) -> None:
    """As PrometheusRule objects where the cluster knows them, else in ConfigMaps; `rules.kind` decides otherwise."""
    operator = templated(*OPERATOR, "--set", "rules.labels.release=prom,rules.namespace=monitoring")
    rules = _parts(operator, "PrometheusRule", service)
    assert {"groups": [group for rule in rules for group in rule["spec"]["groups"]]} == _groups(service)
    assert {rule["metadata"]["labels"]["release"] for rule in rules} == {"prom"}
    assert {rule["metadata"]["namespace"] for rule in rules} == {"monitoring"}
    files = [text for config in _parts(templated(), "ConfigMap", service) for text in config["data"].values()]
    read = [yaml.load(text, Loader=yaml.CSafeLoader)["groups"] for text in files]
    assert {"groups": [group for groups in read for group in groups]} == _groups(service)
    chosen = templated("--set", "rules.kind=operator")
    assert ("PrometheusRule", f"sereno-{service}") in chosen
    assert not [kind for kind, name in templated("--set", "rules.kind=none") if name.endswith("-rules")]


@needs_helm
def test_dashboards_are_found_by_grafana() -> None:
    """Each generated dashboard is a ConfigMap with the sidecar's label, and holds the file."""
    objects = templated("--set", "dashboards.annotations.grafana_folder=SLO")
    for path in sorted((REPOSITORY / "dashboards/grafana/generated").glob("*.json")):
        config = objects["ConfigMap", f"sereno-dashboard-{path.stem}"]
        assert config["metadata"]["labels"]["grafana_dashboard"] == "1"
        assert config["metadata"]["annotations"] == {"grafana_folder": "SLO"}
        assert json.loads(config["data"][path.name]) == json.loads(path.read_text("utf-8"))


@needs_helm
def test_each_owner_has_a_folder_in_grafana() -> None:
    """The annotation that the sidecar reads is the owner of the service's alerts; what is of all has a folder, too."""
    objects = templated("--set", "dashboards.folderAnnotation=grafana_folder,dashboards.annotations.kept=yes")
    for path in sorted((REPOSITORY / "dashboards/grafana/generated").glob("*.json")):
        annotations = objects["ConfigMap", f"sereno-dashboard-{path.stem}"]["metadata"]["annotations"]
        rules = RULES / f"{path.stem}.rules.yaml"
        owners = (
            set(re.findall(r"^ +owner: (.+)$", rules.read_text("utf-8"), re.MULTILINE)) if rules.is_file() else set()
        )
        assert annotations == {"grafana_folder": "".join(owners) or "All services", "kept": "yes"}


@needs_helm
def test_sereno_is_scraped_with_the_jobs_of_its_own_rules() -> None:
    """The label that monitors take the job from is one that rules select by; without the operator there are none."""
    objects = templated(*OPERATOR, *WORKLOADS, "--namespace", "observability")
    for name in ("sereno-collector", "sereno-incidents"):
        pods = objects["Deployment", name]["spec"]["template"]["metadata"]["labels"]
        monitor = objects["PodMonitor", name]["spec"]
        assert monitor["selector"]["matchLabels"].items() <= pods.items()
        assert pods[monitor["jobLabel"]] == name
    assert all(one["metadata"]["namespace"] == "observability" for one in objects.values())
    assert not [kind for kind, _ in templated(*WORKLOADS) if kind == "PodMonitor"]


def test_the_collector_of_otel_is_the_one_of_the_repository() -> None:
    """The chart can't read beyond its folder: its copy is the same, byte for byte."""
    ours = (REPOSITORY / "collectors/otel/collector.yaml").read_bytes()
    assert (CHART / "files/otel-collector.yaml").read_bytes() == ours, (
        "cp collectors/otel/collector.yaml helm/sereno/files/otel-collector.yaml"
    )
