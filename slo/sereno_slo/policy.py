"""The alerting policy as data: which share of the budget within which time is too fast."""

from collections.abc import Iterable
from dataclasses import replace

from sereno_slo.duration import FIVE_MINUTES, Duration
from sereno_slo.model import AlertSeverity, BurnTier, Indicator, Objective, TimeSlices

# The Google SRE Workbook's recommendation (chapter "Alerting on SLOs", table 5-8): budget share, long window, and a
# short window of a twelfth, so that the alert resolves soon after the cause is gone.
WORKBOOK_TIERS = (
    BurnTier(0.02, Duration.parse("1h"), Duration.parse("5m"), AlertSeverity.CRITICAL, "fast"),
    BurnTier(0.05, Duration.parse("6h"), Duration.parse("30m"), AlertSeverity.CRITICAL, "slow"),
    BurnTier(0.10, Duration.parse("1d"), Duration.parse("2h"), AlertSeverity.WARNING, "fast"),
    BurnTier(0.10, Duration.parse("3d"), Duration.parse("6h"), AlertSeverity.WARNING, "slow"),
)

# Standard deviations of certainty: 2.58 is 99 % two-sided. One failure at 10 requests an hour is a burn of 1,000 by
# arithmetic and no evidence at all: its sqrt is 1, below z/2.
EVIDENCE_Z = 2.58
# Events that count as evidence, of those that are usual: all events of a day may come within one hour.
MOST_OF_USUAL = 24
# An outage is "surely more than half of the last two minutes' events are bad", whatever the objective; or of the last
# five minutes, where events take longer to come. 1.96 is 97.5 % one-sided: a third that fails is an incident, too.
OUTAGE_RATIO = 0.5
OUTAGE_Z = 1.96
_OUTAGE_WINDOWS = (Duration.parse("2m"), FIVE_MINUTES)
OUTAGE_WINDOW_OF_SLICES = FIVE_MINUTES


def outage_windows(indicator: Indicator | None) -> tuple[Duration, ...]:
    """What an outage is judged by, the shortest first; of minutes that are events themselves there is only one.

    A journey has no indicator: its events are counted by its first step.
    """
    return (OUTAGE_WINDOW_OF_SLICES,) if isinstance(indicator, TimeSlices) else _OUTAGE_WINDOWS


def named(tiers: Iterable[BurnTier]) -> tuple[BurnTier, ...]:
    """The tiers from the shortest to the longest of each severity: the first burns `fast`, the others `slow`."""
    ordered = sorted(tiers, key=lambda tier: (tier.severity is not AlertSeverity.CRITICAL, tier.long))
    first = {tier.severity: tier for tier in reversed(ordered)}
    return tuple(replace(tier, burn="fast" if first[tier.severity] == tier else "slow") for tier in ordered)


def is_feasible(slo: Objective, tier: BurnTier) -> bool:
    """Whether the tier can fire at all: its threshold is an error ratio below 1, its window shorter than the SLO's."""
    return tier.factor(slo.window) * slo.error_budget_ratio < 1 and tier.long < slo.window
