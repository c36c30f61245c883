"""Records of who let a deployment pass: added line by line, read again as written, and never misread as a yes."""

import multiprocessing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sereno_backends.gate_overrides import (
    Denial,
    GateOverride,
    OverridesUnreadable,
    read_overrides,
    record_override,
)

NOW = datetime(2026, 11, 25, 17, 0, tzinfo=UTC)
DENIAL = Denial("api", "calls", "remaining < 10%", "remaining 4 % is below 10 %")
RECORD = GateOverride(NOW, NOW + timedelta(hours=2), "ana", "fixes “the outage”\nof today", (DENIAL,))


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    """Each is one line of its own, whatever its texts hold; folders are made."""
    path = tmp_path / "slo/overrides.jsonl"
    assert read_overrides(path) == ()
    record_override(path, RECORD)
    record_override(path, replace(RECORD, author="ben"))
    assert read_overrides(path) == (RECORD, replace(RECORD, author="ben"))
    assert len(path.read_text(encoding="utf-8").splitlines()) == 2


def test_a_last_line_without_an_end_is_kept_apart(tmp_path: Path) -> None:
    """An editor that ends no last line doesn't spoil the next record."""
    path = tmp_path / "overrides.jsonl"
    record_override(path, RECORD)
    path.write_text(path.read_text(encoding="utf-8").rstrip("\n"), encoding="utf-8")
    record_override(path, RECORD)
    assert read_overrides(path) == (RECORD, RECORD)


def test_it_covers_what_was_denied_while_it_holds() -> None:
    """Not before, not after, no other SLO and no other condition; and never for longer than a day."""
    assert RECORD.covers(DENIAL, NOW)
    assert RECORD.covers(replace(DENIAL, reason="remaining 3 % is below 10 %"), NOW + timedelta(minutes=119))
    assert not RECORD.covers(DENIAL, NOW + timedelta(hours=2))
    assert not RECORD.covers(DENIAL, NOW - timedelta(seconds=1))
    assert not RECORD.covers(replace(DENIAL, slo="latency"), NOW)
    assert not RECORD.covers(replace(DENIAL, when="burning"), NOW)
    assert not replace(RECORD, expires_at=NOW).covers(DENIAL, NOW)
    assert not replace(RECORD, expires_at=NOW + timedelta(days=9)).covers(DENIAL, NOW + timedelta(days=1))


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        "{}",
        '{"recorded_at": "2026-11-25T17:00:00Z", "expires_at": "2026-11-25"}',
        '{"recorded_at": "2026-11-25T17:00:00Z", "expires_at": "2026-11-25T17:00:00Z", "author": " "}',
    ],
)
def test_a_damaged_line_opens_nothing(tmp_path: Path, line: str) -> None:
    """It is named by its place; nothing of the file counts until it is mended."""
    path = tmp_path / "overrides.jsonl"
    record_override(path, RECORD)
    path.write_text(path.read_text(encoding="utf-8") + line + "\n", encoding="utf-8")
    with pytest.raises(OverridesUnreadable, match=r"overrides\.jsonl:2: the line is no override"):
        read_overrides(path)


def test_what_can_t_be_written_is_told(tmp_path: Path) -> None:
    """A folder in the file's place."""
    with pytest.raises(OverridesUnreadable, match="can't be written"):
        record_override(tmp_path, RECORD)


def _record_many(path: Path, author: str) -> None:
    for _ in range(20):
        record_override(path, replace(RECORD, author=author, reason="x" * 5_000))


def test_several_at_once_lose_nothing(tmp_path: Path) -> None:
    """Pipelines that run side by side each have their lines, whole."""
    path = tmp_path / "overrides.jsonl"
    writers = [multiprocessing.get_context("spawn").Process(target=_record_many, args=(path, name)) for name in "abc"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    authors = [record.author for record in read_overrides(path)]
    assert {name: authors.count(name) for name in "abc"} == dict.fromkeys("abc", 20)
