"""What an SLO depends on, as far as recorded series tell it: its spec may be another team's."""

from sereno_slo.duration import Duration
from sereno_slo.model import SloReference
from sereno_slo.plan import series
from sereno_slo.plan.series import Ledger
from sereno_slo.promql import Expr

HOUR = Duration.parse("1h")


def ledger_of(slo: SloReference) -> Ledger:
    """The recorded series of an SLO that only its name is known of."""
    return Ledger(slo.service, slo.slo)


def burn_rate(slo: SloReference) -> Expr:
    """How many times as fast as its own objective allows its budget burned in the last hour."""
    ledger = ledger_of(slo)
    return ledger.figure("error_ratio", HOUR) / (1 - ledger.series(series.OBJECTIVE))
