"""What must not travel with the repository."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# Neither pattern matches its own text: this file is in git, too.
MACHINE_PATH = re.compile(r"(?<![\w.$}])/(?:work|root|home)/")
REGISTRY_HOST = re.compile(r"pypi[.]org|files[.]pythonhosted|repo1?[.]maven|registry[.]npmjs")


def tracked_texts() -> dict[str, str]:
    """Every file that git tracks and that is text, by its path."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    texts: dict[str, str] = {}
    for name in listed.decode().split("\0"):
        path = ROOT / name
        if name and path.is_file():
            content = path.read_bytes()
            if b"\0" not in content:
                texts[name] = content.decode(errors="replace")  # a case of the compiler is no UTF-8 on purpose
    return texts


@pytest.mark.parametrize("forbidden", [MACHINE_PATH, REGISTRY_HOST], ids=["machine path", "registry host"])
def test_no_file_names_a_machine(forbidden: re.Pattern[str]) -> None:
    """No tracked file holds a path of one machine, or the address of a package registry."""
    found = [
        f"{name}:{number}: {line.strip()[:120]}"
        for name, text in tracked_texts().items()
        for number, line in enumerate(text.splitlines(), 1)
        if forbidden.search(line)
    ]
    assert found == []


def test_the_search_finds_what_it_looks_for() -> None:
    """The patterns see a planted path and host, and leave addresses on the web alone."""
    assert MACHINE_PATH.search("see /" + "root/.cache")
    assert MACHINE_PATH.search('"/' + 'home/ada/x"')
    assert not MACHINE_PATH.search("https://example.org/home/page")
    assert REGISTRY_HOST.search("https://py" + "pi.org/simple")


def test_secrets_are_ignored() -> None:
    """Real secrets of Alertmanager can't be added by accident, their examples are tracked."""
    folder = "alerting/alertmanager/secrets"
    tracked = subprocess.run(["git", "ls-files", folder], cwd=ROOT, capture_output=True, text=True, check=True)
    examples = [name for name in tracked.stdout.split() if not name.endswith(".gitignore")]
    assert examples
    assert all(name.endswith(".example") for name in examples)
    real = [name.removesuffix(".example") for name in examples]
    ignored = subprocess.run(["git", "check-ignore", *real], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ignored.stdout.split() == real
