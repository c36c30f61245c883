"""The steps of deploy/Dockerfile, one after the other, without a container engine (`support.image` says how)."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sysconfig
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dockerfile_parse import DockerfileParser  # type: ignore[import-untyped]

from support.image import Image, Stage, environment_of, in_namespaces

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = ROOT / "deploy" / "Dockerfile"
BASE = "python:"
"""The only kind of image that stages begin with; this machine stands for it."""
NOT_HERE = "apt-get "
"""Steps that would change this machine: they are left out, and named."""
_LINKED = ("bin", "sbin", "lib", "lib64")
_FOLDERS = ("dev", "etc", "proc", "tmp", "usr", "var", "dependencies")


class StepFailed(Exception):  # noqa: N818 - reads as what happened
    """A step can't be done, or isn't one that this knows."""


@dataclass
class Build:
    """A build under way."""

    folder: Path
    dependencies: Path | None
    stages: dict[str, Stage] = field(default_factory=dict)

    @property
    def base(self) -> Path:
        """What is in every stage: empty folders for mounts, and the links of a merged /usr."""
        return self.folder / "base"


def instructions() -> list[dict[str, Any]]:
    """Of the Dockerfile, comments left out."""
    parsed = DockerfileParser(path=str(DOCKERFILE), fileobj=None, cache_content=True).structure
    return [step for step in parsed if step["instruction"] != "COMMENT"]


def build(folder: Path, target: str, *, offline: bool) -> Image:
    """Build a target.

    Args:
        folder: where everything is written.
        target: which stage.
        offline: dependencies are those that this test suite runs with; else pip installs them from its index.

    Raises:
        StepFailed: one of the steps.
    """
    made = Build(folder, Path(sysconfig.get_paths()["purelib"]) if offline else None)
    for name in _FOLDERS:
        (made.base / name).mkdir(parents=True)
    for name in _LINKED:
        if Path("/", name).is_symlink():
            (made.base / name).symlink_to(f"usr/{name}")
    stage: Stage | None = None
    for step in instructions():
        stage = _step(made, stage, step["instruction"], step["value"])
        if stage is not None and stage is not made.stages.get(target) and target in made.stages:
            break
    if made.dependencies is not None:
        _lend_dependencies(made)
    return Image(made.stages[target], made.base, made.dependencies)


def _lend_dependencies(made: Build) -> None:
    """The installed Python finds them: a variable would be overwritten by programs that set it for their children."""
    for stage in made.stages.values():
        for folder in stage.written("/opt/sereno").glob("lib/*/site-packages"):
            (folder / "dependencies.pth").write_text("/dependencies\n")


def _step(made: Build, stage: Stage | None, instruction: str, value: str) -> Stage | None:
    if instruction == "ARG" and stage is None:
        return None  # which Python it is made of: here it is this machine's
    if instruction == "FROM":
        return _from(made, value)
    if stage is None:
        raise StepFailed(f"{instruction} before FROM")
    if instruction in ("WORKDIR", "USER", "ENV", "ENTRYPOINT", "CMD"):
        _set(stage, instruction, value)
    elif instruction == "COPY":
        _copy(made, stage, shlex.split(value))
    elif instruction == "RUN":
        _run(made, stage, value)
    else:
        raise StepFailed(f"{instruction} is no step that this test knows")
    return stage


def _set(stage: Stage, instruction: str, value: str) -> None:
    match instruction:
        case "WORKDIR":
            stage.workdir = value
            stage.written(value).mkdir(parents=True, exist_ok=True)
        case "USER":
            stage.user = {"root": "0:0"}.get(value, value)
        case "ENV":
            stage.environment |= {
                n: v.replace("$PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin") for n, v in _pairs(value)
            }
        case "ENTRYPOINT":
            stage.entrypoint = json.loads(value)
        case _:
            json.loads(value)  # CMD: a list, so that no shell stands between a signal and the program


def _from(made: Build, value: str) -> Stage:
    image, _, name = value.partition(" AS ")
    parent = made.stages.get(image)
    if parent is None and not image.startswith(BASE):
        raise StepFailed(f"{image} is no stage, and no {BASE}…")
    stage = made.stages[name] = Stage(made.folder / name, parent)
    return stage


def _pairs(value: str) -> Iterator[tuple[str, str]]:
    return ((name, text) for name, _, text in (pair.partition("=") for pair in shlex.split(value)))


def _copy(made: Build, stage: Stage, words: list[str]) -> None:
    options = dict(word[2:].split("=", 1) for word in words if word.startswith("--"))
    *sources, target = [word for word in words if not word.startswith("--")]
    if not target.startswith("/"):
        target = os.path.normpath(f"{stage.workdir}/{target}") + ("/" if target.endswith(("/", ".")) else "")
    for source in sources:
        into = stage.written(f"{target}/{Path(source).name}" if target.endswith("/") else target)
        into.parent.mkdir(parents=True, exist_ok=True)
        if "from" in options:
            for each in reversed(list(made.stages[options["from"]].chain)):
                if each.written(source).exists():
                    subprocess.run(["cp", "-aT", str(each.written(source)), str(into)], check=True)
        else:
            _copy_of_context(source, into, options)


def _copy_of_context(source: str, into: Path, options: Mapping[str, str]) -> None:
    if source not in let_through():
        raise StepFailed(f"{source} is kept out by .dockerignore")
    if (ROOT / source).is_dir():
        shutil.copytree(ROOT / source, into, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"), dirs_exist_ok=True)
    else:
        shutil.copyfile(ROOT / source, into)
        into.chmod(int(options.get("chmod", "0644"), 8))


def let_through() -> frozenset[str]:
    """What .dockerignore lets into the build, by the lines that begin with an exclamation mark."""
    lines = DOCKERFILE.with_name("Dockerfile.dockerignore").read_text().splitlines()
    return frozenset(line.removeprefix("!") for line in lines if line.startswith("!"))


def _run(made: Build, stage: Stage, command: str) -> None:
    if re.match(NOT_HERE, command):
        stage.skipped.append(command)
        return
    root = stage.folder / "root"
    script = stage.mounts(made.base, made.dependencies)
    script += f"cd {root} && exec chroot {root} sh -c {shlex.quote(f'cd {stage.workdir} && {command}')}\n"
    done = in_namespaces(script, environment_of(stage, made.dependencies))
    if done.returncode != 0:
        raise StepFailed(f"{stage.folder.name}: {command}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
