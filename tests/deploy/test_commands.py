"""What containers of ours are told is read by the real parsers of their programs, and what they read is prepared."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from sereno_cli.main import root
from sereno_containers import passwords
from sereno_containers.__main__ import main as containers
from sereno_containers.pods import all_systems
from support.composition import FOLDER, ROOT, Service, services, subfolders_of_passwords

SYSTEMS = tuple(system.name for system in all_systems(ROOT))
OF_THE_IMAGE = {"sereno:0.1.0": root, "sereno-systems:0.1.0": containers}
OURS = sorted(
    name
    for name, service in services().items()
    if service["image"] in OF_THE_IMAGE and service.get("entrypoint") != ["sleep", "infinity"]
)


def parsed(command: click.Command, arguments: list[str], parent: click.Context | None = None) -> click.Context:
    """Descend to the command that is meant and let it read its arguments, without running it."""
    context = command.make_context(command.name, list(arguments), parent=parent)
    if not isinstance(command, click.Group):
        return context
    rest = [*context._protected_args, *context.args]
    _, found, left = command.resolve_command(context, rest)
    assert found is not None
    return parsed(found, left, context)


@pytest.mark.parametrize("name", OURS)
def test_commands_are_understood(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Options, arguments and their values are what the program takes."""
    service = services()[name]
    for variable, value in service.get("environment", {}).items():
        monkeypatch.setenv(variable, value)
    # Files are those of the container: that they are there is another test's.
    monkeypatch.setattr(click.Path, "convert", lambda _self, value, _param, _context: Path(value))
    context = parsed(OF_THE_IMAGE[service["image"]], service["command"])
    assert "--host" not in service["command"] or context.params["host"] == "0.0.0.0"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The volume of passwords, as it is after the first start."""
    made = tmp_path_factory.mktemp("passwords")
    passwords.write_passwords(made, SYSTEMS)
    return made


def texts(service: Service) -> Iterator[str]:
    """Everything in which a container is told a path."""
    yield from service.get("command", ())
    yield from service.get("entrypoint", ())
    yield from map(str, service.get("environment", {}).values())
    yield from service["healthcheck"].get("test", ())


def configurations(name: str) -> Iterator[str]:
    """Files of deploy/compose that a container reads, and that name files, too."""
    for mount in services()[name].get("volumes", ()):
        if mount["source"] in ("devops.yaml", "exporters.yaml"):
            yield (FOLDER / mount["source"]).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(name for name in services() if [*subfolders_of_passwords(services()[name])]))
def test_passwords_that_are_read_are_made(name: str, folder: Path) -> None:
    """Each container has its own folder, with every file that it is told of; only Compose's preparation sees all."""
    (own,) = subfolders_of_passwords(services()[name])
    assert own.startswith("systems/") or own == name
    told = "\n".join((*texts(services()[name]), *configurations(name)))
    named = set(re.findall(r"/secrets/([\w.-]+)", told))
    assert named <= {path.name for path in (folder / own).iterdir()}


def test_only_the_preparation_sees_all_passwords() -> None:
    """Nobody else mounts the whole volume, or may write to it."""
    whole = [
        (name, mount.get("read_only", False))
        for name, service in services().items()
        for mount in service.get("volumes", ())
        if mount["source"] == "passwords" and ("volume" not in mount or not mount.get("read_only"))
    ]
    assert whole == [("prepare", False)]


def test_no_password_stands_in_a_variable_or_a_command() -> None:
    """They are in files: `docker inspect` shows variables and commands to everybody who may ask."""
    for name, service in services().items():
        for variable, value in service.get("environment", {}).items():
            if re.search("PASSWORD|SECRET|TOKEN|KEY", variable) and "RABBITMQ" not in variable:
                assert str(value).startswith("/secrets"), (name, variable)
        assert not re.search(r"://[^/@ ]+:[^/@ ]+@", " ".join(texts(service))), name
