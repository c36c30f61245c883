"""The configuration of the demo's Prometheus and Alertmanager, made from the repository's own files."""

from collections.abc import Iterator, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml
from sereno_slo.alertmanager_file import UnmergeableError, merged, rules_in

from sereno_cli.demo.parts import Run
from sereno_cli.demo.places import Addresses, DemoError, Places
from sereno_cli.demo.servers import server_scrapes
from sereno_cli.demo.systems import System

# Short, so that a person can watch; thresholds and windows of the rules stay what they are.
_SCRAPE_INTERVAL = "5s"
_GROUP_WAIT = "1s"
_GROUP_INTERVAL = "5s"
_HOURS = ("active_time_intervals", "mute_time_intervals")
_PATIENCE = "65s"
"""Rules of a cause may be evaluated a minute after those of its consequences: these wait to be told until then."""


def write_configuration(run: Run, systems: Sequence[System]) -> tuple[Path, Path]:
    """Write prometheus.yml and alertmanager.yml into the demo's state; returns their paths."""
    places, addresses = run.places, run.addresses
    prometheus, alertmanager = places.state / "prometheus.yml", places.state / "alertmanager.yml"
    prometheus.write_text(yaml.safe_dump(_prometheus(places, addresses, systems), sort_keys=False))
    original = places.root / "alerting" / "alertmanager" / "alertmanager.yml"
    generated = places.compiled / "alertmanager" / "inhibit_rules.yml"
    try:
        routing = yaml.safe_load(merged(original.read_text(), rules_in(generated.read_text())))
    except (OSError, UnmergeableError) as error:
        raise DemoError(f"{original} can't be read: {error}") from None
    patient = [name for system in systems for name in system.wait_for_cause]
    local = local_alertmanager(routing, addresses.url("incidents"), patient)
    alertmanager.write_text(yaml.safe_dump(local, sort_keys=False))
    return prometheus, alertmanager


def _prometheus(places: Places, addresses: Addresses, systems: Sequence[System]) -> dict[str, Any]:
    def job(name: str, port: str) -> dict[str, Any]:
        return {"job_name": name, "static_configs": [_target(addresses, port)]}

    return {
        "global": {"scrape_interval": _SCRAPE_INTERVAL, "evaluation_interval": "1m"},
        "rule_files": [
            str(places.compiled / "rules" / "*.yaml"),
            str(places.root / "alerting" / "rules" / "handwritten" / "*.yaml"),
        ],
        "alerting": {
            "alertmanagers": [{"static_configs": [{"targets": [f"127.0.0.1:{addresses.port('alertmanager')}"]}]}]
        },
        "scrape_configs": [
            *_program_jobs(addresses, systems),
            *_server_jobs(places, addresses, systems),
            job("prometheus", "prometheus"),
            job("alertmanager", "alertmanager"),
            job("sereno-incidents", "incidents"),
            job("sereno-collector", "collector"),
            job("sereno-portal", "portal"),
        ],
    }


def _target(addresses: Addresses, port: str, **labels: str) -> dict[str, Any]:
    targets = {"targets": [f"127.0.0.1:{addresses.port(port)}"]}
    return targets | {"labels": labels} if labels else targets


def _program_jobs(addresses: Addresses, systems: Sequence[System]) -> Iterator[dict[str, Any]]:
    """Programs that are several of one kind are targets of one job."""
    found: dict[str, list[dict[str, Any]]] = {}
    for program in (program for system in systems for program in system.programs):
        if program.scrape is not None:
            target = _target(addresses, f"{program.name}.{program.scrape.port}")
            found.setdefault(program.scrape.job, []).append(target)
    yield from ({"job_name": job, "static_configs": targets} for job, targets in found.items())


def _server_jobs(places: Places, addresses: Addresses, systems: Sequence[System]) -> Iterator[dict[str, Any]]:
    """The repository's own jobs of exporters/standard, with the servers of these systems as their targets."""
    found: dict[str, list[dict[str, Any]]] = {}
    for folder, port, system in server_scrapes(systems):
        found.setdefault(folder, []).append(_target(addresses, port, system=system))
    for folder, targets in found.items():
        document = yaml.safe_load((places.root / "exporters" / "standard" / folder / "scrape.yaml").read_text())
        for job in document["scrape_configs"]:
            yield {**job, "static_configs": targets}


def local_alertmanager(routing: dict[str, Any], incidents_url: str, patient: Sequence[str] = ()) -> dict[str, Any]:
    """The repository's routes and inhibitions; every receiver that tells somebody becomes the incident receiver.

    `patient` are SLOs, each `service/slo`, that wait to be told until what they depend on can have paged.
    """
    webhook = {"url": f"{incidents_url}/api/v1/alertmanager", "send_resolved": True}
    return {
        "route": _route(routing["route"], patient),
        "inhibit_rules": deepcopy(routing.get("inhibit_rules", [])),
        "receivers": [
            {"name": receiver["name"], "webhook_configs": [webhook]}
            if len(receiver) > 1
            else {"name": receiver["name"]}
            for receiver in routing["receivers"]
        ],
    }


def _route(whole: dict[str, Any], patient: Sequence[str]) -> dict[str, Any]:
    """The repository's; and before it the same once more for each SLO that waits."""
    waiting = [
        {
            "matchers": [f'service="{service}"', f'slo="{slo}"'],
            "group_wait": _PATIENCE,
            "routes": [_paced(child, _PATIENCE) for child in whole.get("routes", [])],
        }
        for service, _, slo in (name.partition("/") for name in patient)
    ]
    hurried = _paced(whole, _GROUP_WAIT)
    return {**hurried, "routes": [*waiting, *hurried.get("routes", [])]}


def _paced(route: dict[str, Any], group_wait: str) -> dict[str, Any]:
    # Whatever the hour: the demo tells its stories at night, too.
    paced = {key: deepcopy(value) for key, value in route.items() if key not in _HOURS}
    paced |= {"group_wait": group_wait, "group_interval": _GROUP_INTERVAL}
    if "routes" in route:
        paced["routes"] = [_paced(child, group_wait) for child in route["routes"]]
    return paced
