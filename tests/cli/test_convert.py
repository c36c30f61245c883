"""`sereno convert`, and `sereno compile` and `validate` with other tools' specs, as users run them."""

from pathlib import Path

import pytest
import yaml
from sereno_cli.exit_codes import ExitCode
from support.command_line import files_below, sereno

WHOLE = """\
version: prometheus/v1
service: orders
labels: {owner: sales}
slos:
  - name: calls
    objective: 99.9
    sli:
      events:
        error_query: sum(rate(http_requests_total{job="orders",code=~"5.."}[{{.window}}]))
        total_query: sum(rate(http_requests_total{job="orders"}[{{.window}}]))
"""
PLUGIN = """\
  - name: by-plugin
    objective: 99
    sli: {plugin: {id: none}}
"""


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A folder with one file of Sloth's."""
    (tmp_path / "orders.yml").write_text(WHOLE, encoding="utf-8")
    return tmp_path


def test_one_service_is_printed(here: Path) -> None:
    """Without --out the spec alone is on standard output, and nothing is written."""
    answer = sereno("convert", "orders.yml", cwd=here)
    assert answer.returncode == ExitCode.OK
    assert yaml.safe_load(answer.stdout)["service"] == "orders"
    assert answer.stdout.startswith("# yaml-language-server: $schema=")
    assert "1 service converted; nothing is left out" in answer.stderr
    assert list(files_below(here)) == ["orders.yml"]


def test_several_services_need_a_folder(here: Path) -> None:
    """A spec describes one service: two of them on standard output would be none."""
    (here / "mail.yml").write_text(WHOLE.replace("service: orders", "service: mail"), encoding="utf-8")
    answer = sereno("convert", ".", cwd=here)
    assert answer.returncode == ExitCode.INVALID_INPUT
    assert answer.stdout == ""
    assert "2 services (mail, orders)" in answer.stderr
    assert "--out DIR" in answer.stderr
    answer = sereno("convert", ".", "--out", "specs", cwd=here)
    assert answer.returncode == ExitCode.OK
    assert sorted(files_below(here / "specs")) == ["mail.slo.yaml", "orders.slo.yaml"]
    assert sereno("validate", "specs", cwd=here).returncode == ExitCode.OK


def test_specs_that_are_there_are_kept(here: Path) -> None:
    """Nothing is overwritten unless --force says so, and then nothing is left beside it."""
    (here / "mail.yml").write_text(WHOLE.replace("service: orders", "service: mail"), encoding="utf-8")
    (here / "orders.slo.yaml").write_text("mine", encoding="utf-8")
    before = files_below(here)
    answer = sereno("convert", "mail.yml", "orders.yml", "--out", ".", cwd=here)
    assert answer.returncode == ExitCode.INVALID_INPUT
    assert "orders.slo.yaml is there already; --force replaces it" in answer.stderr
    assert files_below(here) == before
    answer = sereno("convert", "mail.yml", "orders.yml", "--out", ".", "--force", cwd=here)
    assert answer.returncode == ExitCode.OK
    assert sorted(set(files_below(here)) - set(before)) == ["mail.slo.yaml"]
    assert b"version: sereno/v1" in files_below(here)["orders.slo.yaml"]


def test_shadow_tells_nobody(here: Path) -> None:
    """--shadow is written into every SLO, so that the new rules can run beside the old ones."""
    answer = sereno("convert", "orders.yml", "--shadow", cwd=here)
    assert [slo["alerting"] for slo in yaml.safe_load(answer.stdout)["slos"]] == [{"shadow": True}]


def test_what_is_left_out_is_the_answer_no(here: Path) -> None:
    """An SLO that can't be carried over is a comment in a valid spec, an error with its place, and exit code 1."""
    (here / "orders.yml").write_text(WHOLE + PLUGIN, encoding="utf-8")
    answer = sereno("convert", "orders.yml", "--out", "specs", cwd=here)
    assert answer.returncode == ExitCode.ANSWER_IS_NO
    assert "orders.yml:13:5: error[SLO062]: by-plugin can't be carried over" in answer.stderr
    assert "  # LEFT OUT: by-plugin" in (here / "specs/orders.slo.yaml").read_text(encoding="utf-8")
    assert sereno("validate", "specs", cwd=here).returncode == ExitCode.OK


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("version: sereno/v1\n", "this is a spec of sereno/v1 already"),
        ("apiVersion: v1\nkind: ConfigMap\n", "kind ConfigMap, is none that can be converted"),
        ("a: [", "this is not YAML"),
        ("", "the file is empty"),
        (None, "there is no such file"),
    ],
)
def test_what_is_no_such_format_is_invalid_input(text: str | None, said: str, here: Path) -> None:
    """A file in none of the formats stops everything: exit code 2, and nothing is written."""
    if text is not None:
        (here / "other.yaml").write_text(text, encoding="utf-8")
    before = files_below(here)
    answer = sereno("convert", "orders.yml", "other.yaml", "--out", "specs", cwd=here)
    assert answer.returncode == ExitCode.INVALID_INPUT
    assert said in answer.stderr
    assert "\nother.yaml:" in f"\n{answer.stderr}"
    assert files_below(here) == before


def test_compile_takes_other_formats(here: Path) -> None:
    """The rules are those of the converted spec, and generated files name the file that people edit."""
    assert sereno("convert", "orders.yml", "--out", ".", cwd=here).returncode == ExitCode.OK
    directly = sereno("compile", "orders.yml", "--out", "a", "--only", "rules", cwd=here)
    assert directly.returncode == ExitCode.OK
    assert "orders.yml:2:1: warning[SLO065]" in directly.stderr
    assert sereno("compile", "orders.slo.yaml", "--out", "b", "--only", "rules", cwd=here).returncode == ExitCode.OK
    first, second = ((here / folder / "rules/orders.rules.yaml").read_text("utf-8") for folder in "ab")
    assert "from orders.yml;" in first
    assert first.replace("orders.yml", "orders.slo.yaml") == second


def test_compile_refuses_what_would_be_left_out(here: Path) -> None:
    """Nobody believes an SLO to be watched that isn't: what convert leaves out is an error, and nothing is written."""
    (here / "orders.yml").write_text(WHOLE + PLUGIN, encoding="utf-8")
    for arguments in (["compile", "orders.yml", "--out", "out"], ["validate", "orders.yml"]):
        answer = sereno(*arguments, cwd=here)
        assert answer.returncode == ExitCode.INVALID_INPUT
        assert "orders.yml:13:5: error[SLO062]" in answer.stderr
    assert not (here / "out").exists()


def test_messages_of_the_compiler_lead_to_the_original(here: Path) -> None:
    """A warning about a converted value names the line of the file that was given."""
    histogram = WHOLE.replace("http_requests_total{", "latency_seconds_count{").replace(',code=~"5.."}', "}")
    query = 'sum(rate(latency_seconds_count{job="orders"}[{{.window}}]))'
    fast = 'sum(rate(latency_seconds_bucket{job="orders",le="0.3"}[{{.window}}]))'
    text = histogram.replace(f"error_query: {query}", f"error_query: {query} - {fast}")
    (here / "orders.yml").write_text(text, encoding="utf-8")
    answer = sereno("validate", "orders.yml", cwd=here)
    assert answer.returncode == ExitCode.OK
    assert "orders.yml:7:5: warning[SLO032]: 0.3 s is no usual bucket bound" in answer.stderr


def test_a_bundle_of_two_services_compiles(here: Path) -> None:
    """One file may describe several services; each has rules of its own."""
    text = f"{WHOLE}---\n{WHOLE.replace('service: orders', 'service: mail')}"
    (here / "orders.yml").write_text(text, encoding="utf-8")
    answer = sereno("compile", "orders.yml", "--out", "out", "--only", "rules", cwd=here)
    assert answer.returncode == ExitCode.OK
    assert sorted(files_below(here / "out")) == ["rules/mail.rules.yaml", "rules/orders.rules.yaml"]


def test_a_native_and_a_foreign_spec_of_one_service_are_told(here: Path) -> None:
    """Two files that describe one service are a mistake, whatever their formats."""
    assert sereno("convert", "orders.yml", "--out", ".", cwd=here).returncode == ExitCode.OK
    answer = sereno("validate", "orders.yml", "orders.slo.yaml", cwd=here)
    assert answer.returncode == ExitCode.INVALID_INPUT
    assert "error[SLO016]" in answer.stderr
