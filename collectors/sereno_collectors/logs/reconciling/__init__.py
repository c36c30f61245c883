"""The proof that nothing is lost: emitted = indexed + dead-lettered + queued, by sequence numbers."""

from sereno_collectors.logs.reconciling.model import Duplicate, Gap, HourFigures, Known, Reconciliation, SourceRange
from sereno_collectors.logs.reconciling.reconcile import reconcile
from sereno_collectors.logs.reconciling.tracker import SequenceTracker

__all__ = [
    "Duplicate",
    "Gap",
    "HourFigures",
    "Known",
    "Reconciliation",
    "SequenceTracker",
    "SourceRange",
    "reconcile",
]
