"""YAML that people write: specs, settings, other tools' specs, and which exporters run."""

from pathlib import Path

import promql_parser
import yaml
from sereno_exporters.frame.configuration import EXAMPLE, grammar_of, targets_of
from sereno_exporters.kinds import KINDS
from sereno_exporters.kinds import load as load_kinds
from sereno_slo import Settings, SourceFile, has_errors, read_settings, validate_specs
from sereno_slo.codes import CODES
from sereno_slo.convert import convert, is_foreign, readable
from sereno_slo.diagnostics import Diagnostic
from sereno_slo.parse import parse_as
from sereno_slo.render.layout import FOLDER
from sereno_slo.render.prometheus_rules import render_rules
from sereno_slo.render.promtool import render_behaviour_tests

from benchmarks.fuzz.target import Target, files, require

_KINDS = load_kinds(sorted(KINDS))
_EXPORTERS = grammar_of(_KINDS)
_WORDS = (
    *(
        b"sereno/v1",
        b"prometheus/v1",
        b"openslo/v1",
        b"pyrra.dev/v1alpha1",
        b"slos:",
        b"objective:",
        b"window:",
        b"30d",
    ),
    *(
        b"indicator:",
        b"ratio:",
        b"latency:",
        b"threshold:",
        b"probe:",
        b"match:",
        b"bad:",
        b"good:",
        b"total:",
        b"300ms",
    ),
    *(
        b"{{.window}}",
        b"exclusions:",
        b"weekly:",
        b"once:",
        b"timezone:",
        b"America/Bogota",
        b"calendar: month",
        b"gate:",
    ),
    *(b"depends_on:", b"group_by:", b"journeys:", b"alerting:", b"tiers:", b"2%", b"99.9", b"100", b"&a [*a, *a]"),
)


def _read(data: bytes) -> str | None:
    """The text as files are read; None where a message says that they aren't UTF-8."""
    try:
        return data.decode().replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError:
        return None


def _told(diagnostics: tuple[Diagnostic, ...], text: str) -> None:
    for diagnostic in diagnostics:
        require(diagnostic.code in CODES, f"no code: {diagnostic}")
        require("\n" not in str(diagnostic), f"a message of several lines: {diagnostic!r}")
        require(diagnostic.span.line <= len(text.splitlines()) + 2, f"no such line: {diagnostic}")


def check_spec(data: bytes) -> None:
    """Mistakes are values with a place; what has none renders, and Prometheus' grammar reads it."""
    text = _read(data)
    if text is None:
        return
    source = SourceFile("fuzz.slo.yaml", text)
    is_foreign(source)
    validation = validate_specs([source], Settings())
    _told(validation.diagnostics, text)
    if has_errors(validation.diagnostics):
        return
    (service,) = validation.services
    rules = yaml.load(render_rules(service, Settings()).content, Loader=yaml.CSafeLoader)
    for rule in (rule for group in rules["groups"] for rule in group["rules"]):
        promql_parser.parse(rule["expr"])
    render_behaviour_tests(service, Settings(), FOLDER)


def check_settings(data: bytes) -> None:
    """Mistakes of `sereno.yaml` are values."""
    text = _read(data)
    if text is not None:
        _told(read_settings(SourceFile("sereno.yaml", text))[1], text)


def check_converters(data: bytes) -> None:
    """What is made of another tool's spec is valid, or an error says why there is nothing."""
    text = _read(data)
    if text is None:
        return
    read = readable([SourceFile("spec.yaml", text)])
    _told(read.diagnostics, text)
    if has_errors(read.diagnostics):
        return
    conversion = convert(read.documents)
    validation = validate_specs([spec.source for spec in conversion.specs], Settings())
    wrong = [str(each) for each in validation.diagnostics]
    require(not has_errors(validation.diagnostics), f"made an invalid spec: {wrong}")
    require(conversion.specs or has_errors(conversion.diagnostics), "nothing came out, and nothing says why")


def check_exporters_file(data: bytes) -> None:
    """Mistakes of `exporters.yaml` are values; what has none has targets."""
    text = _read(data)
    if text is None:
        return
    parsed = parse_as(SourceFile("exporters.yaml", text), _EXPORTERS)
    _told(parsed.diagnostics, text)
    if parsed.document is not None and not has_errors(parsed.diagnostics):
        targets_of(parsed.document, _KINDS, Path("/nowhere"))


_SPECS = files("slo/specs/*.slo.yaml", "tests/slo/specs/*.slo.yaml", "tests/slo/cases/*/*.yaml")
TARGETS = (
    Target("spec", "mistakes are values; what has none renders", _SPECS, _WORDS, check_spec),
    Target("settings", "mistakes are values", files("sereno.yaml"), _WORDS, check_settings),
    Target(
        "converters",
        "what is made is valid, or an error says why not",
        files("tests/slo/convert/cases/*/*.y*ml"),
        _WORDS,
        check_converters,
    ),
    Target(
        "exporters-file",
        "mistakes are values",
        (EXAMPLE.encode(), *files("docs/exporters/*.md", "systems/*/exporters.yaml")),
        (*(name.encode() for name in KINDS), b"targets:", b"url:", b"password_file:", b"timeout: 8s", b"series_limit:"),
        check_exporters_file,
    ),
)
