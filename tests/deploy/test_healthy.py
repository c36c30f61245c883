"""The question of healthchecks, where it isn't answered well. That it is, containers of test_image show."""

import subprocess
import sys
from pathlib import Path

import pytest
from support.ports import free_port

PROGRAM = Path(__file__).resolve().parents[2] / "deploy" / "healthy.py"


def asked(*arguments: str) -> subprocess.CompletedProcess[str]:
    """What it answers."""
    return subprocess.run([sys.executable, str(PROGRAM), *arguments], capture_output=True, text=True, check=False)


def test_nobody_listens() -> None:
    """A port without anybody, and a password that isn't there, are one line and exit code 1."""
    url = f"http://127.0.0.1:{free_port()}/health"
    for arguments, words in (((url,), "refused"), ((url, "prometheus", "/nowhere/password"), "/nowhere/password")):
        done = asked(*arguments)
        assert done.returncode == 1
        assert words in done.stderr
        assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("arguments", [(), ("127.0.0.1",), ("http://127.0.0.1", "prometheus")])
def test_it_is_asked_wrongly(arguments: tuple[str, ...]) -> None:
    """Its usage is told, with exit code 2."""
    done = asked(*arguments)
    assert done.returncode == 2
    assert done.stderr == "healthy URL [NAME PASSWORD_FILE]\n"
