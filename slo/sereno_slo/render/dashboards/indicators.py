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

_ENVIRONMENTS = ("environment", "env", "deployment_environment", "deployment_environment_name")

NamedIndicators = tuple[tuple[str, CountedIndicator], ...]
"""With the names of their SLOs."""


def instance_label(settings: Settings) -> str:
    """The label that tells targets apart: `instance`, or the last identity label where there is none."""
    labels = settings.identity_labels
    of_targets = [label for label in labels if label not in _ENVIRONMENTS] or labels
    return "instance" if "instance" in labels else of_targets[-1]


def environment_label(settings: Settings) -> str | None:
    """The identity label that tells environments apart, if there is one."""
    return next((label for label in settings.identity_labels if label in _ENVIRONMENTS), None)


def choices(settings: Settings) -> dict[str, str]:
    """The variables at the top and the labels that they choose by."""
    environment = environment_label(settings)
    chosen = {"environment": environment} if environment else {}
    return {**chosen, "instance": instance_label(settings)}


def of_instances(indicator: Indicator, settings: Settings) -> Indicator:
    """The same indicator for the chosen environments and instances only."""
    chosen = [Matcher(label, MatchOp.REGEX, f"${name}") for name, label in choices(settings).items()]
    total = indicator.total.where(*chosen)
    match indicator:
        case BadEventsRatio():
            return replace(indicator, total=total, bad=indicator.bad.where(*chosen))
        case GoodEventsRatio():
            return replace(indicator, total=total, good=indicator.good.where(*chosen))
        case Latency():
            return replace(indicator, total=total, fast=indicator.fast.where(*chosen))
        case NativeLatency():
            return replace(indicator, histogram=total)
        case Threshold() | Probe():
            return replace(indicator, gauge=total)
        case _:
            assert_never(indicator)
