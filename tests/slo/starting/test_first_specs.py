"""Every template makes a spec that compiles without a warning, whatever fills it, and whose rules do what they say."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sereno_slo import Settings, SourceFile, has_errors, validate_specs
from sereno_slo.render.artefact import Kind as ArtefactKind
from sereno_slo.starting import KINDS, FirstSpec, Kind, first_spec
from support.slo_specs import compiled, of_kinds, promtool, save

NAMES = [kind.name for kind in KINDS]
# Those of minutes that are judged take promtool seconds; those of counters minutes, and other tests run such rules.
REHEARSED = ["batch-freshness", "database", "probe"]


def _kind(name: str) -> Kind:
    return next(kind for kind in KINDS if kind.name == name)


@pytest.mark.parametrize("name", NAMES)
def test_every_template_compiles_without_a_warning(name: str) -> None:
    """Nothing has to be mended before the first compilation."""
    text = first_spec(FirstSpec(_kind(name), "shop", "web", "critical"))
    compilation = compiled(text)
    assert compilation.diagnostics == ()
    assert compilation.artefacts


@pytest.mark.parametrize("name", NAMES)
def test_the_templates_say_what_fills_them(name: str) -> None:
    """Service, owner and tier are those that were asked for; the job selects."""
    text = first_spec(FirstSpec(_kind(name), "shop", "web", "critical", job='odd"job'))
    (service,) = validate_specs([SourceFile("shop.slo.yaml", text)], Settings()).services
    assert (service.name, service.owner, service.tier) == ("shop", "web", "critical")
    jobs = {str(each) for slo in service.slos for each in slo.indicator.total.matchers if each.label == "job"}
    assert r'job="odd\"job"' in jobs
    assert all((slo.impact and "shop" in slo.impact) or slo.name == "replication" for slo in service.slos)


@settings(deadline=None, max_examples=40)
@given(
    kind=st.sampled_from(KINDS),
    name=st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True),
    owner=st.sampled_from(["web", "on", "17", "null", "1e3"]),
    job=st.text(max_size=8),
)
def test_any_valid_name_and_job_make_a_valid_spec(kind: Kind, name: str, owner: str, job: str) -> None:
    """Names that YAML would take for something else, and jobs with any character, do no harm."""
    text = first_spec(FirstSpec(kind, name, owner, "standard", job))
    validation = validate_specs([SourceFile("x.slo.yaml", text)], Settings())
    assert not has_errors(validation.diagnostics), (validation.diagnostics, text)
    assert (validation.services[0].name, validation.services[0].owner) == (name, owner)


@pytest.mark.parametrize("name", REHEARSED)
def test_the_behaviour_tests_of_templates_pass(name: str, tmp_path: Path) -> None:
    """The rules of a first spec do what the compiler promises, by promtool."""
    text = first_spec(FirstSpec(_kind(name), "shop", "web", "standard"))
    compilation = compiled(text)
    save(of_kinds(compilation, ArtefactKind.RULES, ArtefactKind.TESTS), tmp_path)
    outcome = promtool("test", "rules", tmp_path / "tests/shop.test.yaml")
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


def test_lines_fit_on_a_screen() -> None:
    """Comments and values are read in editors; only selectors may be longer."""
    for kind in KINDS:
        for line in first_spec(FirstSpec(kind, "shop", "web", "standard")).splitlines():
            assert len(line) <= 120 or re.match(r" +(total|good|bad|match): '", line), line
