"""Files on disk: all or none, a human's untouched, and differences told."""

from pathlib import Path

import pytest
from sereno_slo import FOLDER, REPOSITORY, Difference, differences, write
from sereno_slo.render.artefact import Artefact, Kind, Ownership
from support.command_line import files_below

RULES = Artefact(Kind.RULES, "a.rules.yaml", "groups: []\n")
RUNBOOK = Artefact(Kind.RUNBOOKS, "a/calls.md", "# Scaffold ü\n", Ownership.SCAFFOLDED)
TEMPLATE = Artefact(Kind.POSTMORTEM_TEMPLATE, "postmortem-template.md", "# Template\n")


def test_writes_what_is_missing_and_then_nothing(tmp_path: Path) -> None:
    """A second run finds everything up to date and touches no file."""
    first = write([RULES, RUNBOOK, TEMPLATE], FOLDER, tmp_path, is_complete=True)
    assert set(first.changed) == {"rules/a.rules.yaml", "runbooks/a/calls.md", "postmortem-template.md"}
    times = {path: (tmp_path / path).stat().st_mtime_ns for path in first.changed}
    second = write([RULES, RUNBOOK, TEMPLATE], FOLDER, tmp_path, is_complete=True)
    assert (second.changed, second.unchanged, second.removed) == ((), 3, ())
    assert times == {path: (tmp_path / path).stat().st_mtime_ns for path in first.changed}


def test_files_are_readable_by_others(tmp_path: Path) -> None:
    """Prometheus runs as a user of its own and has to read its rules."""
    write([RULES], FOLDER, tmp_path, is_complete=True)
    assert (tmp_path / "rules/a.rules.yaml").stat().st_mode & 0o777 == 0o644


def test_a_damaged_file_differs(tmp_path: Path) -> None:
    """Bytes that are no text make a generated file differ, and are written over; a scaffold with them is left."""
    for artefact in (RULES, RUNBOOK):
        path = tmp_path / FOLDER.path(artefact)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"\xff\xfe")
    assert differences([RULES, RUNBOOK], FOLDER, tmp_path, is_complete=False) == (
        Difference("rules/a.rules.yaml", "differs"),
    )
    assert write([RULES, RUNBOOK], FOLDER, tmp_path, is_complete=False).changed == ("rules/a.rules.yaml",)
    assert (tmp_path / "runbooks/a/calls.md").read_bytes() == b"\xff\xfe"


def test_line_ends_are_the_specs_not_the_system_s(tmp_path: Path) -> None:
    """A file with other line ends than the compiler's differs."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules/a.rules.yaml").write_bytes(b"groups: []\r\n")
    assert differences([RULES], FOLDER, tmp_path, is_complete=False) == (Difference("rules/a.rules.yaml", "differs"),)


@pytest.mark.parametrize("obstacle", ["rules", "rules/a.rules.yaml/x"])
def test_nothing_is_written_when_one_file_can_not_be(obstacle: str, tmp_path: Path) -> None:
    """The artefact that can't be written comes last: those before it are taken back, temporary files too."""
    (tmp_path / obstacle).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / obstacle).touch()
    before = files_below(tmp_path)
    with pytest.raises(OSError, match=r"exists|directory"):
        write([RUNBOOK, TEMPLATE, RULES], FOLDER, tmp_path, is_complete=True)
    assert files_below(tmp_path) == before


def test_missing_and_stray_files_are_told(tmp_path: Path) -> None:
    """Differences are sorted by path; strays are looked for only where all specs were compiled."""
    (tmp_path / "alerting/rules/generated/deep").mkdir(parents=True)
    (tmp_path / "alerting/rules/generated/deep/z.yaml").touch()
    missing = Difference("alerting/rules/generated/a.rules.yaml", "missing")
    stray = Difference("alerting/rules/generated/deep/z.yaml", "stray")
    assert differences([RULES], REPOSITORY, tmp_path, is_complete=False) == (missing,)
    assert differences([RULES], REPOSITORY, tmp_path, is_complete=True) == (missing, stray)


def test_strays_go_only_with_all_specs_and_in_folders_of_the_compiler(tmp_path: Path) -> None:
    """Two conditions together: the layout belongs to the compiler, and every spec was compiled."""
    for layout in (REPOSITORY, FOLDER):
        stray = tmp_path / layout.folders[Kind.RULES] / "stray.yaml"
        for is_complete in (False, True):
            stray.parent.mkdir(parents=True, exist_ok=True)
            stray.touch()
            written = write([RULES], layout, tmp_path, is_complete=is_complete)
            is_removed = layout is REPOSITORY and is_complete
            assert stray.exists() is not is_removed
            assert written.removed == ((f"{layout.folders[Kind.RULES]}/stray.yaml",) if is_removed else ())
