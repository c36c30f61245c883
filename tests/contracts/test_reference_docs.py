"""docs/reference is what rules, runbooks and the running parts say."""

import subprocess
import sys
from pathlib import Path


def test_the_reference_is_up_to_date() -> None:
    """An alert, a path or a metric that didn't reach the documentation is found."""
    done = subprocess.run(
        [sys.executable, "scripts/reference-docs.py", "--check"],
        cwd=Path(__file__).resolve().parents[2],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
