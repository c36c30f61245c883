"""The life cycle of Sereno's data streams: how long documents are kept, and who deletes them."""

from sereno_backends.logs.lifecycle.job import RetentionJob
from sereno_backends.logs.lifecycle.lifecycle import Lifecycle
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
from sereno_backends.logs.lifecycle.plan import deletions, due

__all__ = [
    "BackingIndex",
    "Deletion",
    "Lifecycle",
    "LifecyclePlan",
    "LifecycleRun",
    "Manager",
    "Retention",
    "RetentionJob",
    "Retentions",
    "RollOver",
    "Stream",
    "deletions",
    "due",
]
