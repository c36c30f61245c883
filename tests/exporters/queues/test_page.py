"""docs/exporters/queues.md, rules and runbooks: examples are right, every family is listed, none is invented."""

import re
from pathlib import Path

from sereno_exporters.kinds import load
from sereno_slo.parse import parse_spec
from sereno_slo.source import SourceFile
from support.configured_exporters import read

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs/exporters/queues.md").read_text(encoding="utf-8")
CONFIGURATION, SPEC = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
KINDS = load(["rabbitmq", "redis_queues", "sqs"])
FAMILIES = {family.name: set(family.labels) for kind in KINDS for family in kind.families}
COMMON = ("up", "part_up", "part_age_seconds", "scrape_duration_seconds", "series", "series_left_out")
OWN = {f"sereno_{kind.name}_{name}" for kind in KINDS for name in COMMON}


def test_the_example_of_the_configuration_is_read_without_a_mistake() -> None:
    """Copied as it stands, it is a configuration."""
    assert [str(each) for each in read(KINDS, CONFIGURATION).diagnostics] == []


def test_the_example_of_a_spec_is_read_without_a_mistake() -> None:
    """Copied as it stands, it is a spec."""
    assert [str(each) for each in parse_spec(SourceFile("orders.slo.yaml", SPEC)).diagnostics] == []


def test_every_family_and_label_is_listed() -> None:
    """The page's table and the exporters agree, in both directions."""
    rows = [line.split("|") for line in PAGE.splitlines() if re.match(r"\|[^|]*\| `sereno_", line)]
    listed = {
        name: set(re.findall(r"`(\w+)`", row[3])) for row in rows for name in re.findall(r"`(sereno_\w+)`", row[2])
    }
    assert listed == FAMILIES


def test_every_key_is_listed() -> None:
    """What a target may say stands in a table of the page."""
    keys = [key for kind in KINDS for key in kind.settings.model_fields if key != "bearer_token_file"]
    assert [key for key in keys if f"`{key}`" not in PAGE] == []


def test_rules_and_runbooks_name_families_that_there_are() -> None:
    """Each name of a metric of these exporters, wherever it stands, is one that they serve."""
    texts = [
        ROOT / "alerting/rules/handwritten/queues.rules.yaml",
        ROOT / "exporters/README.md",
        *(ROOT / "runbooks").glob("SerenoQueue*.md"),
    ]
    named = {
        name
        for path in texts
        for name in re.findall(r"\bsereno_(?:rabbitmq|redis_queues|sqs)_\w+", path.read_text(encoding="utf-8"))
    }
    assert named
    assert named - set(FAMILIES) - OWN == set()
