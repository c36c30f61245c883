"""Specs as text for the compiler's tests: compiled in memory, and judged by the real promtool."""

import os
import subprocess
from pathlib import Path

from sereno_slo import FOLDER, Compilation, Settings, SourceFile, compile_specs, read_settings, read_source
from sereno_slo.render.artefact import Artefact, Kind

TESTS = Path(__file__).resolve().parents[1]
REPOSITORY = TESTS.parent
EXAMPLES = TESTS / "slo/specs"

# Indicators in YAML's flow style, for specs that differ only in them.
BAD_RATIO = """{ratio: {metric: requests_total, match: 'job="api"', bad: 'code=~"5.."'}}"""
GOOD_RATIO = """{ratio: {metric: requests_total, match: 'job="api"', good: 'code="200"'}}"""
TWO_METRICS = """{ratio: {total: 'requests_total{job="api"}', bad: 'failures_total{job="api"}'}}"""
LATENCY = """{latency: {metric: duration_seconds, match: 'job="api"', threshold: 300ms}}"""


def spec_text(*, objective: str = "99.9", indicator: str = BAD_RATIO, slo: str = "", spec: str = "") -> str:
    """A spec with one SLO; `slo` and `spec` are further lines of those two mappings."""
    return (
        f"version: sereno/v1\nservice: api\nowner: team\n{spec}slos:\n"
        f"  - name: calls\n    objective: {objective}\n    indicator: {indicator}\n{slo}"
    )


def compiled(text: str, settings: Settings | None = None, *, are_all: bool = True) -> Compilation:
    """What the text compiles to, as below `--out`; other specs that it names may be elsewhere."""
    return compile_specs([SourceFile("api.slo.yaml", text)], settings or Settings(), FOLDER, are_all=are_all)


def example_names() -> list[str]:
    """Every spec of tests/slo/specs, without its ending."""
    return sorted(path.name.removesuffix(".slo.yaml") for path in EXAMPLES.glob("*.slo.yaml"))


def source_of(path: Path) -> SourceFile:
    """The file, named by its path from the repository, as one would type it."""
    source = read_source(path)
    assert isinstance(source, SourceFile), source
    return SourceFile(path.relative_to(REPOSITORY).as_posix(), source.text)


def settings_beside(spec: Path) -> Settings:
    """The settings in `<name>.sereno.yaml` beside `<name>.slo.yaml`, or the defaults."""
    path = spec.with_name(spec.name.replace(".slo.yaml", ".sereno.yaml"))
    settings, mistakes = read_settings(source_of(path) if path.exists() else None)
    assert not mistakes
    return settings


def compiled_file(spec: Path) -> Compilation:
    """What a committed spec compiles to, with the settings beside it."""
    compilation = compile_specs([source_of(spec)], settings_beside(spec), FOLDER)
    assert compilation.artefacts, compilation.diagnostics
    return compilation


def of_kinds(compilation: Compilation, *kinds: Kind) -> dict[str, str]:
    """The contents of the artefacts of these kinds, by path below `--out`."""
    return {FOLDER.path(artefact): artefact.content for artefact in compilation.artefacts if artefact.kind in kinds}


def rules_of(compilation: Compilation) -> Artefact:
    """The rule file of a compilation of one spec."""
    (rules,) = (artefact for artefact in compilation.artefacts if artefact.kind is Kind.RULES)
    return rules


def save(files: dict[str, str], folder: Path) -> None:
    """Write the files below the folder."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8")


def promtool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run promtool, at most six minutes: it takes up to one on an idle machine, and gives way to stories.

    Its garbage collector runs a tenth as often as usual: a third less CPU, for 250 MB.
    """
    environment = os.environ | {"GOGC": "1000"}
    command = ["promtool", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=350, check=False, env=environment)
