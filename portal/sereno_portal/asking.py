"""Several figures or lines in one question, told apart by a label of their own."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from sereno_backends.prometheus import Columns, PrometheusError, Sample, told_apart
from sereno_slo.plan.series import side_by_side
from sereno_slo.promql import Expr

from sereno_portal.gateway import Answer, Gateway, NotAnswered, Span

_OF = "portal_of"

Labelled = TypeVar("Labelled", Sample, Columns)


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
    for name, sample in _by_name(gateway, answer.value, found):
        if sample.is_finite:
            found[name].append(sample)
    return Answer({name: tuple(samples) for name, samples in found.items()}, answer.at, answer.trouble)


def lines_of(gateway: Gateway, exprs: Mapping[str, Expr], span: Span) -> Answer[Mapping[str, tuple[Columns, ...]]]:
    """What each expression yields over a span. Raises `NotAnswered`."""
    found: dict[str, list[Columns]] = {name: [] for name in exprs}
    answer = gateway.range(side_by_side(exprs, _OF), span)
    for name, columns in _by_name(gateway, answer.value, found):
        found[name].append(columns)
    return Answer({name: tuple(lines) for name, lines in found.items()}, answer.at, answer.trouble)


def _by_name(
    gateway: Gateway, answered: Iterable[Labelled], names: Mapping[str, object]
) -> Iterator[tuple[str, Labelled]]:
    """Each with the name that it was asked by, and without the label that says it. Raises `NotAnswered`."""
    try:
        for name, each in told_apart(answered, _OF, names, server=gateway.server):
            own = {label: value for label, value in each.labels.items() if label != _OF}
            yield name, replace(each, labels=own)
    except PrometheusError as error:
        raise NotAnswered(str(error)) from error
