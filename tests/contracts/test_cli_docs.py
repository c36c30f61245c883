"""The page of commands says what the commands say."""

import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]


def test_the_page_of_commands_is_what_help_prints() -> None:
    """A changed option that didn't reach docs/cli.md is found."""
    done = subprocess.run(
        [sys.executable, "scripts/cli-docs.py", "--check"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
