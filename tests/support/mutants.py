"""Mutants of rules, and the generated behaviour tests that have to turn red; see tests/slo/test_*mutations.py."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from sereno_slo.render.artefact import Kind

from support.slo_specs import BAD_RATIO, GOOD_RATIO, LATENCY, compiled, of_kinds, promtool, save, spec_text

Rule = dict[str, Any]

JUDGES = ("tests/api.test.yaml", "tests/api.5m.test.yaml", "tests/api.1d.test.yaml")
SLO = '{service="api", slo="calls"}'

SPECS = {
    "both": spec_text(indicator=BAD_RATIO, slo="    alerting: {mode: both}\n"),
    "budget": spec_text(indicator=BAD_RATIO, slo="    alerting: {mode: budget}\n"),
    "ratio": spec_text(indicator=BAD_RATIO, slo="    alerting: {mode: ratio}\n"),
    "many": spec_text(indicator=BAD_RATIO, slo="    alerting: {mode: both, min_bad_events: 100}\n"),
    "good": spec_text(indicator=GOOD_RATIO),
    "latency": spec_text(indicator=LATENCY),
    "groups": spec_text(indicator=BAD_RATIO, slo="    group_by: {labels: [route], limit: 3}\n"),
    "bounds": spec_text(indicator="{threshold: {metric: age_seconds, match: 'job=\"api\"', max: 15m, min: 3}}"),
    "probe": spec_text(indicator="{probe: {metric: probe_success, match: 'job=\"api\"'}}"),
    "day": spec_text(indicator=BAD_RATIO, slo="    window: 1d\n"),
    "watched": spec_text(indicator=BAD_RATIO, slo="    alerting: {traffic_drop: page}\n"),
    "shadow": spec_text(indicator=BAD_RATIO, slo="    alerting: {mode: both, shadow: true}\n"),
    "group alerts": spec_text(
        indicator=BAD_RATIO,
        slo="    group_by: {labels: [route], limit: 3, alert: true}\n    alerting: {mode: budget}\n",
    ),
    "own": spec_text(
        indicator=BAD_RATIO,
        slo="""    alerting:
      mode: budget
      tiers:
        - {budget: 2%, long: 40m, short: 7m, severity: warning}
        - {budget: 5%, long: 2d, short: 12m, severity: critical}
""",
    ),
}


def record(name: str) -> Callable[[Rule], bool]:
    """The rule that records this series."""
    return lambda rule: rule.get("record") == name


def alert(name: str, **labels: str) -> Callable[[Rule], bool]:
    """The alerts of this name with these labels."""
    return lambda rule: rule.get("alert") == name and labels.items() <= rule["labels"].items()


@dataclass(frozen=True)
class Mutant:
    """One detail that is changed in one rule: `old` becomes `new`, in an expression written on one line."""

    name: str
    noticed_by: str
    """How the name of the case that has to turn red ends."""
    rules: Callable[[Rule], bool]
    old: str
    new: str
    spec: str = "both"
    field: str = "expr"
    """Of the rule, or one of its labels."""


@cache
def files_of(spec: str) -> dict[str, str]:
    """The rules of one of the specs, and their behaviour tests."""
    return of_kinds(compiled(SPECS[spec]), Kind.RULES, Kind.TESTS)


def _on_one_line(expr: str) -> str:
    return " ".join(expr.split()).replace("( ", "(").replace(" )", ")")


def _mutated(mutant: Mutant) -> dict[str, str]:
    files = dict(files_of(mutant.spec))
    document = yaml.safe_load(files["rules/api.rules.yaml"])
    hits = 0
    for rule in (rule for group in document["groups"] for rule in group["rules"] if mutant.rules(rule)):
        fields = rule if mutant.field in rule else rule["labels"]
        before = _on_one_line(fields[mutant.field])
        fields[mutant.field] = before.replace(mutant.old, mutant.new)
        hits += before != fields[mutant.field]
    assert hits == 1, f"the mutant finds {hits} rules with {mutant.old}"
    files["rules/api.rules.yaml"] = yaml.safe_dump(document)
    return files


def _case(files: dict[str, str], ending: str) -> dict[str, str]:
    """The one file of behaviour tests that has the case, with no other case in it."""
    found = {}
    for name in (name for name in JUDGES if name in files):
        document = yaml.safe_load(files[name])
        document["tests"] = [case for case in document["tests"] if case["name"].endswith(ending)]
        if document["tests"]:
            found[name] = yaml.safe_dump(document)
    assert len(found) == 1, f"{len(found)} files have a case that ends with {ending!r}"
    return found


def pass_unbroken(mutants: Sequence[Mutant], judging: str, folder: Path) -> None:
    """Check that the cases of a file of tests that notice these mutants, all of one spec, are green without them.

    The file's other cases are no business of mutants, and take most of its time; test_behaviour.py has whole files.
    """
    files = dict(files_of(mutants[0].spec))
    if judging not in files:
        assert mutants[0].spec == "day", "days are told by windows of a week"
        return
    document = yaml.safe_load(files[judging])
    endings = tuple(mutant.noticed_by for mutant in mutants)
    document["tests"] = [case for case in document["tests"] if case["name"].endswith(endings)]
    if document["tests"]:
        save(files | {judging: yaml.safe_dump(document)}, folder)
        answer = promtool("test", "rules", folder / judging)
        assert answer.returncode == 0, answer.stdout + answer.stderr


def judge(mutant: Mutant, folder: Path) -> None:
    """Check that the mutant is a valid rule, and that one of its own behaviour tests says that it is wrong."""
    files = _mutated(mutant)
    (case_file,) = case = _case(files, mutant.noticed_by)
    save(files | case, folder)
    check = promtool("check", "rules", folder / "rules/api.rules.yaml")
    assert check.returncode == 0, f"the mutant is no valid rule: {check.stdout}{check.stderr}"
    answer = promtool("test", "rules", folder / case_file)
    assert answer.returncode != 0, "the mutant survives"
