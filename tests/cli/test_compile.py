"""`sereno compile`: into the repository's layout or a folder; checks, strays, and what is never touched."""

import resource
import subprocess
from pathlib import Path

import pytest
from sereno_cli.exit_codes import ExitCode
from support.command_line import SERENO, files_below, sereno
from support.slo_specs import EXAMPLES, GOOD_RATIO, spec_text

RULES = "alerting/rules/generated/api.rules.yaml"
OVERVIEW = "dashboards/grafana/generated/overview.json"
RUNBOOK = "runbooks/api/calls.md"


def _other(text: str) -> str:
    return text.replace("service: api", "service: other")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with two specs, compiled."""
    specs = tmp_path / "slo/specs"
    specs.mkdir(parents=True)
    (specs / "api.slo.yaml").write_text(spec_text(), encoding="utf-8")
    (specs / "other.slo.yaml").write_text(_other(spec_text(indicator=GOOD_RATIO)), encoding="utf-8")
    answer = sereno("compile", cwd=tmp_path)
    assert answer.returncode == ExitCode.OK, answer.stderr
    return tmp_path


def test_compiles_into_the_repository_s_layout(repository: Path) -> None:
    """Every kind of artefact has its place, and a second run changes nothing."""
    before = files_below(repository)
    assert set(before) == {
        "slo/specs/api.slo.yaml",
        "slo/specs/other.slo.yaml",
        *(f"alerting/rules/generated/{name}.rules.yaml" for name in ("api", "other")),
        *(
            f"alerting/tests/generated/{name}.{kind}.yaml"
            for name in ("api", "other")
            for kind in ("test", "5m.test", "1d.test")
        ),
        *(f"dashboards/grafana/generated/{name}.json" for name in ("api", "other", "overview", "slo")),
        "dashboards/grafana/provisioning/datasources/sereno.yaml",
        *(f"runbooks/{name}/calls.md" for name in ("api", "other")),
        *(f"slo/buckets/generated/{name}.json" for name in ("api", "other")),
        "alerting/alertmanager/generated/inhibit_rules.yml",
        "postmortems/postmortem-template.md",
    }
    answer = sereno("compile", cwd=repository / "slo/specs")
    assert answer.returncode == ExitCode.OK, answer.stderr
    assert answer.stdout.splitlines()[-1].startswith("0 files written")
    assert files_below(repository) == before


def test_compiles_one_spec_into_a_folder(tmp_path: Path) -> None:
    """--out takes a spec from anywhere and writes the promised names."""
    answer = sereno("compile", EXAMPLES / "two-jobs.slo.yaml", "--out", "deep/out", cwd=tmp_path)
    assert answer.returncode == ExitCode.OK
    assert set(files_below(tmp_path / "deep/out")) == {
        "rules/front.rules.yaml",
        "tests/front.test.yaml",
        "tests/front.5m.test.yaml",
        "tests/front.1d.test.yaml",
        "dashboards/front.json",
        "dashboards/overview.json",
        "dashboards/slo.json",
        "datasources/sereno.yaml",
        "runbooks/front/served.md",
        "postmortem-template.md",
        "buckets/front.json",
        "alertmanager/inhibit_rules.yml",
    }


def test_check_says_yes_and_writes_nothing(repository: Path) -> None:
    """An up-to-date repository answers 0."""
    before = files_below(repository)
    answer = sereno("compile", "--check", cwd=repository)
    assert (answer.returncode, answer.stderr) == (ExitCode.OK, "")
    assert "are what the specs say" in answer.stdout
    assert files_below(repository) == before


@pytest.mark.parametrize("what", ["missing", "differs", "stray"])
def test_check_says_no_and_writes_nothing(what: str, repository: Path) -> None:
    """A generated file that is missing, differs, or belongs to no spec is named, and the answer is 1."""
    rules = repository / RULES
    path = {"stray": "alerting/rules/generated/gone.rules.yaml"}.get(what, RULES)
    if what == "missing":
        rules.unlink()
    elif what == "differs":
        rules.write_text(rules.read_text(encoding="utf-8") + "# by hand\n", encoding="utf-8")
    else:
        (repository / path).write_text("groups: []\n", encoding="utf-8")
    before = files_below(repository)
    answer = sereno("compile", "--check", cwd=repository)
    assert answer.returncode == ExitCode.ANSWER_IS_NO
    assert answer.stderr.splitlines()[0] == f"{path}: {what}"
    assert files_below(repository) == before


def test_a_human_s_runbook_is_never_overwritten(repository: Path) -> None:
    """Scaffolds are written once: what people make of them stays, and --check doesn't mind."""
    runbook = repository / RUNBOOK
    runbook.write_text("What we learnt last night.\n", encoding="utf-8")
    assert sereno("compile", "--check", cwd=repository).returncode == ExitCode.OK
    assert sereno("compile", cwd=repository).returncode == ExitCode.OK
    assert runbook.read_text(encoding="utf-8") == "What we learnt last night.\n"
    runbook.unlink()
    assert f"{RUNBOOK}: missing" in sereno("compile", "--check", cwd=repository).stderr


def test_strays_are_removed_from_the_compiler_s_folders_only(repository: Path) -> None:
    """A removed spec takes its generated files along, but not its runbook, hidden files, or a folder of others."""
    (repository / "slo/specs/other.slo.yaml").unlink()
    (repository / "alerting/rules/generated/.gitkeep").touch()
    (repository / "runbooks/README.md").touch()
    answer = sereno("compile", cwd=repository)
    assert answer.returncode == ExitCode.OK
    removed = {line.removeprefix("removed ") for line in answer.stdout.splitlines() if line.startswith("removed ")}
    assert removed == {
        "alerting/rules/generated/other.rules.yaml",
        "alerting/tests/generated/other.test.yaml",
        "alerting/tests/generated/other.5m.test.yaml",
        "alerting/tests/generated/other.1d.test.yaml",
        "dashboards/grafana/generated/other.json",
        "slo/buckets/generated/other.json",
    }
    left = files_below(repository)
    assert not removed & set(left)
    assert {"runbooks/other/calls.md", "alerting/rules/generated/.gitkeep", "runbooks/README.md"} <= set(left)


def test_strays_of_a_folder_given_by_out_are_left(tmp_path: Path) -> None:
    """Below --out other files may live: they are told by --check, and never removed."""
    (tmp_path / "api.slo.yaml").write_text(spec_text(), encoding="utf-8")
    (tmp_path / "out/rules").mkdir(parents=True)
    stranger = tmp_path / "out/rules/stranger.rules.yaml"
    stranger.write_text("groups: []\n", encoding="utf-8")
    assert sereno("compile", "api.slo.yaml", "--out", "out", cwd=tmp_path).returncode == ExitCode.OK
    assert stranger.exists()
    answer = sereno("compile", "api.slo.yaml", "--out", "out", "--check", cwd=tmp_path)
    assert answer.returncode == ExitCode.ANSWER_IS_NO
    assert "rules/stranger.rules.yaml: stray" in answer.stderr


def test_one_spec_of_several_leaves_the_others_alone(repository: Path) -> None:
    """Narrowing to a spec writes that service's files only: not the overview, and no other service's."""
    for spec in (repository / "slo/specs").iterdir():
        spec.write_text(spec.read_text(encoding="utf-8").replace("99.9", "99.5"), encoding="utf-8")
    before = files_below(repository)
    answer = sereno("compile", "slo/specs/api.slo.yaml", cwd=repository)
    assert answer.returncode == ExitCode.OK, answer.stderr
    after = files_below(repository)
    assert set(after) == set(before)
    changed = {path for path in before if before[path] != after[path]}
    assert RULES in changed
    assert OVERVIEW not in changed
    assert all("other" not in path for path in changed)
    assert sereno("compile", "slo/specs/api.slo.yaml", "--check", cwd=repository).returncode == ExitCode.OK
    assert sereno("compile", "--check", cwd=repository).returncode == ExitCode.ANSWER_IS_NO


def test_a_spec_outside_the_repository_needs_a_place(repository: Path) -> None:
    """Only slo/specs is compiled into the repository's layout."""
    (repository / "draft.slo.yaml").write_text(_other(spec_text()), encoding="utf-8")
    before = files_below(repository)
    answer = sereno("compile", "draft.slo.yaml", cwd=repository)
    assert answer.returncode == ExitCode.INVALID_INPUT
    assert "--out DIR" in answer.stderr
    assert files_below(repository) == before


def test_one_mistake_writes_nothing_at_all(repository: Path) -> None:
    """A mistake in one spec stops all of them: half a repository would be compiled otherwise."""
    (repository / "slo/specs/api.slo.yaml").write_text(spec_text(objective="99.5"), encoding="utf-8")
    (repository / "slo/specs/other.slo.yaml").write_text(_other(spec_text(objective="0.9")), encoding="utf-8")
    before = files_below(repository)
    answer = sereno("compile", cwd=repository)
    assert answer.returncode == ExitCode.INVALID_INPUT
    assert "slo/specs/other.slo.yaml:6:16: error[SLO012]" in answer.stderr
    assert files_below(repository) == before


def test_output_is_deterministic(tmp_path: Path) -> None:
    """The same specs give the same bytes, whatever the seed of Python's hashes."""
    outputs = []
    for seed in ("1", "2"):
        out = tmp_path / seed
        specs = [EXAMPLES / f"{name}.slo.yaml" for name in ("two-jobs", "odd-label-values", "latency-whole-second")]
        answer = sereno("compile", *specs, "--out", out, cwd=tmp_path, environment={"PYTHONHASHSEED": seed})
        assert answer.returncode == ExitCode.OK
        outputs.append(files_below(out))
    assert outputs[0] == outputs[1]


@pytest.mark.parametrize("blocked", ["out/rules", "out/dashboards/api.json"])
def test_a_path_that_can_not_be_written_leaves_the_rest(blocked: str, tmp_path: Path) -> None:
    """A file where a folder has to be, or a folder where a file has to be: a message, and nothing is written."""
    (tmp_path / "api.slo.yaml").write_text(spec_text(), encoding="utf-8")
    obstacle = tmp_path / blocked
    if obstacle.suffix:
        obstacle.mkdir(parents=True)
    else:
        obstacle.parent.mkdir(parents=True)
        obstacle.touch()
    answer = sereno("compile", "api.slo.yaml", "--out", "out", cwd=tmp_path)
    assert answer.returncode == ExitCode.INVALID_INPUT
    assert "nothing was replaced" in answer.stderr
    assert {path for path in files_below(tmp_path / "out") if path != "rules"} == set()
    check = sereno("compile", "api.slo.yaml", "--out", "out", "--check", cwd=tmp_path)
    assert check.returncode == ExitCode.ANSWER_IS_NO


def _at_most_twenty_kilobytes_a_file() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))


def test_a_write_that_fails_half_way_leaves_the_old_files(tmp_path: Path) -> None:
    """As on a full disk: no file is half new, no temporary file stays behind."""
    (tmp_path / "api.slo.yaml").write_text(spec_text(), encoding="utf-8")
    assert sereno("compile", "api.slo.yaml", "--out", "out", cwd=tmp_path).returncode == ExitCode.OK
    before = files_below(tmp_path / "out")
    assert min(map(len, before.values())) < 20_000 < max(map(len, before.values())), "some files fit, some don't"
    (tmp_path / "api.slo.yaml").write_text(spec_text(objective="99.5"), encoding="utf-8")
    answer = subprocess.run(
        [*SERENO, "compile", "api.slo.yaml", "--out", "out"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        preexec_fn=_at_most_twenty_kilobytes_a_file,
        check=False,
    )
    assert answer.returncode == ExitCode.INVALID_INPUT
    assert answer.stderr == "sereno compile: out: File too large; nothing was replaced\n"
    assert files_below(tmp_path / "out") == before


def test_odd_names_of_specs_compile(tmp_path: Path) -> None:
    """A spec's name may hold spaces, quotes, a line feed or bytes that are no text: what is written stays readable."""
    for number, name in enumerate([b"a spec.slo.yaml", b'"quoted".slo.yaml', b"line\nfeed.slo.yaml", b"\xff.slo.yaml"]):
        folder = tmp_path / str(number)
        folder.mkdir()
        with open(bytes(folder) + b"/" + name, "w", encoding="utf-8") as file:  # noqa: PTH123 - bytes
            file.write(spec_text())
        answer = sereno("compile", name, "--out", "out", cwd=folder)
        assert answer.returncode == ExitCode.OK, answer.stderr
        rules = (folder / "out/rules/api.rules.yaml").read_text(encoding="utf-8")
        assert rules.splitlines()[1] == "groups:"
