"""The life cycle of logs: how long documents are kept, and who deletes them.

What needs the client library is imported when it is first asked for.
"""

import importlib
from typing import TYPE_CHECKING, Any

from sereno_backends.logs.lifecycle.model import (
    BackingIndex,
    Deletion,
    LifecyclePlan,
    LifecycleRun,
    Manager,
    Retention,
    Retentions,
    RollOver,
    Stream,
)
from sereno_backends.logs.lifecycle.opening import open_lifecycle
from sereno_backends.logs.lifecycle.plan import deletions, due
from sereno_backends.logs.lifecycle.sqlite_retention import Overdue, SqliteRetention, SqliteRun

if TYPE_CHECKING:
    from sereno_backends.logs.lifecycle.lifecycle import Lifecycle

__all__ = [
    "BackingIndex",
    "Deletion",
    "Lifecycle",
    "LifecyclePlan",
    "LifecycleRun",
    "Manager",
    "Overdue",
    "Retention",
    "Retentions",
    "RollOver",
    "SqliteRetention",
    "SqliteRun",
    "Stream",
    "deletions",
    "due",
    "open_lifecycle",
]

_LAZY = {
    "Lifecycle": "sereno_backends.logs.lifecycle.lifecycle",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for."""
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_LAZY[name]), name)
