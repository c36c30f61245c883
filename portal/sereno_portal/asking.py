"""Several figures or lines in one question, told apart by a label of their own."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sereno_backends.prometheus import Columns, Sample
from sereno_slo.plan.series import side_by_side
from sereno_slo.promql import Expr

from sereno_portal.gateway import Answer, Gateway, Span

_OF = "portal_of"


@dataclass(frozen=True, slots=True)
class Figures:
    """Numbers by the names under which they were asked for; what isn't known is missing."""

    values: Mapping[str, float]

    def get(self, name: str) -> float | None:
        """None where it isn't known."""
        return self.values.get(name)


def figures_of(gateway: Gateway, exprs: Mapping[str, Expr]) -> Answer[Figures]:
    """Expressions that yield one number each. Raises `NotAnswered`."""
    answer = samples_of(gateway, exprs)
    found = {name: samples[0].value for name, samples in answer.value.items() if samples}
    return Answer(Figures(found), answer.at, answer.trouble)


def samples_of(gateway: Gateway, exprs: Mapping[str, Expr]) -> Answer[Mapping[str, tuple[Sample, ...]]]:
    """What each expression yields now, finite values only. Raises `NotAnswered`."""
    answer = gateway.instant(side_by_side(exprs, _OF))
    found: dict[str, list[Sample]] = {name: [] for name in exprs}
    for sample in answer.value:
        if sample.is_finite:
            own = {label: value for label, value in sample.labels.items() if label != _OF}
            found[sample.labels[_OF]].append(replace(sample, labels=own))
    return Answer({name: tuple(samples) for name, samples in found.items()}, answer.at, answer.trouble)


def lines_of(gateway: Gateway, exprs: Mapping[str, Expr], span: Span) -> Answer[Mapping[str, tuple[Columns, ...]]]:
    """What each expression yields over a span. Raises `NotAnswered`."""
    found: dict[str, list[Columns]] = {name: [] for name in exprs}
    answer = gateway.range(side_by_side(exprs, _OF), span)
    for columns in answer.value:
        own = {label: value for label, value in columns.labels.items() if label != _OF}
        found[columns.labels[_OF]].append(replace(columns, labels=own))
    return Answer({name: tuple(lines) for name, lines in found.items()}, answer.at, answer.trouble)
