"""The SLO compiler: source, parse, validate, model, plan, render; pure but for reading specs and writing files."""

from sereno_slo.building import Built, Checked, Order, build, check, processes_for
from sereno_slo.compilation import Compilation, Validation, compile_specs, read_settings, validate_specs
from sereno_slo.diagnostics import Diagnostic, Severity, has_errors
from sereno_slo.model import Settings
from sereno_slo.render.layout import FOLDER, REPOSITORY, Layout
from sereno_slo.render.rule_format import RuleFormat
from sereno_slo.source import SourceFile, read_source
from sereno_slo.writing import Difference, Written, differences, write

__all__ = [
    "FOLDER",
    "REPOSITORY",
    "Built",
    "Checked",
    "Compilation",
    "Diagnostic",
    "Difference",
    "Layout",
    "Order",
    "RuleFormat",
    "Settings",
    "Severity",
    "SourceFile",
    "Validation",
    "Written",
    "build",
    "check",
    "compile_specs",
    "differences",
    "has_errors",
    "processes_for",
    "read_settings",
    "read_source",
    "validate_specs",
    "write",
]
