"""Repairing the ledger from raw samples (docs/backfill.md): beside the compiler, the only part that asks servers.

Nothing of the compiler imports this package. Moments are whole milliseconds since the epoch, as Prometheus stores them.
"""

from sereno_slo.history.ledger_repair import AccountRepair, SeriesRepair, repair_ledger
from sereno_slo.history.reading import ForeignLabels, Reader
from sereno_slo.history.slots import Span

__all__ = ["AccountRepair", "ForeignLabels", "Reader", "SeriesRepair", "Span", "repair_ledger"]
