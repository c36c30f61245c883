"""What is installed: the wheel, and the editable installation that this very test suite runs from."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = (
    "sereno_alerting",
    "sereno_backends",
    "sereno_cli",
    "sereno_collectors",
    "sereno_exporters",
    "sereno_portal",
    "sereno_postmortems",
    "sereno_slo",
    "sereno_telemetry",
)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """The names in the wheel that hatchling builds of this tree."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    (path,) = folder.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        return tuple(archive.namelist())


def test_top_level_packages(wheel: tuple[str, ...]) -> None:
    """The wheel's top level is exactly our packages and the distribution's metadata."""
    top_level = {name.split("/")[0] for name in wheel}
    metadata = {name for name in top_level if name.startswith("sereno-") and name.endswith(".dist-info")}
    assert len(metadata) == 1
    assert top_level - metadata == set(PACKAGES)


@pytest.mark.parametrize("package", PACKAGES)
def test_wheel_holds_every_file_of_a_package(wheel: tuple[str, ...], package: str) -> None:
    """Code, typing marker, templates: whatever git knows of a package is in the wheel."""
    source = next(path.parent for path in ROOT.glob(f"*/{package}"))
    listed = subprocess.run(
        ["git", "ls-files", "-z", package], cwd=source, capture_output=True, text=True, check=True
    ).stdout
    assert f"{package}/py.typed" in wheel
    assert set(listed.split("\0")) - {""} <= set(wheel)


def test_editable_install_is_typed_outside_the_repository(tmp_path: Path) -> None:
    """From any other folder mypy, strict, resolves every package and its types, and Python imports it."""
    module = tmp_path / "uses_sereno.py"
    imports = "".join(f"import {package}\n" for package in PACKAGES)
    typed = "from sereno_cli.exit_codes import ExitCode\n\nanswer: ExitCode = ExitCode.OK\nwrong: str = ExitCode.OK\n"
    module.write_text(f'"""A module of somebody else."""\n\n{imports}{typed}')
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), module.name]
    checked = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    # The one deliberate mistake is found, so the types are known and not taken for Any; nothing else is.
    wrong_line = module.read_text().count("\n")
    assert checked.stdout.splitlines()[0].startswith(f"{module.name}:{wrong_line}: error: Incompatible types")
    assert "Found 1 error in 1 file" in checked.stdout

    imported = subprocess.run(
        [sys.executable, "-c", imports], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert imported.returncode == 0, imported.stderr
