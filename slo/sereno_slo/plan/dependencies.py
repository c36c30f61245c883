"""What an SLO depends on, as far as recorded series tell it: its spec may be another team's."""

from collections.abc import Sequence

from sereno_slo.duration import Duration
from sereno_slo.model import SloReference
from sereno_slo.plan import series
from sereno_slo.plan.series import MINUTE_WINDOWS, ROLL_UP_WINDOWS, Ledger
from sereno_slo.promql import Call, Expr, any_of

HOUR = Duration.parse("1h")


def ledger_of(slo: SloReference) -> Ledger:
    """The recorded series of an SLO that only its name is known of."""
    return Ledger(slo.service, slo.slo)


def burn_rate(slo: SloReference) -> Expr:
    """How many times as fast as its own objective allows its budget burned in the last hour."""
    ledger = ledger_of(slo)
    return ledger.figure("error_ratio", HOUR) / (1 - ledger.series(series.OBJECTIVE))


def failing_most(steps: Sequence[SloReference], window: Duration) -> tuple[Duration, Expr]:
    """Error ratios of the steps, the highest first, over the longest window up to this one that every SLO records."""
    recorded = max(known for known in (*MINUTE_WINDOWS, *ROLL_UP_WINDOWS) if known <= max(window, MINUTE_WINDOWS[0]))
    ratios = any_of(*(ledger_of(step).figure("error_ratio", recorded) for step in steps))
    return recorded, Call("sort_desc", (ratios,))
