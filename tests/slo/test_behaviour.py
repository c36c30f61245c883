"""What specs compile to, judged by Prometheus' own promtool."""

from pathlib import Path

import pytest
from sereno_slo.render.artefact import Kind
from support.slo_specs import EXAMPLES, REPOSITORY, compiled_file, of_kinds, promtool, save

SPECS = sorted((*EXAMPLES.glob("*.slo.yaml"), *(REPOSITORY / "slo/specs").glob("*.slo.yaml")))


def _saved(spec: Path, folder: Path) -> dict[str, str]:
    files = of_kinds(compiled_file(spec), Kind.RULES, Kind.TESTS)
    save(files, folder)
    return files


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name.removesuffix(".slo.yaml"))
def test_promtool_reads_the_rules(spec: Path, tmp_path: Path) -> None:
    """`promtool check rules` finds the rules, and nothing to say about them."""
    (rules,) = (name for name in _saved(spec, tmp_path) if name.startswith("rules/"))
    answer = promtool("check", "rules", "--lint-fatal", tmp_path / rules)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "SUCCESS" in answer.stdout


@pytest.mark.timeout(180)
@pytest.mark.parametrize("interval", ["", ".5m"], ids=["1m", "5m"])
@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name.removesuffix(".slo.yaml"))
def test_rules_pass_their_own_behaviour_tests(spec: Path, interval: str, tmp_path: Path) -> None:
    """Each spec's rules do what the tests generated beside them ask."""
    files = _saved(spec, tmp_path)
    (tests,) = (
        name for name in files if name.endswith(".test.yaml") and name.endswith(".5m.test.yaml") == bool(interval)
    )
    answer = promtool("test", "rules", tmp_path / tests)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "SUCCESS" in answer.stdout
