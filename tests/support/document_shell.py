"""Runs a page's commands in one shell, in its order, as somebody would who follows the page."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from support.documents import ROOT, Statement
from support.ports import free_port

COPIED = ("alerting", "dashboards", "runbooks", "postmortems", "slo/specs", "slo/buckets", "exporters/standard")
FILES = ("Makefile", "sereno.yaml", "pyproject.toml")
ADDRESS = re.compile(r"(?P<host>127\.0\.0\.1|localhost):(?P<port>\d{4,5})\b")
PORT = re.compile(r"--port (\d+)")
SYSTEM_FOLDERS = re.compile(r"(?<![\w$/.])/(etc|var/log|run)/")
SECONDS = 600
UNTIL_SECONDS = 400
"""How often, a second apart, a statement is repeated that waits for something."""
READY = re.compile(r"Ctrl-C stops")
SCRIPT_HEAD = """\
exec 3>>"$OUTPUT/ended"
ready() {{ for _ in $(seq 300); do
  grep -q '{ready}' "$1" && return 0; kill -0 "$!" 2>/dev/null || return 1; sleep 0.1; done; return 1; }}
"""


@dataclass(frozen=True)
class Step:
    """A statement, and how it is run."""

    statement: Statement
    serves: bool = False
    ends: bool = False
    """It serves, and is ended as soon as it is ready."""
    exits: tuple[int, ...] = (0,)
    added: str = ""
    until: str = ""
    """Done again and again until its output matches this."""
    before: str = ""
    """Run right before it."""


@dataclass(frozen=True)
class Outcome:
    """What became of a step; `code` is None where the shell didn't get there."""

    step: Step
    code: int | None
    output: str

    @property
    def is_right(self) -> bool:
        """It ended as it should, without a traceback."""
        return self.code in self.step.exits and "Traceback" not in self.output

    def __str__(self) -> str:
        return f"{self.step.statement}\n  exit code {self.code}, not one of {self.step.exits}\n{self.output[-1500:]}"


@dataclass
class Sandbox:
    """A folder like a user's repository, and the addresses behind the usual ports."""

    folder: Path
    programs: Path
    """Stands first on PATH."""
    ports: dict[str, str] = field(default_factory=dict)
    """Usual port to the one that somebody listens on."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """Of the environment."""

    def run(self, steps: Sequence[Step], preparing: str, files: Mapping[str, str]) -> list[Outcome]:
        """Run all steps; what serves is ended after the last one."""
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(self.here(text), encoding="utf-8")
        output = self.folder.parent / f"{self.folder.name}.output"
        output.mkdir()
        script = "\n".join([SCRIPT_HEAD.format(ready=READY.pattern), self._prepared(preparing)])
        script += "".join(self._scripted(number, step) for number, step in enumerate(steps))
        script += "\nkill $(jobs -p) 2>/dev/null; wait; exit 0\n"
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SERENO_")}
        environment |= {
            **self.variables,
            "PATH": f"{self.programs}:{os.environ['PATH']}",
            "OUTPUT": str(output),
            "REPOSITORY": str(ROOT),
            "PROMETHEUS": f"http://127.0.0.1:{self.ports.get('9090', '9090')}",
            "SERENO_PROMETHEUS_URL": f"http://127.0.0.1:{self.ports.get('9090', '9090')}",
        }
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
        )
        assert done.returncode == 0, done.stderr
        ended = dict(line.split() for line in (output / "ended").read_text().splitlines())
        return [self._outcome(output, number, step, ended) for number, step in enumerate(steps)]

    def _prepared(self, preparing: str) -> str:
        return f"set -e\n{self.here(preparing)}\nset +e\n"

    def _scripted(self, number: int, step: Step) -> str:
        text = self.here(step.statement.text)
        told = f'"$OUTPUT/{number}"'
        return f"{self.here(step.before)}\n{self._run(number, step, text, told)}"

    def _run(self, number: int, step: Step, text: str, told: str) -> str:
        if step.serves:
            command = re.sub(r"\s+#.*$", "", text) + f" {self.here(step.added)}"
            end = "kill $!; wait $!\n" if step.ends else ""
            return f"{command} >{told} 2>&1 </dev/null &\nready {told}; echo {number} $? >&3\n{end}"
        if step.until:
            once = f"{{ {text}\n}} >{told} 2>&1 </dev/null; code=$?"
            asked = f"grep -qE '{step.until}' {told} && break; sleep 1; code=98"
            return f"for _ in $(seq {UNTIL_SECONDS}); do {once}; {asked}; done; echo {number} $code >&3\n"
        return f"{{ {text}\n}} >{told} 2>&1 </dev/null\necho {number} $? >&3\n"

    def here(self, text: str) -> str:
        """The same command with the addresses, ports and system folders of this sandbox."""
        text = ADDRESS.sub(lambda found: f"127.0.0.1:{self._port(found['port'])}", text)
        text = PORT.sub(lambda found: f"--port {self._port(found[1])}", text)
        text = text.replace("$FREE_PORT", str(free_port())).replace(".venv/bin/sereno", "sereno")
        return SYSTEM_FOLDERS.sub(lambda found: f"{self.folder}/root/{found[1]}/", text)

    def _port(self, usual: str) -> str:
        return self.ports.setdefault(usual, str(free_port()))

    def _outcome(self, output: Path, number: int, step: Step, ended: Mapping[str, str]) -> Outcome:
        said = output / str(number)
        text = said.read_text(encoding="utf-8", errors="replace") if said.is_file() else "(not reached)"
        code = ended.get(str(number))
        return Outcome(step, None if code is None else int(code), text)


def repository_copy(folder: Path) -> Path:
    """The repository's artefacts and nothing else, under version control, as a user's would be."""
    for name in COPIED:
        shutil.copytree(ROOT / name, folder / name)
    for name in FILES:
        shutil.copy(ROOT / name, folder / name)
    author = ["-c", "user.name=docs", "-c", "user.email=docs@example.org"]
    for command in (
        ["init", "-q", "-b", "main"],
        ["add", "slo", "sereno.yaml", "alerting/rules"],
        [*author, "commit", "-qm", "specs"],
    ):
        subprocess.run(["git", *command], cwd=folder, check=True, timeout=60)
    return folder
