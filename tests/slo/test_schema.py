"""The JSON Schema for editors says what the compiler says, as far as JSON Schema can."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from sereno_cli.main import run
from sereno_slo.parse.yaml_tree import read_yaml
from sereno_slo.schema import schema_text, spec_schema
from sereno_slo.source import may_be_foreign
from support.slo_specs import EXAMPLES, REPOSITORY, source_of

SCHEMA = REPOSITORY / "slo/schema/sereno-v1.schema.json"
CASES = Path(__file__).parent / "cases"

# What a JSON Schema can see: keys, types, patterns, bounds of single values, and what this version doesn't implement.
VISIBLE = {
    *("SLO004", "SLO005", "SLO006", "SLO010", "SLO011", "SLO012", "SLO013", "SLO017", "SLO018", "SLO022", "SLO023"),
    *("SLO026", "SLO027", "SLO028", "SLO070"),
    "SLO080",
    *("SLO109", "SLO110", "SLO111", "SLO114"),
}
# Mistakes of these codes that only the compiler's own YAML reader, or the meaning of a name, can tell.
INVISIBLE_CASES = {
    *("SLO006-a-number-of-five-thousand-digits", "SLO006-tags-and-keys"),
    *("SLO011-name-of-the-overview", "SLO011-name-of-the-slo-dashboard"),
}


def _validator() -> Any:
    return jsonschema.Draft202012Validator(spec_schema())


def _valid_specs() -> Iterator[Path]:
    yield from sorted(EXAMPLES.glob("*.slo.yaml"))
    yield from sorted((REPOSITORY / "slo/specs").glob("*.slo.yaml"))
    for case in sorted(CASES.iterdir()):
        if "error[" not in (case / "expected.txt").read_text(encoding="utf-8"):
            # Specs of other tools are converted; their schema is another one.
            yield from (path for path in case.glob("*.slo.yaml") if not may_be_foreign(path.read_text("utf-8")))


def _visibly_wrong() -> Iterator[Path]:
    for case in sorted(CASES.iterdir()):
        codes = set(re.findall(r"spec\.slo\.yaml:.*error\[(SLO[0-9]{3})\]", (case / "expected.txt").read_text("utf-8")))
        if codes & VISIBLE and case.name not in INVISIBLE_CASES:
            yield case / "spec.slo.yaml"


def _document(path: Path) -> Any:
    tree, _ = read_yaml(source_of(path))
    assert tree is not None
    return tree.value


def test_the_committed_file_is_what_the_grammar_says() -> None:
    """slo/schema/ is up to date; `sereno schema > slo/schema/sereno-v1.schema.json` makes it so."""
    assert SCHEMA.read_text(encoding="utf-8") == schema_text()


def test_the_command_prints_the_schema(capsys: pytest.CaptureFixture[str]) -> None:
    """`sereno schema` prints the file, and nothing else."""
    assert run(["schema"]) == 0
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == (schema_text(), "")


def test_it_is_a_schema() -> None:
    """The schema is valid by its own dialect, names itself, and describes every key of the top level."""
    schema = json.loads(schema_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"].endswith(SCHEMA.name)
    assert set(schema["properties"]) == {
        "version",
        "service",
        "owner",
        "tier",
        "slos",
        "exclusions",
        "journeys",
        "gate",
    }


def test_every_definition_is_used() -> None:
    """No definition is left of what this version doesn't implement."""
    text = schema_text()
    for name in spec_schema()["$defs"]:
        assert f'"#/$defs/{name}"' in text


def test_examples_are_valid_values() -> None:
    """What an editor offers as an example, the schema accepts at that place."""
    schema = spec_schema()
    described = [d for node in (schema, *schema["$defs"].values()) for d in node["properties"].values()]
    examples = [(d, example) for d in described for example in d.get("examples", [])]
    assert len(examples) > 10
    for described_value, example in examples:
        jsonschema.validate(example, described_value | {"$defs": schema["$defs"]})


@pytest.mark.parametrize("path", list(_valid_specs()), ids=lambda path: f"{path.parent.name}-{path.name}")
def test_accepts_what_the_compiler_accepts(path: Path) -> None:
    """No editor underlines a spec that compiles."""
    _validator().validate(_document(path))


@pytest.mark.parametrize("path", list(_visibly_wrong()), ids=lambda path: path.parent.name)
def test_refuses_mistakes_that_a_schema_can_see(path: Path) -> None:
    """Wrong keys, types, names and bounds are underlined while one types."""
    with pytest.raises(jsonschema.ValidationError):
        _validator().validate(_document(path))
