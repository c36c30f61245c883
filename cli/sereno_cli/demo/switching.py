"""Faults of all systems that run, switched by name: by a program's own admin API, or by what is done to a process."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import httpx
from sereno_telemetry import ecs_handler, log_deed

from sereno_cli.demo.parts import Run
from sereno_cli.demo.places import DemoError, Places
from sereno_cli.demo.supervisor import Supervisor
from sereno_cli.demo.systems import Done, Fault, System, Told

LOG = "demo"
"""Whose ECS log it is in which deeds stand."""
_SERVICE = "sereno-demo"

_logger = logging.getLogger("sereno_demo.faults")

# Stopping and starting a server takes its time; programs answer at once.
_PROGRAM_SECONDS = 10.0


class FaultNotSwitched(DemoError):  # noqa: N818 - reads as what happened
    """A fault could not be switched; the message says why."""


class Switchboard:
    """Switches faults on and off; safe for several threads."""

    def __init__(self, run: Run, systems: Sequence[System], supervisor: Supervisor) -> None:
        self.systems = tuple(systems)
        self._run = run
        self._supervisor = supervisor

    def find(self, system: str, fault: str) -> Fault | None:
        """The fault of that name."""
        return next((one.fault(fault) for one in self.systems if one.name == system), None)

    def on(self, fault: Fault) -> None:
        """Break it; again does nothing.

        Raises:
            FaultNotSwitched: it can't be done.
        """
        match fault.switch:
            case Told():
                self._tell(fault.switch, on=True)
            case Done(part, "stop"):
                self._say(fault, on=True)
                self._do(lambda: self._supervisor.stop_part(part))
            case Done(part, "freeze"):
                self._say(fault, on=True)
                self._do(lambda: self._supervisor.freeze_part(part))

    def off(self, fault: Fault) -> None:
        """Mend it, and wait until what was stopped is healthy; again does nothing.

        Raises:
            FaultNotSwitched: it can't be done.
        """
        match fault.switch:
            case Told():
                self._tell(fault.switch, on=False)
            case Done(part, "stop"):
                self._do(lambda: self._supervisor.start_part(part))
                self._say(fault, on=False)
            case Done(part, "freeze"):
                self._do(lambda: self._supervisor.thaw_part(part))
                self._say(fault, on=False)

    def _tell(self, switch: Told, *, on: bool) -> None:
        url = f"{self._run.addresses.url(f'{switch.program}.{switch.port}')}/faults/{switch.name}"
        try:
            with httpx.Client(trust_env=False, timeout=_PROGRAM_SECONDS) as http:
                answer = http.put(url, json=dict(switch.parameters)) if on else http.delete(url)
        except httpx.HTTPError as error:
            raise FaultNotSwitched(f"the fault can't be switched: {error}") from None
        if not answer.is_success:
            raise FaultNotSwitched(
                f"the fault can't be switched: {url} answered {answer.status_code} {answer.text[:200]}"
            )

    def _do(self, deed: Callable[[], None]) -> None:
        try:
            deed()
        except DemoError as error:
            raise FaultNotSwitched(f"the fault can't be switched: {error}") from None

    def _say(self, fault: Fault, *, on: bool) -> None:
        """As programs say it of their own faults: the draft of a postmortem tells it."""
        what = "started" if on else "stopped"
        log_deed(_logger, f"fault_{what}", f"Fault {fault.name} {what}: {fault.on}", {"fault": fault.name})


@contextmanager
def deeds_logged(places: Places) -> Iterator[None]:
    """What is done to processes is in a log that the collector tails."""
    handler = ecs_handler(_SERVICE, path=places.log_of(LOG))
    _logger.addHandler(handler)
    _logger.propagate = False
    try:
        yield
    finally:
        _logger.removeHandler(handler)
        handler.close()
