"""What stands in another tool's spec is carried over, or told: never dropped without a word."""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from sereno_slo import SourceFile
from sereno_slo.convert import Conversion, convert, readable

CASES = Path(__file__).parent / "cases"
FILES = [path for path in sorted(CASES.glob("*/*.y*ml")) if path.parent.name != "openslo"]
# An OpenSLO bundle means something only as a whole.
BUNDLE = sorted((CASES / "openslo").glob("*.yaml"))

Documents = list[Any]


def _loaded(*paths: Path) -> Documents:
    return [document for path in paths for document in yaml.safe_load_all(path.read_text(encoding="utf-8"))]


def _converted(documents: Documents) -> Conversion:
    text = yaml.safe_dump_all(documents, sort_keys=False, width=1000)
    read = readable([SourceFile("spec.yaml", text)])
    assert read.diagnostics == ()
    return convert(read.documents)


def _said(conversion: Conversion) -> str:
    return "\n".join((*(spec.source.text for spec in conversion.specs), *map(str, conversion.diagnostics)))


def _mappings(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from _mappings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _mappings(inner)


def _all_mappings(documents: Documents) -> list[dict[str, Any]]:
    return [each for document in documents for each in _mappings(document)]


# What says nothing that could be carried over, so that nobody looks at it; and a label that only names a service of
# which nothing can be carried over anyway.
_UNREAD = ("apiVersion", "kind", "status", "app.kubernetes.io/name")


# What one message tells of as a whole: it names the object, not every key in it.
_TOLD_AS_A_WHOLE = ("DataSource", "AlertNotificationTarget")
_TOLD_BY_ONE_OF = {"chain", "priority", "targetRef"}


@pytest.mark.parametrize(
    "paths", [*([path] for path in FILES), BUNDLE], ids=lambda paths: f"{paths[0].parent.name}-{paths[0].stem}"
)
def test_an_unknown_key_is_told_wherever_it_stands(paths: list[Path]) -> None:
    """A key that the conversion doesn't know, in any mapping of the source, is in the spec's comments or an error."""
    documents = _loaded(*paths)
    count = sum(1 for document in documents for _ in _mappings(document))
    for index in range(count):
        changed = copy.deepcopy(documents)
        places = [(document, each) for document in changed for each in _mappings(document)]
        document, mapping = places[index]
        if document.get("kind") in _TOLD_AS_A_WHOLE or _TOLD_BY_ONE_OF & set(mapping):
            continue
        mapping["zzUnknown"] = "a value that nobody expects"
        assert "zzUnknown" in _said(_converted(changed)), mapping


@pytest.mark.parametrize(
    "paths", [*([path] for path in FILES), BUNDLE], ids=lambda paths: f"{paths[0].parent.name}-{paths[0].stem}"
)
def test_a_value_of_the_wrong_type_is_told_wherever_it_stands(paths: list[Path]) -> None:
    """A mapping where a text belongs, or a text where a mapping belongs, is shown in the spec or in a message."""
    documents = _loaded(*paths)
    errors = _said(_converted(documents)).count("error[")
    keys = [(index, key) for index, mapping in enumerate(_all_mappings(documents)) for key in mapping]
    for index, key in keys:
        changed = copy.deepcopy(documents)
        document, mapping = [(document, each) for document in changed for each in _mappings(document)][index]
        is_head = mapping is document and key in {"version", "apiVersion", "kind"}
        if is_head or document.get("kind") in _TOLD_AS_A_WHOLE or _TOLD_BY_ONE_OF & set(mapping) or key in _UNREAD:
            continue
        if set(mapping) == {"name"}:
            continue  # an object that stands where it is used: its name tells nobody anything
        mapping[key] = "zzWrong" if isinstance(mapping[key], dict | list) else {"zzWrong": 1}
        said = _said(_converted(changed))
        assert "zzWrong" in said or said.count("error[") > errors, (key, mapping)


@pytest.mark.parametrize("path", sorted(CASES.glob("sloth*/*.y*ml")), ids=lambda path: path.parent.name)
def test_every_slo_is_there_or_left_out_aloud(path: Path) -> None:
    """Each SLO of the source is an SLO of the spec, or an error that names it."""
    documents = _loaded(path)
    conversion = _converted(documents)
    (spec,) = conversion.specs
    written = [slo["name"] for slo in yaml.safe_load(spec.source.text)["slos"]]
    errors = [str(each) for each in conversion.diagnostics if "can't be carried over" in each.message]
    names = [slo["name"] for slo in documents[0].get("spec", documents[0])["slos"]]
    assert written == [name for name in names if not any(f": {name} can't" in error for error in errors)]
    assert len(written) + len(errors) == len(names)


def test_conversions_are_deterministic() -> None:
    """The same files give the same bytes and the same messages."""
    first, second = (_converted(_loaded(*BUNDLE)) for _ in range(2))
    assert first == second
