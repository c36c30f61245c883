"""`sereno backfill` where something is wrong: arguments, servers, programs, and an end in the middle of its work."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sereno_backends.prometheus import blocks_in, find_promtool, write_blocks
from support.command_line import SERENO, sereno
from support.past import Story, told
from support.ports import free_port
from support.prometheus import running_prometheus
from support.waiting import wait_for

HOUR_MS = 3_600_000
END_MS = int(time.time() * 1000) // HOUR_MS * HOUR_MS - 4 * HOUR_MS
SPEC = """\
version: sereno/v1
service: tiny
owner: team
slos:
  - {name: calls, objective: 99, indicator: {ratio: {metric: calls_total, match: 'job="tiny"', bad: 'code="500"'}}}
journeys:
  - {name: through, objective: 98, steps: [tiny/calls]}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A spec, and a Prometheus' data with three hours of its service's counters."""
    made = tmp_path_factory.mktemp("mistakes")
    promtool = find_promtool()
    assert promtool is not None
    target, _ = told(Story("tiny", "a", END_MS - 3 * HOUR_MS, END_MS, phase_ms=7_000))
    write_blocks(target.series(), made / "data", promtool)
    (made / "tiny.slo.yaml").write_text(SPEC)
    return made


@pytest.fixture(scope="module")
def url(folder: Path) -> Iterator[str]:
    """A server with these data."""
    with running_prometheus(folder) as server:
        yield server.url


def answer(folder: Path, url: str, *arguments: str | Path) -> tuple[int, str]:
    """Exit code, and what is said to the user."""
    done = sereno("backfill", folder / "tiny.slo.yaml", "--prometheus", url, *arguments, cwd=folder)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--from", "2d", "--slo", "tiny/cals"), "did you mean tiny/calls?"),
        (("--from", "2d", "--slo", "x"), "there is tiny/calls"),
        (("--from", "2d", "--slo", "tiny/through"), "tiny/through is a journey, and journeys can't be repaired"),
        (("--from", "4h", "--to", "5h"), "--from 4h is not before --to 5h"),
        (("--from", "2h"), "--from 2h is not before --to 20"),
        (("--from", "2d", "--to", "1h"), "--to 1h is too new; at the latest 20"),
        (("--from", "2d", "--to", "now"), "drop samples of all series"),
        (("--from", "yesterday"), "write 2026-11-20T10:00:00Z, 30d or now-3h"),
        (("--from", "2026-11-20T10:00:00"), "has no time zone; write it like 2026-11-20T10:00:00Z"),
        (("--from", "9999999d"), "is no time"),
        (("--from", "2d", "--gap", "much"), "--gap: 'much' is not a duration"),
        (("--from", "2d", "--out", "a", "--into", "b"), "leave one out"),
        (("--from", "2d", "--into", "."), "is no data folder of Prometheus"),
    ],
)
def test_wrong_arguments_are_told_with_their_cure(
    folder: Path, url: str, arguments: tuple[str, ...], said: str
) -> None:
    """Whatever can't be meant is exit code 2 and a sentence that says what to write."""
    assert ((told_ := answer(folder, url, *arguments))[0], said in told_[1]) == (2, True), told_


def test_what_is_no_address_is_bad_input_and_nobody_there_is_unreachable(folder: Path) -> None:
    """A wrong URL is exit code 2; a server that doesn't answer is 3 and named."""
    assert answer(folder, "localhost", "--from", "2d")[0] == 2
    nobody = f"http://127.0.0.1:{free_port()}"
    code, said = answer(folder, nobody, "--from", "2d")
    assert code == 3
    assert nobody in said
    assert "nothing was written" in said


def test_a_spec_with_mistakes_is_bad_input(url: str, tmp_path: Path) -> None:
    """Mistakes of the spec are reported as everywhere, before anything is asked."""
    (tmp_path / "tiny.slo.yaml").write_text(SPEC.replace("objective: 99", "objective: 0.99"))
    code, said = answer(tmp_path, url, "--from", "2d")
    assert (code, "SLO012" in said) == (2, True), said


def test_without_promtool_only_a_dry_run_works(
    folder: Path, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A missing promtool is exit code 3 before anything is asked; --dry-run tells what is missing all the same."""
    monkeypatch.setenv("PATH", str(tmp_path))
    code, said = answer(folder, url, "--from", "2d")
    assert (code, "promtool is not on PATH" in said) == (3, True)
    code, said = answer(folder, url, "--from", "2d", "--dry-run")
    assert code == 0
    assert "samples would be written; nothing was" in said
    assert not (folder / "var").exists()


def test_where_no_raw_samples_are_there_is_nothing_to_repair(folder: Path, url: str) -> None:
    """A past without raw samples is exit code 0; what stays unknown is said."""
    before = datetime.fromtimestamp(END_MS / 1000 - 10 * 86_400, UTC).isoformat()
    after = datetime.fromtimestamp(END_MS / 1000 - 9 * 86_400, UTC).isoformat()
    code, said = answer(folder, url, "--from", before, "--to", after)
    assert code == 0
    assert "nothing to repair; 1439 minutes stay unknown" in said


def test_a_run_that_is_killed_leaves_no_half_of_its_work(folder: Path, url: str, tmp_path: Path) -> None:
    """Killed after promtool's work and before the move, it leaves no block; the next run writes them all."""
    real, made = find_promtool(), tmp_path / "made"
    slow = tmp_path / "bin" / "promtool"
    slow.parent.mkdir()
    slow.write_text(f'#!/bin/sh\n"{real}" "$@"\ntouch "{made}"\nsleep 60\n')
    slow.chmod(0o755)
    out = tmp_path / "blocks"
    arguments = ["backfill", str(folder / "tiny.slo.yaml"), "--prometheus", url, "--from", "2d", "--out", str(out)]
    environment = {**os.environ, "PATH": f"{slow.parent}:{os.environ['PATH']}"}
    process = subprocess.Popen(
        [*SERENO, *arguments],
        env=environment,
        cwd=tmp_path,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(made.exists, what="promtool's blocks")
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert blocks_in(out) == ()
    assert list(out.rglob("meta.json")) != []
    assert sereno(*arguments, cwd=tmp_path).returncode == 0
    assert blocks_in(out) != ()
    again = sereno(*arguments, cwd=tmp_path)
    assert (again.returncode, "holds blocks that were never moved" in again.stderr) == (2, True)


def test_a_folder_that_cannot_be_written_is_told(folder: Path, url: str, tmp_path: Path) -> None:
    """Where blocks can't be put is exit code 3 with the reason, and nothing is half done."""
    (tmp_path / "file").write_text("")
    code, said = answer(folder, url, "--from", "2d", "--out", tmp_path / "file" / "below")
    assert (code, "Not a directory" in said) == (3, True), said
