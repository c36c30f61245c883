"""Rules and behaviour tests of example specs, byte for byte; SERENO_UPDATE_GOLDENS=1 writes them anew."""

import os
import shutil
from pathlib import Path

import pytest
from sereno_slo.render.artefact import Kind
from support.slo_specs import EXAMPLES, compiled_file, example_names, of_kinds, save

GOLDEN = Path(__file__).parent / "golden"
UPDATE = os.environ.get("SERENO_UPDATE_GOLDENS") == "1"


@pytest.mark.parametrize("name", example_names())
def test_compiles_to_the_expected_rules_and_tests(name: str) -> None:
    """Every file in `golden/<name>/` is produced byte for byte, and nothing else is."""
    produced = of_kinds(compiled_file(EXAMPLES / f"{name}.slo.yaml"), Kind.RULES, Kind.TESTS)
    folder = GOLDEN / name
    if UPDATE:
        shutil.rmtree(folder, ignore_errors=True)
        save(produced, folder)
    expected = {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in folder.rglob("*")
        if path.is_file()
    }
    assert sorted(produced) == sorted(expected)
    for path, content in produced.items():
        assert content == expected[path], f"{name}/{path} differs; SERENO_UPDATE_GOLDENS=1 writes it anew"


def test_every_golden_has_its_spec() -> None:
    """No expectation is left behind by a spec that is gone."""
    assert sorted(path.name for path in GOLDEN.iterdir()) == example_names()
