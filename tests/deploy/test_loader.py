"""Compose's own loader, where there is Go to build it with."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from support.composition import FOLDER, services
from support.timing import takes_long

LOADER = Path(__file__).parent / "loader"


@takes_long
@pytest.mark.skipif(shutil.which("go") is None, reason="Go isn't here, which builds Compose's loader")
def test_compose_loads_it() -> None:
    """The loader that Compose is built on takes the files, and finds the services that these tests look at."""
    command = ["go", "run", ".", str(FOLDER / "compose.yaml")]
    environment = {**os.environ, "GOFLAGS": "-mod=mod"}
    done = subprocess.run(command, cwd=LOADER, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert set(done.stdout.split()) == set(services())
