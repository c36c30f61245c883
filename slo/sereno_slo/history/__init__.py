"""What is asked of servers (docs/backfill.md, docs/spec.md): beside the compiler, the only part that does.

Nothing of the compiler imports this package: `repair_ledger` recounts the past from raw samples, `judged` tells what
alerts can see at the traffic of the last days. Moments of repairs are whole milliseconds since the epoch, as Prometheus
stores them.
"""

from sereno_slo.history.asking import Asker
from sereno_slo.history.counting import series_counts
from sereno_slo.history.expressions import entry_expressions
from sereno_slo.history.judging import Judgement, judged
from sereno_slo.history.ledger_repair import AccountRepair, SeriesRepair, repair_ledger
from sereno_slo.history.reading import ForeignLabels, Reader
from sereno_slo.history.slots import Span

__all__ = [
    "AccountRepair",
    "Asker",
    "ForeignLabels",
    "Judgement",
    "Reader",
    "SeriesRepair",
    "Span",
    "entry_expressions",
    "judged",
    "repair_ledger",
    "series_counts",
]
