"""docs/spec.md says what is: its examples compile, its table of keys is the grammar's."""

import re
from typing import Any

from sereno_slo import Settings, SourceFile, read_settings, validate_specs
from sereno_slo.parse.settings_grammar import SettingsDocument
from sereno_slo.schema import spec_schema
from support.slo_specs import REPOSITORY

TEXT = (REPOSITORY / "docs/spec.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)


def test_the_example_of_a_spec_compiles_without_a_warning() -> None:
    """What people copy first is right."""
    (example,) = (block for block in BLOCKS if "version: sereno/v1" in block)
    validation = validate_specs([SourceFile("docs/spec.md", example)], Settings())
    assert validation.diagnostics == ()
    assert len(validation.services[0].slos) == 3


def test_the_example_of_settings_shows_every_setting() -> None:
    """sereno.yaml's example is valid, and leaves nothing out."""
    (example,) = (block for block in BLOCKS if block.startswith("window:"))
    _, mistakes = read_settings(SourceFile("docs/spec.md", example))
    assert mistakes == ()
    shown = set(re.findall(r"^([a-z_]+):", example, re.MULTILINE))
    assert shown == set(SettingsDocument.model_fields)


def test_every_key_is_described() -> None:
    """The table of keys and the grammar name the same keys."""
    table = TEXT.split("## Keys")[1].split("\n- **Durations**")[0]
    cells = re.findall(r"^\| (`[^|]*) \|", table, re.MULTILINE)
    described = {key.rpartition(".")[2] for cell in cells for key in re.findall(r"`([^`]*)`", cell)}
    schema = spec_schema()
    nodes: list[dict[str, Any]] = [schema, *schema["$defs"].values()]
    keys = {key for node in nodes for key in node["properties"]}
    containers = {"slos", "journeys", "ratio", "latency", "probe", "group_by", "alerting", "exclusions"}
    assert described - containers == keys - containers


def test_the_example_beside_a_server_is_a_true_run() -> None:
    """The table and the finding are those of a case, word for word."""
    case = REPOSITORY / "tests/slo/server_cases/SLO051-an-outage-that-nobody-hears-of"
    (example,) = re.findall(r"```text\n\$ sereno validate suburb[^\n]*\n(.*?)\n```", TEXT, re.DOTALL)
    table, finding = example.split("\n\n")
    assert table in (case / "tables.txt").read_text(encoding="utf-8")
    said = (case / "expected.txt").read_text(encoding="utf-8").replace("spec.slo.yaml", "suburb.slo.yaml")
    assert finding in said.splitlines()
