"""Programs of a reference system in a pod: where they listen, and what their texts say."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from sereno_cli.demo.places import DemoError
from sereno_cli.demo.systems import System
from sereno_containers.pods import PodAddresses, all_systems, find_system, pod, ports_of
from sereno_containers.programs import part_of, switch
from support.composition import ROOT, services

SYSTEMS = all_systems(ROOT)


@pytest.fixture(params=SYSTEMS, ids=lambda system: system.name)
def system(request: pytest.FixtureRequest) -> System:
    """Each of them."""
    found: System = request.param
    return found


def test_ports_of_a_pod_are_its_own() -> None:
    """No two programs have one port, whatever their system; in a pod no server has theirs, either."""
    own = []
    for system in SYSTEMS:
        ports = ports_of(system, ROOT)
        assert len(set(ports.values())) == len(ports)
        own += [
            port for name, port in ports.items() if name.rpartition(".")[0] in {each.name for each in system.programs}
        ]
    assert len(set(own)) == len(own) > 40


def test_programs_are_told_everything(system: System, tmp_path: Path) -> None:
    """Words are said, secrets come from files, what is scraped listens everywhere, and faults on loopback."""
    run = pod(system, "the password", root=ROOT, state=tmp_path)
    run.places.files_of(system.name).mkdir(parents=True)
    for program in system.programs:
        part = part_of(run, system, program.name)
        told = " ".join([*part.arguments, *part.environment.values()])
        assert "${" not in told
        hosts = {name for name, value in part.environment.items() if value == "0.0.0.0"}
        assert hosts or "0.0.0.0" in part.arguments or not program.ports
        assert not any("ADMIN" in name for name in hosts)
        if "postgresql" in system.needs and "DATABASE_URL" in str(part.environment.keys()):
            assert "the password" in told
    for written in run.places.files_of(system.name).iterdir():
        assert written.stat().st_mode & 0o077 == 0


def test_every_program_has_a_container(system: System) -> None:
    """So have what loads it and what stands for AWS, and no container is told of a program that isn't there."""
    commands = [service.get("command") or [""] for service in services().values()]
    told = {command[2] for command in commands if command[:2] == ["program", system.name]}
    wanted = {program.name for program in system.programs}
    wanted |= {"load"} if system.load else set()
    assert told == wanted | ({"moto"} if "moto" in system.needs else set())


@pytest.fixture
def admin() -> Iterator[tuple[int, list[str]]]:
    """A program's admin port, and what it was asked."""
    asked: list[str] = []

    class Admin(BaseHTTPRequestHandler):
        def answer(self) -> None:
            asked.append(f"{self.command} {self.path}")
            self.send_response(422 if "latency" in self.path else 200)
            self.end_headers()
            self.wfile.write(b"seconds is too long")

        do_PUT = do_DELETE = answer  # noqa: N815

        def log_message(self, *_arguments: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Admin) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port, asked
        server.shutdown()


def test_faults_are_switched_from_inside(admin: tuple[int, list[str]]) -> None:
    """Programs are told, refusals and unknown ones are messages, and what is done to a container is named."""
    port, asked = admin
    system = find_system(ROOT, "transactions-api")
    run = pod(system, "", root=ROOT)
    run = replace(run, addresses=PodAddresses({**run.addresses.ports, "transactions-api.admin": port}))
    assert "60 % of the requests fail" in switch(run, system, "errors", on=True)
    assert "is over" in switch(run, system, "errors", on=False)
    assert asked == ["PUT /faults/errors", "DELETE /faults/errors"]
    with pytest.raises(DemoError, match="transactions-api refuses: seconds is too long"):
        switch(run, system, "latency", on=True)
    with pytest.raises(DemoError, match="has no fault 'nothing'; it has: errors, "):
        switch(run, system, "nothing", on=True)

    etl = find_system(ROOT, "etl")
    for name, on, words in (
        ("load-frozen", True, "pause etl-load"),
        ("load-frozen", False, "unpause etl-load"),
        ("database-stopped", True, "stop etl-postgresql"),
        ("database-stopped", False, "start etl-postgresql"),
    ):
        assert words.split()[1] in services()
        with pytest.raises(DemoError, match=f"docker compose {words}$"):
            switch(pod(etl, "", root=ROOT), etl, name, on=on)
    with pytest.raises(DemoError, match="there is no system 'nobody'"):
        find_system(ROOT, "nobody")
