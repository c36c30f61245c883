"""From `systems/<id>/system.yaml` to what is run."""

from pathlib import Path

from sereno_slo.diagnostics import Diagnostic
from sereno_slo.parse import parse_as
from sereno_slo.source import read_source

from sereno_cli.demo.systems.grammar import SwitchDocument, SystemDocument
from sereno_cli.demo.systems.model import Done, Expectation, Fault, Load, Program, Scrape, Switch, System, Told

FILE = "system.yaml"
FULL_FILE = "system.full.yaml"
FULL = ":full"
"""Behind a system's name: with all servers that it has in production. Those without such a file have them anyway."""


def system_ids(root: Path) -> tuple[str, ...]:
    """The systems of a clone."""
    return tuple(sorted(path.parent.name for path in (root / "systems").glob(f"*/{FILE}")))


def full_ids(root: Path) -> tuple[str, ...]:
    """Each system of a clone as it is in production."""
    return tuple(
        f"{name}{FULL}" if (root / "systems" / name / FULL_FILE).is_file() else name for name in system_ids(root)
    )


def read_system(folder: Path, *, full: bool = False) -> System | tuple[Diagnostic, ...]:
    """The system in a folder, or what is wrong with its file."""
    source = read_source(folder / (FULL_FILE if full else FILE))
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
        needs=document.needs,
        programs=tuple(
            Program(
                name,
                program.module,
                program.arguments,
                program.ports,
                program.environment,
                program.templates,
                program.log,
                program.healthy,
                None if program.scrape is None else Scrape(program.scrape.job, program.scrape.port),
            )
            for name, program in document.programs.items()
        ),
        load=None if document.load is None else Load(document.load.module, document.load.arguments),
        history=document.history,
        wait_for_cause=document.wait_for_cause,
        addresses=document.addresses,
        faults=tuple(
            Fault(
                name,
                _switch(document.system, name, fault.switch),
                fault.on,
                Expectation(
                    fault.expects.alert or "", fault.expects.severity, fault.expects.labels, fault.expects.log or ""
                ),
                fault.slow,
            )
            for name, fault in document.faults.items()
        ),
    )


def _switch(system: str, name: str, switch: SwitchDocument) -> Switch:
    if switch.do is None:
        return Told(switch.program or "", switch.port, switch.fault or name, switch.parameters)
    return Done(switch.program or f"{system}.{switch.server}", switch.do)
