"""One process of a reference system in its container: this process becomes it."""

import json
import os
import urllib.error
import urllib.request
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from sereno_cli.demo import parts
from sereno_cli.demo.backing import BACKINGS
from sereno_cli.demo.part import Part
from sereno_cli.demo.parts import Run
from sereno_cli.demo.places import DemoError
from sereno_cli.demo.systems import System
from sereno_cli.demo.systems.model import Done

from sereno_containers.pods import hosts, service_of

LOAD = "load"
MOTO = "moto"
_DEEDS = {"stop": ("stop", "start"), "freeze": ("pause", "unpause")}
"""What a fault of a container is done by, and undone."""
EVERYWHERE = "0.0.0.0"  # noqa: S104 - inside a pod, of which nothing is published but its first address


def part_of(run: Run, system: System, name: str) -> Part:
    """The part of this name: a program of system.yaml, `load`, or `moto`.

    Raises:
        DemoError: there is none.
    """
    if name == LOAD and system.load is not None:
        return parts.load(run, system, system.load)
    if name == MOTO and MOTO in system.needs:
        return BACKINGS[MOTO].parts(run.servers[system.server(MOTO)])[0]
    for program in system.programs:
        if program.name == name:
            part = parts.program(run, system, program)
            if program.module == "sereno_cli":
                return replace(part, arguments=(*part.arguments, "--host", EVERYWHERE))
            return replace(part, environment={**part.environment, **dict.fromkeys(hosts(program.ports), EVERYWHERE)})
    known = [program.name for program in system.programs] + [LOAD] * (system.load is not None)
    raise DemoError(f"{system.name} has no program {name!r}; it has: {', '.join(known)}")


def become(part: Part) -> NoReturn:
    """This process is the part from now on, and has its exit code."""
    os.execvpe(part.arguments[0], part.arguments, {**os.environ, **part.environment})  # noqa: S606 - no shell


def read_password(path: Path) -> str:
    """Of the system's database.

    Raises:
        DemoError: it can't be read.
    """
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise DemoError(f"the password of the database can't be read: {path}: {error.strerror}") from None


def switch(run: Run, system: System, name: str, *, on: bool) -> str:
    """Switch a fault of a program on or off over the pod's loopback; what was done.

    Raises:
        DemoError: there is no such fault, it is one of a container, or the program refuses.
    """
    fault = system.fault(name)
    if fault is None:
        raise DemoError(f"{system.name} has no fault {name!r}; it has: {', '.join(f.name for f in system.faults)}")
    if isinstance(fault.switch, Done):
        container = service_of(system, fault.switch.part)
        deed = _DEEDS[fault.switch.deed][0 if on else 1]
        raise DemoError(f"{name} is done from outside: docker compose {deed} {container}")
    told = fault.switch
    url = f"{run.addresses.url(f'{told.program}.{told.port}')}/faults/{told.name}"
    body = json.dumps(dict(told.parameters)).encode() if on else None
    request = urllib.request.Request(url, data=body, method="PUT" if on else "DELETE")  # noqa: S310 - loopback
    try:
        with urllib.request.urlopen(request, timeout=10):  # noqa: S310
            return f"{system.name}: {fault.on}" if on else f"{system.name}: {name} is over"
    except urllib.error.HTTPError as error:
        raise DemoError(f"{told.program} refuses: {error.read().decode(errors='replace')}") from None
    except OSError as error:
        raise DemoError(f"{told.program} can't be reached at {url}: {error}") from None
