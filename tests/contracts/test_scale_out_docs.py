"""docs/scale-out: configurations that have a validator pass it, and the calculator says what the page says."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest
from sereno_cli.main import run
from sereno_slo import SourceFile, read_settings

DOCS = Path(__file__).parents[2] / "docs"
TEXT = (DOCS / "scale-out.md").read_text(encoding="utf-8")
SIZES = (DOCS / "scale-out/elasticsearch.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
OF_PROMETHEUS = [block for block in BLOCKS if "sereno.yaml" not in block.split("\n", 1)[0]]


@pytest.mark.parametrize("number", range(len(OF_PROMETHEUS)))
def test_prometheus_takes_its_configuration(number: int, tmp_path: Path) -> None:
    """Promtool finds no fault; with `--agent` where the page speaks of an agent."""
    block = OF_PROMETHEUS[number]
    token = tmp_path / "receiver-token"
    token.write_text("secret", encoding="utf-8")
    file = tmp_path / "prometheus.yml"
    file.write_text(block.replace("/run/secrets/receiver-token", token.as_posix()), encoding="utf-8")
    agent = ["--agent"] if "--agent" in block else []
    done = subprocess.run(
        ["promtool", "check", "config", *agent, str(file)], capture_output=True, text=True, check=False, timeout=30
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_settings_of_the_page_are_settings() -> None:
    """What the page writes into sereno.yaml is valid."""
    (block,) = (block for block in BLOCKS if block not in OF_PROMETHEUS)
    settings, mistakes = read_settings(SourceFile("sereno.yaml", block))
    assert mistakes == ()
    assert settings.imports == ("../platform/slo/specs", "vendor/mail.slo.yaml")


def test_the_calculator_says_what_the_page_shows(capsys: pytest.CaptureFixture[str]) -> None:
    """The example is a true run."""
    (example,) = re.findall(r"```text\n\$ sereno (logs size [^\n]*)\n(.*?)```", SIZES, re.DOTALL)
    assert run(shlex.split(example[0])) == 0
    assert capsys.readouterr().out == example[1]
