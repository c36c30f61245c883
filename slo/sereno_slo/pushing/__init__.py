"""Compiled groups brought into a ruler (docs/engines.md): what differs is looked at first, and only that is changed.

Beside the compiler, not of it: nothing of the compiler imports this package. `differences` is pure; `push` changes the
ruler.
"""

from sereno_slo.pushing.differences import Change, ChangeKind, Differences, differences
from sereno_slo.pushing.groups import Namespaces, groups_of_services
from sereno_slo.pushing.push import Pushed, push

__all__ = [
    "Change",
    "ChangeKind",
    "Differences",
    "Namespaces",
    "Pushed",
    "differences",
    "groups_of_services",
    "push",
]
