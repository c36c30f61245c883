"""`sereno validate`: every mistake, nothing written."""

import subprocess
import sys
from pathlib import Path

from sereno_cli.exit_codes import ExitCode
from support.command_line import files_below, sereno
from support.slo_specs import spec_text


def test_valid_specs_are_counted(tmp_path: Path) -> None:
    """A folder means the specs in it; the answer tells how many there are."""
    (tmp_path / "a.slo.yaml").write_text(spec_text(), encoding="utf-8")
    (tmp_path / "b.slo.yaml").write_text(spec_text().replace("service: api", "service: other"), encoding="utf-8")
    (tmp_path / "README.md").write_text("not a spec", encoding="utf-8")
    before = files_below(tmp_path)
    answer = sereno("validate", ".", cwd=tmp_path)
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "valid: 2 services, 2 SLOs\n", "")
    assert files_below(tmp_path) == before


def test_mistakes_of_all_files_come_at_once(tmp_path: Path) -> None:
    """Each named file is read, and each of its mistakes told with its place, readable or not."""
    (tmp_path / "a.slo.yaml").write_text(spec_text(objective="0.999"), encoding="utf-8")
    (tmp_path / "b.slo.yaml").write_bytes(b"\xff")
    answer = sereno("validate", "a.slo.yaml", "b.slo.yaml", "c.slo.yaml", cwd=tmp_path)
    assert answer.returncode == ExitCode.INVALID_INPUT
    assert answer.stdout == ""
    places = [line.partition(": ")[0] for line in answer.stderr.splitlines()[:-1]]
    assert sorted(places) == ["a.slo.yaml:6:16", "b.slo.yaml:1:1", "c.slo.yaml:1:1"]


def test_warnings_alone_are_valid(tmp_path: Path) -> None:
    """A warning is printed, and the specs are valid."""
    (tmp_path / "a.slo.yaml").write_text(spec_text(objective="90"), encoding="utf-8")
    answer = sereno("validate", "a.slo.yaml", cwd=tmp_path)
    assert answer.returncode == ExitCode.OK
    assert "warning[SLO030]" in answer.stderr
    assert answer.stdout == "valid: 1 service, 1 SLO\n"


def test_nothing_to_validate_is_invalid_input(tmp_path: Path) -> None:
    """Without a spec here, above or named there is no answer, and it is said what to name."""
    answer = sereno("validate", cwd=tmp_path)
    assert answer.returncode == ExitCode.INVALID_INPUT
    assert "name a spec's file" in answer.stderr
    answer = sereno("validate", ".", cwd=tmp_path)
    assert answer.returncode == ExitCode.INVALID_INPUT
    assert "error[SLO040]" in answer.stderr


def test_names_that_no_file_can_have_are_messages(tmp_path: Path) -> None:
    """Too long, not UTF-8, a device: a message each, one line each."""
    answer = sereno("validate", "a" * 5000, b"\xff\xfe", "line\nfeed", "/dev/null", cwd=tmp_path)
    assert answer.returncode == ExitCode.INVALID_INPUT
    assert len(answer.stderr.splitlines()) == 5
    assert answer.stderr.splitlines()[-1] == "4 errors; nothing was written"


def test_without_a_server_nothing_is_asked(tmp_path: Path) -> None:
    """No client is even loaded where no address is given."""
    (tmp_path / "a.slo.yaml").write_text(spec_text(), encoding="utf-8")
    code = (
        "import sys; from sereno_cli.main import run; code = run(['validate', 'a.slo.yaml']); "
        "sys.exit(code or 'httpx' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, timeout=60, check=False)
    assert done.returncode == ExitCode.OK


def test_settings_are_named_or_the_nearest(tmp_path: Path) -> None:
    """--settings wins over the sereno.yaml of a folder above; a missing or wrong one is a mistake like any other."""
    below = tmp_path / "below"
    below.mkdir()
    (below / "a.slo.yaml").write_text(spec_text(), encoding="utf-8")
    (tmp_path / "sereno.yaml").write_text("window: 1\n", encoding="utf-8")
    (tmp_path / "good.yaml").write_text("window: 7d\n", encoding="utf-8")
    assert "sereno.yaml:1:9: error[SLO014]" in sereno("validate", "a.slo.yaml", cwd=below).stderr
    assert sereno("validate", "a.slo.yaml", "--settings", "../good.yaml", cwd=below).returncode == ExitCode.OK
    missing = sereno("validate", "a.slo.yaml", "--settings", "none.yaml", cwd=below)
    assert missing.returncode == ExitCode.INVALID_INPUT
    assert "none.yaml:1:1: error[SLO040]" in missing.stderr


def test_a_link_that_leads_to_itself_is_a_message(tmp_path: Path) -> None:
    """A loop of symbolic links is told with its path, without a traceback."""
    loop = tmp_path / "loop.slo.yaml"
    loop.symlink_to(loop)
    answer = sereno("validate", loop, cwd=tmp_path)
    assert answer.returncode == 2
    assert "error[SLO001]" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_named_spec_may_depend_on_others_and_a_folder_is_all_there_is(tmp_path: Path) -> None:
    """What can't be checked is a warning; in a folder nobody else can describe the service."""
    (tmp_path / "a.slo.yaml").write_text(spec_text(slo="    depends_on: [kafka/delivery]\n"), encoding="utf-8")
    answer = sereno("validate", "a.slo.yaml", cwd=tmp_path)
    assert (answer.returncode, "warning[SLO071]" in answer.stderr) == (ExitCode.OK, True)
    answer = sereno("validate", ".", cwd=tmp_path)
    assert (answer.returncode, "error[SLO071]" in answer.stderr) == (ExitCode.INVALID_INPUT, True)
