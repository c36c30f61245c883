"""Ways to compute an error ratio: what `sereno compile` writes, and the formulas of the peers."""

import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from sereno_slo import SourceFile, compile_specs, has_errors

from benchmarks.accuracy.scenario import Scenario, Selectors
from benchmarks.simulation import RuleGroup, read_rule_groups

SERENO, SLOTH, PYRRA = "sereno", "sloth", "pyrra"
WINDOW = "30d"
WINDOW_DAYS = 30
# Once every six hours: enough to see a budget that is missing, and the end of the window is judged anyway.
_NOW_AND_THEN = 72


@dataclass(frozen=True, slots=True)
class Method:
    """Rules, and the queries that say what they found out."""

    name: str
    groups: tuple[RuleGroup, ...]
    error_ratio: str
    coverage: str = ""
    group_error_ratio: str = ""
    strides: Mapping[str, int] = field(default_factory=dict)
    """Recorded names that are evaluated now and then, because nothing else reads their history."""
    always_there: str = ""
    """A recorded name that must have a value, not NaN, at each of its evaluations."""

    @property
    def wanted(self) -> tuple[str, ...]:
        """The recorded names that the judge reads."""
        return tuple(self.strides)


def sereno(scenario: Scenario) -> Method:
    """The rules that the compiler writes for the scenario's spec.

    Raises:
        ValueError: the spec has mistakes; a benchmark with a wrong spec is our bug.
    """
    source = SourceFile(f"{scenario.line}.slo.yaml", scenario.subject.spec, origin="benchmark.slo.yaml")
    compilation = compile_specs([source], scenario.settings)
    if has_errors(compilation.diagnostics):
        raise ValueError("\n".join(str(diagnostic) for diagnostic in compilation.diagnostics))
    (rules,) = (artefact.content for artefact in compilation.artefacts if artefact.name.endswith(".rules.yaml"))
    figures = ["events:window", "bad_events:window", "error_ratio:window", "error_budget_remaining:ratio"]
    names = [f"sereno:{figure}" for figure in (*figures, "coverage:ratio")]
    if scenario.subject.group_label:
        names += [f"sereno:group_{figure}" for figure in figures]
    return Method(
        SERENO,
        read_rule_groups(rules),
        error_ratio="sereno:error_ratio:window",
        coverage="sereno:coverage:ratio",
        group_error_ratio="sereno:group_error_ratio:window" if scenario.subject.group_label else "",
        strides=dict.fromkeys(names, _NOW_AND_THEN),
        always_there="sereno:error_budget_remaining:ratio",
    )


def sloth(selectors: Selectors, group_label: str = "") -> Method:
    """Sloth's plain formulas, as its documentation gives them.

    Source: https://sloth.dev/introduction/architecture/ and /usage/slos - the SLI's error ratio over 5 minutes is
    sum(rate(errors)) / sum(rate(total)), evaluated every 30 s; that over the SLO's period is the average of those:
    sum_over_time(...[30d]) / count_over_time(...[30d]).
    """
    by = f" by ({group_label})" if group_label else ""
    total = f"sum{by} (rate({selectors.total}[5m]))"
    bad = f"sum{by} (rate({selectors.bad}[5m]))"
    if selectors.fast:
        bad = f"({total} - sum{by} (rate({selectors.fast}[5m])))"
    short, long = "slo:sli_error:ratio_rate5m", f"slo:sli_error:ratio_rate{WINDOW}"
    text = f"""
groups:
- name: sloth-slo-sli-recordings
  interval: 30s
  rules:
  - record: {short}
    expr: ({bad}) / ({total})
- name: sloth-slo-sli-recordings-period
  interval: 5m
  rules:
  - record: {long}
    expr: sum_over_time({short}[{WINDOW}]) / count_over_time({short}[{WINDOW}])
"""
    return Method(
        SLOTH,
        read_rule_groups(text),
        error_ratio=long,
        group_error_ratio=long if group_label else "",
        strides={long: _NOW_AND_THEN},
    )


def sloth_program(program: str, scenario: Scenario, selectors: Selectors) -> Method:
    """The rules that the sloth program itself writes for the same SLO."""
    window = "[{{.window}}]"
    total = f"sum(rate({selectors.total}{window}))"
    bad = f"sum(rate({selectors.bad}{window}))"
    if selectors.fast:
        bad = f"{total} - sum(rate({selectors.fast}{window}))"
    slo = {
        "name": "orders",
        "objective": scenario.subject.objective_percent,
        "sli": {"events": {"error_query": bad, "total_query": total}},
        "alerting": {"page_alert": {"disable": True}, "ticket_alert": {"disable": True}},
    }
    with tempfile.TemporaryDirectory() as folder:
        spec, rules = Path(folder, "slo.yml"), Path(folder, "rules.yml")
        spec.write_text(yaml.safe_dump({"version": "prometheus/v1", "service": "shop", "slos": [slo]}), "utf-8")
        subprocess.run([program, "generate", "-i", spec, "-o", rules], check=True, capture_output=True, timeout=60)
        groups = read_rule_groups(rules.read_text("utf-8"), default_interval="30s")
    long = f"slo:sli_error:ratio_rate{WINDOW}"
    return Method(SLOTH, groups, error_ratio=long, strides={long: 10 * _NOW_AND_THEN})


def pyrra(selectors: Selectors, group_label: str = "") -> Method:
    """Pyrra's plain formulas, as its documentation gives them.

    Source: https://github.com/pyrra-dev/pyrra README and docs - errors and total are increases of the raw counters
    over the whole window; the ratio is their quotient, with no error series counted as none.
    """
    by = f" by ({group_label})" if group_label else ""
    total = f"sum{by} (increase({selectors.total}[{WINDOW}]))"
    if selectors.fast:
        bad = f"({total} - sum{by} (increase({selectors.fast}[{WINDOW}])))"
    else:
        bad = f"(sum{by} (increase({selectors.bad}[{WINDOW}])) or 0 * {total})"
    ratio = f"{bad} / {total}"
    return Method(PYRRA, (), error_ratio=ratio, group_error_ratio=ratio if group_label else "")


def methods(scenario: Scenario) -> tuple[Method, ...]:
    """Sereno first; the peers where they can express the same. Sloth's own rules where the program is on PATH."""
    selectors = scenario.subject.selectors
    if selectors is None:
        return (sereno(scenario),)
    label, program = scenario.subject.group_label, shutil.which(SLOTH)
    # Sloth has no groups: a user would write one SLO for each, which is the documented formula by label.
    by_sloth = sloth_program(program, scenario, selectors) if program and not label else sloth(selectors, label)
    if scenario.rules_since_days is not None:
        # Pyrra reads the raw samples of before its rules: another window, with another truth.
        return (sereno(scenario), by_sloth)
    return (sereno(scenario), by_sloth, pyrra(selectors, label))
