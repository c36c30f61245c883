"""Files of every earlier version are taken over with all that is in them; those of a newer one are left alone."""

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from support.stores import FOLDER, KEPT, STORES, copy_of

REPOSITORY = Path(__file__).parents[2]
VERSIONS = sorted((path.parent.name, path.name) for path in FOLDER.glob("*/*") if path.is_dir())
_VERSION = re.compile(r"^(?:SCHEMA|RECORD|STATE|FORMAT)_VERSION = ", re.MULTILINE)


def test_each_store_that_is_kept_has_files_of_earlier_versions() -> None:
    """Whoever adds a store adds a file of it to tests/reliability/stores."""
    assert {store for store, _ in VERSIONS} == set(STORES)
    modules = [path for path in REPOSITORY.glob("*/sereno_*/**/*.py") if _VERSION.search(path.read_text("utf-8"))]
    assert len(modules) == len(STORES), modules


@pytest.mark.parametrize(("store", "version"), VERSIONS)
def test_a_file_of_an_earlier_version_keeps_all_its_data(store: str, version: str, tmp_path: Path) -> None:
    """It is opened, tells what had been written, is the same when it is opened again, and can be written."""
    kind, path = STORES[store], copy_of(store, version, tmp_path)
    kept = json.loads((FOLDER / store / version / KEPT).read_text("utf-8"))
    for _ in range(2):
        assert json.loads(json.dumps(kind.contents(path))) == kept
    kind.add(path)
    assert json.loads(json.dumps(kind.contents(path))) != kept


@pytest.mark.parametrize("store", STORES)
def test_a_file_of_a_newer_version_is_refused_and_not_touched(store: str, tmp_path: Path) -> None:
    """The message says what to do; not one byte of the file has changed, also where it isn't in WAL mode."""
    kind, path = STORES[store], copy_of(store, max(version for of, version in VERSIONS if of == store), tmp_path)
    kind.contents(path)  # of today's version
    _make_newer(path)
    before = path.read_bytes()
    with pytest.raises(kind.refusal, match=r"newer Sereno.*upgrade"):
        kind.contents(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("store", [store for store in STORES if store != "log-checkpoint"])
def test_a_database_of_another_program_is_refused_and_not_touched(store: str, tmp_path: Path) -> None:
    """A slip of the pen in an option changes nobody's database, not even its journal mode."""
    path = tmp_path / "notes.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE notes (text)")
    before = path.read_bytes()
    with pytest.raises(Exception, match=r"belongs to another program|no (queue|log store) of Sereno"):
        STORES[store].contents(path)
    assert path.read_bytes() == before


def _make_newer(path: Path) -> None:
    if path.suffix == ".json":
        path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), "version": 99}), "utf-8")
        return
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("PRAGMA user_version = 99")
