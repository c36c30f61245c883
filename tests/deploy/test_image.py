"""The image, built by the steps of its Dockerfile without a container engine, and its containers as Compose runs them.

Needs root, for namespaces of Linux and overlayfs; instead of what pip installs from its index, the packages that this
test suite runs with are lent (`make test-all` installs them, too). docs/compose.md says what that leaves open.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from support.composition import FOLDER, Service, services
from support.image import Image
from support.image_build import build
from support.timing import takes_long

CAN_BUILD = (
    sys.platform == "linux"
    and os.geteuid() == 0
    and all(map(shutil.which, ("unshare", "setpriv", "chroot", "ip")))
    and subprocess.run(["unshare", "--mount", "--pid", "--net", "--fork", "true"], check=False).returncode == 0
)
pytestmark = [
    pytest.mark.skipif(not CAN_BUILD, reason="root and namespaces of Linux are needed to stand for a container engine"),
    pytest.mark.xdist_group("image"),
]
USER = 10001


class World:
    """A built image, and volumes that containers share."""

    def __init__(self, folder: Path, *, offline: bool) -> None:
        """Build it."""
        self.folder = folder
        self.image = build(folder / "build", "systems", offline=offline)

    def image_of(self, service: Service) -> Image:
        """The target that a container is of."""
        stage = self.image.stage
        if service["image"].startswith("sereno:"):
            assert stage.parent is not None
            stage = stage.parent
        return Image(stage, self.image.base, self.image.dependencies)

    def volumes(self, service: Service) -> Mapping[str, tuple[Path, bool]]:
        """Its mounts, at the places where Compose has them."""
        return {mount["target"]: (self._source(mount), mount.get("read_only", False)) for mount in service["volumes"]}

    def _source(self, mount: Service) -> Path:
        if mount["type"] == "bind":
            return (FOLDER / str(mount["source"])).resolve()
        folder = self.folder / "volumes" / str(mount["source"])
        if not folder.exists():
            folder.mkdir(parents=True)
            os.chown(folder, USER, USER)
        return folder / str(mount.get("volume", {}).get("subpath", ""))

    def run(self, name: str, *more: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a container of the composition until it is healthy, or, where that isn't asked, until it ends."""
        service = services()[name]
        return self.image_of(service).run(
            [*service["command"], *more],
            volumes=self.volumes(service),
            environment={**service.get("environment", {}), **environment},
            healthcheck=service["healthcheck"].get("test", ())[1:],
        )


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """The image, and what `prepare` has made with it."""
    made = World(tmp_path_factory.mktemp("image"), offline=True)
    done = made.run("prepare")
    assert done.returncode == 0, done.stderr
    return made


def test_preparation_leaves_what_its_user_owns(world: World) -> None:
    """Rules, configurations and passwords are there, of the user that isn't root, and readable by others' users."""
    made = [path for path in (world.folder / "volumes").rglob("*") if not path.is_symlink()]
    assert {path.name for path in made} >= {"sereno.rules.yaml", "alertmanager.yml", "web.yml", "kibana.yml"}
    assert {path.stat().st_uid for path in made} == {USER}
    closed = [path.parent.name for path in made if path.is_file() and not path.stat().st_mode & 0o004]
    assert set(closed) == {"values"}


def test_only_the_package_of_the_system_is_left_out(world: World) -> None:
    """Every other step of the Dockerfile was done."""
    assert [step.split()[0] for step in world.image.stage.skipped] == ["apt-get"]


def test_nothing_of_the_image_can_be_written(world: World) -> None:
    """Its user can write nowhere but to /tmp, and is nobody else."""
    stage = world.image.stage.parent
    assert stage is not None
    entrypoint, stage.entrypoint = stage.entrypoint, ["sh", "-c"]
    try:
        folders = "/ /opt/sereno/bin /usr/local/bin /var/lib/sereno /secrets"
        asked = f'id -u; for folder in {folders}; do touch "$folder/x"; done; touch /tmp/x'
        done = Image(stage, world.image.base, world.image.dependencies).run([asked], volumes={}, environment={})
    finally:
        stage.entrypoint = entrypoint
    assert done.stdout.split() == [str(USER)]
    assert done.returncode == 0
    assert done.stderr.count("cannot touch") == done.stderr.count("Read-only file system") == 5


def test_the_program_answers(world: World) -> None:
    """`sereno --version` and the help of a part come out of the installed wheel, not of the repository."""
    image = world.image_of(services()["portal"])
    assert "sereno, version 0.1.0" in image.run(["--version"], volumes={}, environment={}).stdout
    shown = image.run(["portal", "--help"], volumes={}, environment={})
    assert "Serve Sereno's pages" in shown.stdout
    assert shown.returncode == 0


@pytest.mark.parametrize("name", ["incidents", "devops", "portal", "etl-upstream"])
def test_containers_become_healthy(world: World, name: str) -> None:
    """With the command, volumes and environment of the composition, its own healthcheck answers."""
    done = world.run(name)
    assert done.returncode == 0, done.stderr + done.stdout
    assert "Traceback" not in done.stderr + done.stdout
    assert "is not known and ignored" not in done.stderr


@takes_long
@pytest.mark.parametrize("name", ["exporters", "etl-moto", "fitness-payment-network", "devops-events-watcher"])
def test_others_become_healthy(world: World, name: str) -> None:
    """The same for those that are much like them."""
    done = world.run(name)
    assert done.returncode == 0, done.stderr + done.stdout


@takes_long
def test_the_collector_becomes_healthy(world: World) -> None:
    """The same, with a store of its own: no Elasticsearch is in its network here."""
    done = world.run(
        "collector", "--log-store", "/var/lib/sereno/collector/logs.sqlite",
        SERENO_ELASTICSEARCH_URL="", SERENO_ELASTICSEARCH_USERNAME_FILE="", SERENO_ELASTICSEARCH_PASSWORD_FILE="",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr + done.stdout


@takes_long
@pytest.mark.timeout(900)
def test_the_image_has_all_that_it_needs(tmp_path: Path) -> None:
    """With everything that pip installs for it, and nothing lent, containers of both targets become healthy."""
    world = World(tmp_path, offline=False)
    assert world.run("prepare").returncode == 0
    for name in ("incidents", "etl-upstream"):
        done = world.run(name)
        assert done.returncode == 0, done.stderr + done.stdout


def test_a_container_that_is_ill_says_why(world: World) -> None:
    """Without a password it is unhealthy; a program that doesn't exist is told, with those that do."""
    service = services()["incidents"]
    health = ["healthy", "http://127.0.0.1:19093/health"]
    asked = ["sh", "-c", f"timeout 20 sh -c 'until {' '.join(health)} 2>&1 | grep -q 401; do sleep 0.1; done'"]
    done = world.image_of(service).run(
        service["command"], volumes=world.volumes(service), environment={}, healthcheck=asked
    )
    assert done.returncode == 0, done.stderr

    stranger = services()["etl-upstream"]
    done = world.image_of(stranger).run(
        ["program", "etl", "etl-nobody"], volumes=world.volumes(stranger), environment={}
    )
    assert done.returncode == 3
    assert done.stderr.startswith("sereno: etl has no program 'etl-nobody'; it has: etl-upstream")
