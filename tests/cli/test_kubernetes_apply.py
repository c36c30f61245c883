"""`sereno kubernetes apply`: what the compiler wrote, in a cluster."""

import contextlib
import io
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from sereno_backends.kubernetes import AccessInvalid, access_of_this_pod
from sereno_cli.exit_codes import ExitCode
from sereno_cli.main import run
from support.kubernetes_api import TOKEN, Cluster, running_cluster
from support.slo_specs import REPOSITORY

RULES = "/apis/monitoring.coreos.com/v1/namespaces/shop/prometheusrules"
MAPS = "/api/v1/namespaces/{}/configmaps"
COMPILED = REPOSITORY / "helm/sereno/files"
"""What `sereno compile --format operator` wrote."""


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """A cluster without objects."""
    with running_cluster() as found:
        yield found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two services' rules, one dashboard, and a token."""
    for part in ("rules/sereno.rules.yaml", "rules/fitness-payments.rules.yaml", "dashboards/overview.json"):
        (tmp_path / "compiled" / part).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(COMPILED / part, tmp_path / "compiled" / part)
    (tmp_path / "token").write_text(f"{TOKEN}\n", "utf-8")
    return tmp_path


@dataclass(frozen=True, slots=True)
class Answer:
    """What a user gets."""

    exit_code: int
    output: str


def _apply(cluster: Cluster, folder: Path, *arguments: str) -> Answer:
    access = ("--server", cluster.url, "--token-file", str(folder / "token"), "--namespace", "shop")
    output = io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        code = run(["kubernetes", "apply", str(folder / "compiled"), *access, *arguments])
    return Answer(code, output.getvalue())


def test_rules_and_dashboards_arrive(cluster: Cluster, folder: Path) -> None:
    """As the compiler wrote them, with the labels that Prometheus and Grafana select by."""
    answer = _apply(cluster, folder, "--rule-label", "release=prom", "--dashboards-namespace", "boards")
    assert answer.exit_code == ExitCode.OK, answer.output
    assert "rules: 2 of 2 applied in shop" in answer.output
    rule = cluster.objects[f"{RULES}/sereno-sereno"]
    written = yaml.safe_load((COMPILED / "rules/sereno.rules.yaml").read_text("utf-8"))
    assert rule["spec"] == written["spec"]
    assert rule["metadata"]["labels"]["release"] == "prom"
    board = cluster.objects[f"{MAPS.format('boards')}/sereno-dashboard-overview"]
    assert board["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert board["data"]["overview.json"] == (COMPILED / "dashboards/overview.json").read_text("utf-8")


def test_rules_without_an_operator_are_files_of_a_configmap(cluster: Cluster, folder: Path) -> None:
    """A Prometheus that mounts it reads the same groups."""
    answer = _apply(cluster, folder, "--rules", "configmap", "--no-dashboards", "--rules-namespace", "rules")
    assert answer.exit_code == ExitCode.OK, answer.output
    config = cluster.objects[f"{MAPS.format('rules')}/sereno-sereno-rules"]
    written = yaml.safe_load((COMPILED / "rules/sereno.rules.yaml").read_text("utf-8"))
    assert yaml.safe_load(config["data"]["sereno-sereno.rules.yaml"]) == written["spec"]
    assert len(cluster.objects) == 2


def test_what_no_spec_gives_any_more_goes(cluster: Cluster, folder: Path) -> None:
    """With --prune, on every page of the list; another release's and anybody else's stay."""
    assert _apply(cluster, folder).exit_code == ExitCode.OK
    others = ("theirs", "of-another-release", "old-1", "old-2", "old-3")
    for name in others:
        labels = {"app.kubernetes.io/managed-by": "sereno", "app.kubernetes.io/component": "rules"}
        labels["app.kubernetes.io/instance"] = "another" if name == "of-another-release" else "sereno"
        labels |= {"app.kubernetes.io/managed-by": "Helm"} if name == "theirs" else {}
        cluster.objects[f"{RULES}/{name}"] = {"metadata": {"name": name, "labels": labels}}
    (folder / "compiled/rules/fitness-payments.rules.yaml").unlink()
    assert _apply(cluster, folder).exit_code == ExitCode.OK
    assert f"{RULES}/sereno-fitness-payments" in cluster.objects
    answer = _apply(cluster, folder, "--prune")
    assert "sereno-fitness-payments removed" in answer.output
    names = {path.removeprefix(f"{RULES}/") for path in cluster.objects if path.startswith(RULES)}
    assert names == {"sereno-sereno", "theirs", "of-another-release"}


def test_a_dry_run_changes_nothing(cluster: Cluster, folder: Path) -> None:
    """The cluster says whether it would take everything."""
    answer = _apply(cluster, folder, "--dry-run", "--prune")
    assert answer.exit_code == ExitCode.OK, answer.output
    assert "2 of 2 would be taken" in answer.output
    assert cluster.requests == []


def test_what_somebody_else_owns_is_left(cluster: Cluster, folder: Path) -> None:
    """The conflict is told with the owner, the others arrive, and nothing is removed in that run."""
    cluster.managers[f"{RULES}/sereno-sereno"] = "helm"
    answer = _apply(cluster, folder, "--prune")
    assert answer.exit_code == ExitCode.ANSWER_IS_NO
    assert "shop/sereno-sereno: the cluster" in answer.output
    assert 'conflict with "helm"' in answer.output
    assert f"{RULES}/sereno-fitness-payments" in cluster.objects
    assert not [path for method, path in cluster.requests if method == "DELETE"]


def test_objects_go_with_their_owner(cluster: Cluster, folder: Path) -> None:
    """In the owner's namespace they refer to it; in another one the cluster would remove them at once."""
    place = f"{MAPS.format('shop')}/sereno-specs"
    cluster.objects[place] = {"metadata": {"name": "sereno-specs", "uid": "u-1"}}
    answer = _apply(cluster, folder, "--owner", "sereno-specs", "--dashboards-namespace", "boards")
    assert answer.exit_code == ExitCode.OK, answer.output
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "sereno-specs", "uid": "u-1"}
    assert cluster.objects[f"{RULES}/sereno-sereno"]["metadata"]["ownerReferences"] == [reference]
    board = cluster.objects[f"{MAPS.format('boards')}/sereno-dashboard-overview"]
    assert "ownerReferences" not in board["metadata"]
    del cluster.objects[place]
    missing = _apply(cluster, folder, "--owner", "sereno-specs")
    assert missing.exit_code == ExitCode.ANSWER_IS_NO
    assert "answered 404" in missing.output


def test_a_cluster_that_refuses_is_told(cluster: Cluster, folder: Path) -> None:
    """A missing right, a wrong token, nobody there: with the server's words, and never the token."""
    cluster.forbidden = ("prometheusrules",)
    answer = _apply(cluster, folder)
    assert answer.exit_code == ExitCode.ANSWER_IS_NO
    assert "cannot patch resource" in answer.output
    (folder / "token").write_text("secret-of-mine", "utf-8")
    refused = _apply(cluster, folder)
    assert refused.exit_code == ExitCode.ANSWER_IS_NO
    assert "answered 401" in refused.output
    assert "secret-of-mine" not in refused.output
    cluster.url = "http://127.0.0.1:1"
    assert _apply(cluster, folder).exit_code == ExitCode.UNREACHABLE


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--rule-label", "release"), "is no label"),
        (("--rule-label", "release=a b"), "is no label"),
        (("--server", "ftp://a"), "doesn't begin with http"),
        (("--token-file", "missing"), "can't be read"),
        (("--ca-file", "missing"), "holds no certificates"),
    ],
)
def test_wrong_arguments_are_told(cluster: Cluster, folder: Path, arguments: tuple[str, ...], said: str) -> None:
    """Before anything is sent."""
    answer = _apply(cluster, folder, *arguments)
    assert answer.exit_code == ExitCode.INVALID_INPUT
    assert said in answer.output
    assert cluster.requests == []


def test_a_folder_of_another_form_is_told(cluster: Cluster, folder: Path) -> None:
    """Rules for Prometheus itself, text that is no YAML, a dashboard too large, nothing at all."""
    rules = folder / "compiled/rules/sereno.rules.yaml"
    for text, said in (("groups: []\n", "holds no PrometheusRule"), ("{", "can't be read")):
        rules.write_text(text, "utf-8")
        answer = _apply(cluster, folder)
        assert (answer.exit_code, said in answer.output) == (ExitCode.INVALID_INPUT, True), answer.output
    rules.unlink()
    (folder / "compiled/dashboards/overview.json").write_text(f'"{"x" * 1_000_001}"', "utf-8")
    assert "too large for a ConfigMap" in _apply(cluster, folder).output
    shutil.rmtree(folder / "compiled/rules")
    assert "has no rules" in _apply(cluster, folder).output
    assert cluster.requests == []


def test_a_pod_knows_its_cluster(tmp_path: Path) -> None:
    """Address, token and namespace are those that Kubernetes puts there; elsewhere it is told what to give."""
    for name, text in (("token", "t\n"), ("namespace", "shop")):
        (tmp_path / name).write_text(text, "utf-8")
    access, namespace = access_of_this_pod(
        {"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "6443"}, tmp_path
    )
    assert (access.url, access.token, namespace) == ("https://[fd00::1]:6443", "t", "shop")
    assert "'t'" not in repr(access)
    with pytest.raises(AccessInvalid, match="give --server"):
        access_of_this_pod({}, tmp_path)
    (tmp_path / "token").unlink()
    with pytest.raises(AccessInvalid, match="isn't mounted"):
        access_of_this_pod({"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, tmp_path)
