"""What is prepared before the parts start: the real promtool and amtool take it, and targets are containers."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import bcrypt
import pytest
import yaml
from sereno_backends.serving.web_config import WebConfig
from sereno_cli.demo.places import DemoError, Places
from sereno_containers.pods import all_systems, ports_of
from sereno_containers.preparing import Preparation, prepare
from support.composition import ROOT, services

SYSTEMS = tuple(system.name for system in all_systems(ROOT))


def preparation(folder: Path, *systems: str, told: str = "here") -> Preparation:
    """Into a folder, of this repository."""
    return Preparation(Places(ROOT, folder), folder / "passwords", folder / "configuration", systems, told)


def read(path: Path) -> Any:
    """A YAML file."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With every system, and the machine."""
    folder = tmp_path_factory.mktemp("prepared")
    prepare(preparation(folder, *SYSTEMS, "machine"))
    return folder


def test_prometheus_takes_its_configuration(prepared: Path, tmp_path: Path) -> None:
    """The real promtool checks configuration and rules, which lie where the container has them."""
    configuration = (prepared / "configuration/prometheus/prometheus.yml").read_text(encoding="utf-8")
    (tmp_path / "secrets").mkdir()
    shutil.copy(prepared / "passwords/prometheus/password", tmp_path / "secrets")
    here = configuration.replace("/etc/sereno/rules", str(prepared / "compiled/rules"))
    here = here.replace("/etc/sereno/handwritten", str(ROOT / "alerting/rules/handwritten"))
    (tmp_path / "prometheus.yml").write_text(here.replace("/secrets/", f"{tmp_path}/secrets/"), encoding="utf-8")
    command = ["promtool", "check", "config", str(tmp_path / "prometheus.yml")]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    assert checked.stdout.count("SUCCESS") > len(SYSTEMS)


@pytest.mark.parametrize("told", ["here", "everybody"])
def test_alertmanager_takes_its_configuration(prepared: Path, tmp_path: Path, told: str) -> None:
    """The real amtool checks it; whoever is told, the incident record is, by a password."""
    for name in ("passwords", "compiled"):
        shutil.copytree(prepared / name, tmp_path / name)
    prepare(preparation(tmp_path, *SYSTEMS, told=told))
    path = tmp_path / "configuration/alertmanager/alertmanager.yml"
    command = ["amtool", "check-config", str(path)]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    receivers = [one for one in read(path)["receivers"] if len(one) > 1]
    assert len(receivers) > 3
    for receiver in receivers:
        record = receiver["webhook_configs"][-1]
        assert record["url"] == "http://incidents:19093/api/v1/alertmanager"
        assert record["http_config"]["basic_auth"]["password_file"].endswith("/password")
        assert not any("127.0.0.1" in str(each.get("url")) for each in receiver["webhook_configs"])
    outside = [kind for one in receivers for kind in one if kind not in ("name", "webhook_configs")]
    assert bool(outside) == (told == "everybody")


def test_targets_are_containers(prepared: Path) -> None:
    """Every target is a container, or the network of a system, at a port that somebody in it is told."""
    reached = set(services()) | {
        alias
        for service in services().values()
        for network in (service["networks"].values() if isinstance(service.get("networks"), dict) else ())
        for alias in network["aliases"]
    }
    ports = {system.name: set(ports_of(system, ROOT).values()) for system in all_systems(ROOT)}
    jobs = read(prepared / "configuration/prometheus/prometheus.yml")["scrape_configs"]
    assert len({job["job_name"] for job in jobs}) == len(jobs) > 30
    for job in jobs:
        if job["job_name"] in ("blackbox", "prometheus"):
            continue
        for target in (target for each in job["static_configs"] for target in each["targets"]):
            host, _, port = target.partition(":")
            assert host in reached, target
            if host in ports:
                assert int(port) in ports[host]
            else:
                assert f":{port}" in str(services()[host]["healthcheck"]["test"]), target


def test_rules_are_those_of_systems_that_run(tmp_path: Path) -> None:
    """A system that doesn't run has no rules: they would say that nothing is heard of it. Sereno's own are there."""
    prepare(preparation(tmp_path, "etl"))
    rules = {path.name.removesuffix(".rules.yaml") for path in (tmp_path / "compiled/rules").iterdir()}
    assert rules == {"etl", "sereno"}
    jobs = {job["job_name"] for job in read(tmp_path / "configuration/prometheus/prometheus.yml")["scrape_configs"]}
    assert {"etl-api", "rabbitmq"} <= jobs
    assert not jobs & {"node", "redis", "tournaments"}
    links = [path for path in (tmp_path / "portal").iterdir() if path.is_symlink()]
    assert {path.name for path in links} == {"sereno.yaml", "dashboards", "runbooks", "postmortems"}

    before = {path: path.read_bytes() for path in (tmp_path / "passwords").rglob("*") if path.is_file()}
    prepare(preparation(tmp_path))
    assert {path.name for path in (tmp_path / "compiled/rules").iterdir()} == {"sereno.rules.yaml"}
    assert {path: path.read_bytes() for path in (tmp_path / "passwords").rglob("*") if path.is_file()} == before


def test_users_are_let_in_by_their_own_passwords(prepared: Path) -> None:
    """Hashes are those of the passwords that others have, as --web-config reads them; no two passwords are alike."""
    passwords = prepared / "passwords"
    users = WebConfig.model_validate(read(passwords / "incidents/web.yml")).basic_auth_users
    known = {
        "prometheus": passwords / "prometheus/password",
        "alertmanager": passwords / "alertmanager/password",
        "sereno": passwords / "portal/password",
    }
    assert set(users) == set(known)
    for name, path in known.items():
        assert bcrypt.checkpw(path.read_bytes(), users[name].encode())
    values = [path.read_text(encoding="utf-8") for path in (passwords / "values").iterdir()]
    assert len(set(values)) == len(values) > 8
    assert min(map(len, values)) >= 32
    assert all(path.stat().st_mode & 0o077 == 0 for path in (passwords / "values").iterdir())


def test_grafana_is_given_what_the_compiler_says(prepared: Path) -> None:
    """The compiled data sources, and for Elasticsearch a user whose password is in a file."""
    ours = read(prepared / "configuration/grafana/datasources/sereno.yaml")["datasources"]
    compiled = read(prepared / "compiled/datasources/sereno.yaml")["datasources"]
    assert [each["uid"] for each in ours] == [each["uid"] for each in compiled]
    (logs,) = (each for each in ours if each["type"] == "elasticsearch")
    assert logs["secureJsonData"] == {"basicAuthPassword": "$__file{/secrets/elasticsearch-password}"}
    assert read(prepared / "configuration/grafana/dashboards/sereno.yaml")["providers"]


@pytest.mark.parametrize(
    ("systems", "told", "message"),
    [(("etll",), "here", "COMPOSE_PROFILES: there is no etll"), ((), "all", "SERENO_TOLD=all means nothing")],
)
def test_mistakes_are_told(tmp_path: Path, systems: tuple[str, ...], told: str, message: str) -> None:
    """What means nothing ends the preparation with a cure."""
    with pytest.raises(DemoError, match=message):
        prepare(preparation(tmp_path, *systems, told=told))
