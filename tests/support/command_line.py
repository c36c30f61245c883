"""The `sereno` command as users run it: a process of its own, with an exit code and two streams."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

SERENO = [sys.executable, "-c", "from sereno_cli.main import main; main()"]


def sereno(
    *arguments: str | Path | bytes, cwd: Path, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run `sereno`, at most a minute; no answer of it is ever a traceback."""
    answer = subprocess.run(
        [*SERENO, *arguments],
        cwd=cwd,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        errors="backslashreplace",
        timeout=60,
        check=False,
    )
    assert "Traceback" not in answer.stderr, answer.stderr
    return answer


def files_below(folder: Path) -> dict[str, bytes]:
    """Every file's content, hidden ones too, by its path below the folder."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
