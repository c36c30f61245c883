"""scripts/elasticsearch tells what is missing and how to get it, and leaves nothing half-done."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.elasticsearch import SCRIPT


def run(*arguments: str | Path, programs: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    """The script's outcome; with `programs` these are all that is on PATH."""
    variables = {"PATH": str(programs or os.environ["PATH"]), "HOME": os.environ["HOME"], **environment}
    return subprocess.run(
        [sys.executable, SCRIPT, *arguments], env=variables, capture_output=True, text=True, check=False, timeout=60
    )


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder to be the whole PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    return folder


def put(folder: Path, name: str, script: str) -> None:
    """Make a program of this name."""
    program = folder / name
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


def test_without_java_the_commands_to_get_it_are_named(tmp_path: Path, programs: Path) -> None:
    """Debian's, macOS's and Docker's commands stand in the message; the exit code says that a part is missing."""
    done = run("run", tmp_path / "data", "9200", programs=programs)
    assert done.returncode == 3
    for command in ("apt-get install", "openjdk-17-jre-headless maven", "brew install", "docker run"):
        assert command in done.stderr
    assert not (tmp_path / "data").exists()


def test_an_old_java_is_told_by_its_version(tmp_path: Path, programs: Path) -> None:
    """A Java that is too old is named with what it says of itself."""
    put(programs, "java", """echo 'openjdk version "11.0.2" 2019' >&2""")
    done = run("run", tmp_path / "data", "9200", programs=programs)
    assert done.returncode == 3
    assert "17 or newer is needed" in done.stderr
    assert '"11.0.2"' in done.stderr


def test_without_maven_the_commands_to_get_it_are_named(tmp_path: Path, programs: Path) -> None:
    """Fetching without Maven says how to install it."""
    done = run("fetch", programs=programs, SERENO_ELASTICSEARCH_CACHE=str(tmp_path / "cache"))
    assert done.returncode == 3
    assert "apt-get install" in done.stderr


@pytest.mark.parametrize(
    ("maven", "message"),
    [
        ("echo 'no route to host' >&2; exit 1", "could not fetch"),
        ('for last; do :; done; echo junk > "${last#*=}/elasticsearch.zip"', "has SHA-256"),
    ],
    ids=["fails", "brings something else"],
)
def test_a_failed_download_leaves_an_empty_cache(tmp_path: Path, programs: Path, maven: str, message: str) -> None:
    """Neither a failed nor a wrong download is ever taken for the server."""
    put(programs, "mvn", maven)
    cache = tmp_path / "cache"
    done = run("fetch", programs=programs, SERENO_ELASTICSEARCH_CACHE=str(cache))
    assert done.returncode == 3
    assert message in done.stderr
    assert list(cache.iterdir()) == []


def test_what_is_in_the_cache_needs_no_maven(tmp_path: Path, programs: Path) -> None:
    """A server that was fetched once is used offline, and its place is printed."""
    (tmp_path / "elasticsearch" / "8.19.21").mkdir(parents=True)
    done = run("fetch", programs=programs, SERENO_ELASTICSEARCH_CACHE=str(tmp_path / "elasticsearch"))
    assert (done.returncode, done.stdout.strip()) == (0, str(tmp_path / "elasticsearch" / "8.19.21"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's folders are closed to the user that the server runs as")
def test_a_data_folder_that_the_server_could_not_enter_is_refused(tmp_path: Path) -> None:
    """As root the server runs as nobody: a folder closed to nobody is named, with the cure."""
    cache = tmp_path / "elasticsearch" / "8.19.21"
    (cache / "bin").mkdir(parents=True)
    (cache / "config").mkdir()
    (cache / "config" / "jvm.options").write_text("-Xmx1g\n")
    done = run("run", tmp_path / "data", "9200", SERENO_ELASTICSEARCH_CACHE=str(tmp_path / "elasticsearch"))
    assert done.returncode == 2
    assert "does not run as root" in done.stderr
    assert "choose a SERENO_ELASTICSEARCH_CACHE below a folder that everybody may enter" in done.stderr
    shutil.rmtree(tmp_path / "data")


def test_wrong_arguments_are_explained() -> None:
    """A missing or unknown command shows the usage."""
    for arguments in ((), ("start",), ("run", "data"), ("run", "data", "http")):
        done = run(*arguments)
        assert done.returncode == 2
        assert "usage:" in done.stderr


def test_no_registry_is_named() -> None:
    """The script leaves it to Maven's own configuration where things come from."""
    assert "://" not in SCRIPT.read_text()
