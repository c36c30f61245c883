"""`sereno new` as users run it."""

from pathlib import Path

import pytest
from sereno_cli.exit_codes import ExitCode
from sereno_slo.starting import KINDS
from support.command_line import files_below, sereno


def test_the_list_tells_every_kind(tmp_path: Path) -> None:
    """One line for each template, and nothing is written."""
    answer = sereno("new", "--list", cwd=tmp_path)
    assert answer.returncode == ExitCode.OK
    assert [line.split()[0] for line in answer.stdout.splitlines()] == [kind.name for kind in KINDS]
    assert files_below(tmp_path) == {}


def test_the_page_shows_a_true_run(tmp_path: Path) -> None:
    """docs/new.md prints what the command prints, and describes every kind."""
    page = (Path(__file__).resolve().parents[2] / "docs/new.md").read_text(encoding="utf-8")
    assert sereno("new", "--list", cwd=tmp_path).stdout in page
    for kind in KINDS:
        assert f"| `{kind.name}` |" in page


def test_a_first_spec_is_written_and_what_comes_next_told(tmp_path: Path) -> None:
    """Outside of a repository it lies in the current folder; the commands that are named run."""
    answer = sereno("new", "http-api", "checkout", "--owner", "payments", "--tier", "critical", cwd=tmp_path)
    assert answer.returncode == ExitCode.OK
    text = (tmp_path / "checkout.slo.yaml").read_text(encoding="utf-8")
    assert "service: checkout\nowner: payments " in text
    assert "tier: critical " in text
    commands = [line.split()[1:] for line in answer.stdout.splitlines() if line.startswith("  sereno ")]
    assert [command[0] for command in commands] == ["validate", "compile"]
    assert commands[0][-2] == "--prometheus"
    assert sereno(*commands[0][:-2], cwd=tmp_path).returncode == ExitCode.OK
    assert sereno(*commands[1], "--only", "rules", cwd=tmp_path).returncode == ExitCode.OK


def test_in_a_repository_it_goes_where_specs_lie(tmp_path: Path) -> None:
    """slo/specs of the nearest folder upwards that has it, with the schema that lies beside it."""
    (tmp_path / "slo/specs").mkdir(parents=True)
    (tmp_path / "slo/schema").mkdir()
    (tmp_path / "slo/schema/sereno-v1.schema.json").touch()
    (tmp_path / "somewhere").mkdir()
    answer = sereno("new", "probe", "shop", cwd=tmp_path / "somewhere")
    assert answer.returncode == ExitCode.OK
    text = (tmp_path / "slo/specs/shop.slo.yaml").read_text(encoding="utf-8")
    assert text.startswith("# yaml-language-server: $schema=../schema/sereno-v1.schema.json\n")
    assert "\n  sereno compile\n" in answer.stdout


def test_a_spec_that_is_there_is_kept(tmp_path: Path) -> None:
    """What people wrote is never replaced."""
    (tmp_path / "shop.slo.yaml").write_text("mine", encoding="utf-8")
    answer = sereno("new", "grpc", "shop", cwd=tmp_path)
    assert answer.returncode == ExitCode.INVALID_INPUT
    assert "shop.slo.yaml is there already" in answer.stderr
    assert files_below(tmp_path) == {"shop.slo.yaml": b"mine"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["http-api", "My_Shop"], "(write my-shop)"),
        (["http-api", "overview"], "overview is the dashboard of all services"),
        (["http-api", "../shop"], "(write shop)"),
        (["http-api", "a\nb"], "names are lower-case words"),
        (["http-api", "shop", "--owner", "Team A"], "(write team-a)"),
        (["http", "shop"], "did you mean http-api?"),
        (["http-api"], "name a KIND"),
        ([], "name a KIND"),
    ],
)
def test_wrong_words_are_told_with_the_cure(arguments: list[str], said: str, tmp_path: Path) -> None:
    """A name that is none, or a kind that there isn't: exit code 2, what to write instead, and no file."""
    answer = sereno("new", *arguments, cwd=tmp_path)
    assert answer.returncode == ExitCode.INVALID_INPUT
    assert said in answer.stderr
    assert files_below(tmp_path) == {}
