"""docs/dora.md: its example is right, it lists every family and every rule, with the numbers that hold."""

import re
from pathlib import Path

from sereno_exporters.dora.families import ALL
from sereno_exporters.dora.kind import KIND
from sereno_exporters.dora.policy import DEFAULT_POLICY
from sereno_exporters.dora.rules import Rule
from sereno_exporters.frame.configuration import grammar_of, targets_of
from sereno_slo.parse import parse_as
from sereno_slo.source import SourceFile

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs/dora.md").read_text(encoding="utf-8")
(CONFIGURATION,) = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def test_the_example_of_the_configuration_is_read_and_says_the_defaults() -> None:
    """Copied as it stands, it is a configuration, and the numbers in it are those without it."""
    parsed = parse_as(SourceFile("exporters.yaml", CONFIGURATION), grammar_of((KIND,)))
    assert [str(each) for each in parsed.diagnostics] == []
    assert parsed.document is not None
    (target,) = targets_of(parsed.document, (KIND,), ROOT)
    assert target.target.settings.rules.policy() == DEFAULT_POLICY


def test_every_family_and_label_is_listed() -> None:
    """The page's table and the exporter agree, in both directions."""
    rows = [line for line in PAGE.splitlines() if line.startswith("| `sereno_dora_")]
    listed = {
        name: set(re.findall(r"`(\w+)`", row.split("|")[2]))
        for row in rows
        for name in re.findall(r"`(sereno_\w+)`", row.split("|")[1])
    }
    assert listed == {family.name: set(family.labels) for family in ALL}


def test_every_rule_has_a_row() -> None:
    """The rules that `sereno dora why` prints are those that the page explains."""
    listed = re.findall(r"^\| `(\w+)` \|", PAGE.partition("## Which deployments failed")[2], re.MULTILINE)
    assert [name for name in listed if not name.startswith("sereno_")] == [rule.value for rule in Rule]
