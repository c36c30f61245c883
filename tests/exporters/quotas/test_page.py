"""docs/exporters/quotas.md, rules and runbooks: the example is right, every family is listed, none is invented."""

import re
from pathlib import Path

from sereno_exporters.kinds import load
from sereno_exporters.quotas.families import ALL
from support.configured_exporters import read

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs/exporters/quotas.md").read_text(encoding="utf-8")
(CONFIGURATION,) = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
FAMILIES = {family.name for family in ALL}
COMMON = ("up", "part_up", "part_age_seconds", "scrape_duration_seconds", "series", "series_left_out")


def test_the_example_of_the_configuration_is_read_without_a_mistake() -> None:
    """Copied as it stands, it is a configuration."""
    assert [str(each) for each in read(load(["quotas"]), CONFIGURATION).diagnostics] == []


def test_every_family_is_listed() -> None:
    """The page's table and the exporter agree, in both directions."""
    rows = [line for line in PAGE.splitlines() if line.startswith("| `sereno_quotas_")]
    assert {name for row in rows for name in re.findall(r"`(sereno_\w+)`", row.split("|")[1])} == FAMILIES


def test_rules_and_runbooks_name_families_that_there_are() -> None:
    """Each name of a metric of this exporter, wherever it stands, is one that it serves."""
    texts = [
        ROOT / "alerting/rules/handwritten/quotas.rules.yaml",
        ROOT / "exporters/README.md",
        *(ROOT / "runbooks").glob("SerenoQuota*.md"),
    ]
    named = {name for path in texts for name in re.findall(r"\bsereno_quotas_\w+", path.read_text(encoding="utf-8"))}
    assert named
    assert named - FAMILIES - {f"sereno_quotas_{name}" for name in COMMON} == set()
