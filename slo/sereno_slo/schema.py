"""The grammar as a JSON Schema, from which editors complete keys and underline mistakes while one types."""

import json
from collections.abc import Iterator
from typing import Any

from sereno_slo.parse.grammar import SpecDocument

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_ID = "https://raw.githubusercontent.com/sereno/sereno/main/slo/schema/sereno-v1.schema.json"

Schema = dict[str, Any]


def spec_schema() -> Schema:
    """What a spec may hold, as far as JSON Schema can say it: not the meaning of PromQL, nor of names used twice.

    What this version doesn't implement is left out, so that an editor offers nothing that the compiler refuses.
    """
    schema = SpecDocument.model_json_schema(mode="validation")
    root = {"$schema": _DIALECT, "$id": _ID} | schema | {"title": "Sereno: the objectives of one service"}
    for node in _nodes(root):
        _simplify(node)
    root["$defs"] = {name: root["$defs"][name] for name in sorted(_used(root, root))}
    return root


def schema_text() -> str:
    """The schema as the text of `slo/schema/sereno-v1.schema.json`."""
    return json.dumps(spec_schema(), indent=2, ensure_ascii=False) + "\n"


def _nodes(value: Any) -> Iterator[Schema]:
    """Every mapping, the inner ones first."""
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for child in children:
        yield from _nodes(child)
    if isinstance(value, dict):
        yield value


def _simplify(node: Schema) -> None:
    """Without what helps no writer: `null` as a value, defaults that mean "absent", titles that repeat the key."""
    properties = node.get("properties", {})
    for key, described in properties.items():
        described.pop("title", None)
        properties[key] = _with_plain_examples(_without_null(described))


def _without_null(described: Schema) -> Schema:
    choices = described.get("anyOf")
    if choices is None or {"type": "null"} not in choices:
        return described
    (choice,) = (choice for choice in choices if choice != {"type": "null"})
    rest = {key: value for key, value in described.items() if key not in {"anyOf", "default"}}
    simplified: Schema = choice | rest
    return simplified


def _with_plain_examples(described: Schema) -> Schema:
    """The grammar's examples are written for messages; only those of plain values are values themselves."""
    is_plain = "$ref" not in described and described.get("type") != "array"
    return described if is_plain else {key: value for key, value in described.items() if key != "examples"}


def _used(root: Schema, node: Any) -> set[str]:
    """The definitions that are reachable from the root."""
    found: set[str] = set()
    waiting: list[Any] = [{key: value for key, value in node.items() if key != "$defs"}]
    while waiting:
        names = {each["$ref"].rpartition("/")[2] for each in _nodes(waiting.pop()) if "$ref" in each} - found
        found |= names
        waiting += [root["$defs"][name] for name in names]
    return found
