"""Answers as JSON for scripts: the names are those of the values' own fields and properties."""

import dataclasses
import json
import math
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from enum import Enum
from typing import Any

from sereno_slo.duration import Duration
from sereno_slo.model import ServiceLevelObjective


def json_text(value: Any) -> str:
    """The value as indented JSON with a line feed at its end.

    Times are RFC 3339, durations of specs Prometheus', other lengths of time seconds.
    """
    return json.dumps(plain(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def plain(value: Any) -> Any:
    """Mappings, lists, texts and numbers; what is no number is null."""
    match value:
        case Mapping():
            return {str(key): plain(each) for key, each in value.items()}
        case tuple() | list():
            return [plain(each) for each in value]
        case ServiceLevelObjective():
            # Without the indicator's trees and the policy: they stand in the spec.
            return {name: plain(getattr(value, name)) for name in _OF_SLO}
        case _ if dataclasses.is_dataclass(value) and not isinstance(value, Duration | type):
            return {name: plain(getattr(value, name)) for name in _names(value)}
        case _:
            return _scalar(value)


_OF_SLO = ("service", "name", "objective_percent", "window", "calendar", "owner", "tier")


def _scalar(value: Any) -> Any:
    match value:
        case Duration() | Enum():
            return str(value)
        case datetime():
            return value.isoformat(timespec="seconds").replace("+00:00", "Z")
        case date():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case float():
            return value if math.isfinite(value) else None
        case _:
            return value


def _names(value: Any) -> list[str]:
    fields = [field.name for field in dataclasses.fields(value)]
    return [*fields, *(name for name, member in vars(type(value)).items() if isinstance(member, property))]
