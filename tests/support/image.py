"""deploy/Dockerfile without a container engine: its steps in plain folders, and its containers in namespaces of Linux.

What `FROM python:…` brings is this machine's /usr and /etc, read-only, with this test suite's Python at /usr/local.
All else is done as the Dockerfile says: each stage has layers of its own (overlayfs), RUN runs in a chroot, COPY copies
what the .dockerignore lets through. It needs root.
"""

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

LOCAL = "/usr/local"
TEMPORARY = "/tmp"  # noqa: S108 - of the container
_STEP_SECONDS = 600
IN_ROOT = "in_root"
_IN_ROOT_FUNCTION = """\
in_root() { # user, root, folder, command: nothing of root's is left, whatever the machine allows
    local user=$1 root=$2 folder=$3; shift 3
    chroot --userspec="$user" --groups= "$root" sh -c 'cd "$0" && exec "$@"' "$folder" \\
        setpriv --no-new-privs --inh-caps=-all "$@"
}
"""


@dataclass
class Stage:
    """One stage of the Dockerfile: what its own steps have written, and what came before."""

    folder: Path
    parent: "Stage | None"
    environment: dict[str, str] = field(default_factory=dict)
    user: str = "0:0"
    workdir: str = "/"
    entrypoint: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    """Steps that this machine can't do."""

    def __post_init__(self) -> None:
        """Folders for what is written, and all that the parent says."""
        for name in ("upper", "work", "local", "local-work", "etc", "etc-work", "root"):
            (self.folder / name).mkdir(parents=True)
        if self.parent is not None:
            self.environment, self.user = dict(self.parent.environment), self.parent.user
            self.workdir, self.entrypoint = self.parent.workdir, list(self.parent.entrypoint)
            self.skipped = list(self.parent.skipped)

    @property
    def chain(self) -> Iterator["Stage"]:
        """Itself, its parent, and so on."""
        yield self
        if self.parent is not None:
            yield from self.parent.chain

    def written(self, path: str) -> Path:
        """Where a path of the image lies that this stage writes."""
        if path.startswith(LOCAL):
            return self.folder / "local" / path.removeprefix(LOCAL).lstrip("/")
        return self.folder / "upper" / path.lstrip("/")

    def mounts(self, base: Path, dependencies: Path | None) -> str:
        """Commands of a shell in a mount namespace of its own, after which its root is at `root`."""
        uppers = [stage.folder for stage in self.chain][1:]
        lower = ":".join(str(each / "upper") for each in uppers) + (":" if uppers else "") + str(base)
        local = ":".join([*(str(each / "local") for each in uppers), sys.base_prefix])
        root, own = self.folder / "root", self.folder
        lines = [
            f"mount -t overlay o -o lowerdir={lower},upperdir={own}/upper,workdir={own}/work {root}",
            f"mount --bind /usr {root}/usr && mount -o remount,bind,ro {root}/usr",
            f"mount -t overlay o -o lowerdir={local},upperdir={own}/local,workdir={own}/local-work {root}{LOCAL}",
            *(f"mount --rbind /{each} {root}/{each}" for each in ("dev", "proc")),
            f"mount -t overlay o -o lowerdir=/etc,upperdir={own}/etc,workdir={own}/etc-work {root}/etc",
        ]
        if dependencies is not None:
            lines.append(f"mount --bind {dependencies} {root}/dependencies")
        return "set -e\n" + "\n".join(lines) + "\n"


@dataclass(frozen=True)
class Image:
    """A built image."""

    stage: Stage
    base: Path
    dependencies: Path | None
    """What its Python finds without having installed it; None: it has installed everything."""

    def stage_environment(self) -> dict[str, str]:
        """What its processes find in the environment."""
        return environment_of(self.stage, None)

    def run(
        self,
        command: Sequence[str],
        *,
        volumes: Mapping[str, tuple[Path, bool]],
        environment: Mapping[str, str],
        healthcheck: Sequence[str] = (),
        seconds: int = 60,
    ) -> subprocess.CompletedProcess[str]:
        """Run as a container of deploy/compose is run: its user, only volumes and /tmp to write, a network of its own.

        Args:
            command: behind the entrypoint.
            volumes: where each is in the container, where its files are here, and whether it is read-only.
            environment: besides the image's.
            healthcheck: asked until it answers 0, which ends the run with 0; none: the command itself has to end.
            seconds: how long that may take.
        """
        root = self.stage.folder / "root"
        lines = [self.stage.mounts(self.base, self.dependencies)]
        for target, (source, read_only) in volumes.items():
            made = f"mkdir -p {root}{target}" if source.is_dir() else f"install -D /dev/null {root}{target}"
            lines += [made, f"mount --bind {source} {root}{target}"]
            lines += [f"mount -o remount,bind,ro {root}{target}"] * read_only
        lines += [f"mount -o remount,ro {each}" for each in (f"{root}{LOCAL}", f"{root}/etc", root)]
        lines.append(f"mount -t tmpfs t {root}{TEMPORARY}")
        lines.append("ip link set lo up")
        inside = f"{IN_ROOT} {self.stage.user} {root} {self.stage.workdir}"
        there = f"{inside} {shlex.join([*self.stage.entrypoint, *command])}"
        if healthcheck:
            asked = f"{inside} {shlex.join(healthcheck)}"
            lines.append(f"set +e; {there} & child=$!; told=$(mktemp)")
            lines.append(f"while kill -0 $child; do {asked} 2>$told && exit 0; sleep 0.2; done; cat $told >&2; exit 1")
        else:
            lines.append(there)
        script = _IN_ROOT_FUNCTION + "\n".join(lines)
        return in_namespaces(script, {**self.stage_environment(), **environment}, network=True, seconds=seconds)


def environment_of(stage: Stage, dependencies: Path | None) -> dict[str, str]:
    """That of the image, and of this machine what pip needs to reach its index."""
    kept = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_", "http", "HTTP"))}
    given = {"PATH": f"{LOCAL}/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HOME": TEMPORARY, **kept, **stage.environment}
    given["LD_LIBRARY_PATH"] = f"{LOCAL}/lib"  # a Python that was built with a library looks for it where it was built
    if dependencies is not None:
        given["PYTHONPATH"] = ":".join(filter(None, (given.get("PYTHONPATH"), "/dependencies")))
        given["PIP_NO_INDEX"] = "1"
    return given


def in_namespaces(
    script: str, environment: Mapping[str, str], *, network: bool = False, seconds: int = _STEP_SECONDS
) -> subprocess.CompletedProcess[str]:
    """Run a shell's script whose mounts and processes end with it."""
    command = ["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child"]
    command += ["--net"] if network else []
    return subprocess.run(
        [*command, "bash", "-c", script],
        env=dict(environment),
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds,
    )
