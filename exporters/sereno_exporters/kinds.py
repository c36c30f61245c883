"""The exporters that there are: a new one is a module with a `KIND`, and a line here."""

import importlib
from collections.abc import Iterable
from typing import Any

from sereno_exporters.frame.model import ExporterKind

MODULES: dict[str, str] = {
    "sql": "sereno_exporters.sql.kind",
}
"""Name → module. A module is imported when its kind is named, and imports its client library when it connects."""


def load(names: Iterable[str]) -> tuple[ExporterKind[Any], ...]:
    """The kinds of these names, in this order.

    Raises:
        KeyError: there is none of a name.
    """
    return tuple(importlib.import_module(MODULES[name]).KIND for name in names)
