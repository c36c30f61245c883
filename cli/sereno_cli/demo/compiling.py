"""The clone's specs, compiled for those systems that run, and what the portal takes for the repository."""

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from sereno_slo import FOLDER, compile_specs, has_errors, read_settings, read_source, validate_specs, write
from sereno_slo.model import Service
from sereno_slo.source import SourceFile

from sereno_cli.demo.places import DemoError, Places
from sereno_cli.demo.systems import System, read_system, system_ids


def silent_specs(clone: Path, running: Iterable[System]) -> frozenset[str]:
    """Specs of systems that don't run: alerts would say that nothing is heard of them."""
    every = (read_system(clone / "systems" / name) for name in system_ids(clone))
    heard = {spec for system in running for spec in system.specs}
    return frozenset(spec for system in every if isinstance(system, System) for spec in system.specs) - heard


def compile_specs_of(places: Places, without: Collection[str]) -> Mapping[str, Service]:
    """Compile the clone's other specs into the demo's state, as `sereno compile --out` does; the services by name."""
    every = sorted((places.root / "slo" / "specs").glob("*.slo.yaml"))
    paths = [path for path in every if path.name.removesuffix(".slo.yaml") not in without]
    sources = [read_source(path) for path in paths]
    settings_source = read_source(places.root / "sereno.yaml")
    settings, problems = read_settings(settings_source if isinstance(settings_source, SourceFile) else None)
    readable = [source for source in sources if isinstance(source, SourceFile)]
    compilation = compile_specs(readable, settings, FOLDER)
    found = (*problems, *compilation.diagnostics, *(s for s in sources if not isinstance(s, SourceFile)))
    if has_errors(found):
        raise DemoError("the specs have mistakes:\n" + "\n".join(map(str, found)))
    write(compilation.artefacts, FOLDER, places.compiled, is_complete=True)
    _link_portal_root(places, paths)
    return {service.name: service for service in validate_specs(readable, settings).services}


def _link_portal_root(places: Places, specs: Iterable[Path]) -> None:
    """Links, so that a runbook or spec that is edited while the demo runs is seen in it."""
    folder = places.portal_root / "slo" / "specs"
    folder.mkdir(parents=True)
    for name in ("sereno.yaml", "dashboards", "runbooks"):
        (places.portal_root / name).symlink_to(places.root / name)
    (places.portal_root / "postmortems").symlink_to(places.postmortems)
    for spec in specs:
        (folder / spec.name).symlink_to(spec)
