"""Short commands for visitors, with the run's free ports already in them."""

import shlex

from sereno_cli.demo.parts import Run
from sereno_cli.demo.systems import Fault, System

_FAILED = "that did not work: the demo ends with its screen, and make demo starts it again"


def write_scripts(run: Run, system: System, fault: Fault) -> None:
    """`var/demo/bin/{break,mend,draft}`; the first two take another fault, as `system/fault`."""
    faults = f"{run.addresses.url('control')}/faults/"
    named = f'"{faults}${{1:-{system.name}/{fault.name}}}"'
    quiet = "curl -fsS -o /dev/null"
    scripts = {
        "break": (f"{quiet} -X PUT {named}", "it is broken now: a page comes within two or three minutes"),
        "mend": (f"{quiet} -X DELETE {named}", "the fault has ended: the alert resolves within six minutes"),
        "draft": (shlex.join(draft_command(run, "latest")), "this is the draft"),
    }
    places = run.places
    places.scripts.mkdir(exist_ok=True)
    for name, (command, done) in scripts.items():
        script = places.scripts / name
        script.write_text(_script(command, done))
        script.chmod(0o755)


def _script(command: str, done: str) -> str:
    """A shell script that runs the command and says in words what came of it."""
    return f"""#!/bin/sh
if {command}; then
    echo {shlex.quote(done)}
else
    code=$?
    echo {shlex.quote(_FAILED)} >&2
    exit $code
fi
"""


def draft_command(run: Run, incident_id: str) -> list[str]:
    """The command by which a person, or the story, has the draft written."""
    return [
        run.programs.python, "-m", "sereno_cli", "postmortem", "draft", incident_id,
        "--update",  # a visitor may ask again while it goes on
        "--out", str(run.places.postmortems),
        "--incidents", run.addresses.url("incidents"),
        "--prometheus", run.addresses.url("prometheus"),
        "--log-store", str(run.places.log_store),
    ]  # fmt: skip
