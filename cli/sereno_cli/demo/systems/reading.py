"""From `systems/<id>/system.yaml` to what is run."""

from pathlib import Path

from sereno_slo.diagnostics import Diagnostic
from sereno_slo.parse import parse_as
from sereno_slo.source import read_source

from sereno_cli.demo.systems.grammar import SystemDocument
from sereno_cli.demo.systems.model import Expectation, Fault, Load, Program, Scrape, Switch, System

FILE = "system.yaml"


def system_ids(root: Path) -> tuple[str, ...]:
    """The systems of a clone."""
    return tuple(sorted(path.parent.name for path in (root / "systems").glob(f"*/{FILE}")))


def read_system(folder: Path) -> System | tuple[Diagnostic, ...]:
    """The system in a folder, or what is wrong with its file."""
    source = read_source(folder / FILE)
    if isinstance(source, Diagnostic):
        return (source,)
    parsed = parse_as(source, SystemDocument)
    return parsed.diagnostics if parsed.document is None else _system(parsed.document, folder)


def _system(document: SystemDocument, folder: Path) -> System:
    return System(
        name=document.system,
        title=document.title,
        folder=folder,
        specs=document.specs,
        programs=tuple(
            Program(
                name,
                program.module,
                program.arguments,
                program.ports,
                program.environment,
                program.log,
                program.healthy,
                None if program.scrape is None else Scrape(program.scrape.job, program.scrape.port),
            )
            for name, program in document.programs.items()
        ),
        load=None if document.load is None else Load(document.load.module, document.load.arguments),
        history=document.history,
        addresses=document.addresses,
        faults=tuple(
            Fault(
                name,
                Switch(fault.switch.program, fault.switch.port, name, fault.switch.parameters),
                fault.on,
                Expectation(fault.expects.alert, fault.expects.severity, fault.expects.labels),
            )
            for name, fault in document.faults.items()
        ),
    )
