"""Message templates of Serilog's compact form (CLEF): `Order {OrderId} refused`."""

import re
from collections.abc import Mapping
from typing import Any

import orjson

_HOLE = re.compile(r"\{[@$]?(\w{1,100})(?:[,:][^{}]{0,50})?\}")
_MOST_TEMPLATE_CHARACTERS = 4_096
_MOST_VALUE_CHARACTERS = 256
"""A long value in many holes must not fill the memory."""


def rendered(template: str, properties: Mapping[str, Any]) -> str:
    """The message that a template makes with an event's properties; holes without a property stay."""
    if len(template) > _MOST_TEMPLATE_CHARACTERS:
        return template

    def fill(hole: re.Match[str]) -> str:
        if hole[1] not in properties:
            return hole[0]
        value = properties[hole[1]]
        if isinstance(value, Mapping | list):
            return hole[0]  # it is among the fields; here it would cost its whole length for each hole
        return (value if isinstance(value, str) else orjson.dumps(value).decode())[:_MOST_VALUE_CHARACTERS]

    return _HOLE.sub(fill, template)
