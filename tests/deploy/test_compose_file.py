"""deploy/compose by itself: what the specification demands, and what we promise of each container."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest
from sereno_containers import compose_file
from support.composition import FILES, FOLDER, ROOT, Service, composition, is_once, plain, services
from support.image_build import instructions

OURS = re.compile(r"sereno(-systems)?:0\.1\.0")
SCHEMA = json.loads((Path(__file__).parent / "compose-spec.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", FILES)
def test_files_are_of_the_specification(name: str) -> None:
    """Each file keeps Compose's own schema, which knows every key."""
    jsonschema.Draft7Validator(SCHEMA).validate(plain(name))


def test_systems_are_those_of_the_repository() -> None:
    """The generated file is what systems/*/system.yaml say."""
    assert compose_file.FILE.read_text(encoding="utf-8") == compose_file.compose_text()


@pytest.fixture(params=sorted(services()))
def service(request: pytest.FixtureRequest) -> Service:
    """Each container."""
    found: Service = services()[request.param]
    return found


def test_containers_are_confined(service: Service) -> None:
    """Read-only, without capabilities or new privileges, within limits, and with logs that end somewhere."""
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert not service.get("privileged")
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["cpus"] > 0
    assert re.fullmatch(r"\d+[mg]", service["mem_limit"])
    assert 0 < service["pids_limit"] <= 1024
    assert service["logging"]["options"]["max-size"]


def test_nobody_is_root(service: Service) -> None:
    """Images of others are run by a number that isn't 0; ours end with a user of their own."""
    if OURS.fullmatch(service["image"]):
        assert "user" not in service
    else:
        assert int(service["user"].partition(":")[0]) > 0


def test_images_of_ours_end_without_root() -> None:
    """The last USER of each target is the one that files of volumes belong to."""
    last: dict[str, str] = {}
    stage = ""
    for step in instructions():
        if step["instruction"] == "FROM":
            stage = step["value"].rpartition(" ")[2]
        elif step["instruction"] == "USER":
            last[stage] = step["value"]
    assert last == {"sereno": "10001:10001", "systems": "10001:10001"}


def test_health_is_asked(service: Service) -> None:
    """Whatever stays has a question that tells whether it is well; what ends by itself has none."""
    health = service["healthcheck"]
    if is_once(service):
        assert health["disable"] is True
        return
    assert health["test"][0] in ("CMD", "CMD-SHELL")
    assert len(health["test"]) > 1
    assert {"interval", "timeout", "retries", "start_period"} <= set(health)
    assert service["restart"] == "unless-stopped"


def test_images_are_pinned(service: Service) -> None:
    """A name of the usual registry with a version, which .env may change; never what is newest."""
    name, _, tag = service["image"].partition(":")
    assert re.fullmatch(r"([a-z0-9-]+/)?[a-z0-9_-]+", name)
    assert re.search(r"\d+\.\d+\.\d+|15\.14", tag)
    assert "latest" not in tag


def test_what_is_referred_to_is_there(service: Service) -> None:
    """Files of the repository, volumes, networks, and containers that it waits for."""
    whole = composition()
    assert set(service.get("depends_on", {})) <= set(whole["services"])
    for name, wanted in service.get("depends_on", {}).items():
        assert (wanted["condition"] == "service_completed_successfully") == is_once(whole["services"][name])
    assert set(service.get("networks", ())) <= set(whole["networks"])
    shared = service.get("network_mode", "none")
    assert shared == "none" or shared.removeprefix("service:") in whole["services"]
    assert (shared == "none" and "network_mode" in service) != bool(service.get("networks") or shared != "none")
    for mount in service.get("volumes", ()):
        if mount["type"] == "volume":
            assert mount["source"] in whole["volumes"]
        else:
            assert mount["read_only"] is True
            assert (FOLDER / mount["source"]).exists(), mount["source"]
            assert ".sock" not in mount["source"]


def test_profiles_wait_for_what_is_always_there() -> None:
    """A container waits only for those of its own profile, or of none."""
    for name, service in services().items():
        for other in service.get("depends_on", {}):
            assert set(services()[other].get("profiles", ())) <= set(service.get("profiles", ())), (name, other)


def published() -> Iterator[tuple[str, int]]:
    """Who publishes which port."""
    for name, service in services().items():
        for text in service.get("ports", ()):
            host, outside, inside = text.rsplit(":", 2)
            assert host == "127.0.0.1"
            assert outside == inside
            yield name, int(outside)


def test_ports_are_published_once_here_and_written_down() -> None:
    """On loopback by default, each once, and docs/ports.md and docs/compose.md tell of them."""
    ports = [port for _, port in published()]
    assert len(ports) == len(set(ports)) > 10
    told = (ROOT / "docs" / "ports.md").read_text(encoding="utf-8")
    page = (ROOT / "docs" / "compose.md").read_text(encoding="utf-8")
    for name, port in published():
        assert re.search(rf"\b{port}\b", told), f"docs/ports.md says nothing of {port} ({name})"
        assert re.search(rf"\b{port}\b", page), f"docs/compose.md says nothing of {port} ({name})"


def test_nobody_publishes_from_a_network_that_is_closed() -> None:
    """Ports reach nobody from a container whose networks are all internal, and Elasticsearch is in such a one only."""
    networks = composition()["networks"]
    for name, _ in published():
        assert any(not networks[each].get("internal") for each in services()[name]["networks"]), name
    assert [networks[each].get("internal") for each in services()["elasticsearch"]["networks"]] == [True]


def test_every_volume_of_ours_is_made_by_the_image() -> None:
    """A volume has the owner of the folder that the image has there: without one it would be root's."""
    (made,) = (
        s["value"] for s in instructions() if s["value"].startswith("install -d") and "/repository" in s["value"]
    )
    for name, service in services().items():
        for mount in service.get("volumes", ()):
            if mount["type"] == "volume" and OURS.fullmatch(service["image"]):
                target = mount["target"]
                assert target in made.split() or target.startswith("/var/lib/sereno/systems/"), (name, target)


def test_variables_of_the_example_are_used() -> None:
    """.env.example names no variable that means nothing, and systems that exist."""
    example = (FOLDER / ".env.example").read_text(encoding="utf-8")
    used = "".join((FOLDER / name).read_text(encoding="utf-8") for name in FILES)
    names = re.findall(r"^#? ?([A-Z_]+)=", example, re.MULTILINE)
    assert len(names) > 5
    assert [name for name in names if f"${{{name}:-" not in used] == []
    for name in sorted({profile for each in services().values() for profile in each.get("profiles", ())}):
        assert name in example
