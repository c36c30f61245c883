"""A page leads to a runbook. What stands in it: test_runbook_texts.py; whether its queries answer: tests/alerting."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
HEADINGS = ["Meaning", "Impact", "Diagnosis", "Mitigation"]
RULE_FILES = sorted((ROOT / "alerting/rules").glob("*/*.rules.yaml"))
RUNBOOKS = sorted(path for path in (ROOT / "runbooks").glob("*.md") if path.name != "README.md")


def rules(path: Path) -> list[dict[str, Any]]:
    """All rules of a file."""
    return [rule for group in yaml.load(path.read_text(), Loader=yaml.CSafeLoader)["groups"] for rule in group["rules"]]


def alerts() -> list[dict[str, Any]]:
    """Every alerting rule of the repository, generated and handwritten."""
    return [rule for path in RULE_FILES for rule in rules(path) if "alert" in rule]


def test_rules_of_both_kinds_are_seen() -> None:
    """These contracts speak of generated and of handwritten rules."""
    assert {path.parent.name for path in RULE_FILES} == {"generated", "handwritten"}


@pytest.mark.parametrize("path", RULE_FILES, ids=lambda path: path.name)
def test_every_alert_leads_to_its_runbook(path: Path) -> None:
    """`runbook_url` ends with runbooks/<AlertName>.md, and that file is there."""
    for rule in rules(path):
        if alert := rule.get("alert"):
            url = rule["annotations"]["runbook_url"]
            assert url.startswith("https://"), alert
            assert url.endswith(f"/runbooks/{alert}.md"), alert
            assert (ROOT / "runbooks" / f"{alert}.md").is_file(), alert


@pytest.mark.parametrize("path", RULE_FILES, ids=lambda path: path.name)
def test_every_alert_says_what_it_means(path: Path) -> None:
    """Each alert has a summary, a description, an owner and a known severity; what wakes people says its impact."""
    for rule in rules(path):
        if alert := rule.get("alert"):
            labels, annotations = rule["labels"], rule["annotations"]
            assert labels["severity"] in {"critical", "warning", "info", "none"}, alert
            assert labels["owner"], alert
            assert annotations["summary"], alert
            assert annotations["description"], alert
            assert labels["severity"] != "critical" or annotations["impact"], alert


@pytest.mark.parametrize("path", RUNBOOKS, ids=lambda path: path.name)
def test_runbook_has_the_four_headings(path: Path) -> None:
    """Meaning, Impact, Diagnosis, Mitigation, in this order and no other; the title is the alert's name."""
    text = re.sub(r"^```.*?^```", "", path.read_text(), flags=re.MULTILINE | re.DOTALL)
    assert re.findall(r"^# (.+)$", text, re.MULTILINE) == [path.stem]
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == HEADINGS


def test_no_runbook_without_alert() -> None:
    """Each runbook on the top level belongs to an alert that exists."""
    assert {path.stem for path in RUNBOOKS} == {rule["alert"] for rule in alerts()}


@pytest.mark.parametrize(
    "path", [each for each in RULE_FILES if each.parent.name == "handwritten"], ids=lambda each: each.name
)
def test_every_alert_by_hand_has_a_behaviour_test(path: Path) -> None:
    """Tests of promtool show each one firing as it should, and staying silent; a Watchdog is never silent."""
    stem, folder = path.name.removesuffix(".rules.yaml"), ROOT / "alerting/tests/handwritten"
    files = [folder / f"{stem}.test.yaml", *folder.glob(f"{stem}.*.test.yaml")]  # each has one evaluation interval
    cases = [case for file in files for case in yaml.load(file.read_text(), Loader=yaml.CSafeLoader)["tests"]]
    shown = [each for case in cases for each in case["alert_rule_test"]]
    for rule in rules(path):
        if alert := rule.get("alert"):
            expected = [bool(each["exp_alerts"]) for each in shown if each["alertname"] == alert]
            assert True in expected, alert
            assert alert == "Watchdog" or False in expected, alert
