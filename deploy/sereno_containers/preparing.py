"""What has to be there before the parts start: passwords, compiled specs, the configurations of the neighbours."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from sereno_cli.demo.backing import BACKINGS
from sereno_cli.demo.compiling import compile_specs_of, silent_specs
from sereno_cli.demo.places import DemoError, Places
from sereno_cli.demo.systems import System
from sereno_slo.alertmanager_file import UnmergeableError, merged, rules_in

from sereno_containers.passwords import ALERTMANAGER, write_passwords
from sereno_containers.pods import all_systems, ports_of

MACHINE = "machine"
"""The profile of what the machine itself does."""
HERE, EVERYBODY = "here", "everybody"
TOLD = (HERE, EVERYBODY)
"""Whom pages reach: the incident record alone, or everybody that alerting/alertmanager/teams.yaml names, too."""
INCIDENTS = "http://incidents:19093/api/v1/alertmanager"
_SECRET = "/secrets/password"  # noqa: S105 - where it is, not what
_OUTSIDE = ("global", "templates")
"""Keys that only receivers outside need."""


@dataclass(frozen=True, slots=True)
class Preparation:
    """What is prepared, and where it goes."""

    places: Places
    passwords: Path
    """The volume of passwords."""
    configuration: Path
    """The volume of configurations: `prometheus/prometheus.yml`, `alertmanager/alertmanager.yml`, `grafana/…`."""
    systems: tuple[str, ...]
    """The profiles: reference systems that run, and `machine`. Of other systems no rules are loaded."""
    told: str = HERE


def prepare(wanted: Preparation) -> None:
    """Write all of it; a second time changes what has changed.

    Raises:
        DemoError: specs have mistakes, a system isn't known, a file can't be read or written.
    """
    places, systems = wanted.places, all_systems(wanted.places.root)
    names = [system.name for system in systems]
    running = tuple(system for system in systems if system.name in wanted.systems)
    if strangers := [name for name in wanted.systems if name not in (*names, MACHINE)]:
        raise DemoError(
            f"COMPOSE_PROFILES: there is no {', '.join(strangers)}; there are: {', '.join((*names, MACHINE))}"
        )
    try:
        write_passwords(wanted.passwords, names)
        _forget(places.compiled)
        _empty(places.portal_root)
        compile_specs_of(places, silent_specs(places.root, running))
        _write(
            wanted.configuration / "prometheus" / "prometheus.yml",
            _prometheus(places, running, with_machine=MACHINE in wanted.systems),
        )
        _write(wanted.configuration / "alertmanager" / "alertmanager.yml", _alertmanager(places, wanted.told))
        _write(wanted.configuration / "grafana" / "datasources" / "sereno.yaml", _data_sources(places))
        _write(wanted.configuration / "grafana" / "dashboards" / "sereno.yaml", _dashboards(places))
    except OSError as error:
        raise DemoError(f"{error.filename}: {error.strerror}") from None


def _forget(folder: Path) -> None:
    """Files of systems that ran last time. Folders stay: others have them mounted."""
    for path in folder.rglob("*"):
        if path.is_file():
            path.unlink()


def _empty(folder: Path) -> None:
    """Not the folder itself: it is where a volume is."""
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def _write(path: Path, document: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")


def _prometheus(places: Places, systems: Sequence[System], *, with_machine: bool) -> dict[str, Any]:
    """deploy/compose/prometheus.yml, with the jobs of the systems that run."""
    document: dict[str, Any] = yaml.safe_load((places.root / "deploy" / "compose" / "prometheus.yml").read_text())
    document["scrape_configs"] += [*_program_jobs(places.root, systems), *_server_jobs(places.root, systems)]
    if with_machine:
        node = yaml.safe_load((places.root / "exporters" / "standard" / "node" / "scrape.yaml").read_text())
        targets = [{"targets": ["node-exporter:9100"]}]
        document["scrape_configs"] += [{**job, "static_configs": targets} for job in node["scrape_configs"]]
    return document


def _program_jobs(root: Path, systems: Sequence[System]) -> Iterator[dict[str, Any]]:
    """Programs that are several of one kind are targets of one job."""
    found: dict[str, list[str]] = {}
    for system in systems:
        ports = ports_of(system, root)
        for program in system.programs:
            if program.scrape is not None:
                target = f"{system.name}:{ports[f'{program.name}.{program.scrape.port}']}"
                found.setdefault(program.scrape.job, []).append(target)
    yield from ({"job_name": job, "static_configs": [{"targets": targets}]} for job, targets in found.items())


def _server_jobs(root: Path, systems: Sequence[System]) -> Iterator[dict[str, Any]]:
    """The repository's own jobs of exporters/standard, with the servers of these systems as their targets."""
    found: dict[str, list[dict[str, Any]]] = {}
    for system in systems:
        ports = ports_of(system, root)
        for need in system.needs:
            for port, folder in BACKINGS[need].scrapes.items():
                target = f"{system.name}:{ports[f'{system.server(need)}.{port}']}"
                found.setdefault(folder, []).append({"targets": [target], "labels": {"system": system.name}})
    for folder, targets in found.items():
        document = yaml.safe_load((root / "exporters" / "standard" / folder / "scrape.yaml").read_text())
        yield from ({**job, "static_configs": targets} for job in document["scrape_configs"])


def _alertmanager(places: Places, told: str) -> dict[str, Any]:
    """The repository's routes; the incident record is in a container of its own, and asks for a password."""
    if told not in TOLD:
        raise DemoError(f"SERENO_TOLD={told} means nothing: write {' or '.join(TOLD)}")
    source = places.root / "alerting" / "alertmanager" / "alertmanager.yml"
    generated = places.compiled / "alertmanager" / "inhibit_rules.yml"
    try:
        document: dict[str, Any] = yaml.safe_load(merged(source.read_text(), rules_in(generated.read_text())))
    except UnmergeableError as error:
        raise DemoError(f"{source} can't be read: {error}") from None
    record = {
        "url": INCIDENTS,
        "send_resolved": True,
        "http_config": {"basic_auth": {"username": ALERTMANAGER, "password_file": _SECRET}},
    }
    document["receivers"] = [_receiver(receiver, record, told) for receiver in document["receivers"]]
    if told == HERE:
        return {key: value for key, value in document.items() if key not in _OUTSIDE}
    return document | {"templates": ["/etc/alertmanager/templates/*.tmpl"]}


def _receiver(receiver: Mapping[str, Any], record: Mapping[str, Any], told: str) -> dict[str, Any]:
    if len(receiver) == 1:  # its name: nobody is told
        return dict(receiver)
    if told == HERE:
        return {"name": receiver["name"], "webhook_configs": [dict(record)]}
    others = [each for each in receiver.get("webhook_configs", ()) if not _is_record(each)]
    return {**receiver, "webhook_configs": [*others, dict(record)]}


def _is_record(webhook: Mapping[str, Any]) -> bool:
    return str(webhook.get("url", "")).endswith("/api/v1/alertmanager")


def _data_sources(places: Places) -> dict[str, Any]:
    """Those that `sereno compile` writes; Elasticsearch asks for a password."""
    document: dict[str, Any] = yaml.safe_load((places.compiled / "datasources" / "sereno.yaml").read_text())
    for source in document["datasources"]:
        if source["type"] == "elasticsearch":
            source["basicAuth"] = True
            source["basicAuthUser"] = "sereno_reader"
            source["secureJsonData"] = {"basicAuthPassword": "$__file{/secrets/elasticsearch-password}"}
    return document


def _dashboards(places: Places) -> dict[str, Any]:
    """The repository's own: what is compiled is mounted where it looks for it."""
    path = places.root / "dashboards" / "grafana" / "provisioning" / "dashboards" / "sereno.yaml"
    document: dict[str, Any] = yaml.safe_load(path.read_text())
    return document
