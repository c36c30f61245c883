"""docs/exporters/aws.md: its examples are right, it lists every family, and its prices follow from what is asked."""

import json
import re
from pathlib import Path

import yaml
from sereno_exporters.aws import catalogue
from sereno_exporters.aws.families import ALL
from sereno_slo.parse import parse_spec
from sereno_slo.source import SourceFile
from support.aws_exporter import configured

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs/exporters/aws.md").read_text(encoding="utf-8")
CONFIGURATION, SPEC = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
NOTHING = "\N{EN DASH}"
PRICE_OF_A_METRIC = 0.01 / 1_000


def test_the_example_of_the_configuration_is_read_without_a_mistake() -> None:
    """Copied as it stands, it is a configuration."""
    assert [each.target.name for each in configured(CONFIGURATION, Path())] == ["shop"]


def test_the_example_of_a_spec_is_read_without_a_mistake() -> None:
    """Copied as it stands, it is a spec."""
    parsed = parse_spec(SourceFile("orders-worker.slo.yaml", SPEC))
    assert [str(each) for each in parsed.diagnostics] == []


def test_every_family_and_label_is_listed() -> None:
    """The page's table and the exporter agree, in both directions."""
    rows = [line for line in PAGE.splitlines() if line.startswith("|") and "`sereno_aws_" in line.split("|")[2]]
    listed = {
        name: set(re.findall(r"`(\w+)`", row.split("|")[3]))
        for row in rows
        for name in re.findall(r"`(sereno_\w+)`", row.split("|")[2])
    }
    assert listed == {family.name: set(family.labels) for family in ALL}


def test_prices_follow_from_what_is_asked() -> None:
    """Metrics of each service, times the minutes of 30 days, times AWS' price."""
    services = {
        "Lambda function, with `insights`": (catalogue.LAMBDA, catalogue.LAMBDA_WITH_INSIGHTS),
        "SNS topic": (catalogue.SNS,),
        "Aurora instance": (catalogue.AURORA,),
    }
    for name, found in services.items():
        metrics = [len(service.metrics) for service in found]
        prices = [[number * 43_200 / minutes * PRICE_OF_A_METRIC for number in metrics] for minutes in (1, 5)]
        cells = [", ".join(map(str, metrics)), *(", ".join(f"${price:.2f}" for price in each) for each in prices)]
        assert f"| {name} | {' | '.join(cells)} |" in PAGE


def test_the_table_of_exporters_is_true() -> None:
    """Its rows name every family, every alert with its runbook, and every panel of the dashboard."""
    table = (ROOT / "exporters/README.md").read_text(encoding="utf-8").splitlines()
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table if "`sereno_aws_" in line]
    named = {name for row in rows for name in re.findall(r"`(sereno_aws_\w+)`", row[1])}
    assert {family.name for family in ALL} <= named
    rules = yaml.safe_load((ROOT / "alerting/rules/handwritten/aws.rules.yaml").read_text(encoding="utf-8"))
    alerts = {rule["alert"] for group in rules["groups"] for rule in group["rules"]}
    assert {row[2].strip("`") for row in rows if row[2].startswith("`")} == alerts
    for row in rows:
        alert = row[2].strip("`")
        assert row[4] == (f"[{alert}](../runbooks/{alert}.md)" if alert in alerts else NOTHING)
    dashboard = json.loads((ROOT / "dashboards/grafana/handwritten/aws.json").read_text(encoding="utf-8"))
    panels = {panel["title"] for panel in dashboard["panels"] if panel["type"] != "row"}
    shown = {row[3].removeprefix("AWS: ") for row in rows} - {NOTHING}
    assert shown == panels
