"""The last step of the story: the draft, written by the same command that a person calls, and checked."""

import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from sereno_cli.demo.places import DemoError
from sereno_cli.demo.scripts import draft_command
from sereno_cli.demo.systems import Fault, Told
from sereno_cli.demo.world import World

_TIMEOUT_SECONDS = 60


def write_draft(world: World, fault: Fault, incident_id: str, failed_requests: int | None) -> Path:
    """Call `sereno postmortem draft` and return the draft's path.

    Args:
        world: what runs.
        fault: what was broken.
        incident_id: whose draft.
        failed_requests: what the draft must have counted; None where what is bad isn't known to the event.

    Raises:
        DemoError: the command failed, or the draft lacks what was measured: the failed requests, the fault.
    """
    places = world.places
    draft = places.postmortems / f"{incident_id}.md"
    _keep(draft)
    arguments = draft_command(world.run, incident_id)
    done = subprocess.run(arguments, capture_output=True, text=True, check=False, timeout=_TIMEOUT_SECONDS)
    if done.returncode != 0 or not draft.is_file():
        raise DemoError(f"sereno postmortem draft failed (exit code {done.returncode}):\n{done.stdout}{done.stderr}")
    lacking = missing_evidence(draft.read_text(), fault, failed_requests)
    if lacking:
        raise DemoError(f"{draft} lacks evidence: {', '.join(lacking)}")
    return draft


def _keep(draft: Path) -> None:
    """An earlier run's draft of the same name may hold a human's words: it gets another name."""
    if draft.exists():
        written = datetime.fromtimestamp(draft.stat().st_mtime, UTC)
        draft.rename(draft.with_name(f"{draft.stem}.until-{written:%H%M%S}.md"))


def missing_evidence(text: str, fault: Fault, failed_requests: int | None) -> list[str]:
    """What a draft of this story must hold and doesn't."""
    name = fault.switch.name if isinstance(fault.switch, Told) else fault.name
    plain = text.replace(",", "").replace("\u202f", "")
    wanted = {
        f"when the fault {name} began": rf"fault_started: Fault {re.escape(name)} started",
        "the page": re.escape(fault.expects.alert),
        "where it was measured": "measured",
    }
    if failed_requests is not None:
        wanted |= {f"the {failed_requests} failed requests": rf"\b{failed_requests}\b"}
    return [what for what, pattern in wanted.items() if not re.search(pattern, plain)]
