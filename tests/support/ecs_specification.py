"""What the published specification of ECS loggers says against a line; the file's origin stands beside it."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

_SPECIFICATION = json.loads((Path(__file__).parents[1] / "telemetry" / "logs" / "spec.json").read_text())
_TYPES: dict[str, type] = {"string": str, "datetime": str, "object": dict}


def violations(line: str | bytes) -> list[str]:
    """Each way in which the line breaks the specification, or can't be one document in Elasticsearch."""
    if b"\n" in (line if isinstance(line, bytes) else line.encode()):
        return ["more than one line"]
    pairs = json.loads(line, object_pairs_hook=list)
    names = [name for name, _ in pairs]
    document: dict[str, Any] = json.loads(line)
    found = [f"{name} is there twice" for name in set(names) if names.count(name) > 1]
    for name, rule in _SPECIFICATION["fields"].items():
        found += _field_violations(name, rule, names, document)
    if not isinstance(document.get("labels", {}), dict):
        return found
    for key, value in document.get("labels", {}).items():
        forbidden = _SPECIFICATION["fields"]["labels"]["sanitization"]["key"]["replacements"]
        found += [f"label {key!r} has a {mark!r}" for mark in forbidden if mark in key]
        found += [] if isinstance(value, str) else [f"label {key!r} is no string"]
    known = set(names)
    found += [f"{name} is a value and an object" for name in names for other in known if other.startswith(f"{name}.")]
    return found


def _field_violations(name: str, rule: dict[str, Any], names: list[str], document: dict[str, Any]) -> list[str]:
    found = []
    if name not in document:
        return [f"{name} is missing"] if rule["required"] else []
    if "index" in rule and names.index(name) != rule["index"]:
        found.append(f"{name} is at {names.index(name)}, not at {rule['index']}")
    value = document[name]
    if not isinstance(value, _TYPES[rule["type"]]):
        found.append(f"{name} is no {rule['type']}")
    elif rule["type"] == "datetime":
        datetime.strptime(str(value), "%Y-%m-%dT%H:%M:%S.%fZ").astimezone()
    return found
