"""What the documentation says of fields, masking and limits is what the code does."""

import re
from pathlib import Path

from sereno_telemetry.logs import errors, masking, shrinking, streams, values
from sereno_telemetry.logs.document import HEAD_FIELDS
from sereno_telemetry.logs.ecs import MOST_MESSAGE_CHARACTERS
from sereno_telemetry.logs.patterns import OFF_BY_DEFAULT, RULES

TEXT = (Path(__file__).parents[3] / "docs" / "telemetry" / "logs.md").read_text()


def test_fields_of_every_line_are_documented() -> None:
    """Each field that every line has stands in the table, in its order."""
    rows = re.findall(r"^\| `([^`]+)` \| always \|", TEXT, re.MULTILINE)
    assert tuple(rows) == HEAD_FIELDS


def test_masking_rules_are_documented() -> None:
    """The table of rules is the code's own, with what is off by default."""
    for rule in RULES:
        state = "off" if rule.name in OFF_BY_DEFAULT else "on"
        assert f"| `{rule.name}` | {state} | {rule.says} |" in TEXT
    assert ", ".join(f"`{key}`" for key in masking.SECRET_KEYS) in " ".join(TEXT.split())


def test_limits_are_documented() -> None:
    """Each limit stands there with its number."""
    limits = {
        "whole line": shrinking.MOST_LINE_BYTES,
        "`message`": MOST_MESSAGE_CHARACTERS,
        "`error.stack_trace`": errors.MOST_TRACE_CHARACTERS,
        "`error.message`": errors.MOST_ERROR_CHARACTERS,
        "other texts": values.MOST_VALUE_CHARACTERS,
        "labels": values.MOST_LABELS,
        "ECS fields": values.MOST_FIELDS,
        "depth": values.MOST_DEPTH,
        "waiting lines": streams.MOST_WAITING_BYTES,
    }
    for name, number in limits.items():
        assert re.search(rf"^\| {re.escape(name)} \| {number:,} ", TEXT, re.MULTILINE), name
