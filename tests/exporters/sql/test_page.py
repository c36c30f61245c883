"""docs/exporters/sql.md: its examples are right, and it lists every family."""

import re
from pathlib import Path

from sereno_exporters.sql.families import ALL
from sereno_slo.parse import parse_spec
from sereno_slo.source import SourceFile
from support.sql_exporter import read

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs/exporters/sql.md").read_text(encoding="utf-8")
CONFIGURATION, SPEC = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def test_the_example_of_the_configuration_is_read_without_a_mistake() -> None:
    """Copied as it stands, it is a configuration."""
    assert [str(each) for each in read(CONFIGURATION).diagnostics] == []


def test_the_example_of_a_spec_is_read_without_a_mistake() -> None:
    """Copied as it stands, it is a spec."""
    parsed = parse_spec(SourceFile("warehouse.slo.yaml", SPEC))
    assert [str(each) for each in parsed.diagnostics] == []


def test_every_family_and_label_is_listed() -> None:
    """The page's table and the exporter agree, in both directions."""
    rows = [line for line in PAGE.splitlines() if line.startswith("|") and "`sereno_sql_" in line]
    listed = {
        name: set(re.findall(r"`(\w+)`", row.split("|")[3]))
        for row in rows
        for name in re.findall(r"`(sereno_\w+)`", row)
    }
    assert listed == {family.name: set(family.labels) for family in ALL}
