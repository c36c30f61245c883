"""Short commands for visitors, with the run's free ports already in them."""

import shlex

from sereno_cli.demo.places import Addresses, Places, Programs

FAULT = "errors"
FAULT_RATIO = 0.6


def write_scripts(places: Places, programs: Programs, addresses: Addresses) -> None:
    """`var/demo/bin/{break,mend,draft}`."""
    fault = f"{addresses.url('service_admin')}/faults/{FAULT}"
    commands = {
        "break": [
            "curl",
            "-sS",
            "-X",
            "PUT",
            fault,
            "-H",
            "content-type: application/json",
            "-d",
            f'{{"ratio": {FAULT_RATIO}}}',
        ],
        "mend": ["curl", "-sS", "-X", "DELETE", fault],
        "draft": draft_command(places, programs, addresses, "latest"),
    }
    places.scripts.mkdir(exist_ok=True)
    for name, command in commands.items():
        script = places.scripts / name
        script.write_text(f"#!/bin/sh\nexec {shlex.join(command)}\n")
        script.chmod(0o755)


def draft_command(places: Places, programs: Programs, addresses: Addresses, incident_id: str) -> list[str]:
    """The command by which a person, or the story, has the draft written."""
    return [
        programs.python, "-m", "sereno_cli", "postmortem", "draft", incident_id,
        "--out", str(places.postmortems),
        "--incidents", addresses.url("incidents"),
        "--prometheus", addresses.url("prometheus"),
        "--log-store", str(places.log_store),
        "--force",
    ]  # fmt: skip
