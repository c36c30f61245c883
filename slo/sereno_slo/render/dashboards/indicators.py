"""The indicators that panels of now are drawn from: those of one service, of the chosen instances only."""

from dataclasses import replace
from typing import assert_never

from sereno_slo.model import (
    BadEventsRatio,
    CountedIndicator,
    GoodEventsRatio,
    Indicator,
    Latency,
    NativeLatency,
    Probe,
    Settings,
    Threshold,
)
from sereno_slo.promql import Matcher, MatchOp

NamedIndicators = tuple[tuple[str, CountedIndicator], ...]
"""With the names of their SLOs."""


def instance_label(settings: Settings) -> str:
    """The label that tells targets apart: `instance`, or the last identity label where there is none."""
    labels = settings.identity_labels
    return "instance" if "instance" in labels else labels[-1]


def of_instances(indicator: Indicator, settings: Settings) -> Indicator:
    """The same indicator for the chosen instances only."""
    chosen = Matcher(instance_label(settings), MatchOp.REGEX, "$instance")
    total = indicator.total.where(chosen)
    match indicator:
        case BadEventsRatio():
            return replace(indicator, total=total, bad=indicator.bad.where(chosen))
        case GoodEventsRatio():
            return replace(indicator, total=total, good=indicator.good.where(chosen))
        case Latency():
            return replace(indicator, total=total, fast=indicator.fast.where(chosen))
        case NativeLatency():
            return replace(indicator, histogram=total)
        case Threshold() | Probe():
            return replace(indicator, gauge=total)
        case _:
            assert_never(indicator)
