"""Budgets of an SLO's groups, the least first."""

from dataclasses import dataclass

from sereno_backends.prometheus import Sample
from sereno_slo.model import Journey, ServiceLevelObjective
from sereno_slo.plan import series
from sereno_slo.plan.series import Ledger, patient
from sereno_slo.promql import Matcher, MatchOp, Selector

from sereno_portal.gateway import Gateway

_FIGURES = (
    series.BUDGET_REMAINING,
    "sereno:error_ratio:window",
    "sereno:bad_events:window",
    "sereno:events:window",
)
MOST_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Group:
    """One group as if it were an SLO of its own."""

    values: tuple[str, ...]
    """Of the labels, in their order."""
    budget_remaining_ratio: float | None
    error_ratio: float | None
    bad_events: float | None
    events: float | None


@dataclass(frozen=True, slots=True)
class Groups:
    """The groups of one SLO."""

    labels: tuple[str, ...]
    each: tuple[Group, ...]
    left_out: int
    """Groups without a budget of their own, since there are more than the limit."""


def groups_of(gateway: Gateway, slo: ServiceLevelObjective | Journey) -> tuple[Groups | None, str]:
    """The groups, None of an SLO that has none, and why they aren't younger. Raises `NotAnswered`."""
    group_by = slo.group_by if isinstance(slo, ServiceLevelObjective) else None
    if group_by is None:
        return None, ""
    ledger = Ledger(slo.service, slo.name, group_by.labels)
    names = {ledger.series(figure).metric: figure for figure in _FIGURES}
    left_out = ledger.whole.series(series.GROUPS_LEFT_OUT).metric
    every = Matcher("__name__", MatchOp.REGEX, "|".join((*names, left_out)))
    selector = Selector("", (every,)).where(**ledger.labels)
    found: dict[tuple[str, ...], dict[str, float]] = {}
    left_out_count = 0.0
    answer = gateway.instant(patient(selector))
    for sample in answer.value:
        if sample.labels["__name__"] == left_out:
            left_out_count = sample.value
        elif sample.is_finite:
            found.setdefault(_values(sample, group_by.labels), {})[names[sample.labels["__name__"]]] = sample.value
    groups = [Group(values, *map(figures.get, _FIGURES)) for values, figures in found.items()]
    shown = tuple(sorted(groups, key=_urgency)[:MOST_SHOWN])
    return Groups(group_by.labels, shown, round(left_out_count)), answer.trouble


def _values(sample: Sample, labels: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sample.labels.get(label, "") for label in labels)


def _urgency(group: Group) -> tuple[float, tuple[str, ...]]:
    remaining = group.budget_remaining_ratio
    return (float("inf") if remaining is None else remaining, group.values)
