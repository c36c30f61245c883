"""Short commands for visitors, with the run's free ports already in them."""

import shlex

from sereno_cli.demo.places import Addresses, Places, Programs

FAULT = "errors"
FAULT_RATIO = 0.6

_FAILED = "that did not work: the demo ends with its screen, and make demo starts it again"


def write_scripts(places: Places, programs: Programs, addresses: Addresses) -> None:
    """`var/demo/bin/{break,mend,draft}`."""
    fault = f"{addresses.url('service_admin')}/faults/{FAULT}"
    quiet = ["curl", "-fsS", "-o", "/dev/null"]
    parameters = f'{{"ratio": {FAULT_RATIO}}}'
    scripts = {
        "break": (
            [*quiet, "-X", "PUT", fault, "-H", "content-type: application/json", "-d", parameters],
            f"{FAULT_RATIO:.0%} of the requests fail now: a page comes within two or three minutes",
        ),
        "mend": ([*quiet, "-X", "DELETE", fault], "the fault has ended: the alert resolves within six minutes"),
        "draft": (draft_command(places, programs, addresses, "latest"), "this is the draft"),
    }
    places.scripts.mkdir(exist_ok=True)
    for name, (command, done) in scripts.items():
        script = places.scripts / name
        script.write_text(_script(command, done))
        script.chmod(0o755)


def _script(command: list[str], done: str) -> str:
    """A shell script that runs the command and says in words what came of it."""
    return f"""#!/bin/sh
if {shlex.join(command)}; then
    echo {shlex.quote(done)}
else
    code=$?
    echo {shlex.quote(_FAILED)} >&2
    exit $code
fi
"""


def draft_command(places: Places, programs: Programs, addresses: Addresses, incident_id: str) -> list[str]:
    """The command by which a person, or the story, has the draft written."""
    return [
        programs.python, "-m", "sereno_cli", "postmortem", "draft", incident_id,
        "--out", str(places.postmortems),
        "--incidents", addresses.url("incidents"),
        "--prometheus", addresses.url("prometheus"),
        "--log-store", str(places.log_store),
    ]  # fmt: skip
