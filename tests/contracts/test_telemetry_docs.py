"""docs/telemetry/exported.md is what the package registers."""

import subprocess
import sys
from pathlib import Path


def test_the_list_of_metrics_is_up_to_date() -> None:
    """A metric or a limit that didn't reach the documentation is found."""
    done = subprocess.run(
        [sys.executable, "scripts/telemetry-docs.py", "--check"],
        cwd=Path(__file__).resolve().parents[2],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
