"""Rules put into a handwritten configuration: its own text stays, and what comes out means what it should."""

import subprocess
from pathlib import Path

import pytest
import yaml
from sereno_slo.alertmanager_file import UnmergeableError, merged, rules_in
from sereno_slo.model import Dependency, SloReference
from sereno_slo.render.inhibit_rules import render_inhibit_rules

REPOSITORY = Path(__file__).resolve().parents[2]
RULES = rules_in(
    render_inhibit_rules([Dependency(SloReference("api", "calls"), SloReference("postgres", "availability"))]).content
)
ROUTE = "route: {receiver: nobody}\nreceivers:\n- name: nobody\n"
OWN = 'source_matchers: [severity="critical"]'

BASES = {
    "no rules": ROUTE,
    "no line feed at the end": ROUTE.rstrip(),
    "an empty key": f"inhibit_rules:\n{ROUTE}",
    "an empty list": f"inhibit_rules: [] # none yet\n{ROUTE}",
    "null": f"inhibit_rules: ~\n{ROUTE}",
    "rules in a block": f'inhibit_rules:\n- {OWN}\n  target_matchers:\n  - a="b" # why\n\n# next\n{ROUTE}',
    "indented rules at the end": f"{ROUTE}inhibit_rules:\n  # first\n  - {OWN}\n    equal: [a,\n      b]\n# end\n",
    "a folded text in the last rule": f'inhibit_rules:\n- {OWN}\n  target_matchers:\n  - >-\n    a="b"\n\n{ROUTE}',
    "the repository's": merged((REPOSITORY / "alerting/alertmanager/alertmanager.yml").read_text(encoding="utf-8"), []),
}


@pytest.mark.parametrize("name", BASES)
def test_rules_come_behind_the_own_ones(name: str) -> None:
    """Every other line stays, in its order; merging again changes nothing, and merging nothing takes them out."""
    base = BASES[name]
    text = merged(base, RULES)
    own = yaml.safe_load(base).get("inhibit_rules") or []
    assert yaml.safe_load(text) == yaml.safe_load(base) | {"inhibit_rules": [*own, *RULES]}
    kept = iter(text.splitlines())
    assert all(line in kept for line in base.replace(" []", "").replace(": ~", ":").splitlines())
    assert merged(text, RULES) == text
    assert (yaml.safe_load(merged(text, [])).get("inhibit_rules") or []) == own
    assert merged(merged(text, RULES[:1] * 2), RULES) == text


def test_nothing_to_merge_changes_nothing() -> None:
    """Where nothing depends on anything."""
    assert all(merged(base, []) == base for base in BASES.values())


@pytest.mark.parametrize(
    ("base", "line"),
    [
        ("route: [\n", 2),
        ("- a\n", 1),
        ("", 1),
        (f"{ROUTE}inhibit_rules: 5\n", 1),
        (f"{ROUTE}inhibit_rules: [{{{OWN}}}]\n", 4),
        ("a: &x [{b: c}]\ninhibit_rules: *x\n", 2),
        (f"{ROUTE}...\n", 1),
    ],
)
def test_what_has_no_place_for_rules_is_refused(base: str, line: int) -> None:
    """With the line to look at, rather than merged wrongly."""
    with pytest.raises(UnmergeableError) as refused:
        merged(base, RULES)
    assert refused.value.line == line


@pytest.mark.parametrize("text", ["", "groups: []", "inhibit_rules: 5", "inhibit_rules: [5]", "a: ["])
def test_other_files_are_no_rules(text: str) -> None:
    """A wrong file given with --with is told."""
    with pytest.raises(UnmergeableError):
        rules_in(text)


def test_alertmanager_accepts_the_merged_configuration(tmp_path: Path) -> None:
    """Its own checker counts the rules of both."""
    path = tmp_path / "alertmanager.yml"
    path.write_text(merged(BASES["the repository's"], RULES), encoding="utf-8")
    check = subprocess.run(["amtool", "check-config", path], capture_output=True, text=True, check=False)
    assert check.returncode == 0, check.stderr
    assert "5 inhibit rules" in check.stdout
