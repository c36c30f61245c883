"""Rules in the forms of the engines: the same groups, and objects that a cluster takes."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from sereno_cli.commands.compile import FORMATS
from sereno_cli.exit_codes import ExitCode
from sereno_slo import RuleFormat, Settings, read_settings, validate_specs
from sereno_slo.model import Service
from sereno_slo.render.engine_rules import render_engine_rules
from sereno_slo.source import SourceFile
from support.command_line import files_below, sereno
from support.slo_specs import EXAMPLES, example_names, settings_beside, source_of, spec_text

SETTINGS = "operator: {namespace: monitoring, labels: {release: prom}}\nmimir: {namespace: team-a}\n"
MOST_BYTES_OF_ANNOTATIONS = 262_144


def _service(name: str) -> tuple[Service, Settings]:
    spec = EXAMPLES / f"{name}.slo.yaml"
    settings = settings_beside(spec)
    (service,) = validate_specs([source_of(spec)], settings).services
    return service, settings


def _documents(service: Service, settings: Settings, rule_format: RuleFormat) -> list[dict[str, object]]:
    content = render_engine_rules(service, settings, rule_format)[0].content
    return list(yaml.load_all(content, Loader=yaml.CSafeLoader))


@pytest.mark.parametrize("name", example_names())
def test_every_form_has_the_same_groups(name: str) -> None:
    """Whatever an expression, a label or an annotation holds: read back, it is what Prometheus loads."""
    service, settings = _service(name)
    (plain,) = _documents(service, settings, RuleFormat.PROMETHEUS)
    (mimir,) = _documents(service, settings, RuleFormat.MIMIR)
    objects: list[dict[str, dict[str, list[object]]]] = _documents(service, settings, RuleFormat.OPERATOR)  # type: ignore[assignment]
    assert mimir == {"namespace": f"sereno-{service.name}", **plain}
    assert [group for one in objects for group in one["spec"]["groups"]] == plain["groups"]


def test_objects_say_what_the_operator_selects_by() -> None:
    """Namespace and labels are those of sereno.yaml; the name is the service's."""
    service, _ = _service("groups")
    settings, mistakes = read_settings(SourceFile("sereno.yaml", SETTINGS))
    assert mistakes == ()
    (one,) = _documents(service, settings, RuleFormat.OPERATOR)
    assert {key: value for key, value in one.items() if key != "spec"} == {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {
            "name": "sereno-shop",
            "namespace": "monitoring",
            "labels": {"app.kubernetes.io/managed-by": "sereno", "release": "prom"},
        },
    }
    (mimir,) = _documents(service, settings, RuleFormat.MIMIR)
    assert mimir["namespace"] == "team-a-shop"


def test_large_services_are_several_objects_that_kubectl_takes() -> None:
    """None is larger than the annotation that kubectl apply writes, no SLO is torn apart, names differ."""
    service, settings = _service("groups")
    (slo,) = service.slos
    large = replace(service, slos=tuple(replace(slo, name=f"objective-{number}") for number in range(12)))
    objects = _documents(large, settings, RuleFormat.OPERATOR)
    assert len(objects) > 1
    names = [one["metadata"]["name"] for one in objects]  # type: ignore[index]
    assert names[:2] == ["sereno-shop", "sereno-shop.2"]
    assert len(set(names)) == len(names)
    assert all(len(json.dumps(one)) < MOST_BYTES_OF_ANNOTATIONS for one in objects)
    groups = [[group["name"] for group in one["spec"]["groups"]] for one in objects]  # type: ignore[index]
    assert [name for names in groups for name in names] == [
        f"sereno:shop:objective-{number}:{interval}" for number in range(12) for interval in ("1m", "5m")
    ]
    assert all(len(names) % 2 == 0 for names in groups)


def test_vmalert_gets_all_but_what_it_refuses() -> None:
    """Only keep_firing_for is left out, and each SLO that has it is named."""
    service, settings = _service("own-policy")
    artefact, warnings = render_engine_rules(service, settings, RuleFormat.VMALERT)
    (plain,) = _documents(service, settings, RuleFormat.PROMETHEUS)
    for group in plain["groups"]:  # type: ignore[attr-defined]
        for rule in group["rules"]:
            rule.pop("keep_firing_for", None)
    assert yaml.load(artefact.content, Loader=yaml.CSafeLoader) == plain
    kept = [slo.name for slo in service.slos if slo.alerting.keep_firing_for]
    assert kept
    assert [warning.code for warning in warnings] == ["SLO086"] * len(kept)


def test_the_command_knows_every_form() -> None:
    """The names on the command line are written by hand, so that --help needs no compiler."""
    assert set(FORMATS) == set(RuleFormat)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """One service."""
    (tmp_path / "slo/specs").mkdir(parents=True)
    (tmp_path / "slo/specs/api.slo.yaml").write_text(spec_text(), encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("form", [form for form in FORMATS if form != "prometheus"])
def test_the_repository_keeps_forms_apart(form: str, repository: Path) -> None:
    """Prometheus' rules stay as they are beside those of another form; --check works for each, strays included."""
    assert sereno("compile", cwd=repository).returncode == ExitCode.OK
    before = files_below(repository)
    answer = sereno("compile", "--format", form, cwd=repository)
    assert answer.returncode == ExitCode.OK, answer.stderr
    path = f"alerting/{form}/generated/api.rules.yaml"
    assert set(files_below(repository)) - set(before) == {path}
    assert before.items() <= files_below(repository).items()
    check = ("compile", "--check", "--format", form)
    assert sereno(*check, cwd=repository).returncode == ExitCode.OK
    stray = repository / path.replace("api", "stray")
    stray.write_text("groups: []\n", encoding="utf-8")
    (repository / path).write_text("edited", encoding="utf-8")
    answer = sereno(*check, cwd=repository)
    assert answer.returncode == ExitCode.ANSWER_IS_NO
    assert f"{path}: differs" in answer.stderr
    assert "stray.rules.yaml: stray" in answer.stderr
    assert sereno("compile", "--check", cwd=repository).returncode == ExitCode.OK


def test_what_is_remembered_of_one_form_is_not_taken_for_another(tmp_path: Path) -> None:
    """The same folder with another --format: every file is in the new form, with the cache of the old one there."""
    specs = tmp_path / "specs"
    specs.mkdir()
    for number in range(20):  # as many as are remembered
        text = spec_text().replace("service: api", f"service: api-{number}")
        (specs / f"api-{number}.slo.yaml").write_text(text, encoding="utf-8")
    for form, key in (("prometheus", "groups"), ("mimir", "namespace"), ("prometheus", "groups")):
        arguments = ("compile", specs, "--out", "out", "--only", "rules", "--format", form)
        assert sereno(*arguments, cwd=tmp_path).returncode == ExitCode.OK
        written = [path.read_text("utf-8") for path in (tmp_path / "out/rules").iterdir()]
        assert all(text.splitlines()[1].startswith(f"{key}:") for text in written)


def test_promtool_tests_only_its_own_form(repository: Path) -> None:
    """Asking for tests of another form is a mistake; without asking they are left out."""
    answer = sereno("compile", "--only", "tests", "--format", "mimir", cwd=repository)
    assert answer.returncode == ExitCode.INVALID_INPUT
    out = sereno("compile", "--out", "out", "--format", "mimir", cwd=repository)
    assert out.returncode == ExitCode.OK
    assert {path.name for path in (repository / "out").iterdir()} == {
        *("alertmanager", "buckets", "dashboards", "datasources", "postmortem-template.md", "rules", "runbooks")
    }
