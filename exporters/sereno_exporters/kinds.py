"""The exporters that there are: a new one is a package with a `KIND`, and a line in each table here."""

import importlib
from collections.abc import Iterable
from typing import Any

from sereno_exporters.frame.model import ExporterKind

SUMMARIES: dict[str, str] = {
    "dora": "DORA's figures from DevOps events: deployments, lead time, change failures, recovery.",
}
"""Name → one line of help. They stand here so that `sereno exporter --help` imports none of them."""
MODULES: dict[str, str] = {
    "dora": "sereno_exporters.dora.kind",
}
"""Name → module. Its client library is imported when it connects."""


def load(names: Iterable[str]) -> tuple[ExporterKind[Any], ...]:
    """The kinds of these names, in this order.

    Raises:
        KeyError: there is none of a name.
    """
    return tuple(importlib.import_module(MODULES[name]).KIND for name in names)
