"""deploy/compose as Compose reads it: `include`, `extends` and variables resolved; every profile switched on."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "deploy" / "compose"
FILES = ("compose.yaml", "systems.yaml", "base.yaml")
_VARIABLE = re.compile(r"\$\$|\$\{(\w+):-([^}]*)\}|\$")

Service = dict[str, Any]


def plain(name: str) -> dict[str, Any]:
    """A file as it stands."""
    document: dict[str, Any] = yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))
    return document


@cache
def composition() -> Mapping[str, Any]:
    """Services, networks and volumes of all files."""
    first = plain("compose.yaml")
    whole: dict[str, Any] = {key: dict(first[key]) for key in ("services", "networks", "volumes")}
    for included in first["include"]:
        for key, things in plain(included).items():
            for name, thing in things.items():
                assert whole[key].setdefault(name, thing) == thing or not thing, f"{included} defines {name} otherwise"
    whole["services"] = {name: _said(_extended(service)) for name, service in whole["services"].items()}
    return whole


def services() -> Mapping[str, Service]:
    """All services, by their names."""
    found: Mapping[str, Service] = composition()["services"]
    return found


def _extended(service: Service) -> Service:
    parent = service.get("extends")
    if parent is None:
        return service
    base = _extended(plain(parent.get("file", "base.yaml"))["services"][parent["service"]])
    own = {key: value for key, value in service.items() if key != "extends"}
    return {**base, **own, "healthcheck": {**base.get("healthcheck", {}), **own.get("healthcheck", {})}}


def _said(value: Any) -> Any:
    """Variables are those of a machine on which none is set; another form than `${NAME:-default}` is refused."""
    match value:
        case dict():
            return {key: _said(each) for key, each in value.items()}
        case list():
            return [_said(each) for each in value]
        case str():
            return _VARIABLE.sub(_default, value)
        case _:
            return value


def _default(found: re.Match[str]) -> str:
    if found[0] == "$$":
        return "$"
    assert found[1], f"a dollar sign that is no ${{NAME:-default}}: {found.string}"
    return found[2]


def is_once(service: Service) -> bool:
    """Whether it ends by itself, before others start."""
    return service.get("restart") == "no"


def subfolders_of_passwords(service: Service) -> Iterator[str]:
    """Which folders of the volume of passwords it mounts."""
    for mount in service.get("volumes", ()):
        if mount["source"] == "passwords" and "volume" in mount:
            yield mount["volume"]["subpath"]
