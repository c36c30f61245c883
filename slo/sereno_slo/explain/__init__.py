"""Questions about budgets, answered from the ledger's own series (docs/budget.md); beside the compiler, as `history`.

`explain` tells where one SLO's numbers come from, `standings` how all of them stand, `verdicts` whether a deployment
may go on; `record_override` keeps who let one pass nevertheless.
"""

from sereno_slo.explain.account import NotRecorded, SeveralLedgers
from sereno_slo.explain.deciding import NOT_KNOWN, Verdict, applying, thresholds_of, verdicts
from sereno_slo.explain.explanation import Budget, Explanation, explain
from sereno_slo.explain.overrides import (
    LONGEST_OVERRIDE,
    OVERRIDES_FILE,
    Override,
    OverridesUnreadable,
    read_overrides,
    record_override,
)
from sereno_slo.explain.spending import Stretch
from sereno_slo.explain.standings import Standing, standings

__all__ = [
    "LONGEST_OVERRIDE",
    "NOT_KNOWN",
    "OVERRIDES_FILE",
    "Budget",
    "Explanation",
    "NotRecorded",
    "Override",
    "OverridesUnreadable",
    "SeveralLedgers",
    "Standing",
    "Stretch",
    "Verdict",
    "applying",
    "explain",
    "read_overrides",
    "record_override",
    "standings",
    "thresholds_of",
    "verdicts",
]
