"""Faults are switched by name at the demo's own door, whatever it takes; what is done to processes is logged."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from sereno_cli.demo import control, parts
from sereno_cli.demo.parts import Run
from sereno_cli.demo.places import OWN_PORTS, Places, Programs, free_addresses
from sereno_cli.demo.supervisor import Supervisor
from sereno_cli.demo.switching import Switchboard, deeds_logged
from sereno_cli.demo.systems import Done, Expectation, Fault, System, read_system
from support.waiting import wait_for

REPOSITORY = Path(__file__).parents[3]
EXPECTED = Expectation("SLOErrorBudgetBurn", "critical", {})


class Door:
    """A real service and the demo's control over it."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.http = httpx.Client(base_url=run.addresses.url("control"), trust_env=False, timeout=30)

    def service(self) -> int | None:
        """What the service answers to a read; None: nothing within a second, or it refuses."""
        try:
            return httpx.get(
                f"{self.run.addresses.url('transactions-api.api')}/transactions", trust_env=False, timeout=1
            ).status_code
        except httpx.TransportError:
            return None

    def deeds(self) -> list[tuple[str, str]]:
        """Action and message of each."""
        lines = self.run.places.log_of("demo").read_text().splitlines()
        return [(line["event.action"], line["message"]) for line in map(json.loads, lines)]


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    """It is closed afterwards."""
    found = read_system(REPOSITORY / "systems" / "transactions-api")
    assert isinstance(found, System)
    faults = [Fault(deed, Done("transactions-api", deed), f"it {deed}s", EXPECTED) for deed in ("stop", "freeze")]
    system = replace(found, faults=(*found.faults, *faults, Fault("ghost", Done("ghost", "stop"), "no", EXPECTED)))
    (program,) = system.programs
    with ExitStack() as stack:
        ports = (*OWN_PORTS, *(f"transactions-api.{port}" for port in program.ports))
        addresses = stack.enter_context(free_addresses(ports))
        run = Run(Places(REPOSITORY, tmp_path), Programs("prometheus", "promtool", "alertmanager"), addresses)
        run.places.logs.mkdir()
        run.places.files_of(system.name).mkdir(parents=True)
        supervisor = stack.enter_context(Supervisor(run.places.logs))
        supervisor.wait_healthy(supervisor.start(parts.program(run, system, program)))
        stack.enter_context(deeds_logged(run.places))
        switchboard = Switchboard(run, [system], supervisor)
        stack.enter_context(control.served(switchboard, addresses.port("control")))
        door = Door(run)
        stack.enter_context(door.http)
        yield door


def test_a_fault_of_the_program_itself(door: Door) -> None:
    """Its admin API is told, with the parameters of system.yaml."""
    told = {one["fault"]: one["expects"] for one in door.http.get("/faults").json()["faults"]}
    assert 'slo="availability"' in told["errors"]
    assert door.http.put("/faults/transactions-api/errors").json() == {"fault": "errors", "is": "on"}
    assert {door.service() for _ in range(10)} == {200, 500}
    assert door.http.delete("/faults/transactions-api/errors").is_success
    assert {door.service() for _ in range(10)} == {200}


@pytest.mark.parametrize("deed", ["stop", "freeze"])
def test_what_is_done_to_a_process(door: Door, deed: str) -> None:
    """It is gone or hangs, comes back, and both are told in a log that the collector tails."""
    assert door.http.put(f"/faults/transactions-api/{deed}").is_success
    assert door.service() is None
    assert door.http.delete(f"/faults/transactions-api/{deed}").is_success
    wait_for(lambda: door.service() == 200, what="the service answers again")
    assert door.deeds() == [
        ("fault_started", f"Fault {deed} started: it {deed}s"),
        ("fault_stopped", f"Fault {deed} stopped: it {deed}s"),
    ]


def test_what_can_not_be_switched_is_told(door: Door) -> None:
    """An unknown fault, a process that doesn't run, a page of somebody's browser."""
    assert door.http.put("/faults/transactions-api/erors").status_code == 404
    answer = door.http.put("/faults/transactions-api/ghost")
    assert (answer.status_code, answer.json()["detail"]) == (
        503,
        "the fault can't be switched: nothing that runs is called ghost",
    )
    assert door.http.put("/faults/transactions-api/errors", headers={"host": "evil.example"}).status_code == 400
