"""What specs compile to, judged by Prometheus' own promtool."""

from collections.abc import Collection, Iterable
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet
from sereno_slo.render.artefact import Kind
from support.slo_specs import (
    EXAMPLES,
    GOOD_RATIO,
    LATENCY,
    compiled,
    compiled_file,
    of_kinds,
    promtool,
    save,
    spec_text,
)
from support.timing import takes_long

EXTREMES = {
    "hardly any promise": spec_text(objective="1.5", slo="    window: 1d\n    alerting: {min_bad_events: 1}\n"),
    "hardly any budget": spec_text(objective="99.9999999", slo="    window: 366d\n    alerting: {mode: both}\n"),
    "odd window": spec_text(slo="    window: 2d13h7m5s3ms\n    alerting: {mode: ratio, keep_firing_for: 90s}\n"),
    "many bad events": spec_text(indicator=GOOD_RATIO, slo="    alerting: {min_bad_events: 1000000, mode: both}\n"),
    "half of the events": spec_text(objective="50", indicator=LATENCY, slo="    window: 36h\n"),
    "traffic of a day": spec_text(slo="    window: 1d\n    alerting: {traffic_drop: ticket}\n"),
    "one long tier": spec_text(
        objective="80",
        slo="    alerting: {tiers: [{budget: 30%, long: 10d, short: 65m, severity: critical}], mode: both}\n",
    ),
    "one short tier": spec_text(
        indicator=GOOD_RATIO,
        slo="    alerting: {tiers: [{budget: 0.1%, long: 6m, short: 5m, severity: warning}], min_bad_events: 1}\n",
    ),
    "slices, many bad ones": spec_text(
        objective="97",
        indicator="{probe: {metric: probe_success, match: 'job=\"api\"'}}",
        slo="    alerting: {min_bad_events: 100, keep_firing_for: 17m}\n",
    ),
    "any target": spec_text(
        indicator='{ratio: {total: \'a_total{job=~"x|y"}\', bad: \'a_total{job="y", instance="i"}\'}}'
    ),
}
# Those of the repository's own specs are committed; scripts/check-rules runs them before every `make test`.
SPECS = sorted(EXAMPLES.glob("*.slo.yaml"))

FIVE_MINUTES = {"groups", "late-samples", "time-slices", "two-jobs"}
"""Examples whose rules `make test` also evaluates every five minutes: what there is beside plain ratios.

The same cases at another interval take minutes of a processor; `make test-all` has those of all examples and extremes.
"""


def _files(specs: Iterable[str], five_minutes: Collection[str] = ()) -> list[ParameterSet]:
    """Of each spec its name, and what its three files of tests have before `.test.yaml`."""
    return [
        pytest.param(
            name,
            infix,
            id=f"{name}-{interval}",
            marks=takes_long if infix == ".5m" and name not in five_minutes else (),
        )
        for name in specs
        for interval, infix in (("1m", ""), ("5m", ".5m"), ("1d", ".1d"))
    ]


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


@pytest.mark.timeout(360)
@pytest.mark.parametrize(("spec", "infix"), _files((path.name.partition(".")[0] for path in SPECS), FIVE_MINUTES))
def test_rules_pass_their_own_behaviour_tests(spec: str, infix: str, tmp_path: Path) -> None:
    """Each spec's rules do what the tests generated beside them ask."""
    saved = _saved(EXAMPLES / f"{spec}.slo.yaml", tmp_path)
    (rules,) = (name for name in saved if name.startswith("rules/"))
    tests = tmp_path / rules.replace("rules/", "tests/", 1).replace(".rules.yaml", f"{infix}.test.yaml")
    if not tests.exists():
        assert infix == ".1d", "only files of days may be missing: in short windows, or where nothing can be fed"
        return
    answer = promtool("test", "rules", tests)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "SUCCESS" in answer.stdout


@pytest.mark.timeout(360)
@pytest.mark.parametrize(("extreme", "infix"), _files(EXTREMES))
def test_extremes_pass_their_own_behaviour_tests(extreme: str, infix: str, tmp_path: Path) -> None:
    """The generated tests hold at the ends of what the grammar allows, too."""
    save(of_kinds(compiled(EXTREMES[extreme]), Kind.RULES, Kind.TESTS), tmp_path)
    tests = tmp_path / f"tests/api{infix}.test.yaml"
    if not tests.exists():
        assert infix == ".1d", "only files of days may be missing"
        return
    answer = promtool("test", "rules", tests)
    assert answer.returncode == 0, answer.stdout + answer.stderr
