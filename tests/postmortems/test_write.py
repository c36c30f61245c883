"""Drafts are written whole or not at all, and never over people's work."""

import os
import threading
from pathlib import Path

import pytest
from sereno_postmortems.draft import DraftExists, write_draft

NAME = "2026-11-22-api"


def test_a_draft_is_written_with_its_folder(tmp_path: Path) -> None:
    """The folder is made, the file holds the text, nothing else lies there."""
    path = write_draft(tmp_path / "a" / "b", NAME, "text\n", overwrite=False)
    assert path == tmp_path / "a" / "b" / f"{NAME}.md"
    assert path.read_text(encoding="utf-8") == "text\n"
    assert [entry.name for entry in path.parent.iterdir()] == [f"{NAME}.md"]
    assert path.stat().st_mode & 0o777 == 0o644


def test_an_existing_draft_is_left_alone(tmp_path: Path) -> None:
    """Without permission to overwrite, the file stays as it is and nothing half-written remains."""
    write_draft(tmp_path, NAME, "people's work\n", overwrite=False)
    with pytest.raises(DraftExists):
        write_draft(tmp_path, NAME, "new\n", overwrite=False)
    assert (tmp_path / f"{NAME}.md").read_text(encoding="utf-8") == "people's work\n"
    assert len(list(tmp_path.iterdir())) == 1
    write_draft(tmp_path, NAME, "new\n", overwrite=True)
    assert (tmp_path / f"{NAME}.md").read_text(encoding="utf-8") == "new\n"


def test_of_many_writers_one_wins_and_the_others_know(tmp_path: Path) -> None:
    """Writers at the same moment can't overwrite each other: exactly one draft is kept, whole."""
    outcomes: list[str] = []
    barrier = threading.Barrier(8)

    def write(number: int) -> None:
        barrier.wait()
        try:
            write_draft(tmp_path, NAME, f"{number}" * 10_000, overwrite=False)
            outcomes.append("written")
        except DraftExists:
            outcomes.append("exists")

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=10)
    assert sorted(outcomes) == ["exists"] * 7 + ["written"]
    text = (tmp_path / f"{NAME}.md").read_text(encoding="utf-8")
    assert (len(text), len(set(text))) == (10_000, 1)
    assert len(list(tmp_path.iterdir())) == 1


def test_a_file_system_without_hard_links_works_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a link isn't possible, a draft is still written, and an existing one is still left alone."""

    def refused(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refused)
    write_draft(tmp_path, NAME, "first\n", overwrite=False)
    with pytest.raises(DraftExists):
        write_draft(tmp_path, NAME, "second\n", overwrite=False)
    assert (tmp_path / f"{NAME}.md").read_text(encoding="utf-8") == "first\n"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_folder_that_is_a_file_is_an_error(tmp_path: Path) -> None:
    """What can't be a folder is an `OSError`, and the file in its place is untouched."""
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(OSError, match="file"):
        write_draft(tmp_path / "file", NAME, "text\n", overwrite=False)
    assert (tmp_path / "file").read_text(encoding="utf-8") == "x"
