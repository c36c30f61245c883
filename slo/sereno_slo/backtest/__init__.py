"""A policy over the past of a server (docs/backtest.md): the pages and tickets that it would have sent.

Raw series are read minute by minute (`collecting`), the compiler's own rules are evaluated on them (`interpreter`,
`firing`), and what they fire is told and judged (`replaying`). Nothing of the compiler imports this package; it needs
numpy. What is imported from here: `run_backtest` and its result, `recorded_entries` for it to read instead of raw
series (`collected`), `read_incidents`, and two ways to write a result.
"""

from sereno_slo.backtest.asking import HistoryNotRead
from sereno_slo.backtest.collecting import collected
from sereno_slo.backtest.documents import as_document
from sereno_slo.backtest.incidents import read_incidents
from sereno_slo.backtest.pages import as_html
from sereno_slo.backtest.recorded import recorded_entries
from sereno_slo.backtest.replaying import Backtest
from sereno_slo.backtest.running import Asked, OtherSpec, run_backtest

__all__ = [
    "Asked",
    "Backtest",
    "HistoryNotRead",
    "OtherSpec",
    "as_document",
    "as_html",
    "collected",
    "read_incidents",
    "recorded_entries",
    "run_backtest",
]
