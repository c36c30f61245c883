"""Questions about budgets, answered from the ledger's own series (docs/budget.md); beside the compiler, as `history`.

`explain` tells where one SLO's numbers come from, `standings` how all of them stand, `verdicts` whether a deployment
may go on.
"""

from sereno_slo.explain.account import NotRecorded, SeveralLedgers
from sereno_slo.explain.deciding import NOT_KNOWN, Verdict, applying, thresholds_of, verdicts
from sereno_slo.explain.explanation import Budget, Explanation, explain
from sereno_slo.explain.spending import Stretch
from sereno_slo.explain.standings import Standing, standings

__all__ = [
    "NOT_KNOWN",
    "Budget",
    "Explanation",
    "NotRecorded",
    "SeveralLedgers",
    "Standing",
    "Stretch",
    "Verdict",
    "applying",
    "explain",
    "standings",
    "thresholds_of",
    "verdicts",
]
