"""The front door of the compiler: what other code may import, counted."""

import sereno_slo

NAMES = {
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
}


def test_public_names_of_the_compiler() -> None:
    """Exactly these names come through the door; a new one is a decision, a missing one breaks somebody."""
    assert set(sereno_slo.__all__) == NAMES
    assert all(hasattr(sereno_slo, name) for name in NAMES)
